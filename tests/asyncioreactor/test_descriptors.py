from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from zope.interface import implementer

from twisted_endpoints import error
from twisted_endpoints.interfaces import IHalfCloseableDescriptor, IReadWriteDescriptor

from .logged import loggedErrors


@implementer(IReadWriteDescriptor)
class Descriptor:
    """A descriptor that counts what it is asked for, does what it was told, and notes its end."""

    def __init__(self, file: Any, doRead: Callable[[], Any] = int, doWrite: Callable[[], Any] = int) -> None:
        self.file = file
        self.read = doRead
        self.write = doWrite
        self.lost: list[type[BaseException]] = []
        self.asked = 0

    def fileno(self) -> int:
        self.asked += 1
        return self.file.fileno()  # type: ignore[no-any-return]

    def logPrefix(self) -> str:
        return "test"

    def doRead(self) -> Any:
        return self.read()

    def doWrite(self) -> Any:
        return self.write()

    def connectionLost(self, reason: Any) -> None:
        self.lost.append(reason.type)


@implementer(IHalfCloseableDescriptor)
class HalfCloseable(Descriptor):
    def readConnectionLost(self, reason: Any) -> None:
        self.lost.append(reason.type)
        self.lost.append(type(self))  # type: ignore[arg-type]

    def writeConnectionLost(self, reason: Any) -> None: ...


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    here, there = socket.socketpair()
    yield here, there
    here.close()
    there.close()


def runFor(reactor: Any, rounds: int = 5) -> None:
    """Let the loop go round a few times."""
    for _ in range(rounds):
        reactor.iterate()


def test_whoIsAddedIsAskedToReadAndWrite(reactor: Any, pair: Any) -> None:
    here, there = pair
    got: list[Any] = []
    each = Descriptor(here, lambda: got.append(here.recv(10)), lambda: got.append("write"))
    reactor.addReader(each)
    reactor.addReader(each)
    assert reactor.getReaders() == [each]
    assert reactor.getWriters() == []
    there.send(b"one")
    runFor(reactor)
    assert got == [b"one"]
    reactor.addWriter(each)
    assert reactor.getWriters() == [each]
    runFor(reactor)
    assert "write" in got
    reactor.removeWriter(each)
    reactor.removeReader(each)
    asked = each.asked
    there.send(b"two")
    runFor(reactor)
    assert b"two" not in got
    assert each.asked == asked
    reactor.removeReader(each)
    reactor.removeWriter(each)


def test_removeAllStopsWatching(reactor: Any, pair: Any) -> None:
    here, there = pair
    got: list[Any] = []
    both, reader = Descriptor(here, int, lambda: got.append(1)), Descriptor(there, lambda: got.append(2))
    reactor.addReader(both)
    reactor.addWriter(both)
    reactor.addReader(reader)
    assert reactor.removeAll() == [both, reader]
    here.send(b"x")
    runFor(reactor)
    assert got == []


@pytest.mark.parametrize("method", ["read", "write"])
@pytest.mark.parametrize("raised", [False, True])
@pytest.mark.parametrize(
    "trouble",
    [
        error.ConnectionDone("bye"),
        error.ConnectionLost("oh"),
        OSError("no"),
        asyncio.CancelledError("no Exception"),
    ],
)
def test_troubleEndsIt(reactor: Any, pair: Any, method: str, raised: bool, trouble: BaseException) -> None:
    here, there = pair

    def act() -> Any:
        if raised:
            raise trouble
        return trouble

    each = Descriptor(here, act) if method == "read" else Descriptor(here, int, act)
    reactor.addReader(each)
    if method == "write":
        reactor.addWriter(each)
    else:
        there.send(b"x")
    with loggedErrors() as errors:
        runFor(reactor)
    assert each.lost == [type(trouble)]
    assert errors == ([type(trouble)] if raised else [])


def test_aCleanEndOfInputIsNoEndForWhoCanBeHalfClosed(reactor: Any, pair: Any) -> None:
    here, there = pair
    each = HalfCloseable(here, lambda: error.ConnectionDone("bye"))
    reactor.addReader(each)
    reactor.addWriter(each)
    there.send(b"x")
    runFor(reactor)
    assert each.lost == [error.ConnectionDone, HalfCloseable]
    assert reactor.getReaders() == []
    assert reactor.getWriters() == [each]
    reactor.removeWriter(each)


def test_whoHasNoFileAnyMoreIsLost(reactor: Any, pair: Any) -> None:
    here, there = pair
    each = Descriptor(here)
    reactor.addReader(each)
    there.send(b"x")
    each.fileno = lambda: -1  # type: ignore[method-assign]
    runFor(reactor)
    assert each.lost == [error.ConnectionFdescWentAway]


def test_whatConnectionLostRaisesIsLogged(reactor: Any, pair: Any) -> None:
    here, there = pair
    each = Descriptor(here, lambda: error.ConnectionLost("oh"))
    each.connectionLost = lambda reason: 1 / 0  # type: ignore[assignment,method-assign,return-value]
    reactor.addReader(each)
    there.send(b"x")
    with loggedErrors() as errors:
        runFor(reactor)
    assert errors == [ZeroDivisionError]


def test_aNumberThatIsUsedAgainIsWatchedForItsNewFile(reactor: Any, pair: Any) -> None:
    stale, there = socket.socketpair()
    there.close()
    old = Descriptor(stale, lambda: 1 / 0, lambda: 1 / 0)
    reactor.addReader(old)
    reactor.addWriter(old)
    number = stale.fileno()
    stale.close()
    here, there = pair
    os.dup2(here.fileno(), number)
    again = socket.socket(fileno=number)
    got: list[bytes] = []
    new = Descriptor(again, lambda: got.append(again.recv(10)))
    reactor.addReader(new)
    there.send(b"x")
    runFor(reactor)
    assert got == [b"x"]
    assert old.lost == []
    reactor.removeReader(old)
    reactor.removeWriter(old)
    there.send(b"y")
    runFor(reactor)
    assert got == [b"x", b"y"]
    reactor.removeReader(new)
    again.close()


def test_oneFileCanHaveAReaderAndAWriter(reactor: Any, pair: Any) -> None:
    here, there = pair
    got: list[Any] = []
    reader, writer = Descriptor(here, lambda: got.append(here.recv(10))), Descriptor(here)
    reactor.addWriter(writer)
    reactor.addReader(reader)
    assert reactor.getWriters() == [writer]
    there.send(b"x")
    runFor(reactor)
    assert got == [b"x"]
    reactor.removeReader(reader)
    reactor.removeWriter(writer)


def test_aRegularFileIsAlwaysReady(reactor: Any, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"a" * 30)
    got: list[bytes] = []
    with path.open("rb") as file:

        def doRead() -> Any:
            got.append(os.read(file.fileno(), 10))
            return None if got[-1] else error.ConnectionDone("end")

        each = Descriptor(file, doRead)
        reactor.addReader(each)
        reactor.addReader(each)
        assert reactor.getReaders() == [each]
        runFor(reactor, 10)
    assert got == [b"a" * 10] * 3 + [b""]
    assert each.lost == [error.ConnectionDone]


def test_whoIsWatchedAtShutdownLosesHisConnection(reactor: Any, pair: Any) -> None:
    each, other = (Descriptor(end) for end in pair)
    reactor.addReader(each)
    reactor.addWriter(other)
    reactor.callWhenRunning(reactor.stop)
    reactor.run(installSignalHandlers=False)
    assert each.lost == other.lost == [error.ConnectionLost]
