"""
Where this package's log records go: to Twisted's log in Twisted's vocabulary, else to the standard `logging`.

One of the few modules that may know which vocabulary is spoken (DESIGN.md 1): a Twisted program collects
its errors from `twisted.logger`, and any other Python program from `logging`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ._vocabulary import vocabulary

if TYPE_CHECKING:
    from .failure import Failure


class Logger:
    """
    Writes records under one name.

    Args:
        namespace: the module that logs, usually ``__name__``.
    """

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._target: Any = None

    @property
    def _sink(self) -> Any:
        # On first use, not at import: twisted.logger is a third of the import time of a program that never
        # logs.
        if self._target is None:
            if vocabulary == "twisted":
                from twisted.logger import Logger as TwistedLogger

                self._target = TwistedLogger(self._namespace)
            else:
                import logging

                self._target = logging.getLogger(self._namespace)
        return self._target

    def prepare(self) -> None:
        """
        Load now what the first record would load: for one that may come while the interpreter shuts down.

        Nothing can be imported then.
        """
        if self._target is None:
            self._target = self._sink

    def debug(self, text: str) -> None:
        """Log what only somebody who debugs this package wants to read."""
        self._emit("debug", text)

    def info(self, text: str) -> None:
        """Log what an operator may want to know."""
        self._emit("info", text)

    def wantsInfo(self) -> bool:
        """Tell whether anybody may read what `info` is given: its text may be some work."""
        if vocabulary == "twisted":
            # Each observer decides for itself.
            return True
        import logging

        return bool(self._sink.isEnabledFor(logging.INFO))

    def warning(self, text: str, **fields: object) -> None:
        """
        Log what works, but should be looked at.

        Args:
            text: what there is to say.
            fields: the objects that it is about, for Twisted's observers.
        """
        self._emit("warn", text, fields)

    def error(self, text: str) -> None:
        """Log what failed where no exception tells more."""
        self._emit("error", text)

    def failure(self, text: str, failure: Failure | None = None) -> None:
        """
        Log a failure with its traceback.

        Args:
            text: what was being done.
            failure: what went wrong; by default the exception that is being handled.
        """
        if vocabulary == "twisted":
            self._sink.failure("{text}", failure=failure, text=text)
            return
        if failure is None:
            self._sink.critical(text, exc_info=True)
            return
        # `failure` rides along for handlers that want the object and not only its rendering.
        self._sink.critical(
            text,
            exc_info=(failure.type, failure.value, failure.getTracebackObject()),
            extra={"failure": failure},
        )

    def _emit(self, level: str, text: str, fields: dict[str, object] | None = None) -> None:
        if vocabulary == "twisted":
            getattr(self._sink, level)("{text}", text=text, **(fields or {}))
        else:
            # "%s": text may hold a `%` that came from a peer.
            getattr(self._sink, "warning" if level == "warn" else level)("%s", text)


class Seldom:
    """
    Says when it is time for another log entry about what may happen very often: once a second.

    Args:
        clock: gives the time in seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._next = -math.inf

    def __call__(self) -> bool:
        now = self._clock()
        if now < self._next:
            return False
        self._next = now + 1.0
        return True


def logToStandardError(program: str) -> None:
    """
    Show what is logged, from warnings up, on standard error: for a program without logging of its own.

    A second call in a process does nothing.

    Args:
        program: the name that each line begins with.
    """
    global _shown
    if _shown:
        return
    _shown = True
    if vocabulary == "twisted":
        import sys

        from twisted.logger import (
            FilteringLogObserver,
            LogLevel,
            LogLevelFilterPredicate,
            eventAsText,
            globalLogBeginner,
        )

        def show(event: Any) -> None:
            text = eventAsText(event, includeTimestamp=False, includeSystem=False)
            print(f"{program}: {event['log_level'].name}: {text}", file=sys.stderr)

        observer = FilteringLogObserver(show, [LogLevelFilterPredicate(LogLevel.warn)])
        globalLogBeginner.beginLoggingTo([observer], redirectStandardIO=False, discardBuffer=True)
    else:
        import logging

        logging.basicConfig(format=f"{program}: %(levelname)s: %(message)s")


_shown = False
