"""Between Deferreds and the Futures of asyncio."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ..failure import Failure
from ._deferred import Deferred

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future

_T = TypeVar("_T")


def asFuture(deferred: Deferred[_T], loop: AbstractEventLoop) -> Future[_T]:
    """Do what `Deferred.asFuture` says."""
    future: Future[_T] = loop.create_future()
    deferred.addCallbacks(_setResult, _setException, callbackArgs=(future,), errbackArgs=(future,))
    future.add_done_callback(partial(_cancelWith, deferred))
    return future


def _setResult(result: Any, future: Future[Any]) -> None:
    if not future.cancelled():
        future.set_result(result)


def _setException(failure: Failure, future: Future[Any]) -> None:
    if not future.cancelled():
        future.set_exception(failure.value)


def _cancelWith(deferred: Deferred[Any], future: Future[Any]) -> None:
    if future.cancelled():
        deferred.cancel()


def fromFuture(kind: type[Deferred[_T]], future: Future[_T]) -> Deferred[_T]:
    """Do what `Deferred.fromFuture` says, with a Deferred of a given class."""
    adapter = _FutureAdapter(kind, future)
    future.add_done_callback(adapter.finish)
    return adapter.deferred


class _FutureAdapter:
    """
    Fires a Deferred when a Future is done.

    Attributes:
        deferred: gets the result.  Once it was cancelled, a new one takes its place, and the old one waits
        for that.
    """

    def __init__(self, kind: type[Deferred[Any]], future: Future[Any]) -> None:
        self._future = future
        self.deferred: Deferred[Any] = kind(self._cancel)

    def finish(self, future: Future[Any]) -> None:
        """Take the result of the Future, which is done."""
        try:
            try:
                result = future.result()
            except BaseException:
                result = Failure()
            self.deferred.callback(result)
        finally:
            # The traceback holds this frame from now on.
            del self, future, result

    def _cancel(self, deferred: Deferred[Any]) -> None:
        # A Future may refuse: its task can catch the cancellation and return a result.
        self.deferred = Deferred()
        deferred._goOnWith(self.deferred)
        self._future.cancel()
