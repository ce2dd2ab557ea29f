"""
How long attempts to connect may take: one timer of the loop for all that have the same limit.

Nearly no attempt takes as long as it may, and a timer for each costs a tenth of the attempt.  But nearly all
have the same limit, so that who began first is due first, and a timer for that one is enough.  It isn't
cancelled when nobody is left: it finds that out, and is no more.
"""

from __future__ import annotations

import asyncio
from typing import Any

from .. import error

#: So many different limits keep their timers; a program that computes its limits needs no more than that.
_KEPT = 8


class Limits(dict[float, "Limit"]):
    """
    The limits of a reactor's attempts, by their seconds; made when they are first asked for.

    Args:
        loop: the reactor's.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop

    def __missing__(self, seconds: float) -> Limit:
        if not isinstance(seconds, (int, float)) or not seconds >= 0:
            raise ValueError(f"a timeout is a number of seconds, or None for no limit; not {seconds!r}")
        limit = self[seconds] = Limit(self, seconds)
        return limit


class Limit:
    """
    One number of seconds.

    Args:
        limits: where it belongs to.
        seconds: how long an attempt may take.
    """

    def __init__(self, limits: Limits, seconds: float) -> None:
        self.seconds = seconds
        self._limits = limits
        self._loop = limits.loop
        self._timer: asyncio.TimerHandle | None = None
        #: When each attempt is due, the first one first.
        self._due: dict[Any, float] = {}

    def begin(self, stream: Any) -> None:
        """Count from now on, for the attempt to connect this stream."""
        self._due[stream] = self._loop.time() + self.seconds
        if self._timer is None:
            self._timer = self._loop.call_later(self.seconds, self._passed)

    def end(self, stream: Any) -> None:
        """Count no longer."""
        self._due.pop(stream, None)
        if not self._due and len(self._limits) > _KEPT:
            self._limits.pop(self.seconds, None)
            if self._timer is not None:
                self._timer.cancel()

    def _passed(self) -> None:
        self._timer = None
        now = self._loop.time()
        for stream, due in list(self._due.items()):
            if due > now:
                self._timer = self._loop.call_later(due - now, self._passed)
                return
            del self._due[stream]
            # In a callback of its own: what one factory raises keeps nobody else waiting.
            self._loop.call_soon(stream._owner._fail, stream, error.TimeoutError())
