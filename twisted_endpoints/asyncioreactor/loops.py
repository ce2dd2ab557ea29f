"""Which asyncio event loop a reactor gets, and what loops differ in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from .._log import Logger

_log = Logger(__name__)


def newEventLoop() -> asyncio.AbstractEventLoop:
    """
    Make an event loop: uvloop's where it is installed, else asyncio's.

    It is not made the current loop of the thread, nor is the event loop policy touched: code that runs inside
    the reactor's callbacks finds it with `asyncio.get_running_loop`.
    """
    try:
        import uvloop
    except ImportError:
        loop = asyncio.new_event_loop()
    else:
        loop = uvloop.new_event_loop()
    loop.set_exception_handler(_logUnhandled)
    return loop


def _logUnhandled(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Send what escapes from a loop's callback to the log that the reactor's own errors go to."""
    text, exception = context["message"], context.get("exception")
    if exception is None:
        _log.error(text)
        return
    try:
        raise exception
    except BaseException:
        _log.failure(text)


def closeEventLoop(loop: asyncio.AbstractEventLoop) -> None:
    """Close a loop, unless it runs: then whoever runs it has to."""
    if not loop.is_running():
        loop.close()


def _isUvloop(loop: asyncio.AbstractEventLoop) -> bool:
    return type(loop).__module__.partition(".")[0] == "uvloop"


def liveClock(loop: asyncio.AbstractEventLoop) -> Callable[[], float]:
    """
    Return a loop's clock.

    uvloop's own stands still within one callback, so that a second from "now" might have passed already.  It
    is taken from the monotonic clock.
    """
    return time.monotonic if _isUvloop(loop) else loop.time


def timerAllowance(loop: asyncio.AbstractEventLoop) -> float:
    """
    Return how many seconds to add to a delay, lest the loop's timer ends too early.

    uvloop rounds to the nearest millisecond: just below half of one makes it round up.
    """
    return 0.000499 if _isUvloop(loop) else 0.0
