from __future__ import annotations

import errno
import socket
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from tests.running import run
from twisted_endpoints.asyncioreactor import accepting
from twisted_endpoints.asyncioreactor.loops import isUvloop
from twisted_endpoints.defer import Deferred
from twisted_endpoints.error import CannotListenError
from twisted_endpoints.protocol import Factory, Protocol

from .fakes import FakeLoop


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

    def connect(port: Any) -> None:
        made.append(socket.create_connection(("127.0.0.1", port.getHost().port)))

    yield connect
    for peer in made:
        peer.close()


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many descriptors this process may have, as far as ports know; none to begin with."""
    number = [0]
    monkeypatch.setattr(accepting, "_limit", lambda: number[0])
    return number


async def rounds(reactor: Any, count: int = 10) -> None:
    for _ in range(count):
        gone: Deferred[None] = Deferred()
        reactor._loop.call_soon(gone.callback, None)
        await gone


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
        factory = Counting()
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        peers(port)
        await factory.reached[0]
        await rounds(reactor)
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


def test_aFailedAcceptIsTriedAgain(reactor: Any, peers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    if isUvloop(reactor._loop):
        pytest.skip("uvloop accepts by itself")
    said: list[str] = []
    failures = [OSError(errno.EPROTO, "bad luck")]
    accept = socket.socket.accept

    def failing(sock: socket.socket) -> Any:
        if failures:
            raise failures.pop()
        return accept(sock)

    monkeypatch.setattr(socket.socket, "accept", failing)
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


def test_aLoopThatCannotServeIsAnErrorOfListening(reactor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*args: Any, **kwargs: Any) -> None:
        raise OSError(errno.ENOMEM, "no memory")

    monkeypatch.setattr(reactor._loop, "create_server", refuse)
    with pytest.raises(CannotListenError, match="no memory"):
        reactor.listenTCP(0, Counting(), interface="127.0.0.1")


class Table:
    """As much of `os` as looks at the table of descriptors: one of sixteen."""

    def __init__(self) -> None:
        self.open: set[int] = set()

    def dup(self, number: int) -> int:
        free = [each for each in range(16) if each not in self.open]
        if not free:
            raise OSError(errno.EMFILE, "full")
        self.open.add(free[0])
        return free[0]

    def close(self, number: int) -> None:
        self.open.remove(number)

    def get_inheritable(self, number: int) -> bool:
        if number not in self.open:
            raise OSError(errno.EBADF, "closed")
        return False


@pytest.mark.parametrize(
    ("taken", "room"),
    [
        (range(11), True),
        (range(12), False),
        (range(16), False),
        # Of the reserve, 12 to 15, one is lent: two have to be free elsewhere.
        ([*range(11), 13], False),
        ([*range(10), 13], True),
        ([*range(2, 16)], False),
        ([*range(5, 16)], True),
    ],
)
def test_whatTheReserveHasLentMustBeFreeElsewhere(
    taken: Iterable[int], room: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = Table()
    monkeypatch.setattr(accepting, "os", table)
    monkeypatch.setattr(accepting, "_limit", lambda: 16)
    monkeypatch.setattr(accepting, "_reserve", lambda limit: 4)
    with socket.socket() as sock:
        made = accepting.Acceptor(FakeLoop(), Counting, sock, 1, "x")  # type: ignore[arg-type]
        made._taken = None
        table.open.update(taken)
        assert made._hasRoom() is room
        assert table.open == set(taken)
