"""The contract of a stream, on real sockets: the same for each kind of stream on each loop."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.running import run
from twisted_endpoints.asyncioreactor.tcp import TCPStream
from twisted_endpoints.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted_endpoints.failure import Failure
from twisted_endpoints.interfaces import IConsumer, IPushProducer, ISystemHandle, ITransport

from .logged import loggedErrors
from .streams import KINDS, MUCH, HalfCloseable, OneFactory, Peer, Play, Producer, Recorder, Scene


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


# Bytes


def test_bytesArriveInOrderBothWays(play: Play) -> None:
    async def main(scene: Scene) -> None:
        protocol, peer = await scene.recorded()
        data = bytes(range(256)) * 4096
        sending = peer.send(data)
        for start in range(0, len(data), 10000):
            protocol.transport.write(data[start : start + 10000])
        assert await peer.receive(len(data)) == data
        await sending
        await protocol.size(len(data))
        assert protocol.received == data
        protocol.transport.writeSequence([b"a", b"", b"bc"])
        assert await peer.receive(3) == b"abc"

    play(main)


@pytest.mark.parametrize("data", ["text", bytearray(b"x"), None, 7])
def test_whatIsNoBytesIsATypeError(play: Play, data: Any) -> None:
    async def main(scene: Scene) -> None:
        protocol = Recorder()
        await scene.connected(protocol)
        with pytest.raises(TypeError, match="Data must be bytes"):
            protocol.transport.write(data)
        with pytest.raises(TypeError, match="Data must be bytes"):
            protocol.transport.writeSequence([7, data])

    play(main)


def test_whatIsWrittenInConnectionMadeIsSent(play: Play) -> None:
    class Greets(Recorder):
        def connectionMade(self) -> None:
            self.transport.write(b"hello")
            super().connectionMade()

    async def main(scene: Scene) -> None:
        assert await (await scene.connected(Greets())).receive(5) == b"hello"

    play(main)


def test_theProtocolMayBeExchanged(play: Play) -> None:
    second = Recorder()

    class First(Recorder):
        def dataReceived(self, data: bytes) -> None:
            super().dataReceived(data)
            self.transport.protocol = second
            second.makeConnection(self.transport)

    async def main(scene: Scene) -> None:
        first = First()
        peer = await scene.connected(first)
        await peer.send(b"one")
        await first.size(3)
        await peer.send(b"two")
        await second.size(3)
        peer.close()
        assert await second.lost is ConnectionDone
        assert (first.received, second.received) == (b"one", b"two")
        assert first.events == ["made"]

    play(main)


def test_aMethodOfTheProtocolMayBeExchanged(play: Play) -> None:
    async def main(scene: Scene) -> None:
        protocol, peer = await scene.recorded()
        other = Recorder()
        protocol.dataReceived = other.dataReceived  # type: ignore[method-assign]
        await peer.send(b"x")
        await other.size(1)
        assert protocol.received == b""

    play(main)


# Ends


def test_endOfInputEndsTheConnection(play: Play) -> None:
    async def main(scene: Scene) -> None:
        protocol, peer = await scene.recorded()
        protocol.transport.write(b"x" * MUCH)
        peer.end()
        assert await protocol.lost is ConnectionDone
        # What was unsent is dropped: the peer gets what the kernel had, and the end.
        assert len(await peer.receive(MUCH)) < MUCH
        assert protocol.events == ["made", "lost"]

    play(main)


def test_dataBeforeTheEndIsReceived(play: Play) -> None:
    async def main(scene: Scene) -> None:
        protocol, peer = await scene.recorded()
        await peer.send(b"last words")
        peer.close()
        assert await protocol.lost is ConnectionDone
        assert protocol.received == b"last words"

    play(main)


def test_stateChangesOnce(play: Play) -> None:
    states: list[tuple[bool, bool, bool]] = []

    class Looks(Recorder):
        def look(self) -> None:
            stream: Any = self.transport
            states.append((bool(stream.connected), bool(stream.disconnecting), bool(stream.disconnected)))

        def connectionMade(self) -> None:
            self.look()
            super().connectionMade()

        def connectionLost(self, reason: Any = None) -> None:
            self.look()
            super().connectionLost(reason)

    async def main(scene: Scene) -> None:
        protocol = Looks()
        await scene.connected(protocol)
        protocol.transport.loseConnection()
        protocol.look()
        await protocol.lost

    play(main)
    assert states == [(True, False, False), (True, True, False), (False, True, True)]


def test_resetIsConnectionLost(play: Play, kind: str) -> None:
    if kind != "tcp":
        pytest.skip("a UNIX socket has no reset")

    async def main(scene: Scene) -> None:
        protocol, peer = await scene.recorded()
        await peer.send(b"mid-stream")
        await protocol.size(1)
        peer.reset()
        assert await protocol.lost is ConnectionLost
        assert "reset by peer" in str(protocol.reason.value)
        assert protocol.events == ["made", "lost"]

    play(main)


def test_resetWhileWriting(play: Play) -> None:
    async def main(scene: Scene) -> None:
        protocol, peer = await scene.recorded()
        protocol.transport.write(b"x" * MUCH)
        await peer.receive(1)
        # Bytes that nobody will read make the close a reset, over UNIX sockets too.
        peer.reset()
        assert await protocol.lost is ConnectionLost
        protocol.transport.write(b"late")

    play(main)


def test_loseConnectionSendsEverythingFirst(play: Play) -> None:
    async def main(scene: Scene) -> None:
        protocol, peer = await scene.recorded()
        protocol.transport.write(b"x" * MUCH)
        protocol.transport.loseConnection()
        await scene.soon()
        assert protocol.events == ["made"]
        assert await peer.receive(MUCH + 1) == b"x" * MUCH
        assert await protocol.lost is ConnectionDone
        assert protocol.events == ["made", "lost"]

    play(main)


def test_loseConnectionReadsWhileAnythingIsUnsent(play: Play) -> None:
    async def main(scene: Scene) -> None:
        protocol, peer = await scene.recorded()
        protocol.transport.write(b"x" * MUCH)
        protocol.transport.loseConnection()
        # A peer that won't read before it has written is heard to the end.
        await peer.send(b"y" * MUCH)
        await protocol.size(MUCH)
        assert len(await peer.receive(MUCH + 1)) == MUCH
        assert await protocol.lost is ConnectionDone

    play(main)


def test_endOfInputWhileFlushingDropsNothing(play: Play) -> None:
    async def main(scene: Scene) -> None:
        protocol, peer = await scene.recorded()
        protocol.transport.write(b"x" * MUCH)
        protocol.transport.loseConnection()
        peer.end()
        assert len(await peer.receive(MUCH + 1)) == MUCH
        assert await protocol.lost is ConnectionDone

    play(main)


def test_loseConnectionStopsReadingIfNothingIsUnsent(play: Play) -> None:
    class Closes(Recorder):
        def dataReceived(self, data: bytes) -> None:
            super().dataReceived(data)
            self.events.append("data")
            self.transport.loseConnection()

    async def main(scene: Scene) -> None:
        protocol = Closes()
        peer = await scene.connected(protocol)
        try:
            await peer.send(b"x" * MUCH)
        except OSError:
            pass
        await protocol.lost
        assert protocol.events == ["made", "data", "lost"]

    play(main)


def test_whatIsWrittenJustAfterLoseConnectionIsSent(play: Play) -> None:
    async def main(scene: Scene) -> None:
        protocol, peer = await scene.recorded()
        protocol.transport.loseConnection()
        protocol.transport.write(b"and this")
        assert await peer.receive(100) == b"and this"

    play(main)


def test_nothingIsReceivedAfterLoseConnectionInConnectionMade(play: Play) -> None:
    class Closes(Recorder):
        def connectionMade(self) -> None:
            self.transport.loseConnection()
            super().connectionMade()

    async def main(scene: Scene) -> None:
        protocol = Closes()
        port = scene.listen(OneFactory(protocol))
        peer = scene.peer(port)
        # There before the stream is.
        peer.sock.send(b"x" * 1000)
        await protocol.lost
        assert protocol.received == b""

    play(main)


def test_loseConnectionTwiceIsOnce(play: Play) -> None:
    async def main(scene: Scene) -> None:
        protocol = Recorder()
        await scene.connected(protocol)
        protocol.transport.loseConnection()
        protocol.transport.loseConnection()
        await protocol.lost
        protocol.transport.loseConnection()
        protocol.transport.abortConnection()
        protocol.transport.loseWriteConnection()
        protocol.transport.write(b"x")
        protocol.transport.pauseProducing()
        protocol.transport.resumeProducing()
        protocol.transport.unregisterProducer()
        await scene.soon()
        assert protocol.events == ["made", "lost"]

    play(main)


def test_abortConnectionWaitsForNobody(play: Play, kind: str) -> None:
    async def main(scene: Scene) -> None:
        protocol, peer = await scene.recorded()
        # A peer that never reads: closing in order would take for ever.
        protocol.transport.write(b"x" * MUCH)
        protocol.transport.loseConnection()
        await scene.soon()
        protocol.transport.abortConnection()
        assert protocol.events == ["made"]
        assert await protocol.lost is ConnectionAborted
        if kind == "tcp":
            with pytest.raises(ConnectionResetError):
                await peer.receive(MUCH)

    play(main)


@pytest.mark.parametrize("method", ["loseConnection", "abortConnection"])
@pytest.mark.parametrize("where", ["connectionMade", "dataReceived"])
def test_closingFromWithin(play: Play, method: str, where: str) -> None:
    class Closes(Recorder):
        def connectionMade(self) -> None:
            if where == "connectionMade":
                getattr(self.transport, method)()
            super().connectionMade()

        def dataReceived(self, data: bytes) -> None:
            getattr(self.transport, method)()
            assert "lost" not in self.events

    async def main(scene: Scene) -> None:
        protocol = Closes()
        peer = await scene.connected(protocol)
        if where == "dataReceived":
            await peer.send(b"x")
        expected = ConnectionDone if method == "loseConnection" else ConnectionAborted
        assert await protocol.lost is expected
        await scene.soon(5)
        assert protocol.events == ["made", "lost"]

    play(main)


# Half-close


def test_halfCloseOfTheInput(play: Play) -> None:
    async def main(scene: Scene) -> None:
        protocol = HalfCloseable()
        peer = await scene.connected(protocol)
        await peer.send(b"question")
        peer.end()
        await protocol.readLost
        assert protocol.received == b"question"
        protocol.transport.pauseProducing()
        protocol.transport.resumeProducing()
        protocol.transport.write(b"a" * MUCH)
        protocol.transport.loseConnection()
        assert len(await peer.receive(MUCH + 1)) == MUCH
        assert await protocol.lost is ConnectionDone
        assert protocol.events == ["made", "read lost", "lost"]

    play(main)


def test_halfCloseOfTheOutput(play: Play) -> None:
    async def main(scene: Scene) -> None:
        protocol = HalfCloseable()
        peer = await scene.connected(protocol)
        protocol.transport.write(b"q" * MUCH)
        protocol.transport.loseWriteConnection()
        protocol.transport.write(b"and more")
        assert len(await peer.receive(MUCH + 100)) == MUCH + 8
        await protocol.writeLost
        protocol.transport.write(b"too late")
        await peer.send(b"answer")
        await protocol.size(6)
        peer.end()
        await protocol.readLost
        protocol.transport.loseConnection()
        assert await protocol.lost is ConnectionDone
        assert protocol.events == ["made", "write lost", "read lost", "lost"]

    play(main)


def test_halfCloseOfTheOutputTellsOnlyWhoAsked(play: Play) -> None:
    async def main(scene: Scene) -> None:
        protocol, peer = await scene.recorded()
        protocol.transport.loseWriteConnection()
        assert await peer.receive(1) == b""
        await peer.send(b"answer")
        await protocol.size(6)
        assert protocol.events == ["made"]

    play(main)


# Pausing


@pytest.mark.parametrize("where", ["connectionMade", "dataReceived"])
def test_nothingIsReceivedWhilePaused(play: Play, where: str) -> None:
    class Pauses(Recorder):
        calls = 0

        def connectionMade(self) -> None:
            if where == "connectionMade":
                self.transport.pauseProducing()
            super().connectionMade()

        def dataReceived(self, data: bytes) -> None:
            self.calls += 1
            if where == "dataReceived" and self.calls == 1:
                self.transport.pauseProducing()
            super().dataReceived(data)

    async def main(scene: Scene) -> None:
        protocol = Pauses()
        peer = await scene.connected(protocol)
        sending = peer.send(b"x" * MUCH)
        await scene.soon(20)
        before = protocol.calls
        assert before == (0 if where == "connectionMade" else before)
        await scene.soon(20)
        assert protocol.calls == before
        protocol.transport.resumeProducing()
        await sending
        await protocol.size(MUCH)
        assert protocol.received == b"x" * MUCH

    play(main)


def test_theEndIsReceivedAfterAPauseToo(play: Play) -> None:
    class Pauses(Recorder):
        def connectionMade(self) -> None:
            self.transport.pauseProducing()
            super().connectionMade()

    async def main(scene: Scene) -> None:
        protocol = Pauses()
        peer = await scene.connected(protocol)
        await peer.send(b"all")
        peer.close()
        await scene.soon(20)
        assert (protocol.received, protocol.events) == (b"", ["made"])
        protocol.transport.resumeProducing()
        assert await protocol.lost is ConnectionDone
        assert protocol.received == b"all"

    play(main)


# Producers


def test_aPushProducerIsPausedAndResumed(play: Play) -> None:
    async def main(scene: Scene) -> None:
        protocol, peer = await scene.recorded()
        stream: Any = protocol.transport
        producer = Producer(stream)
        stream.registerProducer(producer, True)
        stream.write(b"x" * 1000)
        assert producer.told == []
        stream.write(b"x" * MUCH)
        assert producer.told == ["pause"]
        stream.write(b"y")
        assert producer.told == ["pause"]
        await peer.receive(1000 + MUCH + 1)
        await scene.soon()
        assert producer.told == ["pause", "resume"]
        stream.unregisterProducer()
        stream.write(b"x" * MUCH)
        assert producer.told == ["pause", "resume"]

    play(main)


def test_aPullProducerIsAskedOnceForEachEmptyBuffer(play: Play) -> None:
    async def main(scene: Scene) -> None:
        protocol, peer = await scene.recorded()
        stream: Any = protocol.transport
        producer = Producer(stream)

        def produce() -> None:
            if len(producer.told) < 6:
                stream.write(b"z" * (MUCH // 4) if len(producer.told) % 2 else b"z")
            else:
                stream.unregisterProducer()

        producer.act = produce
        stream.registerProducer(producer, False)
        stream.loseConnection()
        total = 3 * (MUCH // 4) + 2
        assert len(await peer.receive(total + 1)) == total
        assert await protocol.lost is ConnectionDone
        assert producer.told == ["resume"] * 6

    play(main)


def test_aPullProducerThatWritesNothingIsNotAskedAgain(play: Play) -> None:
    async def main(scene: Scene) -> None:
        protocol = Recorder()
        await scene.connected(protocol)
        producer = Producer(protocol.transport)
        protocol.transport.registerProducer(producer, False)  # type: ignore[attr-defined]
        await scene.soon(5)
        assert producer.told == ["resume"]
        protocol.transport.write(b"later")
        await scene.soon(5)
        assert producer.told == ["resume", "resume"]
        protocol.transport.unregisterProducer()  # type: ignore[attr-defined]

    play(main)


def test_aProducerIsStoppedWithTheConnection(play: Play) -> None:
    async def main(scene: Scene) -> None:
        protocol, peer = await scene.recorded()
        stream: Any = protocol.transport
        producer = Producer(stream)
        stream.registerProducer(producer, True)
        with pytest.raises(RuntimeError, match="is registered"):
            stream.registerProducer(Producer(stream), True)
        peer.close()
        await protocol.lost
        assert producer.told == ["stop"]
        late = Producer(stream)
        stream.registerProducer(late, True)
        assert late.told == ["stop"]

    play(main)


# What users' code raises


@pytest.mark.parametrize(
    "method", ["connectionMade", "dataReceived", "readConnectionLost", "writeConnectionLost"]
)
@pytest.mark.parametrize("problem", [ZeroDivisionError, OSError])
def test_whatAProtocolRaisesEndsItsConnection(play: Play, method: str, problem: type[Exception]) -> None:
    class Raises(HalfCloseable):
        def connectionMade(self) -> None:
            super().connectionMade()
            self.trip("connectionMade")

        def dataReceived(self, data: bytes) -> None:
            super().dataReceived(data)
            self.trip("dataReceived")

        def readConnectionLost(self) -> None:
            self.trip("readConnectionLost")

        def writeConnectionLost(self) -> None:
            self.trip("writeConnectionLost")

        def trip(self, here: str) -> None:
            if here == method:
                raise problem("on purpose")

    async def main(scene: Scene) -> None:
        protocol = Raises()
        with loggedErrors() as logged:
            peer = await scene.connected(protocol)
            if method == "dataReceived":
                await peer.send(b"x")
            elif method == "readConnectionLost":
                peer.end()
            elif method == "writeConnectionLost":
                protocol.transport.loseWriteConnection()
            assert await protocol.lost is problem
        assert logged == [problem]
        assert protocol.events == ["made", "lost"]

    play(main)


def test_whatConnectionLostRaisesIsLogged(play: Play) -> None:
    class Raises(Recorder):
        def connectionLost(self, reason: Any = None) -> None:
            super().connectionLost(reason)
            raise ZeroDivisionError

    async def main(scene: Scene) -> None:
        protocol = Raises()
        with loggedErrors() as logged:
            peer = await scene.connected(protocol)
            peer.close()
            await protocol.lost
            await scene.soon()
        assert logged == [ZeroDivisionError]

    play(main)


def test_whatAProducerRaisesEndsTheConnection(play: Play) -> None:
    async def main(scene: Scene) -> None:
        protocol, peer = await scene.recorded()
        stream: Any = protocol.transport
        producer = Producer(stream, lambda: [][0])
        stream.write(b"x" * MUCH)
        stream.registerProducer(producer, True)
        stream.write(b"x")
        with loggedErrors() as logged:
            receiving = peer.receive(2 * MUCH)
            assert await protocol.lost is IndexError
            assert len(await receiving) == MUCH + 1
        assert logged == [IndexError]
        assert producer.told == ["pause", "resume", "stop"]

    play(main)


def test_otherConnectionsAreUnharmed(play: Play) -> None:
    class Raises(Recorder):
        def dataReceived(self, data: bytes) -> None:
            raise ZeroDivisionError

    async def main(scene: Scene) -> None:
        good, bad = Recorder(), Raises()
        factory = OneFactory(good)
        port = scene.listen(factory)
        goodPeer = scene.peer(port)
        await good.made
        factory.made = bad
        badPeer = scene.peer(port)
        await bad.made
        with loggedErrors():
            await badPeer.send(b"x")
            await bad.lost
        await goodPeer.send(b"still here")
        await good.size(10)

    play(main)


# The end of the reactor


def test_stoppingTheReactorLosesTheConnection(reactor: Any, kind: str, tmp_path: Path) -> None:
    scene = Scene(reactor, kind, tmp_path)
    protocol = Recorder()
    found: list[Peer] = []

    async def main() -> None:
        found.append(await scene.connected(protocol))

    run(reactor, main)
    found[0].close()
    assert protocol.events == ["made", "lost"]
    assert protocol.reason.check(ConnectionLost)


def test_whatAStreamProvides(play: Play) -> None:
    async def main(scene: Scene) -> None:
        protocol = Recorder()
        await scene.connected(protocol)
        for interface in (ITransport, IConsumer, IPushProducer, ISystemHandle):
            assert interface.providedBy(protocol.transport)
        stream: Any = protocol.transport
        assert stream.fileno() == stream.getHandle().fileno() == stream.socket.fileno() > 0
        assert stream.logPrefix().startswith(f"{type(protocol).__name__},0,")

    play(main)


EXITS = """
import socket, sys
from twisted_endpoints.asyncioreactor import AsyncioReactor
from twisted_endpoints.asyncioreactor.loops import newEventLoop
from twisted_endpoints.protocol import Factory, Protocol

class Exits(Protocol):
    def {method}(self, *args):
        raise {problem}

loop = newEventLoop()
reactor = AsyncioReactor(loop)
port = reactor.listenTCP(0, Factory.forProtocol(Exits), interface="127.0.0.1")
reactor.callLater(20, reactor.stop)
with socket.create_connection(("127.0.0.1", port.getHost().port)) as peer:
    peer.send(b"x")
    try:
        reactor.run()
    finally:
        port.connectionLost()
"""


@pytest.mark.parametrize("method", ["connectionMade", "dataReceived"])
@pytest.mark.parametrize(
    "hidden", ["", "import sys; sys.modules['uvloop'] = None\n"], ids=["default", "asyncio"]
)
@pytest.mark.parametrize(("problem", "status"), [("SystemExit(3)", 3), ("KeyboardInterrupt", -2)])
def test_whoWantsToExitExits(hidden: str, method: str, problem: str, status: int) -> None:
    program = hidden + EXITS.format(method=method, problem=problem)
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=50)

    assert ran.returncode == status, ran.stderr


class DeafTransport:
    """A transport as asyncio's before Python 3.11: begins to read after connection_made, paused or not."""

    def __init__(self, stream: Any, incoming: list[bytes]) -> None:
        self.stream, self.incoming = stream, incoming
        self.paused = self.reading = False

    def pause_reading(self) -> None:
        if not self.paused:
            self.paused, self.reading = True, False

    def resume_reading(self) -> None:
        if self.paused:
            self.paused, self.reading = False, True

    def read(self) -> None:
        """Do what the loop does when there is something to read."""
        while self.reading and self.incoming:
            self.stream.data_received(self.incoming.pop(0))

    def is_closing(self) -> bool:
        return False

    def abort(self) -> None:
        self.stream.connection_lost(None)

    def get_extra_info(self, name: str) -> Any:
        return ("127.0.0.1", 1)


def test_whatALoopReadsTooEarlyKeepsItsPlaceAndIsLittle() -> None:
    class Hesitates(Recorder):
        def connectionMade(self) -> None:
            super().connectionMade()
            self.transport.pauseProducing()

    class Owner:
        def _buildProtocol(self, stream: Any) -> Any:
            return protocol

        def _streamLost(self, stream: Any, reason: Any) -> None: ...

    later: list[Callable[[], None]] = []

    class Loop:
        def call_soon(self, call: Callable[[], None]) -> None:
            later.append(call)

    class Reactor:
        _loop = Loop()
        _onAsyncio = True
        _open: ClassVar[dict[Any, None]] = {}

    protocol = Hesitates()
    stream: Any = TCPStream(Reactor(), Owner())  # type: ignore[arg-type]
    transport = DeafTransport(stream, [b"one ", b"two ", b"three"])
    stream.connection_made(transport)
    transport.reading = True

    transport.read()
    assert (protocol.received, transport.incoming) == (b"", [b"two ", b"three"])
    stream.resumeProducing()
    transport.read()
    while later:
        later.pop(0)()
        transport.read()

    assert protocol.received == b"one two three"
    stream.connectionLost(Failure(ConnectionDone()))
