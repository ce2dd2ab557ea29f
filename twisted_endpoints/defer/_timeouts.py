"""Deferreds that must fire in time."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ..failure import Failure
from ._errors import CancelledError, TimeoutError  # noqa: A004

if TYPE_CHECKING:
    from ..interfaces import IDelayedCall, IReactorTime
    from ._deferred import Deferred

_T = TypeVar("_T")


def _cancelledToTimedOutError(value: _T, timeout: float) -> _T:
    """
    Say of what was cancelled that it timed out; pass on every other result.

    Raises:
        TimeoutError: `value` is the failure of a `CancelledError`.
    """
    if not isinstance(value, Failure):
        return value
    try:
        value.trap(CancelledError)
        raise TimeoutError(timeout, "Deferred")
    finally:
        # The traceback holds this frame from now on.
        del value


def timeout(deferred: Deferred[Any]) -> None:
    """Fail a Deferred with `TimeoutError`.  Deprecated: `Deferred.addTimeout` does that at the right time."""
    warnings.warn(
        "twisted_endpoints.defer.timeout was deprecated in Twisted 17.1.0; "
        "please use twisted_endpoints.defer.Deferred.addTimeout instead",
        DeprecationWarning,
        stacklevel=2,
    )
    deferred.errback(Failure(TimeoutError("Callback timed out")))


class Timeout:
    """
    Cancels a Deferred when time is up, and translates what comes of that.

    Attributes:
        expired: time was up before the Deferred fired.
    """

    def __init__(
        self,
        deferred: Deferred[Any],
        seconds: float,
        clock: IReactorTime,
        translate: Callable[[Any, float], Any],
    ) -> None:
        self.expired = False
        self._deferred = deferred
        self._seconds = seconds
        self._translate = translate
        self._call: IDelayedCall | None = clock.callLater(seconds, self._expire)

    def _expire(self) -> None:
        self.expired = True
        try:
            self._deferred.cancel()
        finally:
            del self

    def translate(self, result: Any) -> Any:
        """Take the Deferred's result; where it was cut short, let the given function say what it means."""
        try:
            return self._translate(result, self._seconds) if self.expired else result
        finally:
            del self, result

    def stop(self, result: Any) -> Any:
        """Forget about the time, and pass the result on."""
        # Not kept: the call knows this object, and this object the Deferred.
        call, self._call = self._call, None
        if call is not None and call.active():
            call.cancel()
        return result
