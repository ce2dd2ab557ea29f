from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zope.interface.verify import verifyObject

from twisted_endpoints import error
from twisted_endpoints.asyncioreactor.timers import DelayedCall, Timers
from twisted_endpoints.interfaces import IDelayedCall

from .fakes import FakeLoop
from .logged import loggedErrors


class Scene:
    """Delayed calls on a fake loop, and when each was made."""

    def __init__(self) -> None:
        self.loop = FakeLoop()
        self.clock = Timers(self.loop)  # type: ignore[arg-type]
        self.start = self.loop.now
        self.made: list[tuple[float, Any]] = []

    def note(self, name: Any) -> None:
        self.made.append((round(self.loop.now - self.start, 6), name))

    def later(self, delay: float, name: Any = "call") -> DelayedCall:
        return self.clock.callLater(delay, self.note, name)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_aDelayedCallProvidesIDelayedCall(scene: Scene) -> None:
    assert verifyObject(IDelayedCall, scene.later(1))


def test_callsAreMadeAtTheirTimesInOrder(scene: Scene) -> None:
    for delay, name in [(2, "c"), (1, "b"), (0, "a"), (2, "d"), (1.5, "e"), (0, "A")]:
        scene.later(delay, name)
    scene.loop.advance(3)
    assert scene.made == [(0, "a"), (0, "A"), (1, "b"), (1.5, "e"), (2, "c"), (2, "d")]
    assert scene.clock.getDelayedCalls() == []
    assert scene.loop.pending() == []


def test_argumentsArePassedOn(scene: Scene) -> None:
    got: list[Any] = []
    scene.clock.callLater(0, lambda *args, **kw: got.append((args, kw)), 1, 2, three=3)
    scene.clock.callLater(1, lambda *args, **kw: got.append((args, kw)))
    scene.loop.advance(1)
    assert got == [((1, 2), {"three": 3}), ((), {})]


@pytest.mark.parametrize("delay", [-1, -0.001, float("nan")])
def test_aDelayThatIsNoneIsRefused(scene: Scene, delay: float) -> None:
    with pytest.raises(AssertionError, match="not greater than or equal to 0"):
        scene.later(delay)
    assert scene.clock.getDelayedCalls() == []


def test_aCallWithoutDelayMadeInACallWaitsForTheNextRound(scene: Scene) -> None:
    rounds: list[int] = []

    def again() -> None:
        rounds.append(len(scene.loop.timers))
        if len(rounds) < 3:
            scene.clock.callLater(0, again)

    scene.clock.callLater(0, again)
    scene.loop.advance(0)
    assert rounds == [1, 2, 3]


# What is done to a call that is due after 10 seconds, when it is then made, and with how many timers of the
# loop: one for each entry that came up first, in force or not.
MOVES: list[tuple[str, list[tuple[float, Callable[[DelayedCall], None]]], float, int]] = [
    ("left alone", [], 10, 1),
    ("put off", [(5, lambda call: call.delay(3))], 13, 2),
    ("put off twice", [(5, lambda call: call.reset(10)), (9, lambda call: call.reset(10))], 19, 2),
    ("brought forward", [(5, lambda call: call.reset(1))], 6, 3),
    ("brought forward by a negative delay", [(5, lambda call: call.delay(-3))], 7, 3),
    ("brought forward to the past", [(5, lambda call: call.delay(-8))], 5, 3),
    ("put off, then back", [(5, lambda call: call.delay(8)), (6, lambda call: call.delay(-8))], 10, 1),
    ("put off, then forward", [(1, lambda call: call.delay(9)), (2, lambda call: call.reset(1))], 3, 3),
]


@pytest.mark.parametrize(
    ("moves", "made", "timers"), [row[1:] for row in MOVES], ids=[row[0] for row in MOVES]
)
def test_aCallThatIsMovedIsMadeOnceAtItsNewTime(
    scene: Scene, moves: list[tuple[float, Callable[[DelayedCall], None]]], made: float, timers: int
) -> None:
    call = scene.later(10)
    for when, move in moves:
        scene.loop.advance(scene.start + when - scene.loop.now)
        move(call)
        assert call.active()
    scene.loop.advance(100)
    assert scene.made == [(made, "call")]
    assert len(scene.loop.timers) == timers


def test_theTimeOfACallFollowsItsMoves(scene: Scene) -> None:
    call = scene.later(10)
    began = scene.clock.seconds()
    scene.loop.advance(4)
    assert call.getTime() - began == 10
    call.delay(3)
    assert call.getTime() - began == 13
    call.delay(-8)
    assert call.getTime() - began == 5
    call.reset(2)
    assert call.getTime() - began == 6


def test_aCallWithoutDelayCanBePutOff(scene: Scene) -> None:
    scene.later(0).delay(2)
    scene.loop.advance(5)
    assert scene.made == [(2, "call")]


def test_aCallThatWasCancelledIsNotMade(scene: Scene) -> None:
    for delay in (0, 1):
        call = scene.later(delay)
        call.cancel()
        assert not call.active()
        assert call.cancelled
        with pytest.raises(error.AlreadyCancelled):
            call.cancel()
        with pytest.raises(error.AlreadyCancelled):
            call.reset(1)
        with pytest.raises(error.AlreadyCancelled):
            call.delay(1)
    assert scene.clock.getDelayedCalls() == []
    scene.loop.advance(2)
    assert scene.made == []


def test_aCallThatWasMadeCanNotBeMoved(scene: Scene) -> None:
    call = scene.later(0)
    scene.loop.advance(0)
    assert call.called
    assert not call.active()
    for refused in (call.cancel, lambda: call.reset(1), lambda: call.delay(1)):
        with pytest.raises(error.AlreadyCalled):
            refused()


def test_aCallIsNotActiveWhileItIsMade(scene: Scene) -> None:
    seen: list[Any] = []
    call = scene.clock.callLater(1, lambda: seen.append((call.active(), scene.clock.getDelayedCalls())))
    scene.loop.advance(1)
    assert seen == [(False, [])]


def test_whatACancelledCallWasGivenIsForgotten(scene: Scene) -> None:
    class Large:
        pass

    large = Large()
    reference = weakref.ref(large)
    call = scene.clock.callLater(1, print, large, key=large)
    call.cancel()
    del large
    gc.collect()
    assert reference() is None


def test_whatACallRaisesIsLoggedAndTheOthersAreMade(scene: Scene) -> None:
    scene.clock.callLater(1, lambda: 1 / 0)
    scene.later(1)
    with loggedErrors() as errors:
        scene.loop.advance(1)
    assert errors == [ZeroDivisionError]
    assert scene.made == [(1, "call")]


def test_whatEndsAProgramIsNotLoggedAndTheOthersStayScheduled(scene: Scene) -> None:
    def end() -> None:
        raise SystemExit(3)

    scene.clock.callLater(1, end)
    scene.later(1)
    with pytest.raises(SystemExit):
        scene.loop.advance(1)
    scene.loop.advance(0)
    assert scene.made == [(1, "call")]


def test_cancelledCallsDoNotPileUp(scene: Scene) -> None:
    kept = [scene.later(1000 + n, n) for n in range(10)]
    for _ in range(10_000):
        scene.later(500).cancel()
    assert len(scene.clock._entries) < 200
    assert sorted(scene.clock.getDelayedCalls(), key=kept.index) == kept
    scene.loop.advance(2000)
    assert scene.made == [(1000 + n, n) for n in range(10)]


def test_theReprSaysWhatIsCalledAndWhen(scene: Scene) -> None:
    call = scene.clock.callLater(5, sorted, [3], reverse=True)
    assert repr(call) == f"<DelayedCall {id(call):#x} [5.0s] called=0 cancelled=0 sorted([3], reverse=True)>"
    call.cancel()
    assert repr(call) == f"<DelayedCall {id(call):#x} [5.0s] called=0 cancelled=1>"


def test_debugRemembersWhereACallWasMade(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DelayedCall, "debug", True)
    assert "test_debugRemembersWhereACallWasMade" in repr(scene.later(1))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["later", "cancel", "reset", "delay", "advance"]),
            st.integers(0, 5),
            st.integers(-4, 8),
        ),
        max_size=60,
    )
)
def test_anySequenceOfStepsDoesWhatAPlainListWould(steps: list[tuple[str, int, int]]) -> None:
    scene = Scene()
    wanted: dict[int, float] = {}
    calls: list[DelayedCall] = []
    made: list[tuple[float, int]] = []
    for step, which, number in steps:
        now = scene.loop.now - scene.start
        if step == "later":
            wanted[len(calls)] = now + abs(number)
            calls.append(scene.later(abs(number), len(calls)))
        elif step == "advance":
            scene.loop.advance(abs(number))
            due = [(max(now, at), n) for n, at in wanted.items() if at <= now + abs(number)]
            made += sorted(due)
            for _, n in due:
                del wanted[n]
        elif which in wanted:
            if step == "cancel":
                calls[which].cancel()
                del wanted[which]
            elif step == "reset":
                calls[which].reset(number)
                wanted[which] = now + number
            else:
                calls[which].delay(number)
                wanted[which] += number
    assert {call.args[0] for call in scene.clock.getDelayedCalls()} == set(wanted)
    scene.loop.advance(1000)
    assert sorted(scene.made[: len(made)]) == sorted(made)
    assert {n for _, n in scene.made[len(made) :]} == set(wanted)
    assert scene.loop.pending() == []


def test_delayedCallsOnARealLoop(reactor: Any) -> None:
    made: list[str] = []
    began = reactor.seconds()
    ended: list[float] = []
    reactor.callLater(0.02, reactor.stop)
    reactor.callLater(0.0104, lambda: (made.append("c"), ended.append(reactor.seconds())))
    reactor.callLater(0.001, made.append, "b")
    reactor.callLater(0, made.append, "a")
    reactor.callLater(2**100, made.append, "never").cancel()
    reactor.run(installSignalHandlers=False)
    assert made == ["a", "b", "c"]
    assert ended[0] >= began + 0.0104


def test_theTimeGoesOnWithinACallback(reactor: Any) -> None:
    seen: list[float] = []

    def look() -> None:
        seen.append(reactor.seconds())
        while reactor.seconds() == seen[0]:
            pass
        reactor.stop()

    reactor.callLater(0, look)
    reactor.run(installSignalHandlers=False)
    assert len(seen) == 1
