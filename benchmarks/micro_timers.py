"""Delayed calls."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any, Protocol

from ._timing import perOperation
from .rows import Row, Sample

#: How many calls wait at once.
COUNT = 10_000


class _Engine(Protocol):
    """What schedules calls: a reactor, or a bare loop."""

    @property
    def later(self) -> Callable[[float, Callable[[], object]], Any]:
        """Schedule a call; what is returned has a method `cancel`."""

    def run(self) -> None:
        """Run until `stop`."""

    def stop(self) -> None:
        """Let `run` return."""


class _Loop:
    """A bare loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.later: Callable[..., Any] = loop.call_later
        self.run = loop.run_forever
        self.stop = loop.stop


class _Twisted:
    """Twisted's epoll reactor."""

    def __init__(self) -> None:
        from twisted.internet.epollreactor import EPollReactor

        self._reactor = EPollReactor()
        self._reactor.startRunning(installSignalHandlers=False)
        self.later: Callable[..., Any] = self._reactor.callLater

    def run(self) -> None:
        self._running = True
        self._reactor.runUntilCurrent()
        while self._running:
            self._reactor.doIteration(self._reactor.timeout())
            self._reactor.runUntilCurrent()

    def stop(self) -> None:
        self._running = False


class _Ours:
    """Our reactor on a loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        from twisted_endpoints.asyncioreactor import AsyncioReactor

        self.later: Callable[..., Any] = AsyncioReactor(loop).callLater
        self.run = loop.run_forever
        self.stop = loop.stop


def _newLoop(name: str) -> asyncio.AbstractEventLoop:
    if name == "asyncio":
        return asyncio.new_event_loop()
    import uvloop

    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


_ENGINES: dict[str, Callable[[], _Engine]] = {
    "twisted-epoll": _Twisted,
    "asyncio": lambda: _Loop(_newLoop("asyncio")),
    "uvloop": lambda: _Loop(_newLoop("uvloop")),
    "ours-asyncio": lambda: _Ours(_newLoop("asyncio")),
    "ours-uvloop": lambda: _Ours(_newLoop("uvloop")),
}


def _nothing() -> None:
    pass


def _cancelled(engine: _Engine) -> Sample:
    order = random.Random(1)
    delays = [order.uniform(30, 60) for _ in range(COUNT)]

    def turn() -> None:
        # The engine files calls and clears them away when it likes: one turn each time is in the price.
        engine.later(0, engine.stop)
        engine.run()

    def run(count: int) -> None:
        calls = [engine.later(delay, _nothing) for delay in delays[:count]]
        turn()
        for call in calls:
            call.cancel()
        turn()

    return perOperation(run, COUNT)


def _fired(engine: _Engine, shortest: float, longest: float) -> Sample:
    order = random.Random(1)
    delays = [order.uniform(shortest, longest) for _ in range(COUNT)]

    def run(count: int) -> None:
        for delay in delays[:count]:
            engine.later(delay, _nothing)
        engine.later(longest + 0.001, engine.stop)
        engine.run()

    return perOperation(run, COUNT)


def _contenders(measure: Callable[[_Engine], Sample]) -> dict[str, Callable[[], Sample]]:
    def bound(make: Callable[[], _Engine]) -> Callable[[], Sample]:
        return lambda: measure(make())

    return {name: bound(make) for name, make in _ENGINES.items()}


ROWS = (
    Row(
        "timer cancelled",
        f"A call scheduled half a minute ahead, and cancelled a turn of the loop later; {COUNT:,} at once.",
        "us",
        _contenders(_cancelled),
        {"ours-uvloop": 1.2, "ours-asyncio": 1.2},
    ),
    Row(
        "timer fired",
        f"A call scheduled without a delay, and made; {COUNT:,} at once.",
        "us",
        _contenders(lambda engine: _fired(engine, 0, 0)),
        {"ours-uvloop": 3, "ours-asyncio": 1.2},
    ),
    # Longer delays would measure how the machine wakes up.
    Row(
        "timer fired later",
        f"A call scheduled with a delay of one to two milliseconds, and made; {COUNT:,} at once.",
        "us",
        _contenders(lambda engine: _fired(engine, 0.001, 0.002)),
    ),
)
