"""
Shares the reactor's thread between long pieces of work that are written as iterators.

Each `next()` of an iterator is one step of its work.  A `Cooperator` takes a step of each of its tasks in
turn, for as long as its slice of time lasts (10 ms), then lets the reactor breathe and goes on where it was.
An iterator that gives a Deferred pauses until that has fired.  A task is in its cooperator's list exactly
while it is neither paused nor ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from ..defer import Deferred
from ..failure import Failure

if TYPE_CHECKING:
    from ..interfaces import IDelayedCall, IReactorTime

_TaskIteratorT = TypeVar("_TaskIteratorT", bound=Iterator[object])

#: Seconds between two slices: as good as none, but other events of the reactor come first.
_EPSILON = 0.00000001

#: What an iterator without a next item gives.
_EXHAUSTED = object()


class SchedulerError(Exception):
    """The state of a task or of its cooperator does not allow what was asked for."""


class SchedulerStopped(SchedulerError):
    """The cooperator has been stopped."""


class TaskFinished(SchedulerError):
    """The task has ended, one way or another."""


class TaskDone(TaskFinished):
    """The task has done all its work."""


class TaskStopped(TaskFinished):
    """The task was stopped before its end."""


class TaskFailed(TaskFinished):
    """The task has ended by an error."""


class NotPaused(SchedulerError):
    """A task was resumed that was not paused."""


class _Timer:
    """Says when a slice is over."""

    #: Seconds.  Short enough that a person does not notice, long enough that switching costs little.
    MAX_SLICE = 0.01

    def __init__(self) -> None:
        self.end = time.monotonic() + self.MAX_SLICE

    def __call__(self) -> bool:
        return time.monotonic() >= self.end


def _defaultScheduler(callable: Callable[[], None]) -> IDelayedCall:
    from .. import reactor

    return cast("IReactorTime", reactor).callLater(_EPSILON, callable)


class CooperativeTask(Generic[_TaskIteratorT]):
    """An iterator at work in a cooperator; `Cooperator.cooperate` makes it."""

    def __init__(self, iterator: _TaskIteratorT, cooperator: Cooperator) -> None:
        self._iterator = iterator
        self._cooperator = cooperator
        self._deferreds: list[Deferred[_TaskIteratorT]] = []
        self._pauseCount = 0
        # How it ended, as what `stop` and `pause` raise from then on.
        self._completionState: SchedulerError | None = None
        self._completionResult: _TaskIteratorT | Failure | None = None
        cooperator._addTask(self)

    def whenDone(self) -> Deferred[_TaskIteratorT]:
        """
        Ask to be told when the task ends; any number of times, also after the end.

        Returns:
            A Deferred that fires with the iterator when that is exhausted.  It fails with what the iterator
            raised or a Deferred of its failed with, with TaskStopped, or with SchedulerStopped.
        """
        done: Deferred[_TaskIteratorT] = Deferred()
        if self._completionState is None:
            self._deferreds.append(done)
        else:
            done.callback(cast(_TaskIteratorT, self._completionResult))
        return done

    def pause(self) -> None:
        """
        Do no more work until `resume` has been called as often as this.

        Raises:
            TaskFinished: the task has ended.
        """
        self._checkFinish()
        self._pauseCount += 1
        if self._pauseCount == 1:
            self._cooperator._removeTask(self)

    def resume(self) -> None:
        """
        Take back one `pause`.

        Raises:
            NotPaused: there is none to take back.
        """
        if not self._pauseCount:
            raise NotPaused
        self._pauseCount -= 1
        if not self._pauseCount and self._completionState is None:
            self._cooperator._addTask(self)

    def stop(self) -> None:
        """
        End the task where it is.

        Raises:
            TaskFinished: the task has ended.
        """
        self._checkFinish()
        self._completeWith(TaskStopped(), Failure(TaskStopped()))

    def _checkFinish(self) -> None:
        if self._completionState is not None:
            raise self._completionState

    def _completeWith(self, state: SchedulerError, result: _TaskIteratorT | Failure) -> None:
        if self._completionState is not None:
            # Ended while it waited, and what it waited for failed later.  Nobody waits for that any more.
            return
        self._completionState = state
        self._completionResult = result
        if not self._pauseCount:
            self._cooperator._removeTask(self)
        # Last of all: who is told may stop other tasks, or the cooperator.
        waiting, self._deferreds = self._deferreds, []
        for done in waiting:
            done.callback(cast(_TaskIteratorT, result))

    def _oneWorkUnit(self) -> None:
        """Take one step."""
        try:
            item = next(self._iterator, _EXHAUSTED)
        except BaseException:
            self._completeWith(TaskFailed(), Failure())
            return
        if item is _EXHAUSTED:
            self._completeWith(TaskDone(), self._iterator)
        elif isinstance(item, Deferred) and self._completionState is None:
            # Not for a task that has stopped itself in this step: there is nothing left to pause.
            self.pause()
            item.addCallbacks(
                lambda ignored: self.resume(),
                lambda failure: self._completeWith(TaskFailed(), failure),
            )


class Cooperator:
    """
    Takes steps of many tasks in turn.

    For a program's own work use the one that all share, by `cooperate` of this module: separate cooperators
    do not know of each other.  Uses: a long computation that must not block the reactor; at most n of many
    jobs at a time (n tasks over one iterator); one job after the other.

    Args:
        terminationPredicateFactory: is called at the beginning of a slice and gives a callable, which is
            asked after each step whether the slice is over; by default it is after 10 ms.
        scheduler: is called with a callable that it has to call a little later, and gives the `IDelayedCall`;
            by default it is the installed reactor's `callLater`.
        started: False lets tasks wait until `start` is called.
    """

    def __init__(
        self,
        terminationPredicateFactory: Callable[[], Callable[[], bool]] = _Timer,
        scheduler: Callable[[Callable[[], None]], IDelayedCall] = _defaultScheduler,
        started: bool = True,
    ) -> None:
        self._tasks: list[CooperativeTask[Any]] = []
        # The place in the round; it outlives a slice, so that each task has its turn.
        self._metarator: Iterator[CooperativeTask[Any]] = iter(())
        self._terminationPredicateFactory = terminationPredicateFactory
        self._scheduler = scheduler
        self._delayedCall: IDelayedCall | None = None
        self._stopped = False
        self._started = started

    @property
    def running(self) -> bool:
        """Whether it takes steps, or would if it had tasks."""
        return self._started and not self._stopped

    def cooperate(self, iterator: _TaskIteratorT) -> CooperativeTask[_TaskIteratorT]:
        """Begin to work through an iterator; the task can be paused, stopped and waited for."""
        return CooperativeTask(iterator, self)

    def coiterate(
        self, iterator: _TaskIteratorT, doneDeferred: Deferred[_TaskIteratorT] | None = None
    ) -> Deferred[_TaskIteratorT]:
        """
        Begin to work through an iterator.

        Args:
            iterator: the work.
            doneDeferred: the Deferred to fire at the end; by default a new one.

        Returns:
            That Deferred; its result is that of `CooperativeTask.whenDone`.
        """
        done: Deferred[_TaskIteratorT] = Deferred() if doneDeferred is None else doneDeferred
        self.cooperate(iterator).whenDone().chainDeferred(done)
        return done

    def start(self) -> None:
        """Take steps, now or again."""
        self._stopped = False
        self._started = True
        self._reschedule()

    def stop(self) -> None:
        """End every task with SchedulerStopped, and each one that is added until `start` is called."""
        self._stopped = True
        # Over a copy, for each task takes itself off the list.
        for task in list(self._tasks):
            task._completeWith(SchedulerStopped(), Failure(SchedulerStopped()))

    def _addTask(self, task: CooperativeTask[Any]) -> None:
        self._tasks.append(task)
        if self._stopped:
            task._completeWith(SchedulerStopped(), Failure(SchedulerStopped()))
        else:
            self._reschedule()

    def _removeTask(self, task: CooperativeTask[Any]) -> None:
        self._tasks.remove(task)
        if not self._tasks and self._delayedCall is not None:
            self._delayedCall.cancel()
            self._delayedCall = None

    def _tasksWhileNotStopped(self) -> Iterator[CooperativeTask[Any]]:
        """Yield the tasks round and round, until the slice is over or none is left."""
        isOver = self._terminationPredicateFactory()
        while self._tasks:
            for task in self._metarator:
                yield task
                if isOver():
                    return
            self._metarator = iter(self._tasks)

    def _tick(self) -> None:
        """Work for one slice."""
        self._delayedCall = None
        for task in self._tasksWhileNotStopped():
            task._oneWorkUnit()
        self._reschedule()

    def _reschedule(self) -> None:
        if self._started and self._tasks and self._delayedCall is None:
            self._delayedCall = self._scheduler(self._tick)


_theCooperator = Cooperator()


def cooperate(iterator: _TaskIteratorT) -> CooperativeTask[_TaskIteratorT]:
    """Begin to work through an iterator in the cooperator that all share, on the installed reactor."""
    return _theCooperator.cooperate(iterator)


def coiterate(iterator: _TaskIteratorT) -> Deferred[_TaskIteratorT]:
    """Begin to work through an iterator as `cooperate` does; the Deferred fires with it at its end."""
    return _theCooperator.coiterate(iterator)
