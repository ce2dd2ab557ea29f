from __future__ import annotations

from collections.abc import Awaitable, Iterator
from typing import Any

import pytest

from twisted_endpoints import defer as module
from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.defer import (
    AlreadyCalledError,
    CancelledError,
    Deferred,
    getDebugging,
    setDebugging,
    succeed,
)
from twisted_endpoints.failure import Failure, NoCurrentExceptionError

from .test_chain import resultOf


@pytest.fixture
def debugging() -> Iterator[None]:
    setDebugging(True)
    try:
        yield
    finally:
        setDebugging(False)


def test_beforeAndAfterItFires() -> None:
    d: Deferred[str] = Deferred()
    assert (d.called, d.paused, hasattr(d, "result")) == (False, 0, False)
    assert repr(d) == str(d) == f"<Deferred at 0x{id(d):x}>"
    d.callback("r")
    assert (d.called, d.result) == (True, "r")
    assert repr(d) == f"<Deferred at 0x{id(d):x} current result: 'r'>"


def test_itIsAwaitable() -> None:
    assert isinstance(Deferred(), Awaitable)


def test_errbackMakesAFailure() -> None:
    error = ValueError()
    d: Deferred[Any] = Deferred()
    d.errback(error)
    made = resultOf(d)
    assert isinstance(made, Failure)
    assert made.value is error


def test_errbackTakesTheCurrentException() -> None:
    d: Deferred[Any] = Deferred()
    try:
        raise ValueError
    except ValueError:
        d.errback()
    assert resultOf(d).getTracebackObject() is not None


def test_errbackWithoutAnException() -> None:
    d: Deferred[Any] = Deferred()
    with pytest.raises(NoCurrentExceptionError):
        d.errback()
    assert not d.called


def test_callbackWithAFailureFails() -> None:
    d: Deferred[Any] = Deferred()
    d.callback(Failure(ValueError()))
    d.addCallback(lambda _: pytest.fail("called with a failure"))
    assert resultOf(d).check(ValueError)


def test_cancelWithoutACanceller() -> None:
    d: Deferred[int] = Deferred()
    d.cancel()
    assert d.called
    d.callback(1)
    with pytest.raises(AlreadyCalledError):
        d.callback(2)
    assert resultOf(d).check(CancelledError)


def test_cancelCallsTheCanceller() -> None:
    seen: list[Any] = []
    d: Deferred[int] = Deferred(seen.append)
    d.cancel()
    d.cancel()
    assert seen == [d]
    with pytest.raises(AlreadyCalledError):
        d.callback(1)
    assert resultOf(d).check(CancelledError)


@pytest.mark.parametrize(
    ("fires", "result"), [(lambda d: d.callback(1), 1), (lambda d: d.errback(KeyError()), None)]
)
def test_aCancellerMayFire(fires: Any, result: Any) -> None:
    d: Deferred[Any] = Deferred(fires)
    d.cancel()
    outcome = resultOf(d)
    assert outcome == result or outcome.check(KeyError)


def test_whatACancellerRaisesIsRaised() -> None:
    def canceller(_: Deferred[Any]) -> None:
        raise KeyError("canceller")

    d: Deferred[Any] = Deferred(canceller)
    with pytest.raises(KeyError, match="canceller"):
        d.cancel()
    assert not d.called


def test_cancelGoesToWhatItWaitsFor() -> None:
    inner: Deferred[int] = Deferred()
    d = succeed(1).addCallback(lambda _: inner)
    d.cancel()
    assert inner.called
    assert resultOf(d).check(CancelledError)


def test_cancelAfterItFiredDoesNothing() -> None:
    d = succeed(1)
    d.cancel()
    assert resultOf(d) == 1


def test_callbacksIsDeprecated() -> None:
    d: Deferred[int] = Deferred()
    with pytest.warns(
        DeprecationWarning, match=r"Deferred\.callbacks was deprecated in Twisted 25\.5\.0"
    ) as seen:
        assert d.callbacks == []
    assert seen[0].filename == __file__


@pytest.mark.usefixtures("debugging")
def test_debuggingTellsWhoMadeAndWhoFiredIt() -> None:
    def maker() -> Deferred[int]:
        return Deferred()

    def firer(d: Deferred[int]) -> None:
        d.callback(1)

    assert getDebugging() is True
    d = maker()
    firer(d)
    with pytest.raises(AlreadyCalledError) as raised:
        d.callback(2)
    created, _, invoked = str(raised.value).partition(" I: First Invoker was:\n")
    assert created.startswith("\n C: Deferred was created:\n")
    lines = created.rstrip().splitlines()
    assert "in maker" in lines[-2]
    assert lines[-1] == " C:    return Deferred()"
    assert invoked.rstrip().splitlines()[-1] == " I:    d.callback(1)"
    assert all(line.startswith(" I:") for line in invoked.splitlines())


@pytest.mark.usefixtures("debugging")
def test_debuggingKeepsTheVariables() -> None:
    def fails(_: int) -> None:
        secret = "sesame"
        raise ValueError(secret)

    assert ("secret", "sesame") in resultOf(succeed(1).addCallback(fails)).frames[-1][3]


def test_withoutDebuggingNothingIsKept() -> None:
    assert getDebugging() is False
    d = succeed(1)
    with pytest.raises(AlreadyCalledError) as raised:
        d.callback(2)
    assert str(raised.value) == ""


@pytest.mark.skipif(vocabulary != "builtin", reason="Twisted's are named after Twisted's module")
def test_namesAreThoseOfThePackage() -> None:
    for name in module.__all__:
        if name not in ("SUCCESS", "FAILURE"):
            assert getattr(module, name).__module__ == "twisted_endpoints.defer", name
