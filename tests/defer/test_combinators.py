from __future__ import annotations

import logging
from typing import Any

import pytest

from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.defer import (
    FAILURE,
    SUCCESS,
    CancelledError,
    Deferred,
    DeferredList,
    FailureGroup,
    FirstError,
    fail,
    gatherResults,
    race,
    succeed,
)
from twisted_endpoints.failure import Failure

from .test_chain import resultOf


def three() -> list[Deferred[Any]]:
    return [Deferred(), Deferred(), Deferred()]


def test_aListWaitsForAll() -> None:
    a, b, c = three()
    every = DeferredList([a, b, c])
    c.callback("c")
    a.callback("a")
    assert not every.called
    b.callback("b")
    assert resultOf(every) == [(SUCCESS, "a"), (SUCCESS, "b"), (SUCCESS, "c")]
    assert (a.result, b.result, c.result) == ("a", "b", "c")


def test_aListTakesFailuresForResults() -> None:
    every = DeferredList([succeed(1), fail(ValueError())], consumeErrors=True)
    (one, other) = resultOf(every)
    assert one == (SUCCESS, 1)
    assert other[0] is FAILURE
    assert other[1].check(ValueError)


@pytest.mark.parametrize("consume", [True, False])
def test_consumeErrors(consume: bool) -> None:
    d = fail(ValueError())
    DeferredList([d], consumeErrors=consume)
    assert (d.result is None) is consume
    d.addErrback(lambda f: None)


def test_anEmptyList() -> None:
    assert resultOf(DeferredList([])) == []
    assert not DeferredList([], fireOnOneCallback=True).called


def test_theFirstResultOfAList() -> None:
    a, b, c = three()
    first = DeferredList([a, b, c], fireOnOneCallback=True, consumeErrors=True)
    a.errback(ValueError())
    assert not first.called
    c.callback("c")
    b.callback("b")
    assert resultOf(first) == ("c", 2)


def test_theFirstErrorOfAList() -> None:
    a, b, c = three()
    every = DeferredList([a, b, c], fireOnOneErrback=True, consumeErrors=True)
    a.callback("a")
    c.errback(ValueError())
    b.errback(KeyError())
    failure = resultOf(every)
    assert failure.check(FirstError)
    assert failure.value.index == 2
    assert failure.value.subFailure.check(ValueError)


def test_cancellingAListCancelsAll() -> None:
    ds = three()
    ds[1].callback("fired")
    every = DeferredList(ds, consumeErrors=True)
    every.cancel()
    assert [success for success, _ in resultOf(every)] == [False, True, False]


def test_cancellingAFiredListDoesNothing() -> None:
    a, b, _ = three()
    DeferredList([a, b], fireOnOneCallback=True)
    a.callback(1)
    assert not b.called


@pytest.mark.skipif(vocabulary != "builtin", reason="Twisted writes to Twisted's log")
def test_aCancellerThatRaisesDoesNotStopTheOthers(caplog: pytest.LogCaptureFixture) -> None:
    def canceller(_: Any) -> None:
        raise KeyError

    a: Deferred[Any] = Deferred(canceller)
    b: Deferred[Any] = Deferred()
    with caplog.at_level(logging.CRITICAL, "twisted_endpoints"):
        DeferredList([a, b], consumeErrors=True).cancel()
    assert b.called
    assert [record.getMessage() for record in caplog.records] == ["A canceller raised an exception"]


def test_gatherResults() -> None:
    a, b, c = three()
    gathered = gatherResults([a, b, c])
    for value, d in enumerate((c, b, a)):
        d.callback(value)
    assert resultOf(gathered) == [2, 1, 0]
    assert resultOf(gatherResults([])) == []


def test_gatherResultsFailsWithTheFirstError() -> None:
    a, b, _ = three()
    gathered = gatherResults([a, b], consumeErrors=True)
    b.errback(ValueError())
    failure = resultOf(gathered)
    assert (failure.type, failure.value.index) == (FirstError, 1)
    assert b.result is None


def test_gatherResultsCancelsAll() -> None:
    a, b, _ = three()
    gathered = gatherResults([a, b], consumeErrors=True)
    gathered.cancel()
    assert a.called
    assert b.called
    assert resultOf(gathered).value.subFailure.check(CancelledError)


def test_firstErrorTexts() -> None:
    inner = Failure(ValueError("x"))
    error = FirstError(inner, 3)
    assert repr(error) == "FirstError[#3, ValueError('x')]"
    assert str(error) == f"FirstError[#3, {inner}]"


def test_firstErrorsCompare() -> None:
    inner, other = Failure(ValueError()), Failure(ValueError())
    assert FirstError(inner, 3) == FirstError(inner, 3)
    assert FirstError(inner, 3) != FirstError(inner, 4)
    assert FirstError(inner, 3) < FirstError(other, 4)
    assert FirstError(inner, 3) != 3


@pytest.mark.skipif(vocabulary != "builtin", reason="Twisted raises TypeError")
def test_firstErrorsOfOneIndexCompare() -> None:
    assert FirstError(Failure(ValueError()), 3) != FirstError(Failure(ValueError()), 3)


def test_theWinnerOfARace() -> None:
    a, b, c = three()
    won = race([a, b, c])
    a.errback(ValueError())
    b.callback("b")
    assert resultOf(won) == (1, "b")
    assert c.called
    assert (b.result, c.result) == (None, None)


def test_aRaceThatAllLose() -> None:
    a, b, c = three()
    won = race([a, b, c])
    for error, d in ((ValueError, c), (KeyError, a), (OSError, b)):
        d.errback(error())
    failure = resultOf(won)
    assert failure.check(FailureGroup)
    assert [inner.type for inner in failure.value.failures] == [KeyError, OSError, ValueError]


def test_aRaceOfOnesThatHaveFired() -> None:
    assert resultOf(race([fail(ValueError()), succeed("b"), succeed("c")])) == (1, "b")


def test_aSecondWinnerIsIgnored() -> None:
    a: Deferred[str] = Deferred()
    b: Deferred[str] = Deferred(lambda d: d.callback("too late"))
    won = race([a, b])
    a.callback("a")
    assert resultOf(won) == (0, "a")


def test_cancellingARaceCancelsAll() -> None:
    ds = three()
    won = race(ds)
    won.cancel()
    assert all(d.called for d in ds)
    assert resultOf(won).check(FailureGroup, CancelledError)
