"""Deferreds, and functions that wait for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from typing import Any

from ._timing import perOperation
from .rows import Row, Sample

COUNT = 50_000


def _defer(package: str) -> Any:
    if package == "ours":
        import twisted_endpoints.defer as ours

        return ours
    import twisted.internet.defer as theirs

    return theirs


def _same(result: object) -> object:
    return result


def _created(defer: Any) -> Callable[[int], object]:
    Deferred = defer.Deferred

    def run(count: int) -> None:
        for _ in range(count):
            Deferred()

    return run


def _fiveCallbacks(defer: Any) -> Callable[[int], object]:
    Deferred = defer.Deferred

    def run(count: int) -> None:
        for _ in range(count):
            deferred = Deferred()
            for _ in range(5):
                deferred.addCallback(_same)
            deferred.callback(None)

    return run


def _yieldFired(defer: Any) -> Callable[[int], object]:
    fired = defer.succeed(None)

    def steps(count: int) -> Generator[Any, Any, None]:
        for _ in range(count):
            yield fired

    return defer.inlineCallbacks(steps)  # type: ignore[no-any-return]


def _yieldNew(defer: Any) -> Callable[[int], object]:
    Deferred = defer.Deferred
    waited: list[Any] = []

    def steps(count: int) -> Generator[Any, Any, None]:
        for _ in range(count):
            waited.append(Deferred())
            yield waited[0]

    start = defer.inlineCallbacks(steps)

    def run(count: int) -> None:
        start(count)
        while waited:
            waited.pop().callback(None)

    return run


def _awaitFired(defer: Any) -> Callable[[int], object]:
    fired = defer.succeed(None)

    async def steps(count: int) -> None:
        for _ in range(count):
            await fired

    return lambda count: defer.ensureDeferred(steps(count))


def _futureCreated() -> Sample:
    loop = asyncio.new_event_loop()

    def run(count: int) -> None:
        for _ in range(count):
            loop.create_future()

    return perOperation(run, COUNT)


def _futureAwaited() -> Sample:
    loop = asyncio.new_event_loop()
    future = loop.create_future()
    future.set_result(None)

    async def steps(count: int) -> None:
        for _ in range(count):
            await future

    return perOperation(lambda count: loop.run_until_complete(steps(count)), COUNT)


def _row(
    name: str,
    what: str,
    work: Callable[[Any], Callable[[int], object]],
    goal: float | None = 1.3,
    bare: Callable[[], Sample] | None = None,
) -> Row:
    contenders = {
        "twisted-epoll": lambda: perOperation(work(_defer("twisted")), COUNT),
        "ours": lambda: perOperation(work(_defer("ours")), COUNT),
    }
    if bare is not None:
        contenders["asyncio"] = bare
    return Row(name, what, "us", contenders, {} if goal is None else {"ours": goal})


ROWS = (
    _row(
        "deferred created",
        "A Deferred made, and nothing more; for asyncio a Future.",
        _created,
        None,
        _futureCreated,
    ),
    _row("deferred fired", "A Deferred made, given five callbacks, and fired.", _fiveCallbacks),
    _row(
        "inlineCallbacks fired",
        "A step of a function under inlineCallbacks: it yields a Deferred that has fired.",
        _yieldFired,
    ),
    _row(
        "inlineCallbacks waits",
        "The same with a Deferred that is made in the step, and fired when the function waits for it.",
        _yieldNew,
    ),
    _row(
        "await fired",
        "A Deferred that has fired is awaited; for asyncio a Future.",
        _awaitFired,
        1.3,
        _futureAwaited,
    ),
)
