"""Who produces and consumes what goes through standard input and output."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest

from tests.asyncioreactor.logged import loggedErrors
from tests.running import run
from twisted_endpoints.error import ConnectionDone
from twisted_endpoints.stdio import StandardIO

from .bed import LARGE, Ends, Mute, drain, turn


class Pusher:
    """Notes what it is told."""

    def __init__(self, told: list[str]) -> None:
        self.pauseProducing = lambda: told.append("pause")
        self.resumeProducing = lambda: told.append("resume")
        self.stopProducing = lambda: told.append("stop")


def test_aPushProducerIsPausedAndResumed(reactor: Any, ends: Ends) -> None:
    taker, stdout = ends.pipe()
    protocol, told = Mute(), []

    async def main() -> None:
        stdio = StandardIO(protocol, ends.pipe()[0], stdout, reactor)
        stdio.registerProducer(Pusher(told), True)
        with pytest.raises(RuntimeError):
            stdio.registerProducer(Pusher(told), True)
        stdio.write(LARGE)
        stdio.write(LARGE)
        assert told == ["pause"]
        got = 0
        while told == ["pause"]:
            await turn(reactor, 1)
            got += len(drain(taker))
        assert got == 2 * len(LARGE)
        assert told == ["pause", "resume"]
        stdio.loseConnection()
        await protocol.lost

    run(reactor, main)
    assert told == ["pause", "resume", "stop"]


class Puller:
    """Produces some pieces, one whenever it is asked."""

    def __init__(self, stdio: StandardIO, pieces: int) -> None:
        self.stdio = stdio
        self.left = pieces

    def resumeProducing(self) -> None:
        if self.left:
            self.left -= 1
            self.stdio.write(LARGE)
        else:
            self.stdio.unregisterProducer()

    def stopProducing(self) -> None:
        raise AssertionError("it was to produce all")


def test_loseConnectionWaitsForAPullProducer(reactor: Any, ends: Ends) -> None:
    stdout, taken = ends.output("pipe")
    protocol = Mute()

    async def main() -> None:
        stdio = StandardIO(protocol, ends.pipe()[0], stdout, reactor)
        stdio.registerProducer(Puller(stdio, 3), False)
        stdio.loseConnection()
        await protocol.lost

    run(reactor, main)
    assert taken() == 3 * LARGE


def test_loseConnectionDoesNotWaitForItself(reactor: Any, ends: Ends) -> None:
    stdout, taken = ends.output("pipe")
    protocol = Mute()

    async def main() -> None:
        stdio = StandardIO(protocol, ends.pipe()[0], stdout, reactor)
        stdio.registerProducer(stdio, True)
        stdio.write(LARGE)
        stdio.loseConnection()
        await protocol.lost

    run(reactor, main)
    assert taken() == LARGE


def test_aProducerThatComesTooLateIsStopped(reactor: Any, ends: Ends) -> None:
    stdio, told = StandardIO(Mute(), *ends.pipe(), reactor), []
    stdio.connectionLost(None)  # type: ignore[arg-type]
    stdio.registerProducer(Pusher(told), True)
    stdio.unregisterProducer()
    stdio.resumeProducing()
    stdio.pauseProducing()
    stdio.loseWriteConnection()
    stdio.loseConnection()
    stdio.abortConnection()

    assert told == ["stop"]


def test_pausedItLeavesTheInputWhereItIs(reactor: Any, ends: Ends) -> None:
    stdin, feeder = ends.pipe()
    protocol = Mute()

    async def main() -> None:
        stdio = StandardIO(protocol, stdin, ends.pipe()[1], reactor)
        stdio.pauseProducing()
        os.write(feeder, b"later")
        await turn(reactor)
        assert protocol.received == b""
        stdio.resumeProducing()
        await protocol.next
        assert protocol.received == b"later"
        stdio.stopProducing()
        await protocol.lost

    run(reactor, main)


def test_aConnectionThatIsLostIsNotWaitedForToProduce(reactor: Any, ends: Ends) -> None:
    protocol = Mute()
    taker, stdout = ends.pipe()
    taken = []

    async def main() -> None:
        stdio = StandardIO(protocol, ends.pipe()[0], stdout, reactor)
        gone = Pusher([])
        stdio.registerProducer(gone, True)
        stdio.write(LARGE)
        gone.disconnected = True  # type: ignore[attr-defined]
        stdio.loseConnection()
        while not protocol.lost.called:
            taken.append(drain(taker))
            await turn(reactor, 1)

    run(reactor, main)
    assert b"".join(taken) == LARGE
    assert protocol.reason.type is ConnectionDone


@pytest.mark.parametrize("kind", [ValueError, asyncio.CancelledError])
def test_aProducerThatRaisesLosesTheConnection(reactor: Any, ends: Ends, kind: type[BaseException]) -> None:
    def raises() -> None:
        raise kind

    protocol, told = Mute(), []
    producer = Pusher(told)
    taker, stdout = ends.pipe()

    async def main() -> None:
        stdio = StandardIO(protocol, ends.pipe()[0], stdout, reactor)
        stdio.registerProducer(producer, True)
        stdio.write(LARGE)
        producer.resumeProducing = raises  # type: ignore[method-assign]
        while not protocol.lost.called:
            drain(taker)
            await turn(reactor, 1)

    with loggedErrors() as logged:
        run(reactor, main)
    assert logged == [kind]
    assert told == ["pause", "stop"]
