"""The signals that stop a reactor."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any


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
