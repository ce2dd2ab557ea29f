"""The documented classes that are parsers of strings."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from zope.interface.verify import verifyObject

from twisted_endpoints import endpoints
from twisted_endpoints.endpoints import clientFromString, serverFromString
from twisted_endpoints.interfaces import (
    IStreamClientEndpoint,
    IStreamClientEndpointStringParserWithReactor,
    IStreamServerEndpoint,
    IStreamServerEndpointStringParser,
)
from twisted_endpoints.testing import MemoryReactorClock


@pytest.mark.parametrize(
    ("name", "prefix", "arguments", "made"),
    [
        ("_TCP6ServerParser", "tcp6", ("80",), "TCP6ServerEndpoint"),
        ("_StandardIOParser", "stdio", (), "StandardIOEndpoint"),
    ],
)
def test_serversParsers(name: str, prefix: str, arguments: tuple[str, ...], made: str) -> None:
    parser: Any = getattr(endpoints, name)()
    reactor = MemoryReactorClock()
    endpoint = parser.parseStreamServer(reactor, *arguments)

    assert verifyObject(IStreamServerEndpointStringParser, parser)
    assert parser.prefix == prefix
    assert verifyObject(IStreamServerEndpoint, endpoint)
    assert type(endpoint) is getattr(endpoints, made)
    assert type(serverFromString(reactor, ":".join((prefix, *arguments)))) is type(endpoint)


def test_theParserForTheSystemdEndpointType() -> None:
    with socket.create_server(("127.0.0.1", 0)) as opened:

        class Inherited:
            """As Twisted's ListenFDs."""

            def inheritedDescriptors(self) -> list[int]:
                return [opened.fileno()]

            def inheritedNamedDescriptors(self) -> dict[str, int]:
                return {"web": opened.fileno()}

        parser: Any = endpoints._SystemdParser()
        parser._sddaemon = Inherited()
        assert verifyObject(IStreamServerEndpointStringParser, parser)
        assert parser.prefix == "systemd"
        for arguments in ({"index": "0"}, {"name": "web"}):
            endpoint: Any = parser.parseStreamServer(MemoryReactorClock(), domain="INET", **arguments)
            assert isinstance(endpoint, endpoints.AdoptedStreamServerEndpoint)
            assert endpoint.fileno == opened.fileno()


def test_theParserForTLSClientsWrapsAHostnameEndpoint() -> None:
    parser: Any = endpoints._TLSClientEndpointParser()
    endpoint: Any = parser.parseStreamClient(MemoryReactorClock(), "example.com", "443")

    assert verifyObject(IStreamClientEndpointStringParserWithReactor, parser)
    assert parser.prefix == "tls"
    assert verifyObject(IStreamClientEndpoint, endpoint)
    assert isinstance(endpoint._wrappedEndpoint, endpoints.HostnameEndpoint)
    assert type(clientFromString(MemoryReactorClock(), "tls:example.com:443")) is type(endpoint)
