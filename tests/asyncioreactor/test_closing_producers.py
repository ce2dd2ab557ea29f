"""To close a connection that a producer writes to: what is waited for, and what would never come."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from twisted_endpoints.error import ConnectionDone

from .streams import KINDS, MUCH, HalfCloseable, Play, Producer, Scene


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def aborted(source: Any) -> None:
    source.abortConnection()


def closed(source: Any) -> None:
    source.loseConnection()


def closing(source: Any) -> None:
    source.write(b"x" * MUCH)
    source.loseConnection()


def test_whoIsItsOwnProducerIsNotWaitedFor(play: Play) -> None:
    async def main(scene: Scene) -> None:
        protocol, peer = await scene.recorded()
        stream: Any = protocol.transport
        stream.registerProducer(stream, True)
        stream.write(b"x" * MUCH)
        stream.loseConnection()
        assert await peer.receive(MUCH + 1) == b"x" * MUCH
        assert await protocol.lost is ConnectionDone

    play(main)


@pytest.mark.parametrize("end", [aborted, closed, closing], ids=lambda end: str(end.__name__))
@pytest.mark.parametrize("when", ["before", "after"])
def test_aConnectionThatReadsNoMoreIsNotWaitedFor(
    play: Play, tmp_path: Path, end: Callable[[Any], None], when: str
) -> None:
    async def main(scene: Scene) -> None:
        protocol, peer = await scene.recorded()
        others = Scene(scene.reactor, "tcp", tmp_path)
        try:
            other, _ = await others.recorded()
            stream: Any = protocol.transport
            stream.registerProducer(other.transport, True)
            stream.write(b"x" * MUCH)
            if when == "before":
                end(other.transport)
                await scene.soon()
            stream.loseConnection()
            if when == "after":
                end(other.transport)
            assert await peer.receive(MUCH + 1) == b"x" * MUCH
            assert await protocol.lost is ConnectionDone
        finally:
            await others.close()

    play(main)


@pytest.mark.parametrize("when", ["at once", "later"])
def test_whoIsWaitedForHasOneTurn(play: Play, when: str) -> None:
    async def main(scene: Scene) -> None:
        protocol, peer = await scene.recorded()
        stream: Any = protocol.transport

        def produce() -> None:
            if when == "at once":
                stream.write(b"last")
            else:
                scene.reactor.callLater(0, stream.write, b"last")

        producer = Producer(stream, produce)
        stream.registerProducer(producer, True)
        stream.write(b"x" * MUCH)
        stream.loseConnection()
        assert await peer.receive(MUCH + 5) == b"x" * MUCH + b"last"
        assert await protocol.lost is ConnectionDone
        assert producer.told == ["pause", "resume", "stop"]

    play(main)


def test_whoIsWaitedForHasOneTurnBeforeAHalfClose(play: Play) -> None:
    async def main(scene: Scene) -> None:
        protocol = HalfCloseable()
        peer = await scene.connected(protocol)
        stream: Any = protocol.transport
        producer = Producer(stream, lambda: stream.write(b"last"))
        stream.registerProducer(producer, True)
        stream.write(b"x" * MUCH)
        stream.loseWriteConnection()
        assert await peer.receive(MUCH + 5) == b"x" * MUCH + b"last"
        await protocol.writeLost
        assert protocol.events == ["made", "write lost"]
        stream.unregisterProducer()

    play(main)


def test_whoHasReadAllIsNotWaitedForAndHearsOfTheEndOnce(play: Play, tmp_path: Path) -> None:
    async def main(scene: Scene) -> None:
        protocol, peer = await scene.recorded()
        others = Scene(scene.reactor, "tcp", tmp_path)
        try:
            other = HalfCloseable()
            far = await others.connected(other)
            stream: Any = protocol.transport
            stream.registerProducer(other.transport, True)
            far.end()
            await other.readLost
            stream.write(b"x" * MUCH)
            stream.loseConnection()
            assert await peer.receive(MUCH + 1) == b"x" * MUCH
            assert await protocol.lost is ConnectionDone
            assert await other.lost is ConnectionDone
            assert other.events == ["made", "read lost", "lost"]
        finally:
            await others.close()

    play(main)
