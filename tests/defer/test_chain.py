from __future__ import annotations

import warnings
import weakref
from itertools import pairwise
from typing import Any

import pytest

from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.defer import AlreadyCalledError, Deferred, fail, succeed
from twisted_endpoints.failure import Failure


def raising(error: BaseException) -> Any:
    def callback(_: Any) -> None:
        raise error

    return callback


def resultOf(deferred: Deferred[Any]) -> Any:
    """The result of a Deferred that must have fired, or its failure."""
    results: list[Any] = []
    deferred.addBoth(results.append)
    assert results, f"{deferred} has not fired"
    return results[0]


def test_theResultGoesFromCallbackToCallback() -> None:
    d: Deferred[Any] = Deferred()
    d.addCallback(lambda n: n + 1).addCallback(lambda n: n * 10)
    d.callback(1)
    assert resultOf(d) == 20


def test_aCallbackAfterTheResultIsCalledAtOnce() -> None:
    assert resultOf(succeed(2).addCallback(lambda n: n + 1)) == 3


def test_argumentsAreHandedOn() -> None:
    seen: list[Any] = []

    def note(*args: Any, **kwargs: Any) -> Any:
        seen.append((args, kwargs))
        return args[0]

    d: Deferred[Any] = Deferred()
    d.addCallback(note, 1, a=2)
    d.addErrback(note, "not called")
    d.addBoth(note, 3)
    d.addCallbacks(note, None, (4,), {"b": 5})
    d.addCallback(raising(ValueError()))
    d.addCallbacks(raising(KeyError()), lambda f, *args, **kwargs: (args, kwargs), (), None, (6,), {"c": 7})
    d.callback("r")
    assert seen == [(("r", 1), {"a": 2}), (("r", 3), {}), (("r", 4), {"b": 5})]
    assert resultOf(d) == ((6,), {"c": 7})


def test_anExceptionGoesToTheNextErrback() -> None:
    d: Deferred[Any] = Deferred()
    error = ValueError()
    d.addCallback(raising(error))
    d.addCallback(lambda _: pytest.fail("called with a failure"))
    d.addErrback(lambda f: f.value)
    d.callback(None)
    assert resultOf(d) is error


def test_anErrbackMayReturnOrRaiseAFailure() -> None:
    d = fail(ValueError())
    d.addErrback(lambda f: f)
    assert d.result.check(ValueError)
    d.addErrback(raising(KeyError()))
    assert resultOf(d).check(KeyError)


def test_aReturnedFailureFails() -> None:
    assert resultOf(succeed(1).addCallback(lambda _: Failure(KeyError()))).check(KeyError)


def test_baseExceptionsAreCaughtToo() -> None:
    assert resultOf(succeed(1).addCallback(raising(KeyboardInterrupt()))).check(KeyboardInterrupt)


@pytest.mark.parametrize("again", [lambda d: d.callback(2), lambda d: d.errback(ValueError())])
def test_itFiresOnce(again: Any) -> None:
    d: Deferred[int] = Deferred()
    d.callback(1)
    with pytest.raises(AlreadyCalledError):
        again(d)
    assert d.result == 1


def test_itWaitsForADeferredThatACallbackReturns() -> None:
    inner: Deferred[str] = Deferred()
    d = succeed(1).addCallback(lambda _: inner)
    seen: list[Any] = []
    d.addCallback(seen.append)
    assert (seen, d.paused, d._chainedTo) == ([], 1, inner)
    inner.callback("inner")
    assert (seen, d.paused, d._chainedTo) == (["inner"], 0, None)
    assert inner.result is None


def test_itTakesTheResultOfADeferredThatHasFired() -> None:
    inner = fail(ValueError())
    d = succeed(1).addCallback(lambda _: inner)
    assert inner.result is None
    assert resultOf(d).check(ValueError)


def test_itWaitsForAPausedDeferred() -> None:
    inner = succeed("inner")
    inner.pause()
    d = succeed(1).addCallback(lambda _: inner)
    assert d.paused
    inner.unpause()
    assert resultOf(d) == "inner"


def test_itWaitsForADeferredThatWaitsItself() -> None:
    innermost: Deferred[str] = Deferred()
    inner = succeed(1).addCallback(lambda _: innermost)
    d = succeed(1).addCallback(lambda _: inner)
    innermost.callback("far")
    assert resultOf(d) == "far"


def test_theOneThatHandedItsResultOverGoesOnWithNone() -> None:
    order: list[Any] = []
    inner: Deferred[str] = Deferred()
    d = succeed(1).addCallback(lambda _: inner).addCallback(lambda r: order.append(("outer", r)))
    inner.addCallback(lambda r: order.append(("inner", r)))
    inner.callback("r")
    assert order == [("outer", "r"), ("inner", None)]
    assert resultOf(d) is None


@pytest.mark.skipif(
    vocabulary != "builtin", reason="Twisted forgets them until somebody adds another callback"
)
def test_aWaitingDeferredThatIsPausedDoesNotHoldUpTheOther() -> None:
    seen: list[Any] = []
    inner: Deferred[str] = Deferred()
    d = succeed(1).addCallback(lambda _: inner)
    d.pause()
    inner.addCallback(seen.append)
    inner.callback("r")
    assert seen == [None]
    d.unpause()
    assert resultOf(d) == "r"


def test_callbacksThatAreAddedByCallbacksComeLast() -> None:
    order: list[int] = []
    d: Deferred[Any] = Deferred()

    def first(_: Any) -> None:
        order.append(1)
        d.addCallback(lambda _: order.append(3))

    d.addCallback(first)
    d.addCallback(lambda _: order.append(2))
    d.callback(None)
    assert order == [1, 2, 3]


def test_pauseIsCounted() -> None:
    seen: list[int] = []
    d: Deferred[int] = Deferred()
    d.pause()
    d.pause()
    d.addCallback(seen.append)
    d.callback(1)
    d.unpause()
    assert seen == []
    d.unpause()
    assert seen == [1]


def test_unpauseBeforeTheResultDoesNothing() -> None:
    d: Deferred[int] = Deferred()
    d.pause()
    d.unpause()
    d.callback(1)
    assert resultOf(d) == 1


def test_chainDeferredFiresTheOther() -> None:
    one: Deferred[int] = Deferred()
    other: Deferred[int] = Deferred()
    one.chainDeferred(other)
    assert repr(other) == f"<Deferred at 0x{id(other):x} waiting on Deferred at 0x{id(one):x}>"
    one.callback(5)
    assert resultOf(other) == 5
    assert one.result is None


def test_aCallbackThatReturnsItsOwnDeferredIsWarnedOf() -> None:
    d: Deferred[Any] = Deferred()
    d.addCallback(lambda _: d)
    with pytest.warns(DeprecationWarning, match="Callback returned the Deferred it was attached to") as seen:
        d.callback(1)
    assert seen[0].filename == __file__


def test_asAnErrorThatWarningIsTheResult() -> None:
    d: Deferred[Any] = Deferred()
    d.addCallback(lambda _: d)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        d.callback(1)
    assert resultOf(d).check(DeprecationWarning)


@pytest.mark.parametrize("firedFirst", [True, False])
def test_aLongChainTakesNoStack(firedFirst: bool) -> None:
    length = 100_000
    chain: list[Deferred[Any]] = [Deferred() for _ in range(length)]
    for waits, inner in pairwise(chain):
        waits.addCallback(lambda _, inner=inner: inner)
    for d in chain if not firedFirst else reversed(chain):
        d.callback("end")
    assert resultOf(chain[0]) == "end"


def test_manyCallbacksTakeNoStack() -> None:
    d: Deferred[int] = Deferred()
    for _ in range(100_000):
        d.addCallback(lambda n: n + 1)
    d.callback(0)
    assert resultOf(d) == 100_000


@pytest.mark.parametrize("waits", ["chained", "pending"])
def test_howManyWaitForOneCostsNothing(waits: str) -> None:
    """It once took time by the square of their number: forty seconds for these."""
    heard: list[int] = []
    pending: list[Deferred[None]] = []
    d: Deferred[None] = Deferred()
    for number in range(100_000):
        other: Deferred[None] = Deferred()
        other.addCallback(lambda _, number=number: heard.append(number))
        if waits == "chained":
            d.chainDeferred(other)
        else:
            d.addCallback(lambda _, other=other: other)
            pending.append(other)
    d.callback(None)
    for each in pending:
        each.callback(None)
    assert heard == list(range(100_000))


def test_whatIsAddedMeanwhileComesLast() -> None:
    heard: list[str] = []
    inner: Deferred[None] = Deferred()
    d: Deferred[None] = Deferred()
    d.addCallback(lambda _: inner)
    for text in ("first", "second"):
        other: Deferred[None] = Deferred()
        other.addCallback(
            lambda _, text=text: (heard.append(text), d.addCallback(lambda _: heard.append("late")))
        )
        d.chainDeferred(other)
    d.addCallback(lambda _: heard.append("third"))
    d.callback(None)
    d.addCallback(lambda _: heard.append("fourth"))
    inner.callback(None)
    assert heard == ["first", "second", "third", "fourth", "late", "late"]


def test_theCancellerIsForgottenOnceItFired() -> None:
    class Canceller:
        def __call__(self, d: Deferred[Any]) -> None: ...

    canceller = Canceller()
    alive = weakref.ref(canceller)
    d: Deferred[int] = Deferred(canceller)
    del canceller
    d.callback(1)
    assert alive() is None


def test_subclassesAndAttributes() -> None:
    class Named(Deferred[int]):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    inner = Named("inner")
    inner.note = "anything"  # type: ignore[attr-defined]
    d = succeed(1).addCallback(lambda _: inner)
    inner.callback(7)
    assert resultOf(d) == 7
    assert repr(inner).startswith("<Named at 0x")
