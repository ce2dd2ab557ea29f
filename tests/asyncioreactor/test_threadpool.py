from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from twisted_endpoints.asyncioreactor.threadpool import ThreadPool

from .logged import loggedErrors


class Gate:
    """A function that waits until it is let through, and says when it is there."""

    def __init__(self) -> None:
        self.arrived = threading.Semaphore(0)
        self.opened = threading.Event()

    def __call__(self) -> threading.Thread:
        self.arrived.release()
        self.opened.wait(20)
        return threading.current_thread()


@pytest.fixture
def pool() -> Iterator[ThreadPool]:
    made = ThreadPool(0, 2, "test")
    yield made
    made.stop()


def results(pool: ThreadPool, *functions: Any) -> list[tuple[bool, Any]]:
    """Call functions one after the other in the pool; return what came of them."""
    found: list[tuple[bool, Any]] = []
    done = threading.Semaphore(0)
    for function in functions:
        pool.callInThreadWithCallback(lambda *outcome: (found.append(outcome), done.release()), function)
        assert done.acquire(timeout=20)
    return found


def test_callsWaitUntilThePoolStarts(pool: ThreadPool) -> None:
    done = threading.Event()
    pool.callInThread(done.set)
    assert pool.threads == []
    pool.start()
    assert done.wait(20)


def test_argumentsArePassedOnAndTheResultComesBack(pool: ThreadPool) -> None:
    pool.start()
    found: list[Any] = []
    done = threading.Event()
    pool.callInThreadWithCallback(lambda *got: (found.append(got), done.set()), sorted, [1, 2], reverse=True)
    assert done.wait(20)
    assert found == [(True, [2, 1])]


def test_whatAFunctionRaisesComesBackAsAFailure(pool: ThreadPool) -> None:
    pool.start()
    [(succeeded, failure)] = results(pool, lambda: 1 / 0)
    assert not succeeded
    assert failure.check(ZeroDivisionError)


def test_whatNobodyWantsToKnowIsLogged(pool: ThreadPool) -> None:
    with loggedErrors() as errors:
        pool.start()
        pool.callInThread(lambda: 1 / 0)
        pool.callInThreadWithCallback(lambda *ignored: {}["result"], int)
        pool.stop()
    assert sorted(errors, key=str) == [KeyError, ZeroDivisionError]


def test_thereAreNoMoreThreadsThanAllowed(pool: ThreadPool) -> None:
    pool.start()
    gate, third = Gate(), threading.Event()
    pool.callInThread(gate)
    pool.callInThread(gate)
    assert gate.arrived.acquire(timeout=20)
    assert gate.arrived.acquire(timeout=20)
    pool.callInThread(third.set)
    assert (len(pool.threads), len(pool.working), len(pool.waiters), len(pool._queue)) == (2, 2, 0, 1)
    gate.opened.set()
    assert third.wait(20)


def test_anIdleThreadIsUsedAgain(pool: ThreadPool) -> None:
    pool.start()
    first, second = results(pool, threading.current_thread, threading.current_thread)
    assert first == second
    assert first[1].daemon
    assert first[1].name == "PoolThread-test-1"


def test_stopMakesTheCallsThatWaitAndEndsTheThreads() -> None:
    pool = ThreadPool(1, 1)
    called: list[int] = []
    for number in range(100):
        pool.callInThread(called.append, number)
    pool.start()
    threads = list(pool.threads)
    pool.stop()
    assert called == list(range(100))
    assert [thread.is_alive() for thread in threads] == [False]
    assert pool.threads == pool.waiters == pool.working == []
    pool.callInThread(called.append, 100)
    assert (len(called), len(pool._queue), pool.joined, pool.started) == (100, 0, True, False)
    pool.start()
    pool.callInThread(called.append, 101)
    pool.stop()
    assert called[100:] == [101]


def test_theSystemHasNoThreadToSpare(pool: ThreadPool) -> None:
    class Unstartable:
        def __init__(self, **options: Any) -> None:
            """Any thread."""

        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    made: list[Any] = []
    pool.start()
    pool.threadFactory = Unstartable  # type: ignore[assignment]
    with pytest.raises(RuntimeError):
        pool.callInThread(made.append, "never")
    del pool.threadFactory
    gate, done = Gate(), threading.Event()
    pool.callInThread(gate)
    assert gate.arrived.acquire(timeout=20)
    pool.threadFactory = Unstartable  # type: ignore[assignment]
    # Whoever is busy will come to it.
    pool.callInThread(done.set)
    gate.opened.set()
    assert done.wait(20)
    assert made == []


def test_theSizeCanBeChanged(pool: ThreadPool) -> None:
    pool.start()
    pool.adjustPoolsize(3, 5)
    assert len(pool.threads) == pool.workers == 3
    pool.adjustPoolsize(0, 1)
    assert pool.workers == 1
    pool.startAWorker()
    assert pool.workers == 1
    pool.stopAWorker()
    assert pool.workers == 0
    assert results(pool, int) == [(True, 0)]


@pytest.mark.parametrize("sizes", [(-1, 5), (6, 5)])
def test_badSizesAreRefused(pool: ThreadPool, sizes: tuple[int, int]) -> None:
    with pytest.raises(AssertionError, match="minimum is"):
        ThreadPool(*sizes)
    with pytest.raises(AssertionError, match="minimum is"):
        pool.adjustPoolsize(*sizes)


def test_nothingOfACallOutlivesIt(pool: ThreadPool) -> None:
    class Large:
        pass

    large = Large()
    reference = weakref.ref(large)
    pool.start()
    done = threading.Event()

    def onResult(succeeded: bool, result: object) -> None:
        gc.collect()
        alive.append(reference())
        done.set()

    alive: list[Any] = []
    pool.callInThreadWithCallback(onResult, repr, large)
    del large
    assert done.wait(20)
    assert alive == [None]
