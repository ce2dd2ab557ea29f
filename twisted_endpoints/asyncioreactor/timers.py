"""
Delayed calls, in a queue of the reactor's own with one timer of the event loop.

Theory.  A heap of tuples is compared in C, and needs no object of the loop's for each call: with many calls
waiting, scheduling and cancelling one costs half of what the loops' own timers cost (uvloop's included).
Calls without a delay come in order, and wait in a line beside the heap, which those that are due join.

An entry is ``(when, serial, call)``, and is in force while the call bears its serial number.  Cancelling a
call, or bringing it forward, takes that number away, and the entry is skipped when its time comes.  A call
that is put off, again and again as idle timeouts are, keeps its entry, and gets another only when that comes
up too early.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections import deque
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Any

from zope.interface import implementer

from .. import error
from .._log import Logger
from ..interfaces import IDelayedCall
from .core import Core
from .loops import liveClock, timerAllowance

_log = Logger(__name__)

#: Entries out of force are cleared away when there are more of them than this, and more than of the others.
_STALE = 50

_NEVER = float("inf")

_new = object.__new__


@implementer(IDelayedCall)
class DelayedCall:
    """
    A call that `callLater` has promised, and fills in.

    Attributes:
        time: when to make the call.
        func: the function, its positional arguments `args`, and its keyword arguments `kw`, None if there
            are none; gone once the call was cancelled.
        creator: the stack that made it, if `debug` was set then.
    """

    #: Set it to True on the class to have each call remember where it was made, for its `repr` and the log.
    debug = False

    creator: list[str] | None = None

    __slots__ = (
        "__dict__",
        "__weakref__",
        "_clock",
        "_ends",
        "_serial",
        "args",
        "func",
        "kw",
        "time",
    )

    _clock: Timers
    #: When its entry comes up: at `time`, or sooner.
    _ends: float
    #: The number of the entry that is in force; 0 if there is none.
    _serial: int
    time: float
    func: Callable[..., Any] | None
    args: tuple[Any, ...]
    kw: dict[str, Any] | None

    @property
    def called(self) -> bool:
        """Whether the call was made."""
        return not (self._serial or self.cancelled)

    @property
    def cancelled(self) -> bool:
        """Whether it was cancelled."""
        return self.func is None

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

    def __init__(self, eventloop: asyncio.AbstractEventLoop | None = None) -> None:
        super().__init__(eventloop)
        self._now = liveClock(self._loop)
        self._epoch = time.time() - self._now()
        self._entries: list[tuple[float, int, DelayedCall]] = []
        #: The entries of calls without a delay, and in a turn those that are due: in their order.
        self._soon: deque[tuple[float, int, DelayedCall]] = deque()
        #: How many entries are out of force, or more: of `_soon`, none is ever deducted.
        self._stale = 0
        self._lastSerial = 0
        #: The loop's timer, and when it ends.
        self._alarm: asyncio.Handle | None = None
        self._alarmTime = _NEVER
        self._allowance = timerAllowance(self._loop)

    def seconds(self) -> float:
        """
        Return the seconds since 1970, as the system's clock had them when the reactor was made.

        Programs that make dates of them are right, and whoever sets that clock moves no delayed call.
        """
        return self._now() + self._epoch

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
        # What `seconds` and `_enter` do, once more, and a call that is filled in here and not by an
        # `__init__`, which would take a third of the time: this is called for each request, or more often.
        serial = self._lastSerial = self._lastSerial + 1
        when = self._now() + self._epoch + delay
        call = _new(DelayedCall)
        call._clock = self
        call.time = call._ends = when
        call._serial = serial
        call.func = callable
        call.args = args
        # An empty dictionary is 64 bytes that the collector has to visit.
        call.kw = kw or None
        if call.debug:
            call.creator = traceback.format_stack()[:-1]
        if delay:
            heappush(self._entries, (when, serial, call))
        else:
            self._soon.append((when, serial, call))
        if when < self._alarmTime:
            self._setAlarm(when)
        return call

    def getDelayedCalls(self) -> list[DelayedCall]:
        """Return the calls that were neither made nor cancelled."""
        entries = [*self._soon, *self._entries]
        return [call for _when, serial, call in entries if serial == call._serial]

    def _enter(self, call: DelayedCall) -> None:
        """Put an entry into the queue for the time that a call has now, in place of the one it had."""
        call._ends = when = call.time
        call._serial = self._lastSerial = self._lastSerial + 1
        heappush(self._entries, (when, call._serial, call))
        if when < self._alarmTime:
            self._setAlarm(when)

    def _countStale(self) -> None:
        """Take note that one entry more is out of force, and clear them away if they are many."""
        self._stale += 1
        if self._stale > _STALE and self._stale * 2 > len(self._entries):
            self._entries = [entry for entry in self._entries if entry[1] == entry[2]._serial]
            heapify(self._entries)
            self._stale = 0

    def _setAlarm(self, when: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarmTime = when
        left = when - self.seconds()
        if left > 0:
            self._alarm = self._loop.call_later(left + self._allowance, self._ring)
        else:
            self._alarm = self._loop.call_soon(self._ring)

    def _ring(self) -> None:
        if self._over:
            self._alarm, self._alarmTime = None, -_NEVER
        elif self._ending:
            self._alarm = self._loop.call_soon(self._ring)
        else:
            self._context.run(self._makeDue)

    def _makeDue(self) -> None:
        """Make the calls that are due."""
        soon = self._soon
        self._lineUp()
        call: DelayedCall | None = None
        # While calls are made no alarm is set: one is, for all that are left, at the end.
        self._alarm, self._alarmTime = None, -_NEVER
        try:
            # Calls that join the line meanwhile have their turn next time, lest they keep the loop from all
            # else.
            for _ in range(len(soon)):
                when, serial, call = soon.popleft()
                if serial != call._serial:
                    continue
                if call.time > when:
                    self._enter(call)
                    continue
                call._serial = 0
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
            waiting = [queue[0] for queue in (soon, self._entries) if queue]
            if waiting:
                self._setAlarm(min(waiting)[0])
            # A caught exception keeps the frames below it: not what was called, which may be what fails.
            del call, waiting

    def _lineUp(self) -> None:
        """Move the entries that are due from the heap into the line."""
        soon, entries, now = self._soon, self._entries, self.seconds()
        due = []
        while entries and entries[0][0] <= now:
            entry = heappop(entries)
            if entry[1] == entry[2]._serial:
                due.append(entry)
            else:
                self._stale -= 1
        if due and soon:
            due += soon
            due.sort()
            soon.clear()
        soon += due
