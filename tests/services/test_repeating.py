"""`TimerService` and `CooperatorService`."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import pytest

from tests.asyncioreactor.logged import loggedErrors
from tests.installing import install
from twisted_endpoints import _installed
from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.defer import Deferred
from twisted_endpoints.services import CooperatorService, TimerService
from twisted_endpoints.task import Clock

from .test_client import results


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The reactor, which Twisted's LoopingCall would install otherwise."""
    reactor = Clock()
    install(monkeypatch, reactor)
    return reactor


def test_itCallsAtOnceAndThenEachStep() -> None:
    calls: list[float] = []
    clock = Clock()
    timer = TimerService(2.5, lambda: calls.append(clock.seconds()))
    timer.clock = clock
    timer.startService()
    clock.pump([2.5] * 3)
    assert calls == [0, 2.5, 5, 7.5]
    assert results(timer.stopService()) == [None]
    clock.advance(10)
    assert len(calls) == 4
    assert not timer.running
    timer.startService()
    assert len(calls) == 5
    timer.stopService()


def test_itGivesTheFunctionItsArguments() -> None:
    calls: list[Any] = []
    timer = TimerService(1, lambda *args, **kwargs: calls.append((args, kwargs)), 1, two=2)
    timer.clock = Clock()
    timer.startService()
    assert calls == [((1,), {"two": 2})]
    timer.stopService()


def test_toStopWaitsForTheLastCall() -> None:
    call: Deferred[None] = Deferred()
    timer = TimerService(1, lambda: call)
    timer.clock = Clock()
    timer.startService()
    stopped = results(timer.stopService())
    assert (stopped, bool(timer.running)) == ([], True)
    call.callback(None)
    assert (stopped, bool(timer.running)) == ([None], False)


def test_aCallThatFailsIsLoggedAndTheLast() -> None:
    timer = TimerService(1, lambda: 1 / 0)
    clock = timer.clock = Clock()
    with loggedErrors() as logged:
        timer.startService()
        clock.advance(10)
        assert results(timer.stopService()) == [None]
    assert logged == [ZeroDivisionError]


def test_itIsPickledWithoutWhatRuns() -> None:
    timer = TimerService(1, print, "a", end="")
    clock = timer.clock = Clock()
    timer.startService()
    timer.clock = None  # a clock can't be pickled
    copy = pickle.loads(pickle.dumps(timer))
    assert (copy.step, copy.call, bool(copy.running)) == (1, (print, ("a",), {"end": ""}), False)
    assert not hasattr(copy, "_loop")
    timer.stopService()
    assert clock.getDelayedCalls() == []


@pytest.mark.skipif(vocabulary == "twisted", reason="Twisted's service fails at this")
def test_toStopWhatWasNotStartedIsNoError() -> None:
    assert results(TimerService(1, int).stopService()) == [None]


def test_theReactorOfTheProcessTellsTheTime(installed: Clock) -> None:
    timer = TimerService(1, int)
    timer.startService()
    assert len(installed.getDelayedCalls()) == 1
    timer.stopService()


def test_aReactorThatIsGivenIsTaken() -> None:
    given = object()
    assert _installed.reactorOr(given) is given


def test_iteratorsGoOnWhileTheServiceRuns() -> None:
    done: list[int] = []
    clock = Clock()

    def steps() -> Iterator[None]:
        for number in range(3):
            done.append(number)
            yield

    service = CooperatorService()
    service.coop._scheduler = lambda call: clock.callLater(0, call)
    finished = results(service.coiterate(steps()))
    clock.pump([1] * 3)
    assert done == []
    service.startService()
    clock.pump([1] * 3)
    assert (done, len(finished)) == ([0, 1, 2], 1)
    service.stopService()
