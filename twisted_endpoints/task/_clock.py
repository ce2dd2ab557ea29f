"""A reactor's time that moves only when a test says so."""

from __future__ import annotations

import time as _time
import traceback
from bisect import insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from zope.interface import implementer

from ..error import AlreadyCalled, AlreadyCancelled
from ..interfaces import IDelayedCall, IReactorTime
from ._describing import nameOf, safeRepr


@implementer(IDelayedCall)
class DelayedCall:
    """
    One scheduled call.

    Attributes:
        debug: set it to True on the class to have each call remember where it was made, for its repr.
        creator: the lines of the traceback of where it was made, if `debug` was set then; else None.
        time: when it was to be made, on the clock that scheduled it.
        delayed_time: by how many seconds it was put off since; `getTime` has the sum.
        func, args, kw: what to call; dropped when the call is cancelled, so that nothing is kept alive.
        called, cancelled: how it ended, 0 or 1 each.

    Args:
        time: when it is due, in the seconds of `seconds`.
        func: what to call, with `args` and `kw`.
        cancel: is called with this object when it is cancelled, to take it out of the schedule.
        reset: is called with this object when its time has changed, to give it its new place in the schedule.
        seconds: the clock.
    """

    debug = False
    creator: Sequence[str] | None = None

    def __init__(
        self,
        time: float,
        func: Callable[..., Any],
        args: Sequence[object],
        kw: Mapping[str, object],
        cancel: Callable[[DelayedCall], object],
        reset: Callable[[DelayedCall], object],
        seconds: Callable[[], float] = _time.monotonic,
    ) -> None:
        self.time = time
        self.delayed_time = 0.0
        self.func = func
        self.args = args
        self.kw = kw
        self.seconds = seconds
        self.called = self.cancelled = 0
        self.canceller = cancel
        self.resetter = reset
        # What was to be called, for the repr of a call that was cancelled while `debug` was set.
        self._was = ""
        if self.debug:
            # Without this method and the `callLater` that called it.
            self.creator = traceback.format_stack()[:-2]

    def getTime(self) -> float:
        return self.time + self.delayed_time

    def active(self) -> bool:
        return not self.called and not self.cancelled

    def cancel(self) -> None:
        self._mustBeActive()
        self.canceller(self)
        self.cancelled = 1
        if self.debug:
            self._was = self._describe()
        del self.func, self.args, self.kw

    def reset(self, secondsFromNow: float) -> None:
        self._mustBeActive()
        when = self.seconds() + secondsFromNow
        self.time = min(self.time, when)
        self.delayed_time = when - self.time
        self.resetter(self)

    def delay(self, secondsLater: float) -> None:
        self._mustBeActive()
        self.delayed_time += secondsLater
        if self.delayed_time < 0:
            self.activate_delay()
        self.resetter(self)

    def activate_delay(self) -> None:
        """Take over into `time` by how much the call was put off."""
        self.time, self.delayed_time = self.getTime(), 0.0

    def _mustBeActive(self) -> None:
        if self.cancelled:
            raise AlreadyCancelled
        if self.called:
            raise AlreadyCalled

    def __lt__(self, other: DelayedCall) -> bool:
        return self.time < other.time

    def __le__(self, other: DelayedCall) -> bool:
        return self.time <= other.time

    def _describe(self) -> str:
        arguments = [safeRepr(value) for value in self.args]
        arguments += [f"{name}={safeRepr(value)}" for name, value in self.kw.items()]
        return f" {nameOf(self.func)}({', '.join(arguments)})"

    def __repr__(self) -> str:
        left = self.time - self.seconds()
        text = f"<DelayedCall {id(self):#x} [{left}s] called={self.called} cancelled={self.cancelled}"
        text += self._was if self.cancelled else self._describe()
        if self.creator is not None:
            text += "\n\ntraceback at creation: \n\n" + "    ".join(self.creator)
        return text + ">"


@implementer(IReactorTime)
class Clock:
    """
    Provides `IReactorTime` for tests: `callLater` schedules, and `advance` runs what is due.

    Attributes:
        rightNow: the time, in seconds; it begins at 0.
        calls: what is scheduled, the next one first.
    """

    rightNow = 0.0

    def __init__(self) -> None:
        self.calls: list[DelayedCall] = []

    def seconds(self) -> float:
        return self.rightNow

    def callLater(
        self, delay: float, callable: Callable[..., object], *args: object, **kw: object
    ) -> DelayedCall:
        call = DelayedCall(
            self.seconds() + delay,
            callable,
            args,
            kw,
            self.calls.remove,
            lambda moved: self._sortCalls(),
            self.seconds,
        )
        # After those of the same time: they run in the order in which they were scheduled.
        insort(self.calls, call, key=DelayedCall.getTime)
        return call

    def getDelayedCalls(self) -> list[DelayedCall]:
        # A copy: who cancels what is listed must not change the list under their own loop.
        return list(self.calls)

    def advance(self, amount: float) -> None:
        """
        Move the time forward, then run each call that is due, in the order of their times.

        Every one of them sees the new time, as calls do that a busy reactor runs late.  What they schedule
        for no later than that runs too.

        Args:
            amount: by how many seconds; 0 runs what has become due already.

        Raises:
            Exception: a call raised it.  The rest stays scheduled.
        """
        self.rightNow += amount
        while self.calls and self.calls[0].getTime() <= self.seconds():
            call = self.calls.pop(0)
            # Before the call: it may ask for itself, and can't be cancelled any more.
            call.called = 1
            try:
                call.func(*call.args, **call.kw)
            finally:
                # A caught exception keeps the frames below it: not what was called, which may be what fails.
                del call

    def pump(self, timings: Iterable[float]) -> None:
        """
        Advance several times.

        Args:
            timings: seconds, one step each.
        """
        for amount in timings:
            self.advance(amount)

    def _sortCalls(self) -> None:
        self.calls.sort(key=DelayedCall.getTime)
