"""
Keeps what is logged, as the events that Twisted's log has.

This vocabulary logs through the standard `logging`, so an observer is attached to one of its loggers, and
each record is told as an event with the keys that tests look at.  A test that reads
``event["log_failure"].value`` or ``event["log_level"].name`` is right in both vocabularies.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import Any, overload

from ..failure import Failure

_LogEvent = dict[str, Any]


class _Level(IntEnum):
    """The levels of `logging`, by the names that Twisted's log has for them."""

    debug = logging.DEBUG
    info = logging.INFO
    warn = logging.WARNING
    error = logging.ERROR
    critical = logging.CRITICAL

    @classmethod
    def of(cls, number: int) -> _Level:
        """Give the highest level that is not above a number, since loggers may use any number."""
        return max((level for level in cls if level <= number), default=cls.debug)


class EventLoggingObserver(Sequence[_LogEvent]):
    """
    A sequence of the events that it was called with.

    The keys of an event: ``log_level`` (its ``name`` is "debug", "info", "warn", "error" or "critical"),
    ``log_time`` (seconds since 1970), ``log_namespace`` (the logger's name), ``log_format`` and ``text``,
    ``log_failure`` if an exception was logged, and ``log_record``, the record itself.
    """

    def __init__(self) -> None:
        self._events: list[_LogEvent] = []

    def __len__(self) -> int:
        return len(self._events)

    @overload
    def __getitem__(self, index: int) -> _LogEvent: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[_LogEvent]: ...

    def __getitem__(self, index: int | slice) -> _LogEvent | Sequence[_LogEvent]:
        return self._events[index]

    def __iter__(self) -> Iterator[_LogEvent]:
        return iter(self._events)

    def __call__(self, event: _LogEvent) -> None:
        """Keep an event; the log does this."""
        self._events.append(event)

    @classmethod
    def createWithCleanup(cls, testInstance: Any, publisher: Any) -> EventLoggingObserver:
        """
        Make an observer that observes until the end of a test.

        Args:
            testInstance: the test; its ``addCleanup`` is called.
            publisher: the `logging.Logger` to observe, with those below it, at every level; or anything with
                Twisted's ``addObserver`` and ``removeObserver``.

        Returns:
            The observer.
        """
        observer = cls()
        if isinstance(publisher, logging.Logger):
            handler = _Handler(observer)
            level = publisher.level
            publisher.addHandler(handler)
            publisher.setLevel(logging.DEBUG)
            testInstance.addCleanup(publisher.removeHandler, handler)
            testInstance.addCleanup(publisher.setLevel, level)
        else:
            publisher.addObserver(observer)
            testInstance.addCleanup(publisher.removeObserver, observer)
        return observer


class _Handler(logging.Handler):
    """Tells an observer of the records of a logger."""

    def __init__(self, observer: EventLoggingObserver) -> None:
        super().__init__()
        self._observer = observer

    def emit(self, record: logging.LogRecord) -> None:
        event: _LogEvent = {
            "log_level": _Level.of(record.levelno),
            "log_time": record.created,
            "log_namespace": record.name,
            "log_format": "{text}",
            "text": record.getMessage(),
            "log_record": record,
        }
        failure = _failure(record)
        if failure is not None:
            event["log_failure"] = failure
        self._observer(event)


def _failure(record: logging.LogRecord) -> Failure | None:
    # This package's own log puts the Failure itself on the record.
    failure: Failure | None = getattr(record, "failure", None)
    if failure is None and record.exc_info and record.exc_info[1] is not None:
        type_, value, traceback = record.exc_info
        failure = Failure(value, type_, traceback)
    return failure
