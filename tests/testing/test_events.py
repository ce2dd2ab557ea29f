"""`testing.EventLoggingObserver`."""

from __future__ import annotations

import logging
import unittest
from typing import Any

import pytest

from twisted_endpoints._log import Logger
from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.failure import Failure
from twisted_endpoints.testing import EventLoggingObserver

builtinOnly = pytest.mark.skipif(vocabulary == "twisted", reason="Twisted's observes Twisted's log")

NAME = "twisted_endpoints.testing.example"


def publisher() -> Any:
    """What this vocabulary's log is observed at."""
    if vocabulary == "twisted":
        from twisted.logger import globalLogPublisher

        return globalLogPublisher
    return logging.getLogger("twisted_endpoints")


class Case(unittest.TestCase):
    """A test whose cleanups the test of this file runs."""


@pytest.fixture
def case() -> Case:
    return Case("run")


def test_itIsASequenceOfEvents() -> None:
    observer = EventLoggingObserver()
    first: Any = {"text": "one"}
    second: Any = {"text": "two"}
    observer(first)
    observer(second)

    assert list(observer) == [first, second]
    assert len(observer) == 2
    assert observer[0] is first
    assert observer[1:] == [second]
    assert first in observer


def test_itObservesUntilTheCleanup(case: Case) -> None:
    observer = EventLoggingObserver.createWithCleanup(case, publisher())  # type: ignore[arg-type]
    log = Logger(NAME)
    log.debug("one")
    log.info("two")
    log.warning("three")
    log.error("100 % {odd}")
    case.doCleanups()
    log.error("unseen")

    assert [(event["log_level"].name, event["text"]) for event in observer] == [
        ("debug", "one"),
        ("info", "two"),
        ("warn", "three"),
        ("error", "100 % {odd}"),
    ]
    assert {event["log_namespace"] for event in observer} == {NAME}


def test_failuresAreEvents(case: Case) -> None:
    observer = EventLoggingObserver.createWithCleanup(case, publisher())  # type: ignore[arg-type]
    log = Logger(NAME)
    failure = Failure(KeyError("given"))
    log.failure("it broke", failure)
    try:
        raise ValueError("handled")
    except ValueError:
        log.failure("it broke again")
    case.doCleanups()

    assert [event["log_level"].name for event in observer] == ["critical", "critical"]
    assert observer[0]["log_failure"] is failure
    assert observer[1]["log_failure"].check(ValueError)
    assert [event["text"] for event in observer] == ["it broke", "it broke again"]


class Publisher:
    """Has the two methods of Twisted's LogPublisher."""

    def __init__(self) -> None:
        self.observers: list[Any] = []
        self.addObserver = self.observers.append
        self.removeObserver = self.observers.remove


def test_anyPublisherWillDo(case: Case) -> None:
    publisher = Publisher()
    observer = EventLoggingObserver.createWithCleanup(case, publisher)  # type: ignore[arg-type]
    assert publisher.observers == [observer]
    case.doCleanups()
    assert publisher.observers == []


@builtinOnly
def test_theLoggersOwnLevelComesBack(case: Case) -> None:
    logger = logging.getLogger(NAME)
    logger.setLevel(logging.ERROR)
    EventLoggingObserver.createWithCleanup(case, logger)
    assert logger.level == logging.DEBUG
    case.doCleanups()
    assert logger.level == logging.ERROR
    assert logger.handlers == []
    logger.setLevel(logging.NOTSET)


@builtinOnly
def test_recordsOfOtherLevelsAndWithoutAnExceptionAreEvents(case: Case) -> None:
    logger = logging.getLogger(NAME)
    observer = EventLoggingObserver.createWithCleanup(case, logger)
    logger.log(5, "below debug, so not even logged")
    logger.log(25, "between %s and %s", "info", "warning")
    logger.log(60, "above all", exc_info=(None, None, None))
    case.doCleanups()

    assert [(event["log_level"].name, event["text"]) for event in observer] == [
        ("info", "between info and warning"),
        ("critical", "above all"),
    ]
    assert "log_failure" not in observer[1]
    assert observer[0]["log_record"].levelno == 25
    assert observer[0]["log_time"] == observer[0]["log_record"].created
