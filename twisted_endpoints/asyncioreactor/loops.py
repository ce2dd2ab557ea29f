"""Which asyncio event loop a reactor gets, and what loops differ in."""

from __future__ import annotations

import asyncio
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


def timerAllowance(loop: asyncio.AbstractEventLoop) -> float:
    """
    Say how many seconds to add to a delay, lest the loop calls too early.

    uvloop rounds delays to the nearest millisecond, so half of them end up to 0.5 ms before their time, and a
    `LoopingCall` that comes early is repeated at once.  Just below half a millisecond makes it round up.
    """
    return 0.000499 if type(loop).__module__.startswith("uvloop") else 0.0
