"""Calls a function again and again, at a steady pace."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from ..defer import Deferred, maybeDeferred
from ._describing import nameOf, safeRepr

if TYPE_CHECKING:
    from ..failure import Failure
    from ..interfaces import IDelayedCall, IReactorTime


class LoopingCall:
    """
    Calls a function every so many seconds, until it is stopped or the function fails.

    The calls stand on a grid that begins when the loop is started: a function that takes long, or a reactor
    that is late, makes the loop leave out points of the grid, but never shifts it.  If the function gives a
    Deferred or a coroutine, the loop waits for it before it goes on.  Results are thrown away.

    Attributes:
        f, a, kw: the function and its arguments.
        clock: the `IReactorTime` that times the calls, by default the installed reactor; set it before
            `start`.
        running: the loop was started, and neither stopped nor broken by an error.
        interval: seconds between calls, once started.
        starttime: where the grid begins, on the clock.
        call: the next call, while the loop waits for it.

    Args:
        f: what to call, with the other arguments.
    """

    call: IDelayedCall | None = None
    running = False
    interval: float | None = None
    starttime: float | None = None
    _clock: IReactorTime | None = None
    _deferred: Deferred[LoopingCall] | None = None
    _runAtStart = False
    # When the function of `withCount` was last called.
    _realLastTime: float | None = None

    def __init__(self, f: Callable[..., object], *a: object, **kw: object) -> None:
        self.f = f
        self.a = a
        self.kw = kw

    @classmethod
    def withCount(cls, countCallable: Callable[[int], object]) -> LoopingCall:
        """
        Make a loop whose function is told how many points of the grid have passed since its last call.

        Args:
            countCallable: is called with that number: 1 if the loop is on time, more if calls were left out;
                always 1 if the interval is 0.
        """
        loop = cls(lambda: loop._callWithCount(countCallable))
        return loop

    @property
    def clock(self) -> IReactorTime:
        # Looked up late: to make a loop for a clock of one's own must not install a reactor.
        if self._clock is None:
            from .. import reactor

            self._clock = cast("IReactorTime", reactor)
        return self._clock

    @clock.setter
    def clock(self, clock: IReactorTime) -> None:
        self._clock = clock

    @property
    def deferred(self) -> Deferred[LoopingCall] | None:
        """Deprecated: what `start` gave, until it has fired."""
        warnings.warn(
            "twisted.internet.task.LoopingCall.deferred was deprecated in Twisted 16.0.0; "
            "please use the deferred returned by start() instead",
            DeprecationWarning,
            stacklevel=2,
        )
        return self._deferred

    def start(self, interval: float, now: bool = True) -> Deferred[LoopingCall]:
        """
        Begin to call the function.

        Args:
            interval: seconds between calls, fractions allowed; 0 is as fast as the reactor goes.
            now: make the first call at once; False makes it after one interval.

        Returns:
            A Deferred that fires with this loop when it is stopped, and fails with what the function raised.

        Raises:
            ValueError: the interval is negative.
            AssertionError: the loop runs already.
        """
        assert not self.running, "this LoopingCall runs already: stop() it before start()"
        if interval < 0:
            raise ValueError(f"interval must be >= 0 seconds, not {interval!r}")
        self.running = True
        self.interval = interval
        self.starttime = self.clock.seconds()
        self._runAtStart = now
        self._realLastTime = None
        # In a name of its own, because the first call may end the loop and clear the attribute.
        done = self._deferred = Deferred()
        try:
            if now:
                self()
            else:
                self._scheduleFrom(self.starttime)
            return done
        finally:
            # What the function raised keeps this frame, and `done` may keep what it raised.
            del done

    def stop(self) -> None:
        """
        End the loop; a Deferred that its function has given is still waited for.

        Raises:
            AssertionError: the loop does not run.
        """
        assert self.running, "this LoopingCall does not run: nothing to stop()"
        self.running = False
        if self._unschedule():
            self._fire(self)

    def reset(self) -> None:
        """
        Begin the grid anew: the next call is one interval from now.

        Raises:
            AssertionError: the loop does not run.
        """
        assert self.running, "this LoopingCall does not run: nothing to reset()"
        if self._unschedule():
            self.starttime = self.clock.seconds()
            self._scheduleFrom(self.starttime)

    def __call__(self) -> None:
        """Call the function now; the clock does this."""
        self.call = None
        result = maybeDeferred(self.f, *self.a, **self.kw)
        try:
            # Not in one addCallbacks: where the clock refuses the next call, the loop has failed as well.
            result.addCallback(self._again)
            result.addErrback(self._failed)
        finally:
            del result

    def _again(self, ignored: object) -> None:
        if self.running:
            self._scheduleFrom(self.clock.seconds())
        else:
            self._fire(self)

    def _failed(self, failure: Failure) -> None:
        self.running = False
        self._fire(failure)

    def _fire(self, result: LoopingCall | Failure) -> None:
        done, self._deferred = self._deferred, None
        assert done is not None
        try:
            # A Failure given to callback() runs the errbacks.
            done.callback(cast(LoopingCall, result))
        finally:
            del done, result

    def _unschedule(self) -> bool:
        """Take back the next call; False if there is none, because the function is at work."""
        call, self.call = self.call, None
        if call is None:
            return False
        call.cancel()
        return True

    def _scheduleFrom(self, when: float) -> None:
        self.call = self.clock.callLater(self._untilNext(when), self)

    def _untilNext(self, when: float) -> float:
        """Give the seconds from a time to the next point of the grid."""
        assert self.interval is not None
        assert self.starttime is not None
        if self.interval == 0:
            return 0
        wait = self.interval - (when - self.starttime) % self.interval
        # So little that it is lost in rounding when the clock adds it: the call would be due at `when` again.
        return self.interval if when + wait == when else wait

    def _callWithCount(self, countCallable: Callable[[int], object]) -> object:
        assert self.interval is not None, "this LoopingCall was called, but never started"
        assert self.starttime is not None
        now = self.clock.seconds()
        if self.interval == 0:
            self._realLastTime = now
            return countCallable(1)
        last = self._realLastTime
        if last is None:
            # The first call counts as 1: a call at the start stands for the interval before it.
            last = self.starttime - (self.interval if self._runAtStart else 0)
        count = self._intervalOf(now) - self._intervalOf(last)
        if count <= 0:
            return None
        self._realLastTime = now
        return countCallable(count)

    def _intervalOf(self, t: float) -> int:
        """Give how many whole intervals lie between the start of the grid and a time."""
        assert self.interval is not None
        assert self.starttime is not None
        return int((t - self.starttime) / self.interval)

    def __repr__(self) -> str:
        return f"LoopingCall<{self.interval!r}>({nameOf(self.f)}, *{safeRepr(self.a)}, **{safeRepr(self.kw)})"
