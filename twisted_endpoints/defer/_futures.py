"""Between Deferreds and the Futures of asyncio."""

from __future__ import annotations

from asyncio import AbstractEventLoop, Future
from typing import Any, TypeVar

from ..failure import Failure
from ._deferred import Deferred

_T = TypeVar("_T")


def asFuture(deferred: Deferred[_T], loop: AbstractEventLoop) -> Future[_T]:
    """Do what `Deferred.asFuture` says."""
    future = _FutureOf(deferred, loop)
    deferred.addCallbacks(_setResult, _setException, callbackArgs=(future,), errbackArgs=(future,))
    return future


class _FutureOf(Future[_T]):
    """
    Gets a Deferred's result, and passes a cancel on to it at once.

    A round of the loop later, as a Future tells what waits for it, the Deferred may have fired: with a
    connection, say, that nobody would ever hear of.
    """

    def __init__(self, deferred: Deferred[_T], loop: AbstractEventLoop) -> None:
        super().__init__(loop=loop)
        self._deferred = deferred

    def cancel(self, msg: Any = None) -> bool:
        cancelled = super().cancel(msg)
        if cancelled:
            try:
                self._deferred.cancel()
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as error:
                # Whoever cancels, a task group perhaps, has others to cancel too.
                message = f"the canceller of {self._deferred!r} failed"
                self.get_loop().call_exception_handler(
                    {"message": message, "exception": error, "future": self}
                )
        return cancelled


def _setResult(result: Any, future: Future[Any]) -> None:
    if not future.cancelled():
        future.set_result(result)


def _setException(failure: Failure, future: Future[Any]) -> None:
    if not future.cancelled():
        future.set_exception(failure.value)


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
