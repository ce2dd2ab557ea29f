"""`threads`: to other threads and back."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

import pytest

from twisted_endpoints.defer import Deferred, fail, succeed
from twisted_endpoints.failure import Failure
from twisted_endpoints.threads import (
    blockingCallFromThread,
    callMultipleInThread,
    deferToThread,
    deferToThreadPool,
)

from .installing import install


class FakeReactor:
    """A reactor whose thread is the test's, and whose pool makes a thread for each call and waits for it."""

    def __init__(self) -> None:
        self.queue: SimpleQueue[tuple[Callable[..., Any], tuple[Any, ...]]] = SimpleQueue()
        self.threads: list[str] = []

    def callFromThread(self, callable: Callable[..., Any], *args: Any) -> None:
        self.queue.put((callable, args))

    def turn(self) -> None:
        """Make the next call that a thread has asked for."""
        function, args = self.queue.get(timeout=30)
        function(*args)

    def getThreadPool(self) -> FakeReactor:
        return self

    def callInThread(self, callable: Callable[..., Any], *args: Any, **kw: Any) -> None:
        thread = threading.Thread(target=callable, args=args, kwargs=kw)
        self.threads.append(thread.name)
        thread.start()
        thread.join()

    def callInThreadWithCallback(
        self, onResult: Callable[[bool, Any], Any], func: Callable[..., Any], *args: Any, **kw: Any
    ) -> None:
        def work() -> None:
            try:
                result = func(*args, **kw)
            except Exception:
                onResult(False, Failure())
            else:
                onResult(True, result)

        self.callInThread(work)


@pytest.fixture
def fake() -> FakeReactor:
    return FakeReactor()


def outcome(deferred: Deferred[Any]) -> list[Any]:
    results: list[Any] = []
    deferred.addBoth(results.append)
    return results


def where(*args: Any, **kw: Any) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
    """Tell the thread, and the arguments."""
    return threading.current_thread().name, args, kw


def test_theFunctionRunsInThePoolAndTheDeferredFiresInTheReactorsThread(fake: FakeReactor) -> None:
    result = deferToThreadPool(fake, fake, where, 1, key=2)  # type: ignore[arg-type]
    firedIn: list[str] = []
    result.addCallback(lambda told: (firedIn.append(threading.current_thread().name), told)[1])
    results = outcome(result)
    assert results == [], "the function has run, but the reactor has not had its turn"

    fake.turn()

    assert results == [(fake.threads[0], (1,), {"key": 2})]
    assert firedIn == [threading.current_thread().name]


def test_anErrorInTheThreadFailsTheDeferred(fake: FakeReactor) -> None:
    results = outcome(deferToThreadPool(fake, fake, lambda: 1 / 0))  # type: ignore[arg-type]
    fake.turn()
    assert results[0].check(ZeroDivisionError)


def test_deferToThreadTakesTheInstalledReactorsPool(
    fake: FakeReactor, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, fake)
    results = outcome(deferToThread(where, 1))
    fake.turn()
    assert results == [(fake.threads[0], (1,), {})]


def test_manyCallsInOneThread(fake: FakeReactor, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, fake)
    calls: list[Any] = []

    def note(*args: Any, **kw: Any) -> None:
        calls.append(where(*args, **kw))

    callMultipleInThread([(note, (1,), {}), (note, (), {"key": 2})])

    assert calls == [(fake.threads[0], (1,), {}), (fake.threads[0], (), {"key": 2})]


def asking(reactor: Any, function: Any, answers: list[Any]) -> threading.Thread:
    """Make a blocking call in a thread of its own, which adds the result, or the error, to the answers."""

    def ask() -> None:
        try:
            answers.append(blockingCallFromThread(reactor, function))
        except Exception as error:
            answers.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    return thread


async def coroutine() -> str:
    return "awaited"


@pytest.mark.parametrize(
    ("function", "expected"),
    [(lambda: "plain", "plain"), (lambda: succeed("deferred"), "deferred"), (coroutine, "awaited")],
    ids=["plain", "deferred", "coroutine"],
)
def test_aBlockingCallGivesTheResult(fake: FakeReactor, function: Any, expected: str) -> None:
    answers: list[Any] = []
    ask = asking(fake, function, answers)
    fake.turn()
    ask.join()

    assert answers == [expected]


@pytest.mark.parametrize(
    "function", [lambda: 1 / 0, lambda: fail(ZeroDivisionError())], ids=["plain", "deferred"]
)
def test_aBlockingCallRaisesTheError(fake: FakeReactor, function: Any) -> None:
    answers: list[Any] = []
    ask = asking(fake, function, answers)
    fake.turn()
    ask.join()

    assert [type(answer) for answer in answers] == [ZeroDivisionError]


def test_aBlockingCallWaitsForTheDeferred(fake: FakeReactor) -> None:
    ready: Deferred[str] = Deferred()
    answers: list[Any] = []
    ask = asking(fake, lambda: ready, answers)
    fake.turn()
    assert ask.is_alive()
    assert answers == []
    ready.callback("late")
    ask.join()

    assert answers == ["late"]


PROGRAM = """
import threading
from twisted_endpoints import reactor
from twisted_endpoints.defer import Deferred
from twisted_endpoints.threads import blockingCallFromThread, callMultipleInThread, deferToThread

def inThread(*args):
    assert threading.current_thread() is not threading.main_thread()
    # And back again, from the pool.
    def inReactor():
        return threading.current_thread() is threading.main_thread(), args
    return blockingCallFromThread(reactor, inReactor)

async def main():
    print(await deferToThread(inThread, 1))
    called = Deferred()
    callMultipleInThread([(print, ("one",), {}), (reactor.callFromThread, (called.callback, "two"), {})])
    print(await called)
    try:
        await deferToThread(int, "x")
    except ValueError as error:
        print(error)
    reactor.stop()

reactor.callWhenRunning(lambda: Deferred.fromCoroutine(main()))
reactor.run()
"""


def test_onARealReactor() -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60)

    assert (ran.stdout.splitlines(), ran.stderr) == (
        ["(True, (1,))", "one", "two", "invalid literal for int() with base 10: 'x'"],
        "",
    )
