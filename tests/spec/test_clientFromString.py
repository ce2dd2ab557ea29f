"""clientFromString: each sentence of its description."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
from zope.interface.verify import verifyObject

from tests.plugins.tlsfiles import CLIENT, Files, Says
from tests.running import run
from tests.strings.distributions import Site
from tests.tls.authority import root
from twisted_endpoints.endpoints import (
    SSL4ClientEndpoint,
    TCP4ClientEndpoint,
    clientFromString,
    serverFromString,
)
from twisted_endpoints.interfaces import IStreamClientEndpoint
from twisted_endpoints.protocol import Factory, Protocol
from twisted_endpoints.ssl import Certificate
from twisted_endpoints.strings import UnverifiedServerWarning
from twisted_endpoints.testing import MemoryReactorClock


def connected(description: str | bytes) -> Any:
    """Connect to what a string says, on a reactor in memory; give that."""
    reactor = MemoryReactorClock()
    clientFromString(reactor, description).connect(Factory())
    return reactor


def test_itConstructsAClientEndpointFromAString() -> None:
    endpoint = clientFromString(MemoryReactorClock(), "tcp:192.0.2.1:80")
    assert verifyObject(IStreamClientEndpoint, endpoint)


@pytest.mark.parametrize(
    "description",
    [
        "tcp:host=www.example.com:port=80",
        "tcp:www.example.com:80",
        "tcp:host=www.example.com:80",
        "tcp:www.example.com:port=80",
        "tcp:port=80:host=www.example.com",
        b"tcp:www.example.com:80",
    ],
)
def test_hostAndPortAreKeywordsOrNotOrOneOfThem(description: str | bytes) -> None:
    [(host, port, *_)] = connected(description).tcpClients
    assert (host, port) == ("www.example.com", 80)


@pytest.mark.parametrize("third", ["5", "127.0.0.1"])
def test_asideFromHostAndPortAllArgumentsAreKeywords(third: str) -> None:
    with pytest.raises(ValueError, match="at most 2 arguments without a keyword"):
        clientFromString(MemoryReactorClock(), f"tcp:www.example.com:80:{third}")


def test_anSSLClientTakesThoseArgumentsAndACertificateAsTheServersDo(files: Files) -> None:
    reactor = MemoryReactorClock()
    with pytest.warns(UnverifiedServerWarning):
        endpoint: Any = clientFromString(
            reactor, "ssl:web.example.com:443:privateKey=client.pem:certKey=client.pem"
        )
    assert isinstance(endpoint, SSL4ClientEndpoint)
    assert (endpoint._host, endpoint._port) == ("web.example.com", 443)
    assert Certificate(endpoint._sslContextFactory.certificate).dumpPEM() == CLIENT.certificatePEM


def test_aDirectoryOfPEMFilesHasTheTrustRoots(files: Files) -> None:
    Path("certs").mkdir()
    files.write("certs/root.pem", root().certificatePEM)
    with pytest.warns(UnverifiedServerWarning):
        endpoint: Any = clientFromString(
            MemoryReactorClock(), "ssl:host=web.example.com:port=443:caCertsDir=certs"
        )
    [trusted] = endpoint._sslContextFactory.trustRoot._caCerts
    assert Certificate(trusted).dumpPEM() == root().certificatePEM


@pytest.mark.parametrize("description", ["tcp:www.example.com:80", "ssl:www.example.com:443:insecure=1"])
def test_bindAddressIsALocalAddressWithAnEphemeralPort(description: str) -> None:
    [(_, _, _, _, bindAddress)] = connected(f"{description}:bindAddress=192.0.2.100").tcpClients
    assert bindAddress == ("192.0.2.100", 0)


def test_theSocketIsFixedToThatAddressAndItsPortIsTheSystems(reactor: Any) -> None:
    peers: list[Any] = []

    class Notes(Protocol):
        def connectionMade(self) -> None:
            assert self.transport is not None
            peers.append(self.transport.getPeer())
            self.transport.loseConnection()

    async def main() -> None:
        port: Any = await serverFromString(reactor, "tcp:0:interface=127.0.0.1").listen(
            Factory.forProtocol(Notes)
        )
        description = f"tcp:127.0.0.1:{port.getHost().port}:bindAddress=127.0.0.2"
        for _ in range(2):
            protocol: Any = await clientFromString(reactor, description).connect(Factory.forProtocol(Says))
            await protocol.done
        await port.stopListening()

    run(reactor, main)
    assert [peer.host for peer in peers] == ["127.0.0.2", "127.0.0.2"]
    assert peers[0].port != peers[1].port


@pytest.mark.parametrize(
    ("description", "timeout", "lockfile"),
    [
        (b"unix:path=/var/foo/bar:lockfile=1:timeout=9", 9, True),
        ("unix:path=/var/foo/bar:lockfile=1:timeout=9", 9, True),
        ("unix:/var/foo/bar", 30, False),
        ("unix:/var/foo/bar:lockfile=1:timeout=9", 9, True),
    ],
)
def test_aUnixClientHasAPathAndMayHaveALockfileAndATimeout(
    description: str | bytes, timeout: float, lockfile: bool
) -> None:
    [(path, _, given, checkPID)] = connected(description).unixClients
    assert (path, given, checkPID) == ("/var/foo/bar", timeout, lockfile)


def test_newTypesAreRegisteredAsPlugins(site: Site) -> None:
    site.module("bare")
    site.client("their-dist", "theirs = bare:parser")
    reactor = object()
    endpoint: Any = clientFromString(reactor, "theirs:one:two=3")
    assert (endpoint.args, endpoint.kwargs) == ((reactor, "one"), {"two": "3"})


def test_theEndpointHasTheReactorAndIsNew() -> None:
    reactor = MemoryReactorClock()
    first, second = (clientFromString(reactor, "tcp:192.0.2.1:80") for _ in range(2))
    assert isinstance(first, TCP4ClientEndpoint)
    assert first is not second
    assert first._reactor is reactor


def test_itConnectsWithTheDescriptionsParameters() -> None:
    reactor = MemoryReactorClock()
    clientFromString(reactor, "tcp:192.0.2.1:80:timeout=3").connect(Factory())
    [(host, port, _, timeout, _)] = reactor.tcpClients
    assert (host, port, timeout) == ("192.0.2.1", 80, 3)


@pytest.mark.parametrize("function", [clientFromString, serverFromString])
def test_bothTakeAReactorAndADescription(function: Any) -> None:
    assert list(inspect.signature(function).parameters) == ["reactor", "description"]
