"""
Delayed calls, each one timer of the event loop.

Theory.  The loop's timers are quick (uvloop keeps them in C) but can't be moved.  A call that is put off,
again and again as idle timeouts are, leaves its timer where it is and starts another only when that one ends
too early; a call that is brought forward needs a new timer at once.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable
from typing import Any

from zope.interface import implementer

from .. import error
from .._log import Logger
from ..interfaces import IDelayedCall
from .core import Core
from .loops import timerAllowance

_log = Logger(__name__)


@implementer(IDelayedCall)
class DelayedCall:
    """A call that `callLater` has promised."""

    #: Set it to True on the class to have each call remember where it was made, for its `repr` and the log.
    debug = False

    __slots__ = (
        "__weakref__",
        "_clock",
        "_ends",
        "_timer",
        "args",
        "called",
        "cancelled",
        "creator",
        "func",
        "kw",
        "time",
    )

    def __init__(
        self, clock: Timers, time: float, func: Callable[..., Any], args: tuple[Any, ...], kw: dict[str, Any]
    ) -> None:
        self._clock = clock
        #: When to make the call, and when the loop's timer ends: the same, or sooner.
        self.time = self._ends = time
        self.func: Callable[..., Any] | None = func
        self.args = args
        self.kw = kw
        self.called = self.cancelled = False
        self._timer: asyncio.Handle | None = None
        self.creator = traceback.format_stack()[:-2] if self.debug else None

    def getTime(self) -> float:
        return self.time

    def active(self) -> bool:
        return not (self.called or self.cancelled)

    def cancel(self) -> None:
        if self.called or self.cancelled:
            self._refuse()
        self.cancelled = True
        self._timer.cancel()  # type: ignore[union-attr]
        del self._clock._delayedCalls[self]
        # Not until somebody forgets this object: what the call was given may be large.
        self._timer = self.func = None
        self.args = ()
        self.kw = {}

    def reset(self, secondsFromNow: float) -> None:
        if self.called or self.cancelled:
            self._refuse()
        self._move(self._clock._loop.time() + secondsFromNow)

    def delay(self, secondsLater: float) -> None:
        if self.called or self.cancelled:
            self._refuse()
        self._move(self.time + secondsLater)

    def _refuse(self) -> None:
        raise error.AlreadyCancelled() if self.cancelled else error.AlreadyCalled()

    def _move(self, time: float) -> None:
        self.time = time
        if time < self._ends:
            self._timer.cancel()  # type: ignore[union-attr]
            self._start()

    def _start(self) -> None:
        """Start a timer of the loop for the time that is left."""
        loop = self._clock._loop
        self._ends = self.time
        left = max(0.0, self.time - loop.time())
        self._timer = loop.call_later(left + self._clock._allowance, self._fire)

    def _fire(self) -> None:
        if self._ends < self.time:
            self._start()
            return
        self.called = True
        # The timer refers to this object.
        self._timer = None
        del self._clock._delayedCalls[self]
        try:
            self.func(*self.args, **self.kw)  # type: ignore[misc]
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException:
            made = "".join(["; it was made here:\n", *self.creator]) if self.creator else ""
            _log.failure(f"while making a delayed call{made}")

    def __repr__(self) -> str:
        left = self.time - self._clock.seconds()
        text = f"<DelayedCall {id(self):#x} [{left}s] called={self.called:d} cancelled={self.cancelled:d}"
        if self.func is not None:
            name = getattr(self.func, "__qualname__", None) or repr(self.func)
            given = [repr(value) for value in self.args] + [
                f"{key}={value!r}" for key, value in self.kw.items()
            ]
            text += f" {name}({', '.join(given)})"
        if self.creator:
            text += "\n\ntraceback at creation: \n\n" + "    ".join(self.creator)
        return text + ">"


class Timers(Core):
    """Implements `IReactorTime`."""

    def __init__(self, eventloop: asyncio.AbstractEventLoop | None = None) -> None:
        super().__init__(eventloop)
        self._delayedCalls: dict[DelayedCall, None] = {}
        self._allowance = timerAllowance(self._loop)

    def seconds(self) -> float:
        """
        Return the event loop's time in seconds.

        It starts anywhere and is never set back.  uvloop's stands still within one callback.
        """
        return self._loop.time()

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
        loop = self._loop
        call = DelayedCall(self, loop.time() + delay, callable, args, kw)
        call._timer = loop.call_later(delay + self._allowance, call._fire)
        self._delayedCalls[call] = None
        return call

    def getDelayedCalls(self) -> list[DelayedCall]:
        """Return the calls that were neither made nor cancelled."""
        return list(self._delayedCalls)
