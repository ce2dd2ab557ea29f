"""The ends of the connection that standard input and output are."""

from __future__ import annotations

import asyncio
import os
import select
import socket
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from zope.interface.verify import verifyObject

from tests.asyncioreactor.logged import loggedErrors
from tests.running import run
from twisted_endpoints.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted_endpoints.interfaces import (
    IConsumer,
    IHalfCloseableDescriptor,
    IListeningPort,
    IPushProducer,
    IReadDescriptor,
    ITransport,
    IWriteDescriptor,
)
from twisted_endpoints.stdio import PipeAddress, StandardIO

from .bed import LARGE, TEXT, Echo, Ends, Half, Mute, drain, turn, untilLost


def test_itIsWhatItSaysItIs(reactor: Any, ends: Ends) -> None:
    stdio = StandardIO(Mute(), *ends.pipe(), reactor)
    for interface in (ITransport, IPushProducer, IConsumer, IHalfCloseableDescriptor, IListeningPort):
        assert verifyObject(interface, stdio)
    assert verifyObject(IReadDescriptor, stdio._reader)
    assert verifyObject(IWriteDescriptor, stdio._writer)
    assert isinstance(stdio.getPeer(), PipeAddress)
    assert isinstance(stdio.getHost(), PipeAddress)
    assert "Mute" in repr(stdio)
    stdio.connectionLost(None)  # type: ignore[arg-type]


def test_whatWasWrittenOutlivesTheInput(reactor: Any, ends: Ends) -> None:
    stdout, taken = ends.output("pipe")

    class Greeter(Mute):
        def connectionMade(self) -> None:
            transport: Any = self.transport
            transport.write(LARGE)

    protocol = Greeter()

    async def main() -> None:
        StandardIO(protocol, ends.input("null", b""), stdout, reactor)
        await protocol.lost

    run(reactor, main)
    assert taken() == LARGE
    assert protocol.reason.type is ConnectionDone


def test_loseConnectionWritesAllAndReadsNoMore(reactor: Any, ends: Ends) -> None:
    stdin, feeder = ends.pipe()
    stdout, taken = ends.output("pipe")
    protocol = Mute()

    def leave(stdio: StandardIO) -> None:
        stdio.writeSequence([LARGE, b"end"])
        stdio.loseConnection()
        os.write(feeder, b"for the next program")

    untilLost(reactor, protocol, stdin, stdout, leave)
    assert taken() == LARGE + b"end"
    assert protocol.received == b""
    assert os.read(stdin, 100) == b"for the next program"


def test_theDescriptorsStayOpen(reactor: Any, ends: Ends) -> None:
    stdin, feeder = ends.pipe()
    taker, stdout = ends.pipe()
    untilLost(reactor, Mute(), stdin, stdout, StandardIO.loseConnection)
    os.write(feeder, b"in")
    os.write(stdout, b"out")
    assert (os.read(stdin, 9), os.read(taker, 9)) == (b"in", b"out")


def test_abortConnectionDropsWhatIsUnwritten(reactor: Any, ends: Ends) -> None:
    taker, stdout = ends.pipe()
    stdin, _ = ends.pipe()
    protocol = Mute()

    def abort(stdio: StandardIO) -> None:
        stdio.write(b"lost")
        stdio.abortConnection()
        stdio.abortConnection()
        assert protocol.events == ["made"]

    untilLost(reactor, protocol, stdin, stdout, abort)
    assert protocol.reason.type is ConnectionAborted
    assert drain(taker) == b""


def test_halfCloseTellsThePipesReader(reactor: Any, ends: Ends) -> None:
    stdin, feeder = ends.pipe()
    stdout, taken = ends.output("pipe")
    half = Half()

    async def main() -> None:
        stdio = StandardIO(half, stdin, stdout, reactor)
        stdio.write(LARGE)
        stdio.loseWriteConnection()
        assert await half.next == "no more output"
        os.write(stdout, b"to the null device")
        os.write(feeder, b"more input")
        assert await half.next == "data"
        stdio.write(b"ignored")
        ends.end(feeder)
        await half.lost

    run(reactor, main)
    assert taken() == LARGE
    # Nothing is left that could be closed by the protocol.
    assert half.events[-2:] == ["no more input", "lost"]
    assert half.reason.type is ConnectionDone


def test_halfCloseTellsTheSocketsPeer(reactor: Any) -> None:
    ours, theirs = socket.socketpair()
    half = Half()

    async def main() -> None:
        stdio = StandardIO(half, ours.fileno(), ours.fileno(), reactor)
        stdio.write(b"answer")
        stdio.loseWriteConnection()
        await half.next
        theirs.sendall(b"thanks")
        await half.next
        stdio.loseConnection()
        await half.lost

    with ours, theirs:
        run(reactor, main)
        assert (theirs.recv(100), theirs.recv(100)) == (b"answer", b"")
    assert half.received == b"thanks"


def test_afterTheInputHasEndedAHalfCloseableProtocolWritesOn(reactor: Any, ends: Ends) -> None:
    stdout, taken = ends.output("pipe")
    half = Half()

    async def main() -> None:
        stdio = StandardIO(half, ends.input("null", b""), stdout, reactor)
        assert await half.next == "no more input"
        stdio.write(LARGE)
        await turn(reactor)
        assert not half.lost.called
        stdio.loseConnection()
        await half.lost

    run(reactor, main)
    assert taken() == LARGE


@pytest.mark.parametrize("protocol", [Mute, Half])
def test_aWriteThatFailsEndsTheConnection(reactor: Any, ends: Ends, protocol: Any) -> None:
    taker, stdout = ends.pipe()
    made = protocol()

    async def main() -> None:
        stdio = StandardIO(made, ends.pipe()[0], stdout, reactor)
        stdio.write(LARGE)
        await turn(reactor)
        ends.end(taker)
        await made.lost

    run(reactor, main)
    assert made.reason.type is ConnectionLost
    assert "Broken pipe" in str(made.reason.value)
    assert made.events == ["made", "lost"]


def test_aFullDiskEndsTheConnection(reactor: Any, ends: Ends) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    protocol = Mute()

    untilLost(reactor, protocol, ends.pipe()[0], full, lambda stdio: stdio.write(b"too much"))
    os.close(full)
    assert "No space left on device" in str(protocol.reason.value)


def test_onlyAHalfCloseableProtocolIsToldThatNobodyReads(reactor: Any, ends: Ends) -> None:
    reasons = []
    for protocol in (Half(), Mute()):
        stdin, feeder = ends.pipe()
        taker, stdout = ends.pipe()
        reasons.append((protocol, stdin, feeder, taker, stdout))

    async def main() -> None:
        for protocol, stdin, feeder, taker, stdout in reasons:
            stdio = StandardIO(protocol, stdin, stdout, reactor)
            ends.end(taker)
            await turn(reactor)
            os.write(feeder, b"goes on")
            await turn(reactor)
            assert not protocol.lost.called
            stdio.write(b"to nobody")
            await protocol.lost

    run(reactor, main)
    (half, *_), (mute, *_) = reasons
    assert half.events == ["made", "no more output", "data", "lost"]
    assert mute.events == ["made", "data", "lost"]
    assert {half.reason.type, mute.reason.type} == {ConnectionLost}


def test_whoIsToldThatNobodyReadsAndAbortsHearsWhy(reactor: Any, ends: Ends) -> None:
    taker, stdout = ends.pipe()
    half = Half()

    async def main() -> None:
        stdio = StandardIO(half, ends.pipe()[0], stdout, reactor)
        ends.end(taker)
        await half.next
        stdio.abortConnection()
        await half.lost

    run(reactor, main)
    assert "nobody reads" in str(half.reason.value)


def raising(name: str, kind: type[BaseException] = ValueError) -> Callable[..., Any]:
    def method(self: Echo, *args: Any) -> None:
        raise kind(name)

    return method


@pytest.mark.parametrize("kind", [ValueError, asyncio.CancelledError])
@pytest.mark.parametrize("name", ["dataReceived", "readConnectionLost", "writeConnectionLost"])
def test_aProtocolThatRaisesLosesItsConnection(
    reactor: Any, ends: Ends, name: str, kind: type[BaseException]
) -> None:
    stdin, feeder = ends.pipe()
    taker, stdout = ends.pipe()
    protocol = type("Raising", (Half,), {name: raising(name, kind)})()

    async def main() -> None:
        StandardIO(protocol, stdin, stdout, reactor)
        if name == "writeConnectionLost":
            ends.end(taker)
        elif name == "dataReceived":
            os.write(feeder, b"x")
        else:
            ends.end(feeder)
        await protocol.lost

    with loggedErrors() as logged:
        run(reactor, main)
    assert logged == [kind]
    assert protocol.reason.type is kind


def test_connectionMadeThatRaisesLeavesNothing(reactor: Any, ends: Ends) -> None:
    protocol = type("Raising", (Mute,), {"connectionMade": raising("connectionMade")})()
    numbers, readers = ends.pipe(), reactor.getReaders()
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(ValueError, match="connectionMade"):
        StandardIO(protocol, *numbers, reactor)

    assert len(os.listdir("/proc/self/fd")) == before
    assert reactor.getReaders() == readers


@pytest.mark.parametrize("number", [1, 2], ids=["first", "second"])
def test_withoutDescriptorsNothingIsLeft(
    reactor: Any, ends: Ends, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def epoll() -> Any:
        made.append(number)
        if len(made) == number:
            raise OSError(24, "Too many open files")
        return original()

    original = select.epoll
    numbers, readers = ends.pipe(), reactor.getReaders()
    before = len(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(select, "epoll", epoll)
    with pytest.raises(OSError, match="Too many open files"):
        StandardIO(Mute(), *numbers, reactor)

    assert len(os.listdir("/proc/self/fd")) == before
    assert reactor.getReaders() == readers


def test_onlyBytesAreWritten(reactor: Any, ends: Ends) -> None:
    stdio: Any = StandardIO(Mute(), *ends.pipe(), reactor)
    with pytest.raises(TypeError):
        stdio.write("text")
    with pytest.raises(TypeError):
        stdio.writeSequence(["text"])
    stdio.connectionLost(None)


@pytest.mark.parametrize("paused", [False, True], ids=["reading", "paused"])
def test_whenTheReactorStopsTheLastWriteArrives(reactor: Any, ends: Ends, paused: bool) -> None:
    taker, stdout = ends.pipe()
    protocol = Mute()

    async def main() -> None:
        stdio = StandardIO(protocol, ends.pipe()[0], stdout, reactor)
        if paused:
            stdio.pauseProducing()
        stdio.write(b"last words")

    run(reactor, main)
    assert protocol.reason.type is ConnectionLost
    assert drain(taker) == b"last words"


def test_aProgramCanWaitForTheEnd(reactor: Any, ends: Ends) -> None:
    protocol = Mute()

    async def main() -> None:
        stdio = StandardIO(protocol, *ends.pipe(), reactor)
        waiting, given_up = stdio.whenLost(), stdio.whenLost()
        given_up.addErrback(lambda failure: None).cancel()
        stdio.loseConnection()
        assert not waiting.called
        await waiting
        assert protocol.events[-1] == "lost"
        await stdio.whenLost()

    run(reactor, main)


def test_theProtocolMayBeExchanged(reactor: Any, ends: Ends) -> None:
    stdin, feeder = ends.pipe()
    first, second = Mute(), Mute()

    async def main() -> None:
        stdio = StandardIO(first, stdin, ends.pipe()[1], reactor)
        stdio.protocol = second
        os.write(feeder, b"to the second")
        await second.next
        stdio.loseConnection()
        await second.lost

    run(reactor, main)
    assert (first.events, second.received) == (["made"], b"to the second")


def test_nothingIsLeftToTheGarbageCollector(reactor: Any, ends: Ends) -> None:
    protocol = Mute()
    stdio = StandardIO(protocol, *ends.pipe(), reactor)
    left = [weakref.ref(each) for each in (stdio, stdio._reader, stdio._writer)]
    stdio.connectionLost(None)  # type: ignore[arg-type]
    protocol.transport = None
    del stdio

    assert [each() for each in left] == [None] * 3


def test_byDefaultTheReactorIsTheInstalledOne(monkeypatch: pytest.MonkeyPatch, ends: Ends) -> None:
    from twisted_endpoints import stdio
    from twisted_endpoints.testing import MemoryReactorClock

    reactor = MemoryReactorClock()
    package = __import__("twisted_endpoints")
    monkeypatch.setattr(package, "reactor", reactor, raising=False)
    made = stdio.StandardIO(Mute(), *ends.pipe())

    assert made._reader in reactor.getReaders()
    made.connectionLost(None)  # type: ignore[arg-type]


def test_bytesFlowInPieces(reactor: Any, ends: Ends) -> None:
    # However the input is cut, it is what it was.
    stdout, taken = ends.output("socket")
    echo = Echo()

    async def main() -> None:
        StandardIO(echo, ends.input("socket", TEXT), stdout, reactor)
        await echo.lost

    run(reactor, main)
    assert taken() == TEXT
