"""`task.Cooperator`: whose turn it is, and how tasks end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from twisted_endpoints import task
from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.defer import Deferred
from twisted_endpoints.task import Cooperator

from ..installing import install

builtinOnly = pytest.mark.skipif(vocabulary == "twisted", reason="Twisted's has the fault that this is about")


class Turns:
    """A scheduler whose slices run when the test says so."""

    def __init__(self) -> None:
        self.clock = task.Clock()

    def __call__(self, function: Callable[[], None]) -> Any:
        return self.clock.callLater(1, function)

    def next(self) -> None:
        self.clock.advance(1)

    @property
    def scheduled(self) -> bool:
        return bool(self.clock.getDelayedCalls())


def stepsPerSlice(steps: int) -> Callable[[], Callable[[], bool]]:
    """Make slices end after so many steps."""

    def begin() -> Callable[[], bool]:
        left = iter(range(steps - 1, -1, -1))
        return lambda: next(left) == 0

    return begin


@pytest.fixture
def turns() -> Turns:
    return Turns()


@pytest.fixture
def cooperator(turns: Turns) -> Cooperator:
    return Cooperator(stepsPerSlice(1), turns)


def work(log: list[str], name: str, steps: int) -> Iterator[None]:
    for step in range(steps):
        log.append(f"{name}{step}")
        yield


def outcome(deferred: Deferred[Any]) -> list[Any]:
    results: list[Any] = []
    deferred.addBoth(results.append)
    return results


def test_tasksTakeTurns(turns: Turns, cooperator: Cooperator) -> None:
    log: list[str] = []
    iterators = [work(log, "a", 3), work(log, "b", 2)]
    done = [outcome(cooperator.cooperate(iterator).whenDone()) for iterator in iterators]

    for _ in range(10):
        turns.next()

    assert log == ["a0", "b0", "a1", "b1", "a2"]
    assert done == [[iterators[0]], [iterators[1]]]
    assert not turns.scheduled


def test_aSliceTakesAsManyStepsAsItLasts(turns: Turns) -> None:
    log: list[str] = []
    cooperator = Cooperator(stepsPerSlice(3), turns)
    cooperator.cooperate(work(log, "a", 9))
    cooperator.cooperate(work(log, "b", 9))

    turns.next()
    assert log == ["a0", "b0", "a1"]
    turns.next()
    assert log == ["a0", "b0", "a1", "b1", "a2", "b2"], "the second slice goes on where the first one was"
    cooperator.stop()


def test_coiterateFiresWithTheIterator(turns: Turns, cooperator: Cooperator) -> None:
    iterator = work([], "a", 1)
    own: Deferred[Any] = Deferred()
    results = outcome(cooperator.coiterate(iterator)), outcome(cooperator.coiterate(iter(()), own))
    assert cooperator.coiterate(iter(()), ours := Deferred()) is ours

    for _ in range(6):
        turns.next()

    assert results[0] == [iterator]
    assert len(results[1]) == 1


def test_anErrorEndsATask(turns: Turns, cooperator: Cooperator) -> None:
    running = cooperator.cooperate(1 / number for number in (1, 0))
    failed = outcome(running.whenDone())
    turns.next()
    turns.next()

    assert failed[0].check(ZeroDivisionError)
    with pytest.raises(task.TaskFailed):
        running.stop()
    assert outcome(running.whenDone())[0].check(ZeroDivisionError), "it is told after the end too"


def test_aTaskWaitsForADeferred(turns: Turns, cooperator: Cooperator) -> None:
    ready: Deferred[None] = Deferred()
    log: list[str] = []

    def waiting() -> Iterator[Any]:
        log.append("asks")
        yield ready
        log.append("goes on")

    done = outcome(cooperator.cooperate(waiting()).whenDone())
    turns.next()
    assert (log, turns.scheduled) == (["asks"], False)

    ready.callback(None)
    turns.next()
    assert log == ["asks", "goes on"]
    assert len(done) == 1


def test_aFailedDeferredEndsATask(turns: Turns, cooperator: Cooperator) -> None:
    ready: Deferred[None] = Deferred()
    running = cooperator.cooperate(iter([ready]))
    failed = outcome(running.whenDone())
    turns.next()

    ready.errback(KeyError("x"))

    assert failed[0].check(KeyError)
    with pytest.raises(task.TaskFailed):
        running.pause()


def test_stopEndsATask(turns: Turns, cooperator: Cooperator) -> None:
    log: list[str] = []
    running = cooperator.cooperate(work(log, "a", 5))
    stopped = outcome(running.whenDone())
    turns.next()
    running.stop()

    assert not turns.scheduled
    assert log == ["a0"]
    assert stopped[0].check(task.TaskStopped)
    with pytest.raises(task.TaskStopped):
        running.stop()


def test_aTaskThatIsDoneCanNotBeStopped(turns: Turns, cooperator: Cooperator) -> None:
    running = cooperator.cooperate(iter(()))
    turns.next()
    for misuse in (running.stop, running.pause):
        with pytest.raises(task.TaskDone):
            misuse()


def test_pausesAreCounted(turns: Turns, cooperator: Cooperator) -> None:
    log: list[str] = []
    running = cooperator.cooperate(work(log, "a", 2))
    running.pause()
    running.pause()
    assert not turns.scheduled
    running.resume()
    assert not turns.scheduled

    running.resume()
    turns.next()

    assert log == ["a0"]
    with pytest.raises(task.NotPaused):
        running.resume()
    running.stop()


def test_aPausedTaskCanBeStopped(turns: Turns, cooperator: Cooperator) -> None:
    running = cooperator.cooperate(work([], "a", 2))
    running.pause()
    stopped = outcome(running.whenDone())
    running.stop()
    running.resume()

    assert stopped[0].check(task.TaskStopped)
    assert not turns.scheduled


@builtinOnly
def test_aTaskThatWasStoppedDoesNotMindWhatItWaitedFor(turns: Turns, cooperator: Cooperator) -> None:
    ready: Deferred[None] = Deferred()
    running = cooperator.cooperate(iter([ready]))
    stopped = outcome(running.whenDone())
    turns.next()
    running.stop()
    later = outcome(ready)

    ready.errback(KeyError("x"))

    assert len(stopped) == 1
    assert stopped[0].check(task.TaskStopped)
    assert later == [None]
    with pytest.raises(task.TaskStopped):
        running.stop()


@builtinOnly
def test_aTaskMayStopItselfAndGiveADeferred(turns: Turns, cooperator: Cooperator) -> None:
    def selfish() -> Iterator[Any]:
        running.stop()
        yield Deferred()

    running = cooperator.cooperate(selfish())
    stopped = outcome(running.whenDone())
    turns.next()

    assert stopped[0].check(task.TaskStopped)
    assert not turns.scheduled


@builtinOnly
def test_stoppingACooperatorEndsEveryTask(turns: Turns, cooperator: Cooperator) -> None:
    ended = [outcome(cooperator.cooperate(work([], "a", 5)).whenDone()) for _ in range(4)]
    turns.next()

    cooperator.stop()

    assert [len(results) for results in ended] == [1, 1, 1, 1]
    assert all(results[0].check(task.SchedulerStopped) for results in ended)
    assert not turns.scheduled


def test_aStoppedCooperatorTakesNoTasks(turns: Turns, cooperator: Cooperator) -> None:
    cooperator.stop()
    late = cooperator.cooperate(work([], "a", 5))

    assert not cooperator.running
    assert outcome(late.whenDone())[0].check(task.SchedulerStopped)
    with pytest.raises(task.SchedulerStopped):
        late.stop()


def test_aTaskThatIsResumedAfterTheCooperatorStoppedHasEnded(turns: Turns, cooperator: Cooperator) -> None:
    running = cooperator.cooperate(work([], "a", 5))
    running.pause()
    cooperator.stop()
    running.resume()
    assert outcome(running.whenDone())[0].check(task.SchedulerStopped)


def test_aCooperatorMayBeStartedLater(turns: Turns) -> None:
    log: list[str] = []
    cooperator = Cooperator(stepsPerSlice(1), turns, started=False)
    done = outcome(cooperator.coiterate(work(log, "a", 1)))
    assert (cooperator.running, turns.scheduled) == (False, False)

    cooperator.start()
    assert (cooperator.running, turns.scheduled) == (True, True)
    turns.next()
    turns.next()

    assert log == ["a0"]
    assert len(done) == 1


def test_aStoppedCooperatorCanBeStartedAgain(turns: Turns, cooperator: Cooperator) -> None:
    log: list[str] = []
    cooperator.stop()
    cooperator.start()
    running = cooperator.cooperate(work(log, "a", 2))
    turns.next()
    assert log == ["a0"]
    running.stop()


def test_whoIsToldOfTheEndMayStopOthers(turns: Turns, cooperator: Cooperator) -> None:
    other = cooperator.cooperate(work([], "b", 9))
    first = cooperator.cooperate(iter(()))
    first.whenDone().addCallback(lambda ignored: other.stop())
    stopped = outcome(other.whenDone())
    turns.next()
    turns.next()

    assert stopped[0].check(task.TaskStopped)
    assert not turns.scheduled


def test_theCooperatorOfAllRunsOnTheInstalledReactor(monkeypatch: pytest.MonkeyPatch) -> None:
    reactor = task.Clock()
    install(monkeypatch, reactor)
    log: list[str] = []
    first, second = work(log, "a", 1), work(log, "b", 1)
    done = [outcome(task.cooperate(first).whenDone()), outcome(task.coiterate(second))]

    assert log == []
    # A slice lasts 10 ms of real time, so it is not known how many these few steps take.
    for _ in range(4):
        reactor.advance(1)

    assert log == ["a0", "b0"]
    assert done == [[first], [second]]
    assert reactor.getDelayedCalls() == []


def test_errorsAreAFamily() -> None:
    for kind in (task.TaskDone, task.TaskStopped, task.TaskFailed):
        assert issubclass(kind, task.TaskFinished)
    for kind in (task.TaskFinished, task.SchedulerStopped, task.NotPaused):
        assert issubclass(kind, task.SchedulerError)
