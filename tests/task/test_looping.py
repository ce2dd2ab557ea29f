"""`task.LoopingCall`: at which times it calls, and how it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.defer import Deferred, fail
from twisted_endpoints.failure import Failure
from twisted_endpoints.task import Clock, LoopingCall

from ..installing import install


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The reactor, which Twisted's LoopingCall would install otherwise."""
    reactor = Clock()
    install(monkeypatch, reactor)
    return reactor


@pytest.fixture
def clock() -> Clock:
    return Clock()


def looping(clock: Clock, function: Callable[..., Any], *args: Any) -> LoopingCall:
    loop = LoopingCall(function, *args)
    loop.clock = clock
    return loop


def counting(clock: Clock) -> tuple[LoopingCall, list[int]]:
    """Make a loop that is told how many calls were due, and the list of what it is told."""
    told: list[int] = []
    loop = LoopingCall.withCount(told.append)
    loop.clock = clock
    return loop, told


def outcome(deferred: Deferred[Any]) -> list[Any]:
    """List what a Deferred fires with, once it does."""
    results: list[Any] = []
    deferred.addBoth(results.append)
    return results


@pytest.mark.parametrize(
    ("interval", "now", "steps", "times"),
    [
        (1, True, [1, 1, 1], [0, 1, 2, 3]),
        (1, False, [1, 1, 1], [1, 2, 3]),
        (0.5, True, [0.4, 0.2, 0.3, 0.2], [0, 0.6, 1.1]),
        # Points of the grid that have passed are left out, and it does not move.
        (1, True, [2.5, 0.4, 0.2], [0, 2.5, 3.1]),
        # What is due now, as nearly as a float can tell, is the next point and not this one again.
        (1, True, [1, 0, 0], [0, 1]),
    ],
    ids=["now", "not now", "between the points", "late", "no second call at one time"],
)
def test_callsStandOnAGrid(
    clock: Clock, interval: float, now: bool, steps: list[float], times: list[float]
) -> None:
    called: list[float] = []
    loop = looping(clock, lambda: called.append(clock.seconds()))
    loop.start(interval, now)

    clock.pump(steps)

    assert called == pytest.approx(times)
    assert loop.running
    loop.stop()
    assert clock.getDelayedCalls() == []


def test_aFunctionThatTakesLongSkipsPoints(clock: Clock) -> None:
    called: list[float] = []

    def slow() -> None:
        called.append(clock.seconds())
        clock.rightNow += 2.5

    loop = looping(clock, slow)
    loop.start(1)

    assert [call.getTime() for call in clock.getDelayedCalls()] == [3]
    loop.stop()
    assert called == [0]


def test_theClockIsTheInstalledReactorUnlessAnotherIsSet(installed: Clock, clock: Clock) -> None:
    loop = LoopingCall(list)
    assert loop.clock is installed
    loop.clock = clock
    assert loop.clock is clock


def test_argumentsArePassedOn(clock: Clock) -> None:
    got: list[Any] = []
    loop = LoopingCall(lambda *args, **kw: got.append((args, kw)), 1, key=2)
    loop.clock = clock

    loop.start(1)
    loop.stop()

    assert got == [((1,), {"key": 2})]


def test_intervalZeroCallsEachTurn(clock: Clock) -> None:
    called: list[float] = []

    def count() -> None:
        called.append(clock.seconds())
        if len(called) == 3:
            loop.stop()

    loop = looping(clock, count)
    done = outcome(loop.start(0, now=False))
    clock.advance(0)

    assert called == [0, 0, 0]
    assert done == [loop]


def test_stopFiresWithTheLoop(clock: Clock) -> None:
    loop = looping(clock, list)
    done = outcome(loop.start(1))
    assert (done, loop.running) == ([], True)

    loop.stop()

    assert (done, loop.running) == ([loop], False)
    assert clock.getDelayedCalls() == []


def test_stopFromInsideTheFunction(clock: Clock) -> None:
    loop = looping(clock, lambda: loop.stop())
    assert outcome(loop.start(1)) == [loop]
    assert clock.getDelayedCalls() == []


def test_anErrorEndsTheLoop(clock: Clock) -> None:
    loop = looping(clock, lambda: 1 / 0)
    (result,) = outcome(loop.start(1))

    assert isinstance(result, Failure)
    assert result.check(ZeroDivisionError)
    assert not loop.running
    assert clock.getDelayedCalls() == []


def test_aFailedDeferredEndsTheLoop(clock: Clock) -> None:
    loop = looping(clock, lambda: fail(KeyError("x")))
    (result,) = outcome(loop.start(1))
    assert result.check(KeyError)


def test_aClockThatRefusesEndsTheLoop() -> None:
    class Broken(Clock):
        def callLater(self, *args: Any, **kw: Any) -> Any:
            raise OSError("no more calls")

    loop = looping(Broken(), list)
    (result,) = outcome(loop.start(1))
    assert result.check(OSError)
    assert not loop.running


def test_itWaitsForADeferred(clock: Clock) -> None:
    waiting: list[Deferred[None]] = []

    def wait() -> Deferred[None]:
        waiting.append(Deferred())
        return waiting[-1]

    loop = looping(clock, wait)
    done = outcome(loop.start(1))
    clock.advance(2.5)
    assert len(waiting) == 1

    waiting[0].callback(None)
    assert [call.getTime() for call in clock.getDelayedCalls()] == [3]

    clock.advance(0.5)
    loop.stop()
    assert done == [], "it was stopped, and its function is still at work"
    waiting[1].callback(None)
    assert done == [loop]


def test_itWaitsForACoroutine(clock: Clock) -> None:
    ready: Deferred[None] = Deferred()
    ended: list[float] = []

    async def wait() -> None:
        await ready
        ended.append(clock.seconds())

    loop = looping(clock, wait)
    loop.start(1)
    clock.advance(1.5)
    assert clock.getDelayedCalls() == []

    ready.callback(None)

    assert ended == [1.5]
    loop.stop()


def test_resetMovesTheGrid(clock: Clock) -> None:
    called: list[float] = []
    loop = looping(clock, lambda: called.append(clock.seconds()))
    loop.start(1)
    clock.advance(0.75)
    loop.reset()

    clock.pump([0.5, 0.5, 0.5, 0.5])

    assert called == [0, 1.75, 2.75]
    loop.stop()


def test_resetWhileTheFunctionIsAtWorkDoesNothing(clock: Clock) -> None:
    ready: Deferred[None] = Deferred()
    loop = looping(clock, lambda: ready)
    loop.start(1)
    clock.advance(0.25)
    loop.reset()
    ready.callback(None)

    assert [call.getTime() for call in clock.getDelayedCalls()] == [1]
    loop.stop()


def test_aLoopCanBeStartedAgain(clock: Clock) -> None:
    called: list[float] = []
    loop = looping(clock, lambda: called.append(clock.seconds()))
    loop.start(1)
    loop.stop()
    clock.advance(0.5)
    loop.start(2)
    clock.advance(2)
    loop.stop()

    assert called == [0, 0.5, 2.5]


@pytest.mark.parametrize(
    ("steps", "counts"),
    [
        ([1, 1, 1], [1, 1, 1, 1]),
        ([1.01, 2.99], [1, 1, 3]),
        ([0.5, 3, 0.25], [1, 3]),
    ],
    ids=["on time", "one late", "between the points"],
)
def test_withCountTellsWhatWasLeftOut(clock: Clock, steps: list[float], counts: list[int]) -> None:
    loop, told = counting(clock)
    loop.start(1)

    clock.pump(steps)

    assert told == counts
    loop.stop()


def test_withCountNotNowCountsFromTheStart(clock: Clock) -> None:
    loop, told = counting(clock)
    loop.start(1, now=False)
    clock.advance(2)
    assert told == [2]
    loop.stop()


def test_withCountIsOneForIntervalZero(clock: Clock) -> None:
    loop, told = counting(clock)
    loop.start(0)
    loop.stop()
    clock.advance(10)
    assert told == [1]


@pytest.mark.skipif(vocabulary == "twisted", reason="Twisted's counts the time that the loop did not run")
def test_withCountDoesNotCountTheTimeBetweenStopAndStart(clock: Clock) -> None:
    loop, told = counting(clock)
    loop.start(1)
    loop.stop()
    clock.advance(10)
    loop.start(1)
    loop.stop()
    assert told == [1, 1]


def test_aNegativeIntervalIsRefused(clock: Clock) -> None:
    with pytest.raises(ValueError, match="interval must be >= 0"):
        looping(clock, list).start(-1)


def test_misuseIsAnAssertionError(clock: Clock) -> None:
    loop = looping(clock, list)
    for misuse in (loop.stop, loop.reset):
        with pytest.raises(AssertionError):
            misuse()
    loop.start(1)
    with pytest.raises(AssertionError):
        loop.start(1)
    loop.stop()


def test_theAttributeDeferredIsDeprecated(clock: Clock) -> None:
    loop = looping(clock, list)
    done = loop.start(1)
    with pytest.warns(DeprecationWarning, match="LoopingCall.deferred was deprecated in Twisted 16.0.0"):
        assert loop.deferred is done
    loop.stop()


def test_reprNamesTheFunction() -> None:
    assert repr(LoopingCall(looping, 1, key=2)) == "LoopingCall<None>(looping, *(1,), **{'key': 2})"
    assert repr(LoopingCall(Clock.advance)) == "LoopingCall<None>(Clock.advance, *(), **{})"
