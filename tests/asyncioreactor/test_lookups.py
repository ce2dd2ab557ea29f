from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from twisted_endpoints.asyncioreactor import lookups as module
from twisted_endpoints.asyncioreactor.lookups import Lookups

from .logged import loggedErrors

#: Seconds that no test takes: whoever has to wait for so long to be overdue never is.
NEVER = 1000.0


class Calls:
    """Functions that wait until they are let go; `made` are those that have begun."""

    def __init__(self) -> None:
        self.made: list[Any] = []
        self.busiest = 0
        self._now = 0
        self._begun = threading.Semaphore(0)
        self._letGo = threading.Event()
        self._lock = threading.Lock()

    def hang(self, what: Any) -> None:
        self._note(what, 1)
        self._letGo.wait(20)
        with self._lock:
            self._now -= 1

    def pass_(self, what: Any) -> None:
        self._note(what, 0)

    def _note(self, what: Any, more: int) -> None:
        with self._lock:
            self.made.append(what)
            self._now += more
            self.busiest = max(self.busiest, self._now)
        self._begun.release()

    def waitFor(self, number: int) -> None:
        """Wait until so many more have begun."""
        for _ in range(number):
            assert self._begun.acquire(timeout=20)

    def letGo(self) -> None:
        self._letGo.set()


@pytest.fixture
def calls() -> Iterator[Calls]:
    made = Calls()
    yield made
    made.letGo()
    for thread in threading.enumerate():
        if thread.name.startswith("PoolThread-test"):
            thread.join(20)


@pytest.fixture
def make(calls: Calls) -> Iterator[Any]:
    made: list[Lookups] = []

    def making(*sizes: Any) -> Lookups:
        made.append(Lookups("test", *sizes))
        return made[-1]

    yield making
    for lookups in made:
        lookups.close()


def test_noMoreThanThePlacesAtATime(make: Any, calls: Calls) -> None:
    lookups = make(3, 10, NEVER)
    for number in range(20):
        lookups.call(calls.hang, number)
    calls.waitFor(3)
    calls.letGo()
    calls.waitFor(17)
    assert sorted(calls.made[:3]) == [0, 1, 2]
    assert sorted(calls.made) == list(range(20))
    assert calls.busiest == 3


def test_whoTakesTooLongLosesHisPlace(make: Any, calls: Calls) -> None:
    lookups = make(2, 100, 0.01)
    for number in range(20):
        lookups.call(calls.hang, number)
    lookups.call(calls.pass_, "well")
    calls.waitFor(21)
    assert calls.made[-1] == "well"
    assert calls.busiest == 20


def test_thereIsASecondLimit(make: Any, calls: Calls) -> None:
    lookups = make(2, 5, 0.0)
    for number in range(20):
        lookups.call(calls.hang, number)
    calls.waitFor(5)
    assert len(lookups._busy) + len(lookups._idle) == 5
    calls.letGo()
    calls.waitFor(15)
    assert calls.busiest == 5


def test_anIdleThreadIsUsedAgain(make: Any, calls: Calls) -> None:
    lookups = make(5, 5, NEVER)
    for _ in range(5):
        lookups.call(calls.pass_, None)
        calls.waitFor(1)
        with lookups._changed:
            while lookups._busy:
                lookups._changed.wait(0.001)
    assert [thread.name for thread in lookups._idle] == ["PoolThread-test-1"]


def test_aThreadThatHasNothingToDoEnds(make: Any, calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE", 0.01)
    lookups = make(5, 5, NEVER)
    for _ in range(2):
        lookups.call(calls.pass_, None)
        calls.waitFor(1)
        for thread in [*lookups._idle, *lookups._busy]:
            thread.join(20)
        assert not lookups._idle
        assert not lookups._busy


def test_closeForgetsWhatWaitsAndWaitsForNobody(make: Any, calls: Calls) -> None:
    lookups = make(1, 1, NEVER)
    lookups.call(calls.hang, "hangs")
    lookups.call(calls.pass_, "waits")
    calls.waitFor(1)
    lookups.close()
    lookups.call(calls.pass_, "late")
    [thread] = lookups._busy
    assert thread.daemon
    calls.letGo()
    thread.join(20)
    assert calls.made == ["hangs"]


def test_whatACallRaisesIsLogged(make: Any, calls: Calls) -> None:
    lookups = make(1, 1, NEVER)
    with loggedErrors() as errors:
        lookups.call(lambda number: 1 / number, 0)
        lookups.call(calls.pass_, None)
        calls.waitFor(1)
    assert errors == [ZeroDivisionError]


def test_whereTheSystemGivesNoThreadThoseThatAreThereServe(
    make: Any, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = 0
    start = threading.Thread.start

    def limited(thread: threading.Thread) -> None:
        nonlocal started
        if started == limit:
            raise RuntimeError("can't start new thread")
        started += 1
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
    lookups = make(5, 5, NEVER)
    limit = 0
    with pytest.raises(RuntimeError):
        lookups.call(calls.pass_, "never")
    limit = 1
    for number in range(5):
        lookups.call(calls.pass_, number)
    calls.waitFor(5)
    assert calls.made == [0, 1, 2, 3, 4]
