"""The table's rows about endpoints: one connection by each kind, on real sockets; and who wins a race."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.endpoints.scenario import CONNECTS, REFUSES, Network, connect
from tests.plugins.tlsfiles import EchoFactory, Files, Says
from tests.running import needsIPv6, run
from twisted_endpoints import endpoints
from twisted_endpoints.address import IPv4Address, IPv6Address, UNIXAddress
from twisted_endpoints.ssl import Certificate, PrivateCertificate, optionsForClientTLS
from twisted_endpoints.testing import MemoryReactorClock


def echoed(reactor: Any, server: Any, client: Callable[[Any], Any]) -> tuple[Any, list[Any]]:
    """
    Serve an echo, and talk to it.

    Args:
        server: the endpoint to listen on.
        client: makes the endpoint to connect to, from the address that the port has.

    Returns:
        That address, and what the echo's protocols were told of their peers.
    """
    factory = EchoFactory()

    async def main() -> Any:
        port = await server.listen(factory)
        address = port.getHost()
        protocol = await endpoints.connectProtocol(client(address), Says())
        await protocol.done
        assert protocol.heard == b"hello"
        await port.stopListening()
        await factory.idle()
        return address

    address = run(reactor, main)
    return address, [protocol.transport.getPeer() for protocol in factory.seen]


@pytest.mark.parametrize(
    ("server", "client", "kind", "everywhere", "here"),
    [
        ("TCP4ServerEndpoint", "TCP4ClientEndpoint", IPv4Address, "0.0.0.0", "127.0.0.1"),
        pytest.param("TCP6ServerEndpoint", "TCP6ClientEndpoint", IPv6Address, "::", "::1", marks=needsIPv6),
    ],
    ids=["IPv4", "IPv6"],
)
def test_tcpEndpointsHaveAConfigurationOfTheirFamily(
    reactor: Any, server: str, client: str, kind: type, everywhere: str, here: str
) -> None:
    address, peers = echoed(
        reactor,
        getattr(endpoints, server)(reactor, 0),
        lambda at: getattr(endpoints, client)(reactor, here, at.port),
    )

    assert (type(address), address.host) == (kind, everywhere)
    assert [(type(peer), peer.host) for peer in peers] == [(kind, here)]


@pytest.mark.parametrize(
    ("hosts", "winner"),
    [
        ({"192.0.2.1": (0.1, CONNECTS), "192.0.2.2": (0.0, CONNECTS)}, "192.0.2.1"),
        ({"192.0.2.1": (2.0, CONNECTS), "192.0.2.2": (0.1, CONNECTS)}, "192.0.2.2"),
        ({"192.0.2.1": (0.0, REFUSES), "192.0.2.2": (0.1, CONNECTS)}, "192.0.2.2"),
        ({"2001:db8::1": (2.0, CONNECTS), "192.0.2.2": (0.1, CONNECTS)}, "192.0.2.2"),
    ],
    ids=["the first answers", "the second is faster", "the first refuses", "IPv4 is faster"],
)
def test_aNameBasedEndpointConnectsToTheFastestOfItsAddresses(hosts: Any, winner: str) -> None:
    network = Network(hosts)
    outcome = connect(network, host="example.com")
    network.runUntilIdle()

    assert [lookup.name for lookup in network.lookups] == ["example.com"]
    assert outcome.protocol is not None
    assert [host for host, _, _, what in network.history() if what == "connected"] == [winner]
    network.forget()


def test_ssl4EndpointsAreSecuredTCPWithAnIPv4Configuration(reactor: Any, files: Files) -> None:
    served = PrivateCertificate.loadPEM(Path(files.leaf_pem).read_bytes())
    trusted = optionsForClientTLS(
        "localhost", Certificate.loadPEM(Path(files.root_pem).read_bytes()), extraCertificateOptions=None
    )
    address, peers = echoed(
        reactor,
        endpoints.SSL4ServerEndpoint(reactor, 0, served.options(), interface="127.0.0.1"),
        lambda at: endpoints.SSL4ClientEndpoint(reactor, "127.0.0.1", at.port, trusted),
    )

    assert isinstance(address, IPv4Address)
    assert [peer.host for peer in peers] == ["127.0.0.1"]


def test_unixEndpointsAreUnixSockets(reactor: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    address, _ = echoed(
        reactor,
        endpoints.UNIXServerEndpoint(reactor, path),
        lambda at: endpoints.UNIXClientEndpoint(reactor, path),
    )

    assert address == UNIXAddress(path)


def test_anAdoptedEndpointListensOnADescriptorThatSomebodyElseHasMade(reactor: Any) -> None:
    opened = socket.create_server(("127.0.0.1", 0))
    where = opened.getsockname()
    address, peers = echoed(
        reactor,
        endpoints.AdoptedStreamServerEndpoint(reactor, opened.detach(), socket.AF_INET),
        lambda at: endpoints.TCP4ClientEndpoint(reactor, at.host, at.port),
    )

    assert (address.host, address.port) == where
    assert [peer.host for peer in peers] == ["127.0.0.1"]


def test_anEndpointOpensNothingBeforeItIsUsed() -> None:
    reactor = MemoryReactorClock()
    endpoints.TCP4ServerEndpoint(reactor, 80)
    endpoints.TCP4ClientEndpoint(reactor, "192.0.2.1", 80)
    assert (reactor.tcpServers, reactor.tcpClients) == ([], [])
