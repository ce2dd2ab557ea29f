from __future__ import annotations

import asyncio
from typing import Any

import pytest

from twisted_endpoints import error
from twisted_endpoints.asyncioreactor.limits import _KEPT, Limits


class Timer:
    def __init__(self, at: float, function: Any) -> None:
        self.at = at
        self.function = function
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Loop:
    """A clock, and whom it has to call; what should be called soon is called at once."""

    def __init__(self) -> None:
        self.now = 100.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, function: Any) -> Timer:
        self.timers.append(Timer(self.now + delay, function))
        return self.timers[-1]

    def call_soon(self, function: Any, *args: Any) -> None:
        function(*args)

    def due(self) -> list[float]:
        return sorted(timer.at for timer in self.timers if not timer.cancelled)

    def runUntil(self, now: float) -> None:
        while self.due() and self.due()[0] <= now:
            timer = min((timer for timer in self.timers if not timer.cancelled), key=lambda timer: timer.at)
            self.timers.remove(timer)
            self.now = timer.at
            timer.function()
        self.now = now


class Attempt:
    """An attempt's stream and its owner in one."""

    def __init__(self) -> None:
        self._owner = self
        self.failures: list[BaseException] = []

    def _fail(self, stream: Any, reason: BaseException) -> None:
        assert stream is self
        self.failures.append(reason)


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def limits(loop: Any) -> Limits:
    return Limits(loop)


def test_eachAttemptFailsWhenItIsDueByOneTimer(loop: Loop, limits: Limits) -> None:
    first, second = Attempt(), Attempt()
    limits[30].begin(first)
    loop.now += 10
    limits[30].begin(second)
    assert loop.due() == [130]

    loop.runUntil(130)
    assert [type(each) for each in first.failures] == [error.TimeoutError]
    assert second.failures == []
    assert loop.due() == [140]

    loop.runUntil(140)
    assert [type(each) for each in second.failures] == [error.TimeoutError]
    assert loop.due() == []


def test_anAttemptThatHasEndedIsNotTold(loop: Loop, limits: Limits) -> None:
    first, second = Attempt(), Attempt()
    limits[30].begin(first)
    limits[30].end(first)
    loop.now += 10
    limits[30].begin(second)
    limits[30].end(second)
    # One timer, which learns that there is nobody.
    assert loop.due() == [130]
    loop.runUntil(130)
    assert loop.due() == []
    assert first.failures == second.failures == []


def test_limitsOfDifferentLengthsAreIndependent(loop: Loop, limits: Limits) -> None:
    long, short = Attempt(), Attempt()
    limits[30].begin(long)
    limits[1].begin(short)
    loop.runUntil(101)
    assert (len(short.failures), len(long.failures)) == (1, 0)


def test_aTimerThatComesEarlyIsSetAgain(loop: Loop, limits: Limits) -> None:
    attempt = Attempt()
    limits[30].begin(attempt)
    (timer,) = loop.timers
    loop.timers.clear()
    loop.now += 29.5
    timer.function()
    assert attempt.failures == []
    assert loop.due() == [130]
    limits[30].end(attempt)


def test_aThousandDifferentLimitsLeaveFewTimers(loop: Loop, limits: Limits) -> None:
    for number in range(1000):
        attempt, limit = Attempt(), limits[30 + number / 1000]
        limit.begin(attempt)
        limit.end(attempt)
    assert len(loop.due()) <= _KEPT
    assert len(limits) <= _KEPT


def test_aThousandDifferentLimitsThatHavePassedAreForgotten(loop: Loop, limits: Limits) -> None:
    for number in range(1000):
        attempt, limit = Attempt(), limits[1 + number / 1000]
        limit.begin(attempt)
        loop.runUntil(loop.now + 3)
        assert attempt.failures
        limit.end(attempt)
    assert len(limits) <= _KEPT


def test_aLimitThatIsStillNeededIsNotForgotten(loop: Loop, limits: Limits) -> None:
    attempts = [Attempt() for _ in range(2 * _KEPT)]
    for number, attempt in enumerate(attempts):
        limits[1 + number].begin(attempt)
    loop.runUntil(200)
    assert all(len(attempt.failures) == 1 for attempt in attempts)


def test_theLoopsOwnTimersDo() -> None:
    async def main() -> list[BaseException]:
        loop = asyncio.get_running_loop()
        attempt = Attempt()
        Limits(loop)[0.001].begin(attempt)
        while not attempt.failures:
            await asyncio.sleep(0)
        return attempt.failures

    (reason,) = asyncio.run(main())
    assert isinstance(reason, error.TimeoutError)
