"""When the memory of many streams is given back."""

from __future__ import annotations

import pytest

from twisted_endpoints.cli._memory import CROWD, DELAY, Thrift
from twisted_endpoints.task import Clock


class Watched(Thrift):
    """One whose streams open and end when the test says so."""

    def __init__(self) -> None:
        self.given = 0
        self.clock = Clock()
        super().__init__(self.clock)

    def _giveBack(self) -> None:
        super()._giveBack()
        self.given += 1

    def go(self, before: int, after: int) -> None:
        """One stream after the other opens or ends."""
        step = 1 if after > before else -1
        for streams in range(before + step, after + step, step):
            self.count(streams)


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_afterACrowdMemoryIsGivenBackOnce(watched: Watched) -> None:
    for given in range(2):
        watched.go(0, CROWD)
        watched.go(CROWD, 0)
        assert watched.given == given
        watched.clock.advance(DELAY)
        assert watched.given == given + 1
        watched.clock.advance(10 * DELAY)
        assert watched.given == given + 1


def test_thatOfTheLastFollows(watched: Watched) -> None:
    last = CROWD // 10
    watched.go(0, CROWD)
    watched.go(CROWD, last)
    watched.clock.advance(DELAY)
    assert watched.given == 1
    watched.go(last, 1)
    watched.clock.advance(DELAY)
    assert watched.given == 2
    # Somebody else is another matter.
    watched.go(1, last)
    watched.go(last, 0)
    watched.clock.advance(DELAY)
    assert watched.given == 2


@pytest.mark.parametrize(("most", "left"), [(CROWD - 1, 0), (CROWD, CROWD // 10 + 1), (1, 0)])
def test_fewAreNoCrowdAndManyAreStillOne(watched: Watched, most: int, left: int) -> None:
    watched.go(0, most)
    watched.go(most, left)
    watched.clock.advance(10 * DELAY)
    assert watched.given == 0


def test_aCrowdThatIsBackAgainKeepsItsMemory(watched: Watched) -> None:
    watched.go(0, CROWD)
    watched.go(CROWD, 0)
    watched.go(0, CROWD)
    watched.clock.advance(DELAY)
    assert watched.given == 0
    watched.go(CROWD, 0)
    watched.clock.advance(DELAY)
    assert watched.given == 1


def test_stopLeavesNoCall(watched: Watched) -> None:
    watched.go(0, CROWD)
    watched.go(CROWD, 0)
    watched.stop()
    assert watched.clock.getDelayedCalls() == []
    watched.stop()


def test_whereTheLibraryKnowsNoTrimNothingIsTrimmed(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ctypes.CDLL", lambda name: object())
    watched.go(0, CROWD)
    watched.go(CROWD, 0)
    watched.clock.advance(DELAY)
    assert watched.given == 1
