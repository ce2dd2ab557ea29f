from __future__ import annotations

from typing import Any

import pytest

from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.defer import (
    CancelledError,
    Deferred,
    DeferredLock,
    DeferredSemaphore,
    ensureDeferred,
)

from .test_chain import resultOf

both = pytest.mark.parametrize("makes", [DeferredLock, lambda: DeferredSemaphore(1)])


@both
def test_oneAtATimeInOrder(makes: Any) -> None:
    lock = makes()
    order: list[int] = []
    for n in range(3):
        lock.acquire().addCallback(lambda got, n=n: order.append(n) or got)
    assert order == [0]
    lock.release()
    assert order == [0, 1]
    lock.release()
    lock.release()
    assert order == [0, 1, 2]


@both
def test_acquireFiresWithTheLock(makes: Any) -> None:
    lock = makes()
    assert resultOf(lock.acquire()) is lock


@both
def test_aCancelLeavesTheQueue(makes: Any) -> None:
    lock = makes()
    lock.acquire()
    second, third = lock.acquire(), lock.acquire()
    second.cancel()
    assert resultOf(second).check(CancelledError)
    assert lock.waiting == [third]
    lock.release()
    assert third.called


@both
def test_cancelAfterItWasAcquiredDoesNothing(makes: Any) -> None:
    lock = makes()
    first = lock.acquire()
    first.cancel()
    assert resultOf(first) is lock


@both
def test_releaseWithoutAcquire(makes: Any) -> None:
    with pytest.raises(AssertionError):
        makes().release()


@both
def test_runHoldsItUntilTheFunctionIsDone(makes: Any) -> None:
    lock = makes()
    done: Deferred[str] = Deferred()
    first = lock.run(lambda *args, **kwargs: done.addCallback(lambda r: (r, args, kwargs)), 1, a=2)
    second = lock.acquire()
    assert not second.called
    done.callback("r")
    assert resultOf(first) == ("r", (1,), {"a": 2})
    assert second.called


@both
def test_runReleasesAfterAnError(makes: Any) -> None:
    lock = makes()

    async def fails() -> None:
        raise ValueError

    assert resultOf(lock.run(fails)).check(ValueError)
    assert lock.acquire().called


@both
def test_asAContext(makes: Any) -> None:
    lock = makes()
    inside: Deferred[None] = Deferred()

    async def uses() -> str:
        async with lock as got:
            assert got is lock
            await inside
        raise KeyError("after")

    running = ensureDeferred(uses())
    waits = lock.acquire()
    assert not waits.called
    inside.errback(ValueError())
    assert resultOf(running).check(ValueError)
    assert waits.called


def test_aLockSaysWhetherItIsHeld() -> None:
    lock = DeferredLock()
    assert lock.locked is False
    lock.acquire()
    lock.acquire()
    assert lock.locked is True
    lock.release()
    assert lock.locked is True
    lock.release()
    assert lock.locked is False


def test_aSemaphoreLetsSomeIn() -> None:
    semaphore = DeferredSemaphore(2)
    acquired = [semaphore.acquire() for _ in range(3)]
    assert [d.called for d in acquired] == [True, True, False]
    assert (semaphore.tokens, semaphore.limit) == (0, 2)
    semaphore.release()
    assert acquired[2].called
    assert semaphore.tokens == 0
    semaphore.release()
    semaphore.release()
    assert semaphore.tokens == 2


@pytest.mark.parametrize("tokens", [0, -1])
def test_aSemaphoreNeedsTokens(tokens: int) -> None:
    with pytest.raises(ValueError, match="tokens >= 1"):
        DeferredSemaphore(tokens)


builtinOnly = pytest.mark.skipif(vocabulary == "twisted", reason="Twisted's calls within a call")


@builtinOnly
@both
def test_thousandsMayWait(makes: Any) -> None:
    lock = makes()
    done: list[int] = []

    async def uses(number: int) -> None:
        async with lock:
            done.append(number)

    lock.acquire()
    count = 10_000
    runs = [ensureDeferred(uses(2 * n)) for n in range(count)]
    runs += [lock.run(done.append, number) for number in range(2 * count, 3 * count)]
    lock.release()
    assert done == [*range(0, 2 * count, 2), *range(2 * count, 3 * count)]
    assert all(run.called for run in runs)
    assert lock.acquire().called


@builtinOnly
@both
def test_whoHasItNextMayChangeHisMindAsLongAsHeWasNotTold(makes: Any) -> None:
    lock = makes()
    lock.acquire()
    order: list[str] = []
    waiting: dict[str, Deferred[Any]] = {}

    def told(_: Any, name: str) -> None:
        order.append(name)
        lock.release()
        if name == "first":
            waiting["second"].cancel()

    for name in ("first", "second", "third"):
        waiting[name] = lock.acquire().addCallback(told, name)
    lock.release()
    assert order == ["first", "third"]
    assert resultOf(waiting["second"]).check(CancelledError)
    assert lock.acquire().called
