"""The copies of a listening socket that loops accept on: how many, and what they leave alone."""

from __future__ import annotations

import os
import socket
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.running import run
from twisted_endpoints.asyncioreactor import accepting, acceptserver, room
from twisted_endpoints.asyncioreactor.loops import isUvloop
from twisted_endpoints.defer import Deferred
from twisted_endpoints.protocol import Factory, Protocol
from twisted_endpoints.task import deferLater

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and tcp_info")

CROWD = 40


class Watching(Factory):
    """Sees, for each connection, how many copies of a port's socket there are."""

    noisy = False
    protocol = Protocol

    def __init__(self) -> None:
        self.port: Any = None
        self.seen: list[int] = []
        self.complete: Deferred[None] = Deferred()

    def buildProtocol(self, addr: Any) -> Any:
        self.seen.append(copies(self.port))
        if len(self.seen) == CROWD:
            self.complete.callback(None)
        return super().buildProtocol(addr)


def nameOf(descriptor: object) -> str:
    """Give the kernel's name of what is open, which all copies have in common; "" if nothing is."""
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except FileNotFoundError:
        return ""


def having(name: str) -> int:
    """Count the descriptors of this process that have a name."""
    return [nameOf(number) for number in os.listdir("/proc/self/fd")].count(name)


def copies(port: Any) -> int:
    """Count the copies of a port's socket."""
    return having(nameOf(port.fileno())) - 1


def queueLength(port: Any) -> int:
    """Ask the kernel how many connections may wait: tcp_info's tcpi_sacked."""
    return int(struct.unpack_from("28xI", port.socket.getsockopt(socket.SOL_TCP, socket.TCP_INFO, 32))[0])


@pytest.fixture
def crowd(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """
    Connects many to a port at once, and keeps the loop from accepting them before it looks at its port.

    It looks often: every 10 milliseconds.
    """
    monkeypatch.setattr(acceptserver, "_WATCH", 0.01)
    with ExitStack() as opened:

        def come(port: Any) -> None:
            for _ in range(CROWD):
                opened.enter_context(socket.create_connection(("127.0.0.1", port.getHost().port)))
            time.sleep(0.02)

        yield come


def test_uvloopAcceptsACrowdOnSeveralCopies(reactor: Any, crowd: Any) -> None:
    if not isUvloop(reactor._loop):
        pytest.skip("asyncio accepts a crowd on one")

    async def main() -> None:
        factory = Watching()
        port = factory.port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        await deferLater(reactor, 0.02)
        assert copies(port) == 1
        crowd(port)
        await factory.complete
        assert max(factory.seen) == 8
        await deferLater(reactor, 0.05)
        assert copies(port) == 1
        await port.stopListening()

    run(reactor, main)


def test_aPortThatStopsLeavesNoCopy(reactor: Any, crowd: Any) -> None:
    async def main() -> None:
        factory = Watching()
        port = factory.port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        name = nameOf(port.fileno())
        crowd(port)
        await factory.complete
        await port.stopListening()
        assert having(name) == 0

    run(reactor, main)


def test_whoIsAcceptedOnSeveralCopiesFindsThePortPaused(reactor: Any, crowd: Any) -> None:
    class Pausing(Watching):
        def buildProtocol(self, addr: Any) -> Any:
            made = super().buildProtocol(addr)
            self.port.pauseProducing()
            return made

    async def main() -> None:
        factory = Pausing()
        port = factory.port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        crowd(port)
        await deferLater(reactor, 0.05)
        assert factory.seen[0] == (8 if isUvloop(reactor._loop) else 0)
        accepted = len(factory.seen)
        # uvloop accepts one on each copy in a round, and asyncio all of them.
        assert 1 <= accepted <= (8 if isUvloop(reactor._loop) else CROWD)
        assert copies(port) == 0
        await deferLater(reactor, 0.05)
        assert len(factory.seen) == accepted
        await port.stopListening()

    run(reactor, main)


def test_thereAreNoMoreCopiesThanThereIsRoomFor(
    reactor: Any, crowd: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        factory = Watching()
        port = factory.port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        monkeypatch.setattr(room.Room, "size", lambda self: 3 * accepting._ROUND_SHARE)
        crowd(port)
        await factory.complete
        assert max(factory.seen) == (3 if isUvloop(reactor._loop) else 0)
        await port.stopListening()

    run(reactor, main)


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_howManyWaitIsToldForTCPOnly(kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as sock, ExitStack() as opened:
        sock.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            sock.listen()
            for _ in range(3):
                opened.enter_context(socket.create_connection(sock.getsockname()))
        assert acceptserver._waiting(sock) == (3 if kind == socket.SOCK_STREAM else 0)


def test_theQueueKeepsItsLength(reactor: Any, crowd: Any) -> None:
    async def main() -> None:
        factory = Watching()
        port = factory.port = reactor.listenTCP(0, factory, backlog=77, interface="127.0.0.1")
        assert queueLength(port) == 77
        crowd(port)
        await factory.complete
        assert queueLength(port) == 77
        port.pauseProducing()
        port.resumeProducing()
        assert queueLength(port) == 77
        await port.stopListening()

    run(reactor, main)
