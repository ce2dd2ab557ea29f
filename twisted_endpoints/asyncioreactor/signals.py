"""The signals that stop a reactor: one that runs its loop, and one in a loop that somebody else runs."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, ClassVar, NoReturn


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

    There is one handler for all of these that are in place: a loop may have several reactors, and a loop
    that was left without an end never takes its own away.

    Args:
        loop: the running loop, which `SystemExit` ends.
    """

    _inPlace: ClassVar[list[ExitSignal]] = []

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._process = os.getpid()

    def install(self) -> None:
        """Put it in place, if this is the main thread and the system would kill the process."""
        inMainThread = threading.current_thread() is threading.main_thread()
        if inMainThread and signal.getsignal(signal.SIGTERM) in (signal.SIG_DFL, _exit):
            self._inPlace[:] = [other for other in self._inPlace if not other._loop.is_closed()]
            self._inPlace.append(self)
            signal.signal(signal.SIGTERM, _exit)

    def restore(self) -> None:
        """Take it away, and with the last one the handler, if that is still there."""
        if self in self._inPlace:
            self._inPlace.remove(self)
            if not self._inPlace and signal.getsignal(signal.SIGTERM) is _exit:
                signal.signal(signal.SIGTERM, signal.SIG_DFL)

    @property
    def _runs(self) -> bool:
        # In a child that was forked, the loop is a copy.
        return self._loop.is_running() and os.getpid() == self._process


def _exit(number: int, frame: FrameType | None) -> None:
    # A second one ends what doesn't come to its end.
    signal.signal(number, signal.SIG_DFL)
    running = next((each for each in ExitSignal._inPlace if each._runs), None)
    if running is None:
        os.kill(os.getpid(), number)
    else:
        running._loop.call_soon_threadsafe(_raiseExit, number)


def _raiseExit(number: int) -> NoReturn:
    # What a shell says of a process that a signal has ended.
    raise SystemExit(128 + number)
