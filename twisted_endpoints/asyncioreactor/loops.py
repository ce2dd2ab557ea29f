"""Which asyncio event loop a reactor gets, and what loops differ in."""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import Callable
from typing import Any

from .._log import Logger, Seldom
from ..failure import Failure
from .errors import lostReason
from .writing import Writer

_log = Logger(__name__)


#: What accept() says where descriptors or memory have run out.
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


def breakCircle(transport: Any) -> None:
    """Let go of what a transport of asyncio that has ended holds of itself.  uvloop's hold nothing."""
    if hasattr(transport, "_read_ready_cb"):
        # Methods; the second since Python 3.12.
        transport._read_ready_cb = transport._write_ready = None


def newEventLoop(make: Callable[[], asyncio.AbstractEventLoop] | None = None) -> asyncio.AbstractEventLoop:
    """
    Make an event loop whose errors go to the log that the reactor's own errors go to.

    It is not made the current loop of the thread, nor is the event loop policy touched: code that runs inside
    the reactor's callbacks finds it with `asyncio.get_running_loop`.

    Args:
        make: makes the loop; by default it is uvloop's where that is installed, else asyncio's.
    """
    loop = _fastestLoop() if make is None else make()
    loop.set_exception_handler(_LogUnhandled(loop.time))
    return loop


def _fastestLoop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    else:
        loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
        return loop


class _LogUnhandled:
    """An event loop's exception handler: logs what escapes from its callbacks."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._exhaustedSeldom = Seldom(clock)

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        text = context.get("message", "Unhandled error in the event loop")
        exception = context.get("exception")
        if exception is None:
            _log.error(text)
        elif not isinstance(exception, OSError):
            _log.failure(text, Failure(exception))
        elif exception.errno in _EXHAUSTED and "socket" in context:
            # Of a server that isn't one of the reactor's ports: asyncio says it fifty times a second.
            if self._exhaustedSeldom():
                _log.error(f"connections wait to be accepted: {exception.strerror}")
        elif (stream := _streamOf(context)) is not None:
            stream._abort(lostReason(exception))
        else:
            _log.failure(text, Failure(exception))


def _streamOf(context: dict[str, Any]) -> Writer | None:
    """
    Tell whose callback has failed, if it is that of a connection of ours.

    asyncio registers a connection for reading in a callback, and leaves it alone if the system can't: it
    would never be read from, nor closed.
    """
    callback = getattr(context.get("handle"), "_callback", None)
    transport = getattr(callback, "__self__", None)
    protocol = transport.get_protocol() if isinstance(transport, asyncio.Transport) else None
    return protocol if isinstance(protocol, Writer) else None


def closeEventLoop(loop: asyncio.AbstractEventLoop) -> None:
    """Close a loop, unless it runs: then whoever runs it has to."""
    if not loop.is_running():
        loop.close()


def isUvloop(loop: asyncio.AbstractEventLoop) -> bool:
    """Tell whether a loop is uvloop's."""
    return type(loop).__module__.partition(".")[0] == "uvloop"


def liveClock(loop: asyncio.AbstractEventLoop) -> Callable[[], float]:
    """
    Return a loop's clock.

    uvloop's own stands still within one callback, so that a second from "now" might have passed already.  It
    is taken from the monotonic clock.
    """
    return time.monotonic if isUvloop(loop) else loop.time


def timerAllowance(loop: asyncio.AbstractEventLoop) -> float:
    """
    Return how many seconds to add to a delay, lest the loop's timer ends too early.

    uvloop rounds to the nearest millisecond: just below half of one makes it round up.
    """
    return 0.000499 if isUvloop(loop) else 0.0
