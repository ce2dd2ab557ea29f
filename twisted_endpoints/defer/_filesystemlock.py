"""A lock between processes, to wait for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lockfile import FilesystemLock
from ._deferred import Deferred
from ._errors import CancelledError, TimeoutError  # noqa: A004
from ._results import fail

if TYPE_CHECKING:
    from ..interfaces import IDelayedCall, IReactorTime


class AlreadyTryingToLockError(Exception):
    """`DeferredFilesystemLock.deferUntilLocked` was called while an earlier call still waits."""


class DeferredFilesystemLock(FilesystemLock):
    """
    A `FilesystemLock` that tries every second until the lock is free.

    Args:
        name: the path of the lock file.
        scheduler: says when a second is over; by default the reactor.
    """

    #: Seconds between two attempts.
    _interval = 1
    _tryLockCall: IDelayedCall | None = None
    _timeoutCall: IDelayedCall | None = None

    def __init__(self, name: str, scheduler: IReactorTime | None = None) -> None:
        super().__init__(name)
        if scheduler is None:
            from .. import reactor

            scheduler = reactor  # type: ignore[assignment]
        self._scheduler: IReactorTime = scheduler  # type: ignore[assignment]

    def deferUntilLocked(self, timeout: float | None = None) -> Deferred[None]:
        """
        Take the lock, as soon as it is free.

        Args:
            timeout: seconds after which to give up; by default never.

        Returns:
            A Deferred that fires with None when the lock is held.  It fails with `TimeoutError`, with
            `AlreadyTryingToLockError` if an earlier call still waits, or with the `OSError` of `lock`.
            Cancelling it gives up.
        """
        if self._tryLockCall is not None:
            return fail(AlreadyTryingToLockError("deferUntilLocked isn't safe for concurrent use."))
        d: Deferred[None] = Deferred(self._cancelled)
        self._attempt(d, timeout)
        return d

    def _attempt(self, d: Deferred[None], timeout: float | None) -> None:
        try:
            locked = self.lock()
        except OSError:
            self._stop()
            d.errback()
            return
        if locked:
            self._stop()
            d.callback(None)
            return
        if timeout is not None and self._timeoutCall is None:
            late = TimeoutError(f"Timed out acquiring lock: {self.name!r} after {timeout} seconds")
            self._timeoutCall = self._scheduler.callLater(timeout, self._giveUp, d, late)
        self._tryLockCall = self._scheduler.callLater(self._interval, self._attempt, d, timeout)

    def _cancelled(self, d: Deferred[None]) -> None:
        self._giveUp(d, CancelledError())

    def _giveUp(self, d: Deferred[None], reason: Exception) -> None:
        """Try a last time; if the lock still isn't free, fail."""
        self._stop()
        if self.lock():
            d.callback(None)
        else:
            d.errback(reason)

    def _stop(self) -> None:
        """Forget both calls, the one that is running just now too."""
        for call in (self._tryLockCall, self._timeoutCall):
            if call is not None and call.active():
                call.cancel()
        self._tryLockCall = self._timeoutCall = None
