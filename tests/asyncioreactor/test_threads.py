from __future__ import annotations

import asyncio
import gc
import threading
from typing import Any

import pytest

from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.asyncioreactor import AsyncioReactor
from twisted_endpoints.task import deferLater
from twisted_endpoints.threads import deferToThreadPool

from ..running import run
from .logged import loggedErrors


def test_eightThreadsLoseNothingAndKeepTheirOrder(reactor: Any) -> None:
    calls = 2000
    got: list[tuple[int, int]] = []

    def call(thread: int) -> None:
        for number in range(calls):
            reactor.callFromThread(note, thread, number)

    def note(thread: int, number: int) -> None:
        assert threading.current_thread() is threading.main_thread()
        got.append((thread, number))
        if len(got) == 8 * calls:
            reactor.stop()

    threads = [threading.Thread(target=call, args=(thread,)) for thread in range(8)]
    reactor.callWhenRunning(lambda: [thread.start() for thread in threads])
    reactor.run(installSignalHandlers=False)
    for thread in range(8):
        threads[thread].join()
        assert [number for its, number in got if its == thread] == list(range(calls))


def test_callsFromThreadsWaitUntilTheReactorRuns(reactor: Any) -> None:
    called: list[str] = []
    reactor.callFromThread(called.append, "early")
    reactor.callFromThread(reactor.stop)
    assert called == []
    reactor.run(installSignalHandlers=False)
    assert called == ["early"]


def test_aCallThatRaisesIsLoggedAndTheOthersAreMade(reactor: Any) -> None:
    reactor.callFromThread(lambda: 1 / 0)
    reactor.callFromThread(reactor.stop)
    with loggedErrors() as errors:
        reactor.run(installSignalHandlers=False)
    assert errors == [ZeroDivisionError]


def test_whoKeepsCallingLetsOthersHaveTheirTurn(reactor: Any) -> None:
    events: list[str] = []

    def again() -> None:
        events.append("call")
        if len(events) == 1:
            reactor.callLater(0, events.append, "delayed")
            reactor.callLater(0.001, reactor.stop)
        if reactor.running:
            reactor.callFromThread(again)

    reactor.callFromThread(again)
    reactor.run(installSignalHandlers=False)
    assert events[:3] == ["call", "delayed", "call"]


def test_onlyFunctionsCanBeCalled(reactor: Any) -> None:
    with pytest.raises(AssertionError, match="not callable"):
        reactor.callFromThread(None)


def test_callsFromThreadsAreRefusedAfterTheLoopIsClosed() -> None:
    loop = asyncio.new_event_loop()
    reactor = AsyncioReactor(loop)
    loop.close()
    for _ in range(2):
        with pytest.raises(RuntimeError, match="closed"):
            reactor.callFromThread(int)


def test_callsInThreadsWaitForTheReactorAndEndWithIt(reactor: Any) -> None:
    seen: list[Any] = []

    def work() -> None:
        seen.append(threading.current_thread())
        reactor.callFromThread(reactor.stop)

    reactor.callInThread(work)
    pool = reactor.getThreadPool()
    assert pool.threads == []
    assert reactor.threadpool is pool
    reactor.run(installSignalHandlers=False)
    assert seen[0] is not threading.main_thread()
    assert not seen[0].is_alive()
    assert pool.joined
    assert reactor.threadpool is None


def test_aPoolThatIsAskedForLateStartsAtOnce(reactor: Any) -> None:
    async def main() -> None:
        assert reactor.getThreadPool().started

    run(reactor, main)


def test_aPoolOfAReactorThatNeverRanStops(reactor: Any) -> None:
    pool = reactor.getThreadPool()
    reactor.fireSystemEvent("shutdown")
    assert pool.joined
    assert reactor.threadpool is None


def test_thePoolCanBeReplacedByTakingItAway(reactor: Any) -> None:
    async def main() -> Any:
        first = reactor.getThreadPool()
        reactor._stopThreadPool()
        second = reactor.getThreadPool()
        return first is not second, await deferToThreadPool(reactor, second, lambda: "done")

    assert run(reactor, main) == (True, "done")


def test_theGreatestNumberOfThreadsCanBeSuggested(reactor: Any) -> None:
    assert reactor.getThreadPool().max == 10
    reactor.suggestThreadPoolSize(17)
    assert reactor.getThreadPool().max == 17


def test_wakeUpMakesTheLoopGoRound(reactor: Any) -> None:
    reactor.callWhenRunning(threading.Thread(target=reactor.wakeUp).start)
    reactor.callLater(0.001, reactor.stop)
    reactor.run(installSignalHandlers=False)
    assert not reactor.running


def test_aCallThatComesTooLateIsNotKept(loop: asyncio.AbstractEventLoop) -> None:
    reactor: Any = AsyncioReactor(loop)
    loop.close()
    for _ in range(3):
        with pytest.raises(RuntimeError):
            reactor.callFromThread(int)
    assert not reactor._threadCalls


@pytest.mark.skipif(vocabulary == "twisted", reason="Twisted's failures wait for the collector")
def test_anErrorThatNobodyHandlesIsLoggedAtOnce(reactor: Any) -> None:
    async def main() -> list[Any]:
        deferToThreadPool(reactor, reactor.getThreadPool(), lambda: 1 / 0)
        # Not much longer: a thread that has waited for work for some time ends, and forgets what it did.
        for _ in range(100):
            if not errors:
                await deferLater(reactor, 0.01, int)
        return list(errors)

    gc.collect()
    gc.disable()
    try:
        with loggedErrors() as errors:
            found = run(reactor, main)
    finally:
        gc.enable()
    assert found == [ZeroDivisionError]
