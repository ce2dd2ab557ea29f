"""The signals that stop a reactor: one that runs its loop, and one in a loop that somebody else runs."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn


class StopSignals:
    """
    Puts handlers on SIGINT, SIGTERM and, on Windows, SIGBREAK, and takes them off again.

    Args:
        handlers: for each name of a signal the handler to call, with what `signal.signal` passes.
    """

    def __init__(self, handlers: dict[str, Callable[..., Any]]) -> None:
        self._handlers = handlers
        self._previous: dict[int, Any] = {}

    def install(self) -> None:
        """
        Put the handlers in place.

        A handler for SIGINT that isn't Python's own stays: a debugger's, for one.

        Raises:
            ValueError: this isn't the main thread.
        """
        for name, handler in self._handlers.items():
            number = getattr(signal, name, None)
            if number is None:
                continue
            if name == "SIGINT" and signal.getsignal(number) is not signal.default_int_handler:
                continue
            # Not `loop.add_signal_handler`: it forgets the previous handler.
            self._previous[number] = signal.signal(number, handler)

    def restore(self) -> None:
        """Put the handlers back that were there before."""
        while self._previous:
            number, handler = self._previous.popitem()
            # None: it was not put there from Python, and can't be put back from here.
            if handler is not None:
                signal.signal(number, handler)


class ExitSignal:
    """
    Lets SIGTERM end a program of asyncio's as `sys.exit` does, where it would end it without a word.

    asyncio looks after SIGINT.  At SIGTERM the system kills the process, and nobody hears of it: no
    connection is closed, no shutdown trigger called, no ``finally`` run.  A program that handles the signal
    itself is left alone.

    Args:
        loop: the running loop, which `SystemExit` ends.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._process = os.getpid()

    def install(self) -> None:
        """Put the handler in place, if this is the main thread and the system would kill the process."""
        if (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        ):
            signal.signal(signal.SIGTERM, self._exit)

    def restore(self) -> None:
        """Take the handler off again, if it is still there."""
        if signal.getsignal(signal.SIGTERM) == self._exit:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def _exit(self, number: int, frame: FrameType | None) -> None:
        # A second one ends what doesn't come to its end.
        signal.signal(number, signal.SIG_DFL)
        if self._loop.is_running() and os.getpid() == self._process:
            self._loop.call_soon_threadsafe(_raiseExit, number)
        else:
            # A loop that was left without an end; or a child that was forked, where the loop is a copy.
            os.kill(os.getpid(), number)


def _raiseExit(number: int) -> NoReturn:
    # What a shell says of a process that a signal has ended.
    raise SystemExit(128 + number)
