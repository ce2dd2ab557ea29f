from __future__ import annotations

import contextvars
from collections.abc import Generator
from typing import Any

import pytest

from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.defer import (
    CancelledError,
    Deferred,
    DeferredList,
    NotACoroutineError,
    ensureDeferred,
    fail,
    inlineCallbacks,
    returnValue,
    succeed,
)

from .test_chain import resultOf

variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


async def awaits(d: Any) -> Any:
    return await d


@inlineCallbacks
def yields(d: Any) -> Generator[Any, Any, Any]:
    return (yield d)


@inlineCallbacks
def yieldsFrom(d: Any) -> Generator[Any, Any, Any]:
    return (yield from d)


def awaiting(d: Any) -> Deferred[Any]:
    return Deferred.fromCoroutine(awaits(d))


waiting = pytest.mark.parametrize("wait", [awaiting, yields, yieldsFrom])


@waiting
def test_aDeferredThatHasFired(wait: Any) -> None:
    assert resultOf(wait(succeed(5))) == 5


@waiting
def test_aDeferredThatHasFailed(wait: Any) -> None:
    assert resultOf(wait(fail(ValueError()))).check(ValueError)


@waiting
def test_aDeferredThatFiresLater(wait: Any) -> None:
    d: Deferred[int] = Deferred()
    waits = wait(d)
    assert not waits.called
    d.callback(5)
    assert resultOf(waits) == 5


@waiting
def test_aDeferredThatFailsLater(wait: Any) -> None:
    d: Deferred[int] = Deferred()
    waits = wait(d)
    d.errback(ValueError())
    assert resultOf(waits).check(ValueError)
    assert d.result is None


@waiting
def test_aPausedDeferred(wait: Any) -> None:
    d = succeed(5)
    d.pause()
    waits = wait(d)
    assert not waits.called
    d.unpause()
    assert resultOf(waits) == 5


@waiting
def test_aDeferredThatWaitsForAnother(wait: Any) -> None:
    inner: Deferred[int] = Deferred()
    waits = wait(succeed(1).addCallback(lambda _: inner))
    inner.callback(6)
    assert resultOf(waits) == 6


@waiting
def test_aDeferredInTheMiddleOfItsCallbacks(wait: Any) -> None:
    d: Deferred[Any] = Deferred()
    waiters: list[Any] = []
    d.addCallback(lambda r: waiters.append(wait(succeed(r))) or r)
    d.callback(5)
    assert resultOf(waiters[0]) == 5


def test_yieldTakesTheResultAndAwaitLeavesIt() -> None:
    d = succeed(5)
    assert resultOf(awaiting(d)) == 5
    assert d.result == 5
    assert resultOf(yields(d)) == 5
    assert d.result is None


@pytest.mark.parametrize("value", [None, 5, [1], "text"])
def test_otherValuesComeStraightBack(value: Any) -> None:
    assert resultOf(yields(value)) == value


def test_aYieldedCoroutineIsRun() -> None:
    d: Deferred[int] = Deferred()
    waits = yields(awaits(d))
    d.callback(3)
    assert resultOf(waits) == 3


def test_aYieldedGeneratorIsRun() -> None:
    def generator() -> Generator[Any, Any, Any]:
        return (yield succeed(4))

    assert resultOf(yields(generator())) == 4


@pytest.mark.parametrize(
    "makes", [lambda n: succeed(n), lambda n: DeferredList([]), lambda n: fail(KeyError(n))]
)
@pytest.mark.parametrize("style", ["yield", "await"])
def test_aHundredThousandInARowTakeNoStack(makes: Any, style: str) -> None:
    count = 100_000 if makes(0).__class__ is Deferred else 20_000

    @inlineCallbacks
    def generator() -> Generator[Any, Any, int]:
        for n in range(count):
            try:
                yield makes(n)
            except KeyError:
                pass
        return count

    async def coroutine() -> int:
        for n in range(count):
            try:
                await makes(n)
            except KeyError:
                pass
        return count

    running = generator() if style == "yield" else ensureDeferred(coroutine())
    assert resultOf(running) == count


def test_aHundredThousandThatFireLaterTakeNoStack() -> None:
    pending = [Deferred[int]() for _ in range(100_000)]

    async def coroutine() -> int:
        return sum([await d for d in pending])

    running = ensureDeferred(coroutine())
    for d in pending:
        d.callback(1)
    assert resultOf(running) == len(pending)


@pytest.mark.parametrize("wait", [awaiting, yields])
def test_cancelGoesToWhatIsWaitedFor(wait: Any) -> None:
    cancelled: list[Any] = []
    d: Deferred[int] = Deferred(cancelled.append)
    waits = wait(d)
    waits.cancel()
    assert cancelled == [d]
    assert resultOf(waits).check(CancelledError)


def test_cancelGoesThroughNestedCalls() -> None:
    d: Deferred[int] = Deferred()
    waits = awaiting(yields(awaits(d)))
    waits.cancel()
    assert d.called
    assert resultOf(waits).check(CancelledError)


def test_aCancellationCanBeCaught() -> None:
    first: Deferred[int] = Deferred()
    second: Deferred[str] = Deferred()

    async def coroutine() -> str:
        try:
            await first
        except CancelledError:
            return await second
        return "not cancelled"

    running = ensureDeferred(coroutine())
    running.cancel()
    assert not resultsIn(running)
    second.callback("went on")
    assert resultOf(running) == "went on"


def test_itCanBeCancelledTwice() -> None:
    pending: list[Deferred[int]] = [Deferred(), Deferred()]

    async def coroutine() -> str:
        for d in pending:
            try:
                await d
            except CancelledError:
                continue
        return "end"

    running = ensureDeferred(coroutine())
    running.cancel()
    assert [d.called for d in pending] == [True, False]
    running.cancel()
    assert resultOf(running) == "end"


def test_aCancellerThatRaisesFailsTheCaller() -> None:
    def canceller(_: Any) -> None:
        raise KeyError("canceller")

    running = awaiting(Deferred(canceller))
    running.cancel()
    assert resultOf(running).check(KeyError)


def resultsIn(d: Deferred[Any]) -> list[Any]:
    """Note the result of a Deferred, when it comes, and leave it in place."""
    seen: list[Any] = []
    d.addBoth(lambda result: seen.append(result) or result)
    return seen


def test_theTracebackLeadsToTheError() -> None:
    async def innermost() -> None:
        raise ValueError

    async def coroutine() -> None:
        await yields(innermost())

    text = resultOf(ensureDeferred(coroutine())).getTraceback()
    assert text.index("in coroutine") < text.index("in yields") < text.index("in innermost")


def test_aRunHasItsOwnContext() -> None:
    later: Deferred[None] = Deferred()

    async def coroutine() -> list[str]:
        seen = [variable.get()]
        variable.set("inside")
        await later
        return [*seen, variable.get()]

    def outside() -> list[str]:
        variable.set("outside")
        running = ensureDeferred(coroutine())
        assert variable.get() == "outside"
        variable.set("changed")
        later.callback(None)
        return resultOf(running)  # type: ignore[no-any-return]

    assert contextvars.copy_context().run(outside) == ["outside", "inside"]


@pytest.mark.parametrize("runs", [ensureDeferred, Deferred.fromCoroutine])
def test_onlyCoroutinesCanBeRun(runs: Any) -> None:
    for thing in (None, 5, "text", lambda: 1, awaits):
        with pytest.raises(NotACoroutineError):
            runs(thing)
    assert issubclass(NotACoroutineError, TypeError)


def test_ensureDeferredReturnsTheVeryDeferred() -> None:
    d: Deferred[int] = Deferred()
    assert ensureDeferred(d) is d
    with pytest.raises(NotACoroutineError):
        Deferred.fromCoroutine(d)  # type: ignore[arg-type]


def test_inlineCallbacksNeedsAGenerator() -> None:
    @inlineCallbacks  # type: ignore[arg-type]
    def function() -> int:
        return 5

    with pytest.raises(TypeError, match="5"):
        function()


def test_inlineCallbacksKeepsNameAndArguments() -> None:
    @inlineCallbacks
    def function(a: int, *, b: int) -> Generator[Any, Any, int]:
        """Explain it."""
        yield None
        return a + b

    assert (function.__name__, function.__doc__) == ("function", "Explain it.")
    assert resultOf(function(1, b=2)) == 3


def test_returnValueIsDeprecated() -> None:
    @inlineCallbacks
    def function() -> Generator[Any, Any, int]:
        yield None
        returnValue(7)

    with pytest.warns(
        DeprecationWarning, match=r"defer\.returnValue was deprecated in Twisted 24\.7\.0"
    ) as seen:
        assert resultOf(function()) == 7
    assert len(seen) == 1
    if vocabulary == "builtin":
        assert seen[0].filename == __file__


def test_returnValueAfterAFailure() -> None:
    @inlineCallbacks
    def function() -> Generator[Any, Any, int]:
        try:
            yield fail(ValueError())
        except ValueError:
            returnValue(8)

    with pytest.warns(DeprecationWarning, match="returnValue") as seen:
        assert resultOf(function()) == 8
    assert len(seen) == 1


def test_returnValueInAnotherFunctionIsWarnedOf() -> None:
    def helper() -> None:
        returnValue(9)

    @inlineCallbacks
    def function() -> Generator[Any, Any, int]:
        yield None
        helper()
        return 0

    with pytest.warns(DeprecationWarning, match="returnValue") as seen:
        assert resultOf(function()) == 9
    (text,) = [str(warning.message) for warning in seen if "to exit" in str(warning.message)]
    assert text.startswith("returnValue() in 'helper' causing 'function' to exit")


def test_returnValueInWhatIsNoGenerator() -> None:
    @inlineCallbacks
    def function() -> Any:
        returnValue(1)

    deprecated = pytest.warns(DeprecationWarning, match="returnValue")
    with deprecated, pytest.raises(TypeError, match="returnValue"):
        function()
