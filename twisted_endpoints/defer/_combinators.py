"""Many Deferreds as one: all of them, or the first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import total_ordering
from typing import Any, TypeVar

from ..failure import Failure
from ._debug import log
from ._deferred import Deferred

_T = TypeVar("_T")

#: In the result of a `DeferredList`: the item is a result.
SUCCESS = True
#: In the result of a `DeferredList`: the item is a `Failure`.
FAILURE = False

_DeferredListSingleResultT = tuple[_T, int]
_DeferredListResultItemT = tuple[bool, _T]
_DeferredListResultListT = list[_DeferredListResultItemT[_T]]


@total_ordering
class FirstError(Exception):
    """
    One of many Deferreds failed.

    Attributes:
        subFailure: its failure.
        index: its place among them.
    """

    def __init__(self, failure: Failure, index: int) -> None:
        super().__init__(failure, index)
        self.subFailure = failure
        self.index = index

    def __repr__(self) -> str:
        return f"FirstError[#{self.index}, {self.subFailure.value!r}]"

    def __str__(self) -> str:
        return f"FirstError[#{self.index}, {self.subFailure}]"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FirstError):
            return NotImplemented
        return (self.index, self.subFailure) == (other.index, other.subFailure)

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, FirstError):
            return NotImplemented
        return (self.index, self.subFailure) < (other.index, other.subFailure)

    __hash__ = Exception.__hash__


class DeferredList(Deferred[Any]):
    """
    Fires when all of some Deferreds have, with a list of ``(success, result)``; it never fails unless asked
    to.

    Each Deferred keeps its own result.  Cancelling cancels all of them.

    Args:
        deferredList: the Deferreds.
        fireOnOneCallback: fire with ``(result, index)`` of the first one that succeeds.
        fireOnOneErrback: fail with `FirstError` as soon as one fails.
        consumeErrors: the failed ones get None for their result, so that their errors aren't logged as
        unhandled.
    """

    fireOnOneCallback = False
    fireOnOneErrback = False

    def __init__(
        self,
        deferredList: Iterable[Deferred[Any]],
        fireOnOneCallback: bool = False,
        fireOnOneErrback: bool = False,
        consumeErrors: bool = False,
    ) -> None:
        super().__init__()
        self._deferredList = list(deferredList)
        self.resultList: list[Any] = [None] * len(self._deferredList)
        self.fireOnOneCallback = fireOnOneCallback
        self.fireOnOneErrback = fireOnOneErrback
        self.consumeErrors = consumeErrors
        self.finishedCount = 0
        if not self._deferredList and not fireOnOneCallback:
            self.callback(self.resultList)
        for index, deferred in enumerate(self._deferredList):
            take = self._cbDeferred
            deferred.addCallbacks(take, take, (index, SUCCESS), None, (index, FAILURE))

    def _cbDeferred(self, result: Any, index: int, succeeded: bool) -> Any:
        """Take note of one result, and fire if it is the one that was waited for."""
        try:
            self.resultList[index] = (succeeded, result)
            self.finishedCount += 1
            if not self.called:
                if succeeded and self.fireOnOneCallback:
                    self._fire(self.callback, (result, index))
                elif not succeeded and self.fireOnOneErrback:
                    self._fire(self.errback, Failure(FirstError(result, index)))
                elif self.finishedCount == len(self.resultList):
                    self._fire(self.callback, self.resultList)
            return result if succeeded or not self.consumeErrors else None
        finally:
            # Here and below, as in `_chain`: a callback may raise, and the traceback would hold this frame.
            del self, result

    def _fire(self, how: Callable[[Any], None], result: Any) -> None:
        # Those that haven't fired hold this one, and only until they are let go of.
        self._deferredList = []
        try:
            how(result)
        finally:
            del self, how, result

    def cancel(self) -> None:
        """Cancel all the Deferreds, unless this one has fired."""
        if self.called:
            return
        each = None
        try:
            for each in self._deferredList:
                try:
                    each.cancel()
                except BaseException:
                    # One that can't be cancelled is no reason to leave the others running.
                    log.failure("A canceller raised an exception")
        finally:
            del self, each


def gatherResults(deferredList: Iterable[Deferred[_T]], consumeErrors: bool = False) -> Deferred[list[_T]]:
    """
    Wait for all of some Deferreds.

    Args:
        deferredList: the Deferreds.
        consumeErrors: as for `DeferredList`.

    Returns:
        A Deferred that fires with the list of results, or fails with `FirstError` as soon as one of them
        fails. Cancelling it cancels all of them.
    """
    gathered = DeferredList(deferredList, fireOnOneErrback=True, consumeErrors=consumeErrors)
    return gathered.addCallback(_onlyResults)


def _onlyResults(resultList: list[tuple[bool, _T]]) -> list[_T]:
    return [result for _, result in resultList]


class FailureGroup(Exception):
    """
    More than one Deferred failed.

    Attributes:
        failures: their failures, in the order of the Deferreds.
    """

    def __init__(self, failures: Sequence[Failure]) -> None:
        super().__init__()
        self.failures = failures


def race(ds: Sequence[Deferred[_T]]) -> Deferred[tuple[int, _T]]:
    """
    Wait for the first of some Deferreds to succeed, and cancel the others.

    Returns:
        A Deferred that fires with the index and the result of the winner, or fails with `FailureGroup` when
        all have failed.  Cancelling it cancels all of them.
    """
    return _Race(ds).outcome


class _Race:
    """
    A race of Deferreds.

    Attributes:
        outcome: fires with the winner's index and result.
    """

    def __init__(self, runners: Sequence[Deferred[Any]]) -> None:
        self.outcome: Deferred[Any] = Deferred(self._cancel)
        self._runners = list(runners)
        self._failures: dict[int, Failure] = {}
        self._won = False
        for index, runner in enumerate(self._runners):
            runner.addCallbacks(self._succeeded, self._failed, callbackArgs=(index,), errbackArgs=(index,))

    def _succeeded(self, result: Any, index: int) -> None:
        try:
            # A runner that doesn't take its cancellation for an answer may still come in.
            if not self._won:
                self._won = True
                # Not the winner: its result may belong to something that a cancellation would end.
                _cancelAll(self._runners[:index] + self._runners[index + 1 :])
                self.outcome.callback((index, result))
        finally:
            del self, result

    def _failed(self, failure: Failure, index: int) -> None:
        try:
            self._failures[index] = failure
            if len(self._failures) == len(self._runners):
                self.outcome.errback(FailureGroup([failure for _, failure in sorted(self._failures.items())]))
        finally:
            del self, failure

    def _cancel(self, outcome: Deferred[Any]) -> None:
        del outcome
        try:
            _cancelAll(self._runners)
        finally:
            del self


def _cancelAll(runners: list[Deferred[Any]]) -> None:
    runner = None
    try:
        for runner in runners:
            runner.cancel()
    finally:
        del runners, runner
