"""
Gives the memory of many streams back to the system when they have gone.

An allocator keeps what is freed for what comes next, and asyncio's transports are circles, which the garbage
collector only looks for when something new is made.  So a service that had a crowd, and then nobody, would
hold on to the crowd's memory for as long as nobody comes.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..interfaces import IDelayedCall

#: So many streams at once are a crowd; when nine in ten have ended, it has gone.
CROWD = 100

#: Seconds after that: who comes and goes all the time is no crowd that has gone.
DELAY = 1.0


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
        self._call: IDelayedCall | None = None

    def ended(self, left: int) -> None:
        """Hear that a stream has ended, and how many are left."""
        self._open = left
        self._most = max(self._most, left + 1)
        if self._call is None and self._hasGone():
            self._call = self._reactor.callLater(DELAY, self._look)

    def stop(self) -> None:
        """Do nothing more."""
        call, self._call = self._call, None
        if call is not None:
            call.cancel()

    def _hasGone(self) -> bool:
        return self._most >= CROWD and self._open * 10 <= self._most

    def _look(self) -> None:
        self._call = None
        if self._hasGone():
            self._most = self._open
            giveBack()


def giveBack() -> None:
    """Free what can be freed, and give it to the system; takes some milliseconds."""
    gc.collect()
    try:
        # Not with the module: few relays ever have a crowd.
        import ctypes

        ctypes.CDLL(None).malloc_trim(0)  # glibc's
    except (ImportError, OSError, AttributeError, TypeError):
        pass
