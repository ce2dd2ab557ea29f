"""The parsers of this package: what each declares, and that it provides what Twisted asks of a parser."""

from __future__ import annotations

from typing import Any

import pytest
from zope.interface.verify import verifyObject

from twisted_endpoints.endpoints.tcp import TCP4ClientEndpoint, TCP4ServerEndpoint, TCP6ServerEndpoint
from twisted_endpoints.endpoints.unix import UNIXClientEndpoint, UNIXServerEndpoint
from twisted_endpoints.interfaces import (
    IStreamClientEndpointStringParserWithReactor,
    IStreamServerEndpointStringParser,
)
from twisted_endpoints.plugin import IPlugin
from twisted_endpoints.plugins import Parser, fd, ssl, systemd, tcp, tcp6, tls, unix
from twisted_endpoints.strings import registry


def builtin(role: registry.Registry) -> list[registry.Found]:
    return [found for found in role.everything() if found.origin == "twisted-endpoints"]


@pytest.mark.parametrize(
    ("role", "interface"),
    [
        (registry.servers, IStreamServerEndpointStringParser),
        (registry.clients, IStreamClientEndpointStringParserWithReactor),
    ],
    ids=["servers", "clients"],
)
def test_eachProvidesItsInterface(role: registry.Registry, interface: Any) -> None:
    rows = builtin(role)
    assert len(rows) >= 2
    for found in rows:
        assert found.problem is None
        assert verifyObject(interface, found.parser)
        assert verifyObject(IPlugin, found.parser)
        assert found.parser.prefix == found.prefix
        assert found.parser.summary


def test_eachArgumentHasAMeaningThatFitsIntoALine() -> None:
    rows = [*builtin(registry.servers), *builtin(registry.clients)]
    sizes = {
        f"{found.prefix}: {parameter.name}": len(parameter.meaning)
        for found in rows
        for parameter in found.parser.declaration.parameters
    }
    assert [name for name, size in sizes.items() if not 0 < size <= 80] == [], "see Parser.meanings"


def signature(parser: Parser) -> list[tuple[str, str, str | None]]:
    return [(p.name + "=" * p.keywordOnly, p.kind.name, p.defaultText) for p in parser.declaration.parameters]


def test_theArgumentsAreTwisteds() -> None:
    assert signature(tcp.server) == [
        ("port", "port", None),
        ("interface", "address", ""),
        ("backlog", "number", "50"),
    ]
    assert signature(tcp6.server) == [
        ("port", "port", None),
        ("backlog", "number", "50"),
        ("interface", "address", "::"),
    ]
    assert signature(unix.server) == [
        ("address", "path", None),
        ("mode", "octal mode", "666"),
        ("backlog", "number", "50"),
        ("lockfile", "0 or 1", "1"),
    ]
    assert signature(systemd.server) == [
        ("domain", "domain", None),
        ("index", "number", None),
        ("name", "text", None),
    ]
    assert signature(fd.server) == [("fileno", "number", None)]  # daphne's
    assert signature(ssl.server)[:9] == [
        ("port", "port", None),
        ("privateKey", "path", "server.pem"),
        ("certKey", "path", None),
        ("sslmethod", "method", None),
        ("interface", "address", ""),
        ("backlog", "number", "50"),
        ("extraCertChain", "path", None),
        ("dhParameters", "path", None),
        ("minVersion=", "TLS version", None),
    ]
    assert signature(tls.server)[:5] == [
        ("path", "path", None),
        ("port", "port", "443"),
        ("backlog", "number", "50"),
        ("interface", "address", "::"),
        ("privateKey=", "path", None),
    ]
    assert signature(ssl.client)[:7] == [
        ("host", "host", None),
        ("port", "port", None),
        ("timeout=", "seconds", "30"),
        ("bindAddress=", "address", None),
        ("certKey=", "path", None),
        ("privateKey=", "path", None),
        ("caCertsDir=", "path", None),
    ]
    assert signature(tls.client)[:9] == [
        ("host", "host", None),
        ("port", "port", None),
        ("timeout", "seconds", "30"),
        ("bindAddress", "address", None),
        ("certificate", "path", None),
        ("privateKey", "path", None),
        ("trustRoots", "path", None),
        ("endpoint", "endpoint string", None),
        ("minVersion=", "TLS version", "1.2"),
    ]
    assert signature(tcp.client) == [
        ("host", "host", None),
        ("port", "port", None),
        ("timeout=", "seconds", "30"),
        ("bindAddress=", "address", None),
    ]
    assert signature(unix.client) == [
        ("path", "path", None),
        ("timeout=", "seconds", "30"),
        ("lockfile=", "0 or 1", "0"),
    ]


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        (lambda: tcp.server.parseStreamServer(None, "80", interface="127.0.0.1"), TCP4ServerEndpoint),
        (lambda: tcp6.server.parseStreamServer(None, "80"), TCP6ServerEndpoint),
        (lambda: unix.server.parseStreamServer(None, b"/x", mode=b"600"), UNIXServerEndpoint),
        (lambda: tcp.client.parseStreamClient(None, "a", "80"), TCP4ClientEndpoint),
        (lambda: unix.client.parseStreamClient(None, path="/x"), UNIXClientEndpoint),
    ],
)
def test_eachCanBeCalledAsTwistedCallsParsers(made: Any, kind: type) -> None:
    assert type(made()) is kind
