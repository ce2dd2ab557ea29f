"""
Delayed calls, in a queue of the reactor's own with one timer of the event loop.

Theory.  A heap of tuples is compared in C, and needs no object of the loop's for each call: with many calls
waiting, scheduling and cancelling one costs half of what the loops' own timers cost (uvloop's included).  An
entry is ``(when, serial, call)``, and is in force while the call bears its serial number.  Cancelling a call,
or bringing it forward, takes that number away, and the entry is skipped when its time comes.  A call that is
put off, again and again as idle timeouts are, keeps its entry, and gets another only when that comes up too
early.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Any

from zope.interface import implementer

from .. import error
from .._log import Logger
from ..interfaces import IDelayedCall
from .core import Core
from .loops import timerAllowance

_log = Logger(__name__)

#: Entries out of force are cleared away when there are more of them than this, and more than of the others.
_STALE = 50

_NEVER = float("inf")


@implementer(IDelayedCall)
class DelayedCall:
    """A call that `callLater` has promised."""

    #: Set it to True on the class to have each call remember where it was made, for its `repr` and the log.
    debug = False

    __slots__ = (
        "__weakref__",
        "_clock",
        "_ends",
        "_serial",
        "args",
        "called",
        "cancelled",
        "creator",
        "func",
        "kw",
        "time",
    )

    def __init__(
        self,
        clock: Timers,
        time: float,
        serial: int,
        func: Callable[..., Any],
        args: tuple[Any, ...],
        kw: dict[str, Any] | None,
    ) -> None:
        self._clock = clock
        #: When to make the call, and when its entry comes up: the same, or sooner.
        self.time = self._ends = time
        #: The number of the entry that is in force; 0 if there is none.
        self._serial = serial
        self.func: Callable[..., Any] | None = func
        self.args = args
        self.kw = kw
        self.called = self.cancelled = False
        self.creator = traceback.format_stack()[:-2] if self.debug else None

    @property
    def seconds(self) -> Callable[[], float]:
        """The clock that `getTime` refers to."""
        return self._clock.seconds

    def getTime(self) -> float:
        return self.time

    def active(self) -> bool:
        return self._serial != 0

    def cancel(self) -> None:
        if not self._serial:
            self._refuse()
        self._serial = 0
        self.cancelled = True
        # Not until somebody forgets this object: what the call was given may be large.
        self.func = self.kw = None
        self.args = ()
        self._clock._countStale()

    def reset(self, secondsFromNow: float) -> None:
        if not self._serial:
            self._refuse()
        self._move(self._clock.seconds() + secondsFromNow)

    def delay(self, secondsLater: float) -> None:
        if not self._serial:
            self._refuse()
        self._move(self.time + secondsLater)

    def _refuse(self) -> None:
        raise error.AlreadyCancelled() if self.cancelled else error.AlreadyCalled()

    def _move(self, time: float) -> None:
        self.time = time
        if time < self._ends:
            self._clock._enter(self)
            self._clock._countStale()

    def _logFailure(self) -> None:
        made = "".join(["; it was made here:\n", *self.creator]) if self.creator else ""
        _log.failure(f"while making a delayed call{made}")

    def __repr__(self) -> str:
        left = self.time - self.seconds()
        text = f"<DelayedCall {id(self):#x} [{left}s] called={self.called:d} cancelled={self.cancelled:d}"
        if self.func is not None:
            name = getattr(self.func, "__qualname__", None) or repr(self.func)
            keywords = (self.kw or {}).items()
            given = [repr(value) for value in self.args] + [f"{key}={value!r}" for key, value in keywords]
            text += f" {name}({', '.join(given)})"
        if self.creator:
            text += "\n\ntraceback at creation: \n\n" + "    ".join(self.creator)
        return text + ">"


class Timers(Core):
    """Implements `IReactorTime`."""

    #: The time in seconds: the event loop's, which starts anywhere and is never set back.  uvloop's stands
    #: still within one callback.
    seconds: Callable[[], float]

    def __init__(self, eventloop: asyncio.AbstractEventLoop | None = None) -> None:
        super().__init__(eventloop)
        self.seconds = self._loop.time
        self._entries: list[tuple[float, int, DelayedCall]] = []
        #: How many entries are out of force.
        self._stale = 0
        self._lastSerial = 0
        #: The loop's timer, and when it ends.
        self._alarm: asyncio.Handle | None = None
        self._alarmTime = _NEVER
        self._allowance = timerAllowance(self._loop)

    def callLater(self, delay: float, callable: Callable[..., Any], *args: Any, **kw: Any) -> DelayedCall:
        """
        Call a function later.

        Args:
            delay: in how many seconds; 0 is after the callbacks that are due now.
            callable: the function; what it raises is logged.
            args: its positional arguments.
            kw: its keyword arguments.

        Raises:
            AssertionError: the delay is negative.
        """
        if not delay >= 0:
            raise AssertionError(f"{delay} is not greater than or equal to 0 seconds")
        # What `_enter` does, once more: this is called for each connection and each request.
        serial = self._lastSerial = self._lastSerial + 1
        time = self.seconds() + delay
        # An empty dictionary is 64 bytes that the collector has to visit.
        call = DelayedCall(self, time, serial, callable, args, kw or None)
        heappush(self._entries, (time, serial, call))
        if time < self._alarmTime:
            self._setAlarm(time)
        return call

    def getDelayedCalls(self) -> list[DelayedCall]:
        """Return the calls that were neither made nor cancelled."""
        return [call for _time, serial, call in self._entries if serial == call._serial]

    def _enter(self, call: DelayedCall) -> None:
        """Put an entry into the queue for the time that a call has now, in place of the one it had."""
        call._ends = time = call.time
        call._serial = self._lastSerial = self._lastSerial + 1
        heappush(self._entries, (time, call._serial, call))
        if time < self._alarmTime:
            self._setAlarm(time)

    def _countStale(self) -> None:
        """Take note that one entry more is out of force, and clear them away if they are many."""
        self._stale += 1
        if self._stale > _STALE and self._stale * 2 > len(self._entries):
            # In place: `_ring` may be under way.
            self._entries[:] = [entry for entry in self._entries if entry[1] == entry[2]._serial]
            heapify(self._entries)
            self._stale = 0

    def _setAlarm(self, time: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarmTime = time
        left = time - self._loop.time()
        if left > 0:
            left += self._allowance
            self._alarm = self._loop.call_later(left, self._ring, context=self._context)
        else:
            self._alarm = self._loop.call_soon(self._ring, context=self._context)

    def _ring(self) -> None:
        """Make the calls that are due."""
        entries = self._entries
        # Calls that are scheduled meanwhile have their turn next time, lest they keep the loop from all else.
        now, last = self.seconds(), self._lastSerial
        # None is set while calls are made: one is, for all of them, at the end.
        self._alarm, self._alarmTime = None, -_NEVER
        try:
            while entries and entries[0][0] <= now and entries[0][1] <= last:
                time, serial, call = heappop(entries)
                if serial != call._serial:
                    self._stale -= 1
                elif call.time > time:
                    self._enter(call)
                else:
                    call._serial = 0
                    call.called = True
                    try:
                        if call.kw is None:
                            call.func(*call.args)  # type: ignore[misc]
                        else:
                            call.func(*call.args, **call.kw)  # type: ignore[misc]
                    except (SystemExit, KeyboardInterrupt):
                        raise
                    except BaseException:
                        call._logFailure()
        finally:
            self._alarmTime = _NEVER
            if entries:
                self._setAlarm(entries[0][0])
