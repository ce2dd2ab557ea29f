"""
Gives the memory of many streams back to the system when they have gone.

An allocator keeps what is freed for what comes next, and asyncio's transports are circles, which the garbage
collector only looks for when something new is made.  So a service that had a crowd, and then nobody, would
hold on to the crowd's memory for as long as nobody comes.

Python's own allocator gives memory back by the megabyte, and one small object keeps a whole one: a third to
three quarters of what 5,000 connections took stayed.  The system's gives it back by the page, a tenth stays,
and to relay a short connection takes about an eighth more CPU time on asyncio's loop, no more on uvloop.
"""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..interfaces import IDelayedCall

#: So many streams at once are a crowd; when nine in ten have ended, it has gone.
CROWD = 100

#: Seconds after that: who comes and goes all the time is no crowd that has gone.
DELAY = 1.0

#: The environment's variable by which Python is told of an allocator, when it starts.
_ALLOCATOR = "PYTHONMALLOC"

#: Says that this process has started anew, by `useSystemsAllocator`.
_STARTED_ANEW = "_TWISTED_ENDPOINTS_STARTED_ANEW"


def useSystemsAllocator() -> None:
    """
    Start this program anew, as the same process, with the system's allocator in place of Python's.

    To be called at the start of a program that is this process's own; it takes a tenth of a second.
    Nothing is done where the user has chosen an allocator, or the system's can't give back what is free.
    """
    if os.environ.pop(_STARTED_ANEW, None):
        # It is this program's, and not that of those it starts.
        del os.environ[_ALLOCATOR]
        return
    isWorthIt = sys.implementation.name == "cpython" and "CS_GNU_LIBC_VERSION" in os.confstr_names
    if isWorthIt and _ALLOCATOR not in os.environ:
        environment = {**os.environ, _ALLOCATOR: "malloc", _STARTED_ANEW: "1"}
        with suppress(OSError):  # the interpreter has been replaced meanwhile, say
            os.execve(sys.executable, sys.orig_argv, environment)


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

    def count(self, streams: int) -> None:
        """Hear how many streams are open, whenever there is one more or one less."""
        self._open = streams
        if streams > self._most:
            self._most = streams
            self._follows = False
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
            giveBack()


def giveBack() -> None:
    """Free what can be freed, and give it to the system; takes some milliseconds."""
    gc.collect()
    # Not with the module: few relays ever have a crowd.
    with suppress(ImportError, OSError, AttributeError, TypeError):
        import ctypes

        ctypes.CDLL(None).malloc_trim(0)  # glibc's
