from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from zope.interface.verify import verifyObject

from tests.running import run
from twisted_endpoints.asyncioreactor import accepting, acceptreader, room
from twisted_endpoints.asyncioreactor.acceptreader import ReaderAcceptor
from twisted_endpoints.asyncioreactor.loops import isUvloop
from twisted_endpoints.defer import Deferred
from twisted_endpoints.error import CannotListenError
from twisted_endpoints.interfaces import IPushProducer
from twisted_endpoints.protocol import Factory, Protocol
from twisted_endpoints.task import deferLater


class Counting(Factory):
    """Closes each connection at once, and tells when there were so many."""

    noisy = False

    def __init__(self) -> None:
        self.reached: list[Deferred[None]] = [Deferred() for _ in range(3)]
        self.count = 0

    def buildProtocol(self, addr: Any) -> Protocol | None:
        self.reached[self.count].callback(None)
        self.count += 1
        return None


@pytest.fixture
def peers() -> Iterator[Any]:
    """Makes plain sockets that are connected to a port."""
    made: list[socket.socket] = []

    def connect(port: Any) -> socket.socket:
        sock = socket.socket(port.socket.family)
        made.append(sock)
        sock.connect(port.socket.getsockname())
        return sock

    yield connect
    for peer in made:
        peer.close()


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many descriptors this process may have, as far as ports know; none to begin with."""
    number = [0]
    monkeypatch.setattr(room, "limit", lambda: number[0])
    return number


async def rounds(reactor: Any, count: int = 10) -> None:
    for _ in range(count):
        gone: Deferred[None] = Deferred()
        reactor._loop.call_soon(gone.callback, None)
        await gone


async def exhausted(reactor: Any, peers: Any) -> tuple[Counting, Any]:
    """Listen, and accept the one peer that there is room for."""
    factory = Counting()
    port = reactor.listenTCP(0, factory, interface="127.0.0.1")
    peers(port)
    await factory.reached[0]
    await rounds(reactor)
    return factory, port


def test_aPortPausesUntilThereIsRoom(reactor: Any, peers: Any, limit: list[int]) -> None:
    async def main() -> None:
        factory = Counting()
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        assert port in reactor.getReaders()
        peers(port)
        # One is accepted before it is known that it is the last.
        await factory.reached[0]
        await rounds(reactor)
        assert port not in reactor.getReaders()
        peers(port)
        await rounds(reactor)
        assert factory.count == 1
        limit[0] = 1 << 20
        await factory.reached[1]
        assert port in reactor.getReaders()
        await port.stopListening()

    run(reactor, main)


def test_aPausedPortStops(reactor: Any, peers: Any, limit: list[int]) -> None:
    async def main() -> None:
        _, port = await exhausted(reactor, peers)
        await port.stopListening()
        assert not port.connected

    run(reactor, main)


def test_whatIsAcceptedWhileThePortStopsIsClosed(reactor: Any, peers: Any) -> None:
    async def main() -> None:
        factory = Counting()
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        await rounds(reactor)
        for _ in range(3):
            peers(port)
        # In the round in which asyncio accepts these, and before it makes their transports in the next.
        reactor._loop.call_soon(port.stopListening)
        await rounds(reactor)
        assert not port.connected
        assert factory.count == 0

    run(reactor, main)


def portOf(kind: str, reactor: Any, factory: Any, path: str) -> Any:
    """Listen on a port of some kind."""
    if kind == "tcp":
        return reactor.listenTCP(0, factory, interface="127.0.0.1")
    if kind == "unix":
        return reactor.listenUNIX(path, factory)
    with socket.create_server(("127.0.0.1", 0)) as given:
        return reactor.adoptStreamPort(given.fileno(), socket.AF_INET, factory)


@pytest.mark.parametrize("kind", ["tcp", "unix", "adopted"])
def test_aPausedPortAcceptsNobodyUntilItIsResumed(
    reactor: Any, kind: str, tmp_path: Path, peers: Any
) -> None:
    async def main() -> None:
        factory = Counting()
        port = portOf(kind, reactor, factory, str(tmp_path / "s"))
        assert verifyObject(IPushProducer, port)
        for reached in factory.reached:
            port.pauseProducing()
            port.stopReading()
            assert port not in reactor.getReaders()
            peers(port)
            await rounds(reactor)
            assert not reached.called
            port.resumeProducing()
            port.startReading()
            assert port in reactor.getReaders()
            await reached
        port.stopProducing()
        port.resumeProducing()
        await rounds(reactor)
        assert not port.connected
        port.resumeProducing()
        port.pauseProducing()
        assert port not in reactor.getReaders()

    run(reactor, main)


def test_pausingAndRunningOutOfDescriptorsDoNotUndoEachOther(
    reactor: Any, peers: Any, limit: list[int]
) -> None:
    async def main() -> None:
        factory, port = await exhausted(reactor, peers)
        peers(port)
        # There is no room, whatever anybody says.
        port.pauseProducing()
        port.resumeProducing()
        await rounds(reactor)
        assert port not in reactor.getReaders()
        # There is, and nobody is wanted.
        port.pauseProducing()
        limit[0] = 1 << 20
        await deferLater(reactor, 3 * accepting._PAUSE)
        assert factory.count == 1
        # There is none again, and it comes back by itself.
        limit[0] = 0
        port._acceptor._bound = 0
        port.resumeProducing()
        await rounds(reactor)
        assert factory.count == 1
        limit[0] = 1 << 20
        await factory.reached[1]
        await port.stopListening()

    run(reactor, main)


class Crowd(Factory):
    """Echoes, and pauses its port when the first protocol is made."""

    noisy = False

    class protocol(Protocol):
        def dataReceived(self, data: bytes) -> None:
            assert self.transport is not None
            self.transport.write(data)

    def __init__(self) -> None:
        self.port: Any = None
        self.count = 0

    def buildProtocol(self, addr: Any) -> Any:
        self.count += 1
        if self.count == 1:
            self.port.pauseProducing()
        return super().buildProtocol(addr)


def test_whoIsAcceptedWhileThePortIsPausedIsServed(
    reactor: Any, peers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[Any] = []
    reactor._loop.set_exception_handler(lambda loop, context: logged.append(context))
    monkeypatch.setattr(acceptreader, "_ACCEPTS", 10)

    async def main() -> None:
        factory = Crowd()
        port = factory.port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        crowd = [peers(port) for _ in range(30)]
        for peer in crowd:
            peer.setblocking(False)
            peer.sendall(b"x")
        await rounds(reactor, 20)
        accepted = factory.count
        if not isUvloop(reactor._loop):
            assert accepted < 30
        await deferLater(reactor, 0.01)
        assert factory.count == accepted
        port.resumeProducing()
        for peer in crowd:
            assert (
                await Deferred.fromFuture(
                    asyncio.ensure_future(reactor._loop.sock_recv(peer, 10), loop=reactor._loop)
                )
                == b"x"
            )
        assert factory.count == 30
        await port.stopListening()

    run(reactor, main)
    assert logged == []


def test_aPortThatIsPausedStops(reactor: Any, peers: Any) -> None:
    async def main() -> None:
        factory = Counting()
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        port.pauseProducing()
        peer = peers(port)
        await port.stopListening()
        assert not port.connected
        with pytest.raises(ConnectionResetError):
            peer.recv(1)
        assert factory.count == 0

    run(reactor, main)


def test_aFullPortMayTurnPeersAway(reactor: Any, peers: Any, limit: list[int]) -> None:
    async def main() -> None:
        factory, port = await exhausted(reactor, peers)
        port.whenFull = "drop"
        late = [peers(port) for _ in range(20)]
        for peer in late:
            peer.setblocking(False)
            with pytest.raises(ConnectionResetError):
                await Deferred.fromFuture(
                    asyncio.ensure_future(reactor._loop.sock_recv(peer, 1), loop=reactor._loop)
                )
        assert factory.count == 1
        limit[0] = 1 << 20
        peers(port)
        await factory.reached[1]
        await port.stopListening()

    run(reactor, main)


def test_aFailedAcceptIsTriedAgain(reactor: Any, peers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    if isUvloop(reactor._loop):
        pytest.skip("uvloop accepts by itself")
    said: list[str] = []
    failures = [OSError(errno.EPROTO, "bad luck")]
    accept = ReaderAcceptor._acceptOne

    def failing(acceptor: ReaderAcceptor) -> None:
        if failures:
            raise failures.pop()
        accept(acceptor)

    monkeypatch.setattr(ReaderAcceptor, "_acceptOne", failing)
    monkeypatch.setattr(accepting._log, "error", said.append)

    async def main() -> None:
        factory = Counting()
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        peers(port)
        await factory.reached[0]
        number = port.getHost().port
        assert said == [f"a connection to TCP port {number} can't be accepted: bad luck; going on"]
        await port.stopListening()

    run(reactor, main)


def test_idleConnectionsShareWhatTheirAddressesHaveInCommon(reactor: Any, peers: Any) -> None:
    if isUvloop(reactor._loop):
        pytest.skip("uvloop keeps no addresses")

    async def main() -> None:
        names = []
        lost: list[Deferred[None]] = [Deferred(), Deferred()]

        class Named(Protocol):
            def connectionMade(self) -> None:
                inner = self.transport._transport  # type: ignore[union-attr]
                names.append([inner.get_extra_info(name) for name in ("sockname", "peername")])
                self.transport.loseConnection()  # type: ignore[union-attr]

            def connectionLost(self, reason: Any = None) -> None:
                lost[len(names) - 1].callback(None)

        port = reactor.listenTCP(0, Factory.forProtocol(Named), interface="127.0.0.1")
        expected = []
        for number in range(2):
            expected.append(peers(port).getsockname())
            await lost[number]
        assert [peer for _, peer in names] == expected
        assert names[0][0] == (port.getHost().host, port.getHost().port)
        assert names[0][0] is names[1][0]
        assert names[0][1][0] is names[1][1][0]
        await port.stopListening()

    run(reactor, main)


def test_aUnixPeerOfTwoLetters(reactor: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    async def main() -> None:
        seen: Deferred[Any] = Deferred()

        class Seeing(Factory):
            noisy = False

            def buildProtocol(self, addr: Any) -> None:
                seen.callback(addr)

        port = reactor.listenUNIX("port", Seeing())
        with socket.socket(socket.AF_UNIX) as peer:
            peer.bind("ab")
            peer.connect("port")
            assert (await seen).name == b"ab"
        await port.stopListening()

    run(reactor, main)


def test_aLoopThatCannotServeIsAnErrorOfListening(reactor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise OSError(errno.ENOMEM, "no memory")

    # By which asyncio's loop accepts, and uvloop.
    monkeypatch.setattr(reactor._loop, "add_reader", refuse)
    monkeypatch.setattr(reactor._loop, "create_server", refuse)
    with pytest.raises(CannotListenError, match="no memory"):
        reactor.listenTCP(0, Counting(), interface="127.0.0.1")
