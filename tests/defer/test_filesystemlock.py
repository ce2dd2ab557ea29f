from __future__ import annotations

from pathlib import Path

import pytest

import twisted_endpoints
from twisted_endpoints._lockfile import FilesystemLock
from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.defer import (
    AlreadyTryingToLockError,
    CancelledError,
    DeferredFilesystemLock,
    TimeoutError,  # noqa: A004
)
from twisted_endpoints.task import Clock

from .test_chain import resultOf


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def name(tmp_path: Path) -> str:
    return str(tmp_path / "lock")


@pytest.fixture
def held(name: str) -> FilesystemLock:
    """A lock of that name that somebody holds."""
    lock = FilesystemLock(name)
    assert lock.lock()
    return lock


def test_aFreeLockIsTakenAtOnce(name: str, clock: Clock) -> None:
    lock = DeferredFilesystemLock(name, clock)
    assert resultOf(lock.deferUntilLocked(timeout=5)) is None
    assert lock.locked
    assert clock.getDelayedCalls() == []


def test_itTriesEverySecond(name: str, held: FilesystemLock, clock: Clock) -> None:
    lock = DeferredFilesystemLock(name, clock)
    d = lock.deferUntilLocked()
    clock.advance(1)
    held.unlock()
    assert not d.called
    clock.advance(0.9)
    assert not d.called
    clock.advance(0.1)
    assert resultOf(d) is None
    assert lock.locked
    assert clock.getDelayedCalls() == []


def test_itGivesUpWhenTimeIsUp(name: str, held: FilesystemLock, clock: Clock) -> None:
    lock = DeferredFilesystemLock(name, clock)
    d = lock.deferUntilLocked(timeout=2.5)
    clock.pump([1, 1])
    assert not d.called
    clock.advance(0.5)
    assert resultOf(d).check(TimeoutError)
    assert not lock.locked
    assert clock.getDelayedCalls() == []


def test_itTriesALastTimeBeforeItGivesUp(name: str, held: FilesystemLock, clock: Clock) -> None:
    lock = DeferredFilesystemLock(name, clock)
    d = lock.deferUntilLocked(timeout=0.5)
    held.unlock()
    clock.advance(0.5)
    assert resultOf(d) is None
    assert lock.locked


def test_cancel(name: str, held: FilesystemLock, clock: Clock) -> None:
    lock = DeferredFilesystemLock(name, clock)
    d = lock.deferUntilLocked(timeout=5)
    d.cancel()
    assert resultOf(d).check(CancelledError)
    assert clock.getDelayedCalls() == []


def test_onlyOneCanWait(name: str, held: FilesystemLock, clock: Clock) -> None:
    lock = DeferredFilesystemLock(name, clock)
    first = lock.deferUntilLocked()
    assert resultOf(lock.deferUntilLocked()).check(AlreadyTryingToLockError)
    held.unlock()
    clock.advance(1)
    assert resultOf(first) is None


@pytest.mark.skipif(vocabulary != "builtin", reason="Twisted stumbles over the first wait's time limit")
def test_itCanWaitAgainAfterwards(name: str, held: FilesystemLock, clock: Clock) -> None:
    lock = DeferredFilesystemLock(name, clock)
    lock.deferUntilLocked(timeout=1).addErrback(lambda f: None)
    clock.advance(1)
    again = lock.deferUntilLocked(timeout=3)
    held.unlock()
    clock.advance(1)
    assert resultOf(again) is None


@pytest.mark.skipif(
    vocabulary != "builtin", reason="Twisted raises it, or leaves the Deferred waiting for ever"
)
def test_anImpossibleLockFails(tmp_path: Path, clock: Clock) -> None:
    lock = DeferredFilesystemLock(str(tmp_path / "missing" / "lock"), clock)
    assert resultOf(lock.deferUntilLocked()).check(FileNotFoundError)


@pytest.mark.skipif(vocabulary != "builtin", reason="Twisted takes Twisted's reactor")
def test_byDefaultTheReactorKeepsTheTime(
    name: str, held: FilesystemLock, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twisted_endpoints, "reactor", clock, raising=False)
    d = DeferredFilesystemLock(name).deferUntilLocked()
    held.unlock()
    clock.advance(1)
    assert resultOf(d) is None
