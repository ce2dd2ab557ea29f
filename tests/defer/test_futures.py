from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.defer import CancelledError, Deferred, fail, succeed

from .test_chain import resultOf


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    made = asyncio.new_event_loop()
    try:
        yield made
    finally:
        made.close()


def turn(loop: asyncio.AbstractEventLoop) -> None:
    """Let the loop call what is due."""
    loop.call_soon(loop.stop)
    loop.run_forever()


def test_asFutureGetsTheResult(loop: Any) -> None:
    d: Deferred[int] = Deferred()
    future = d.asFuture(loop)
    assert future.get_loop() is loop
    assert not future.done()
    d.callback(5)
    assert future.result() == 5
    assert d.result is None


def test_asFutureGetsTheFailure(loop: Any) -> None:
    error = ValueError()
    future = fail(error).asFuture(loop)
    assert future.exception() is error


def test_cancellingTheFutureCancelsTheDeferred(loop: Any) -> None:
    cancelled: list[Any] = []
    d: Deferred[int] = Deferred(cancelled.append)
    future = d.asFuture(loop)
    assert future.cancel()
    if vocabulary == "builtin":
        # At once: a round of the loop later it may have fired.
        assert cancelled == [d]
    turn(loop)
    assert cancelled == [d]
    assert d.result is None
    assert not future.cancel()
    assert cancelled == [d]


@pytest.mark.parametrize("kind", [ZeroDivisionError, asyncio.CancelledError])
def test_aCancellerThatRaisesIsNoErrorOfTheFuture(loop: Any, kind: type[BaseException]) -> None:
    """Whoever cancels may have others to cancel too."""

    def raises(deferred: Any) -> None:
        raise kind

    told: list[Any] = []
    loop.set_exception_handler(lambda loop, context: told.append(context["exception"]))
    future = Deferred(raises).asFuture(loop)
    assert future.cancel()
    turn(loop)
    assert [type(error) for error in told] == [kind]


def test_aFutureThatWasCancelledIsNotSet(loop: Any) -> None:
    d: Deferred[int] = Deferred()
    future = d.asFuture(loop)
    future.cancel()
    d.callback(5)
    turn(loop)
    assert future.cancelled()


def test_fromFutureGetsTheResult(loop: Any) -> None:
    future = loop.create_future()
    d = Deferred.fromFuture(future)
    future.set_result(5)
    assert not d.called
    turn(loop)
    assert resultOf(d) == 5


def test_fromFutureGetsTheException(loop: Any) -> None:
    future = loop.create_future()
    d = Deferred.fromFuture(future)
    future.set_exception(ValueError())
    turn(loop)
    assert resultOf(d).check(ValueError)


def test_fromFutureMakesOneOfTheSubclass(loop: Any) -> None:
    class Special(Deferred[Any]):
        pass

    assert type(Special.fromFuture(loop.create_future())) is Special


def test_cancellingTheDeferredCancelsTheFuture(loop: Any) -> None:
    future = loop.create_future()
    d = Deferred.fromFuture(future)
    d.cancel()
    assert future.cancelled()
    turn(loop)
    assert resultOf(d).check(asyncio.CancelledError)


def test_aTaskMayRefuseToBeCancelled(loop: Any) -> None:
    async def stubborn() -> str:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass
        return "went on"

    task = loop.create_task(stubborn())
    d = Deferred.fromFuture(task)
    turn(loop)
    d.cancel()
    loop.run_until_complete(task)
    turn(loop)
    assert resultOf(d) == "went on"


def test_thereAndBack(loop: Any) -> None:
    d: Deferred[int] = Deferred()
    back = Deferred.fromFuture(d.asFuture(loop))
    back.cancel()
    turn(loop)
    turn(loop)
    assert d.called
    assert resultOf(back).check(asyncio.CancelledError)
    assert not issubclass(CancelledError, asyncio.CancelledError)


def test_aFutureCanBeAwaitedInAnotherLoopsCoroutine(loop: Any) -> None:
    async def main() -> int:
        return await succeed(3).asFuture(loop) + 1

    assert loop.run_until_complete(main()) == 4
