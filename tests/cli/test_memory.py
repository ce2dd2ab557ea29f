"""When the memory of many streams is given back."""

from __future__ import annotations

import pytest

from twisted_endpoints.cli import _memory
from twisted_endpoints.cli._memory import CROWD, DELAY, Thrift, giveBack
from twisted_endpoints.task import Clock


class Watched:
    """A `Thrift` whose streams end when the test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.given = 0
        self.clock = Clock()
        self.thrift = Thrift(self.clock)
        monkeypatch.setattr(_memory, "giveBack", self._giveBack)

    def _giveBack(self) -> None:
        self.given += 1

    def end(self, before: int, after: int) -> None:
        """One stream after the other ends."""
        for left in range(before - 1, after - 1, -1):
            self.thrift.ended(left)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    return Watched(monkeypatch)


@pytest.mark.parametrize("left", [0, CROWD // 10])
def test_afterACrowdMemoryIsGivenBackOnce(watched: Watched, left: int) -> None:
    watched.end(CROWD, left)
    assert watched.given == 0
    watched.clock.advance(DELAY)
    assert watched.given == 1
    watched.end(left, 0)
    watched.clock.advance(10 * DELAY)
    assert watched.given == 1
    watched.end(CROWD, 0)
    watched.clock.advance(DELAY)
    assert watched.given == 2


@pytest.mark.parametrize(("before", "after"), [(CROWD - 1, 0), (CROWD, CROWD // 10 + 1), (1, 0)])
def test_fewAreNoCrowdAndManyAreStillOne(watched: Watched, before: int, after: int) -> None:
    watched.end(before, after)
    watched.clock.advance(10 * DELAY)
    assert watched.given == 0


def test_aCrowdThatIsBackAgainKeepsItsMemory(watched: Watched) -> None:
    watched.end(CROWD, 0)
    watched.end(CROWD, CROWD - 1)
    watched.clock.advance(DELAY)
    assert watched.given == 0
    watched.end(CROWD, 0)
    watched.clock.advance(DELAY)
    assert watched.given == 1


def test_stopLeavesNoCall(watched: Watched) -> None:
    watched.end(CROWD, 0)
    watched.thrift.stop()
    assert watched.clock.getDelayedCalls() == []
    watched.thrift.stop()


def test_whereTheLibraryKnowsNoTrimNothingIsTrimmed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctypes.CDLL", lambda name: object())
    giveBack()
