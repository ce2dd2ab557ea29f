"""UDP ports, on real sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from zope.interface.verify import verifyObject

from tests.running import run
from twisted_endpoints.address import IPv4Address, IPv6Address
from twisted_endpoints.defer import Deferred
from twisted_endpoints.error import (
    CannotListenError,
    InvalidAddressError,
    MessageLengthError,
    MulticastJoinError,
    UnsupportedAddressFamily,
    UnsupportedSocketType,
)
from twisted_endpoints.interfaces import (
    IListeningPort,
    IMulticastTransport,
    IReactorMulticast,
    IReactorUDP,
    IUDPTransport,
)
from twisted_endpoints.protocol import DatagramProtocol

from .logged import loggedErrors

LOCAL = "127.0.0.1"


class Recorder(DatagramProtocol):
    """Keeps what it hears, and lets a test wait for the next event."""

    noisy = False

    def __init__(self) -> None:
        self.events: list[Any] = []
        self._waiting: Deferred[Any] | None = None

    def next(self) -> Deferred[Any]:
        self._waiting = Deferred()
        return self._waiting

    def _tell(self, event: Any) -> None:
        self.events.append(event)
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(event)

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        self._tell((datagram, addr))

    def connectionRefused(self) -> None:
        self._tell("refused")

    def stopProtocol(self) -> None:
        self._tell("stopped")


@pytest.fixture
def peer() -> Iterator[socket.socket]:
    """A socket of the test's own."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind((LOCAL, 0))
        made.settimeout(5)
        yield made


def test_datagramsBothWays(reactor: Any, peer: socket.socket) -> None:
    async def main() -> None:
        verifyObject(IReactorUDP, reactor)
        protocol = Recorder()
        port = reactor.listenUDP(0, protocol, LOCAL)
        verifyObject(IListeningPort, port)
        verifyObject(IUDPTransport, port)
        address = port.getHost()
        assert address == IPv4Address("UDP", LOCAL, port.socket.getsockname()[1])
        assert repr(port).endswith(f"on {address.port}>")
        came = protocol.next()
        peer.sendto(b"ping", (LOCAL, address.port))
        assert await came == (b"ping", peer.getsockname())
        port.write(b"pong", peer.getsockname())
        port.writeSequence([b"a", b"", b"b"], peer.getsockname())
        assert [peer.recv(10), peer.recv(10)] == [b"pong", b"ab"]
        assert await port.stopListening() is None
        assert (protocol.events[-1], protocol.transport, port.fileno()) == ("stopped", None, -1)
        assert port.stopListening() is None

    run(reactor, main)


def test_anEmptyDatagramIsOne(reactor: Any, peer: socket.socket) -> None:
    async def main() -> None:
        protocol = Recorder()
        port = reactor.listenUDP(0, protocol, LOCAL)
        came = protocol.next()
        peer.sendto(b"", (LOCAL, port.getHost().port))
        assert (await came)[0] == b""
        await port.stopListening()

    run(reactor, main)


def test_whatIsTooLongIsCut(reactor: Any, peer: socket.socket) -> None:
    async def main() -> None:
        protocol = Recorder()
        port = reactor.listenUDP(0, protocol, LOCAL, maxPacketSize=3)
        came = protocol.next()
        peer.sendto(b"12345", (LOCAL, port.getHost().port))
        assert (await came)[0] == b"123"
        await port.stopListening()

    run(reactor, main)


def test_aPortOverIPv6(reactor: Any) -> None:
    async def main() -> None:
        protocol = Recorder()
        try:
            port = reactor.listenUDP(0, protocol, "::1")
        except CannotListenError:
            pytest.skip("no IPv6 here")
        assert port.getHost() == IPv6Address("UDP", "::1", port.socket.getsockname()[1])
        came = protocol.next()
        port.write(b"me", ("::1", port.getHost().port))
        assert await came == (b"me", ("::1", port.getHost().port))
        with pytest.raises(InvalidAddressError, match="speaks IPv6"):
            port.write(b"", (LOCAL, 1))
        await port.stopListening()

    run(reactor, main)


def test_aRefusalIsToldToWhoIsConnected(reactor: Any, peer: socket.socket) -> None:
    async def main() -> None:
        nobody = peer.getsockname()
        peer.close()
        protocol = Recorder()
        port = reactor.listenUDP(0, protocol, LOCAL)
        # Unconnected, nobody can tell which datagram it was.
        port.write(b"?", nobody)
        port.connect(*nobody)
        refused = protocol.next()
        port.write(b"?")
        assert await refused == "refused"
        with pytest.raises(RuntimeError, match="connected to"):
            port.connect(*nobody)
        with pytest.raises(AssertionError, match="connected to"):
            port.write(b"?", (LOCAL, 1))
        await port.stopListening()

    run(reactor, main)


def test_whatCantBeSent(reactor: Any) -> None:
    async def main() -> None:
        port = reactor.listenUDP(0, Recorder(), LOCAL)
        with pytest.raises(MessageLengthError):
            port.write(b"x" * 70_000, (LOCAL, 9))
        with pytest.raises(InvalidAddressError, match="names aren't looked up"):
            port.write(b"x", ("localhost", 9))
        with pytest.raises(InvalidAddressError, match="that is IPv6"):
            port.write(b"x", ("::1", 9))
        with pytest.raises(InvalidAddressError, match="names aren't looked up"):
            port.connect("localhost", 9)
        with pytest.raises(AssertionError, match="needs an address"):
            port.write(b"x")
        assert not port.getBroadcastAllowed()
        with pytest.raises(PermissionError):
            port.write(b"x", ("<broadcast>", 9))
        port.setBroadcastAllowed(True)
        assert port.getBroadcastAllowed()
        await port.stopListening()

    run(reactor, main)


@pytest.mark.parametrize("port", [-1, 65536])
def test_aPortThatIsNone(reactor: Any, port: int) -> None:
    async def main() -> None:
        with pytest.raises(CannotListenError, match="65535"):
            reactor.listenUDP(port, Recorder(), LOCAL)

    run(reactor, main)


def test_anAddressInUse(reactor: Any, peer: socket.socket) -> None:
    async def main() -> None:
        with pytest.raises(CannotListenError, match="something else listens there"):
            reactor.listenUDP(peer.getsockname()[1], Recorder(), LOCAL)
        with pytest.raises(InvalidAddressError):
            reactor.listenUDP(0, Recorder(), "localhost")

    run(reactor, main)


@pytest.mark.parametrize("kind", [ZeroDivisionError, asyncio.CancelledError])
def test_aProtocolThatRaises(reactor: Any, peer: socket.socket, kind: type[BaseException]) -> None:
    class Raises(Recorder):
        def datagramReceived(self, datagram: bytes, addr: Any) -> None:
            super().datagramReceived(datagram, addr)
            raise kind("what a program does")

        def doStop(self) -> None:
            super().doStop()
            raise ZeroDivisionError("at the end too")

    async def main() -> None:
        protocol = Raises()
        port = reactor.listenUDP(0, protocol, LOCAL)
        for datagram in (b"1", b"2"):
            came = protocol.next()
            peer.sendto(datagram, (LOCAL, port.getHost().port))
            assert (await came)[0] == datagram
        with pytest.raises(ZeroDivisionError, match="at the end"):
            await port.stopListening()
        assert port.fileno() == -1

    with loggedErrors() as logged:
        run(reactor, main)
    assert logged == [kind] * 2


def test_aFloodKeepsNobodyWaiting(reactor: Any, peer: socket.socket) -> None:
    """A port that always has more to read lets others have their turn, and can be closed in the midst."""

    class Echoes(Recorder):
        address: Any = None

        def datagramReceived(self, datagram: bytes, addr: Any) -> None:
            super().datagramReceived(datagram, addr)
            assert self.transport is not None
            self.transport.write(datagram, self.address)

    async def main() -> None:
        protocol = Echoes()
        port = reactor.listenUDP(0, protocol, LOCAL, maxPacketSize=60_000)
        protocol.address = port.socket.getsockname()
        peer.sendto(b"x" * 50_000, protocol.address)
        turn: Deferred[None] = Deferred()
        reactor.callLater(0.01, turn.callback, None)
        await turn
        await port.stopListening()
        assert len(protocol.events) > 2

    run(reactor, main)


def test_theEndOfTheReactorClosesAPort(reactor: Any) -> None:
    protocol = Recorder()
    port = reactor.listenUDP(0, protocol, LOCAL)

    async def main() -> None:
        assert port.fileno() != -1

    run(reactor, main)
    assert (port.fileno(), protocol.events) == (-1, ["stopped"])


def test_anAdoptedPort(reactor: Any, peer: socket.socket) -> None:
    async def main() -> None:
        protocol = Recorder()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as given:
            given.bind((LOCAL, 0))
            port = reactor.adoptDatagramPort(given.fileno(), socket.AF_INET, protocol)
        came = protocol.next()
        peer.sendto(b"ping", (LOCAL, port.getHost().port))
        assert (await came)[0] == b"ping"
        await port.stopListening()

    run(reactor, main)


def test_whatCantBeAdopted(reactor: Any) -> None:
    with socket.socket() as stream, pytest.raises(UnsupportedSocketType, match="SOCK_DGRAM"):
        reactor.adoptDatagramPort(stream.fileno(), socket.AF_INET, Recorder())
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as local:
        with pytest.raises(UnsupportedAddressFamily):
            reactor.adoptDatagramPort(local.fileno(), socket.AF_UNIX, Recorder())
        with pytest.raises(UnsupportedAddressFamily):
            reactor.adoptDatagramPort(local.fileno(), socket.AF_INET, Recorder())
    with pytest.raises(OSError, match="Bad file descriptor"):
        reactor.adoptDatagramPort(9999, socket.AF_INET, Recorder())


GROUPS = {"IPv4": ("225.0.0.250", LOCAL, LOCAL), "IPv6": ("ff02::1:4", "::", "lo")}


@pytest.mark.parametrize("family", GROUPS)
def test_groupsAreJoinedAndLeft(reactor: Any, family: str) -> None:
    group, interface, where = GROUPS[family]

    async def main() -> None:
        verifyObject(IReactorMulticast, reactor)
        protocol = Recorder()
        host = "" if family == "IPv4" else interface
        try:
            port = reactor.listenMulticast(0, protocol, host, listenMultiple=True)
        except CannotListenError:
            pytest.skip(f"no {family} here")
        verifyObject(IMulticastTransport, port)
        # Others may share the port.
        other = reactor.listenMulticast(port.getHost().port, Recorder(), host, listenMultiple=True)
        await other.stopListening()
        chosen = where if family == "IPv4" else socket.if_nametoindex(where)
        assert await port.setOutgoingInterface(chosen) == 1
        assert port.getOutgoingInterface() == chosen
        with pytest.raises(TypeError, match="for an interface, not "):
            await port.setOutgoingInterface(b"" if family == "IPv4" else where)
        port.setTTL(1)
        assert port.getTTL() == 1
        port.setLoopbackMode(False)
        assert not port.getLoopbackMode()
        port.setLoopbackMode(True)
        assert port.getLoopbackMode()
        try:
            await port.joinGroup(group, where)
        except MulticastJoinError as e:
            await port.stopListening()
            pytest.skip(f"no groups here: {e}")
        if family == "IPv4":
            # Linux has no route for IPv6's groups on the loopback interface.
            came = protocol.next()
            port.write(b"all", (group, port.getHost().port))
            assert (await came)[0] == b"all"
        await port.leaveGroup(group, where)
        with pytest.raises(MulticastJoinError):
            await port.leaveGroup(group, where)
        with pytest.raises(MulticastJoinError):
            await port.joinGroup(LOCAL if family == "IPv4" else "::1", where)
        await port.stopListening()

    run(reactor, main)
