"""What was logged, in either vocabulary."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from twisted_endpoints._vocabulary import vocabulary


@contextmanager
def loggedErrors() -> Iterator[list[type[BaseException]]]:
    """Collect the types of the exceptions that are logged meanwhile."""
    found: list[type[BaseException]] = []
    if vocabulary == "twisted":
        from twisted.logger import globalLogPublisher

        def observe(event: dict[str, Any]) -> None:
            # "failure": from twisted.python.log
            failure = event.get("log_failure") or event.get("failure")
            if failure is not None:
                found.append(failure.type)

        globalLogPublisher.addObserver(observe)
        try:
            yield found
        finally:
            globalLogPublisher.removeObserver(observe)
        return

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.exc_info and record.exc_info[0]:
                found.append(record.exc_info[0])

    handler = Handler()
    logger = logging.getLogger("twisted_endpoints")
    logger.addHandler(handler)
    try:
        yield found
    finally:
        logger.removeHandler(handler)
