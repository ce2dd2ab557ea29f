"""
Gives the memory of many streams back to the system when they have gone.

An allocator keeps what is freed for what comes next, and asyncio's transports are circles, which the garbage
collector only looks for when something new is made.  So a service that had a crowd, and then nobody, would
hold on to the crowd's memory for as long as nobody comes.

Python gives memory back by the megabyte, and one small object keeps a whole one.  So two things are done
before the crowd is there, and not where it was:

- What giving back needs is imported.
- asyncio keeps up to 255 of the iterators that futures are awaited by, for whoever awaits next and for good.
  Of those that a crowd has used, scattered as they are, each may keep a megabyte: they were half of what
  stayed.  So as many are made beforehand, to be exchanged for them.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..interfaces import IDelayedCall

#: So many streams at once are a crowd; when nine in ten have ended, it has gone.
CROWD = 100

#: Seconds after that: who comes and goes all the time is no crowd that has gone.
DELAY = 1.0

#: How many iterators of futures asyncio keeps.
_KEPT = 255


class Thrift:
    """
    Watches how many streams are open, and gives memory back after a crowd has gone.

    Args:
        reactor: what waits.
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._most = 0
        self._open = 0
        #: Some of a crowd were still there when memory was given back: theirs is to follow.
        self._follows = False
        self._call: IDelayedCall | None = None
        # Once there is a crowd:
        self._iterators: list[Any] | None = None
        self._trim: Callable[[int], object] | None = None

    def count(self, streams: int) -> None:
        """Hear how many streams are open, whenever there is one more or one less."""
        self._open = streams
        if streams > self._most:
            self._most = streams
            self._follows = False
            if streams >= CROWD and self._iterators is None:
                self._iterators = _takeIterators()
                self._trim = _trimmer()
        elif self._call is None and self._hasGone():
            self._call = self._reactor.callLater(DELAY, self._look)

    def stop(self) -> None:
        """Do nothing more."""
        call, self._call = self._call, None
        if call is not None:
            call.cancel()

    def _hasGone(self) -> bool:
        return (self._follows or self._most >= CROWD) and self._open * 10 <= self._most

    def _look(self) -> None:
        self._call = None
        if self._hasGone():
            self._most = self._open
            self._follows = self._open > 0
            self._giveBack()

    def _giveBack(self) -> None:
        """Free what can be freed, and give it to the system; takes some milliseconds."""
        gc.collect()
        if self._iterators:
            scattered = _takeIterators()
            # These are kept in their place, and for the others there is no room.
            self._iterators.clear()
            scattered.clear()
            self._iterators = _takeIterators()
        if self._trim is not None:
            self._trim(0)


def _takeIterators() -> list[Any]:
    """Take all that asyncio keeps; if it keeps fewer, they are made."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return []
    return [iter(loop.create_future()) for _ in range(_KEPT)]


def _trimmer() -> Callable[[int], object] | None:
    """Give what has the system's allocator give back what it has free; None where it can't."""
    try:
        # Not with the module: few relays ever have a crowd.
        import ctypes

        trim: Callable[[int], object] = ctypes.CDLL(None).malloc_trim  # glibc's
    except (ImportError, OSError, AttributeError, TypeError):
        return None
    return trim
