"""When the memory of many streams is given back."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

import pytest

from twisted_endpoints.cli import _memory
from twisted_endpoints.cli._memory import CROWD, DELAY, Thrift, giveBack, useSystemsAllocator
from twisted_endpoints.task import Clock


class Watched(Thrift):
    """One whose streams open and end when the test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.given = 0
        self.clock = Clock()
        super().__init__(self.clock)
        monkeypatch.setattr(_memory, "giveBack", self._give)

    def _give(self) -> None:
        giveBack()
        self.given += 1

    def go(self, before: int, after: int) -> None:
        """One stream after the other opens or ends."""
        step = 1 if after > before else -1
        for streams in range(before + step, after + step, step):
            self.count(streams)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    return Watched(monkeypatch)


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


class Starts:
    """Keeps what would be started in place of this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[tuple[str, Sequence[str], Mapping[str, str]]] = []
        monkeypatch.setattr("os.execve", lambda *arguments: self.calls.append(arguments))
        monkeypatch.delenv("PYTHONMALLOC", raising=False)


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> Starts:
    return Starts(monkeypatch)


@pytest.mark.skipif("CS_GNU_LIBC_VERSION" not in os.confstr_names, reason="it is for glibc")
def test_theProgramIsStartedAnewOnceAndItsChildrenKnowNothing(
    starts: Starts, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = dict(os.environ)
    useSystemsAllocator()
    ((program, arguments, environment),) = starts.calls
    assert (program, arguments, environment["PYTHONMALLOC"]) == (sys.executable, sys.orig_argv, "malloc")
    for name in environment.keys() - before.keys():
        monkeypatch.setenv(name, environment[name])
    useSystemsAllocator()
    assert (len(starts.calls), dict(os.environ)) == (1, before)


def test_anAllocatorOfTheUsersStays(starts: Starts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONMALLOC", "debug")
    useSystemsAllocator()
    assert (starts.calls, os.environ["PYTHONMALLOC"]) == ([], "debug")
