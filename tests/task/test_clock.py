"""`task.Clock` and the calls that it schedules."""

from __future__ import annotations

from typing import Any

import pytest
from zope.interface.verify import verifyObject

from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.error import AlreadyCalled, AlreadyCancelled
from twisted_endpoints.interfaces import IDelayedCall, IReactorTime
from twisted_endpoints.task import Clock

builtinOnly = pytest.mark.skipif(vocabulary == "twisted", reason="Twisted's repr, or its live list, differs")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(clock: Clock) -> list[tuple[str, float]]:
    return []


def schedule(clock: Clock, log: list[tuple[str, float]], **delays: float) -> dict[str, Any]:
    """Schedule a call for each name, that logs the name and the time."""
    return {
        name: clock.callLater(delay, lambda name=name: log.append((name, clock.seconds())))
        for name, delay in delays.items()
    }


def test_providesItsInterfaces(clock: Clock) -> None:
    verifyObject(IReactorTime, clock)
    verifyObject(IDelayedCall, clock.callLater(1, print))


def test_timeMovesOnlyByAdvance(clock: Clock) -> None:
    assert clock.seconds() == 0
    clock.advance(2.5)
    clock.pump([1, 0.5])
    assert clock.seconds() == clock.rightNow == 4


def test_callsRunInTheOrderOfTheirTimes(clock: Clock, log: list[tuple[str, float]]) -> None:
    schedule(clock, log, c=3, a=1, b=2, second=2)

    clock.pump([1, 1, 1])

    assert log == [("a", 1), ("b", 2), ("second", 2), ("c", 3)]
    assert clock.getDelayedCalls() == []


def test_whatIsDueSeesTheNewTime(clock: Clock, log: list[tuple[str, float]]) -> None:
    schedule(clock, log, a=1, b=2, later=6)

    clock.advance(5)

    assert log == [("a", 5), ("b", 5)]


def test_argumentsArePassedOn(clock: Clock) -> None:
    got: list[Any] = []
    clock.callLater(0, lambda *args, **kw: got.append((args, kw)), 1, 2, key=3)

    clock.advance(0)

    assert got == [((1, 2), {"key": 3})]


def test_aCallThatSchedulesForNowRunsInTheSameAdvance(clock: Clock, log: list[tuple[str, float]]) -> None:
    clock.callLater(1, lambda: schedule(clock, log, next=0, late=0.5))

    clock.advance(1)

    assert log == [("next", 1)]


def test_anErrorLeavesTheRestScheduled(clock: Clock, log: list[tuple[str, float]]) -> None:
    clock.callLater(1, lambda: 1 / 0)
    schedule(clock, log, other=1)

    with pytest.raises(ZeroDivisionError):
        clock.advance(1)
    clock.advance(0)

    assert log == [("other", 1)]


@pytest.mark.parametrize(
    ("change", "times"),
    [
        (lambda call: call.reset(3), [("b", 2), ("a", 3)]),
        (lambda call: call.reset(0.5), [("a", 1), ("b", 2)]),
        (lambda call: call.delay(2), [("b", 2), ("a", 3)]),
        (lambda call: call.delay(-0.5), [("a", 1), ("b", 2)]),
        (lambda call: call.cancel(), [("b", 2)]),
    ],
    ids=["reset later", "reset sooner", "delay", "delay by less than nothing", "cancel"],
)
def test_aScheduledCallCanBeChanged(
    clock: Clock, log: list[tuple[str, float]], change: Any, times: list[tuple[str, float]]
) -> None:
    calls = schedule(clock, log, a=1, b=2)
    change(calls["a"])

    clock.pump([1, 1, 1])

    assert log == times


def test_resetCountsFromNow(clock: Clock) -> None:
    call = clock.callLater(5, print)
    clock.advance(1)
    call.reset(2)
    assert call.getTime() == 3
    call.delay(4)
    assert call.getTime() == 7


def test_aCallThatRanCanNotBeChanged(clock: Clock) -> None:
    errors: list[Any] = []

    def fromInside() -> None:
        with pytest.raises(AlreadyCalled):
            call.cancel()
        errors.append(call.active())

    call = clock.callLater(0, fromInside)
    clock.advance(0)

    assert errors == [False]
    for change in (call.cancel, lambda: call.reset(1), lambda: call.delay(1)):
        with pytest.raises(AlreadyCalled):
            change()


def test_aCancelledCallCanNotBeChanged(clock: Clock) -> None:
    call = clock.callLater(0, print)
    assert call.active()
    call.cancel()
    assert not call.active()
    for change in (call.cancel, lambda: call.reset(1), lambda: call.delay(1)):
        with pytest.raises(AlreadyCancelled):
            change()


@builtinOnly
def test_whatIsListedCanBeCancelledInALoop(clock: Clock, log: list[tuple[str, float]]) -> None:
    schedule(clock, log, a=1, b=2, c=3)
    for call in clock.getDelayedCalls():
        call.cancel()
    assert clock.getDelayedCalls() == []


def noted(*args: Any, **kw: Any) -> None:
    pass


def test_reprTellsWhatAndWhen(clock: Clock) -> None:
    call = clock.callLater(2.5, noted, 1, key="x")
    assert repr(call) == str(call)
    assert repr(call) == f"<DelayedCall {id(call):#x} [2.5s] called=0 cancelled=0 noted(1, key='x')>"
    call.cancel()
    assert repr(call) == f"<DelayedCall {id(call):#x} [2.5s] called=0 cancelled=1>"
    called = clock.callLater(0, noted)
    clock.advance(1)
    assert repr(called) == f"<DelayedCall {id(called):#x} [-1.0s] called=1 cancelled=0 noted()>"


def test_reprHoldsWhateverIsPassed(clock: Clock) -> None:
    class Odd:
        def __repr__(self) -> str:
            raise ValueError("no repr")

    text = repr(clock.callLater(1, noted, Odd(), odd=Odd()))
    assert text.count("Odd") >= 2
    assert text.count("ValueError") >= 2


def test_debugRemembersWhereACallWasMade(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = type(clock.callLater(0, noted))
    before = clock.callLater(1, noted)
    monkeypatch.setattr(kind, "debug", True)
    call = clock.callLater(1, noted)
    call.cancel()
    assert before.creator is None
    assert "in test_debugRemembersWhereACallWasMade" in (call.creator or [""])[-1]
    text = repr(call)
    assert "cancelled=1 noted()\n\ntraceback at creation: \n\n" in text
    assert "in test_debugRemembersWhereACallWasMade" in text


@pytest.mark.parametrize(
    ("steps", "time", "put_off"),
    [
        ([("delay", 2)], 5, 2),
        ([("delay", 2), ("delay", -1)], 5, 1),
        ([("delay", -2)], 3, 0),
        ([("delay", 2), ("delay", -3)], 4, 0),
        ([("reset", 7)], 5, 3),
        ([("reset", 1)], 2, 0),
        ([("reset", 7), ("activate_delay",)], 8, 0),
    ],
)
def test_howLongACallWasPutOffIsKeptApart(clock: Clock, steps: Any, time: float, put_off: float) -> None:
    call: Any = clock.callLater(5, noted)
    clock.advance(1)
    for name, *args in steps:
        getattr(call, name)(*args)
    assert (call.time, call.delayed_time, call.getTime()) == (time, put_off, time + put_off)
    clock.advance(time + put_off - clock.seconds())
    assert call.called
