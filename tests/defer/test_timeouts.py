from __future__ import annotations

from typing import Any

import pytest

from twisted_endpoints.defer import (
    CancelledError,
    Deferred,
    TimeoutError,  # noqa: A004
    _cancelledToTimedOutError,
    timeout,
)
from twisted_endpoints.failure import Failure
from twisted_endpoints.task import Clock

from .test_chain import resultOf


def test_itFailsWhenTimeIsUp() -> None:
    clock = Clock()
    d: Deferred[Any] = Deferred()
    assert d.addTimeout(3, clock) is d
    clock.advance(2.9)
    assert not d.called
    clock.advance(0.1)
    failure = resultOf(d)
    assert failure.check(TimeoutError)
    assert failure.value.args == (3, "Deferred")


@pytest.mark.parametrize(
    "fires", [lambda d: d.callback(1), lambda d: d.errback(ValueError()), lambda d: d.cancel()]
)
def test_theCallIsStoppedWhenItFires(fires: Any) -> None:
    clock = Clock()
    d: Deferred[Any] = Deferred()
    d.addTimeout(3, clock)
    fires(d)
    assert clock.getDelayedCalls() == []
    d.addErrback(lambda _: None)


def test_aCancelByHandStaysACancel() -> None:
    d: Deferred[Any] = Deferred()
    d.addTimeout(3, Clock())
    d.cancel()
    assert resultOf(d).check(CancelledError)


def test_onlyWhatWasAddedBeforeIsCutShort() -> None:
    clock = Clock()
    later: Deferred[str] = Deferred()
    d: Deferred[Any] = Deferred()
    d.addTimeout(3, clock)
    d.addCallback(lambda _: later)
    d.callback(1)
    clock.advance(5)
    assert not later.called
    later.callback("late")
    assert resultOf(d) == "late"


def test_aCancellerMayStillBringAResult() -> None:
    clock = Clock()
    d: Deferred[Any] = Deferred(lambda d: d.callback("saved"))
    d.addTimeout(3, clock)
    clock.advance(3)
    assert resultOf(d) == "saved"


def test_theCallerSaysWhatATimeoutMeans() -> None:
    clock = Clock()
    seen: list[Any] = []

    def translate(result: Any, seconds: float) -> str:
        seen.append((result.type, seconds))
        return "late"

    d: Deferred[Any] = Deferred()
    d.addTimeout(3, clock, onTimeoutCancel=translate)
    clock.advance(3)
    assert seen == [(CancelledError, 3)]
    assert resultOf(d) == "late"


def test_translationOfAResult() -> None:
    assert _cancelledToTimedOutError("result", 1) == "result"
    with pytest.raises(TimeoutError):
        _cancelledToTimedOutError(Failure(CancelledError()), 1)
    with pytest.raises(KeyError):
        _cancelledToTimedOutError(Failure(KeyError()), 1)


def test_theFunctionIsDeprecated() -> None:
    d: Deferred[Any] = Deferred()
    with pytest.warns(
        DeprecationWarning, match=r"defer\.timeout was deprecated in Twisted 17\.1\.0; please use"
    ) as seen:
        timeout(d)
    assert seen[0].filename == __file__
    assert resultOf(d).check(TimeoutError)
