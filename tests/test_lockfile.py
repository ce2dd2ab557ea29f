from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from twisted_endpoints._lockfile import FilesystemLock, isLocked


def deadProcess() -> int:
    """The id of a process that ran and is gone."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_aFreeLockIsTakenCleanly(tmp_path: Path) -> None:
    lock = FilesystemLock(str(tmp_path / "lock"))
    assert (lock.locked, lock.clean) == (False, None)
    assert lock.lock() is True
    assert (lock.locked, lock.clean) == (True, True)
    assert os.readlink(lock.name) == str(os.getpid())


def test_aHeldLockIsNotTaken(tmp_path: Path) -> None:
    name = str(tmp_path / "lock")
    assert FilesystemLock(name).lock()
    second = FilesystemLock(name)
    assert second.lock() is False
    assert (second.locked, second.clean) == (False, None)


def test_unlockFreesTheLock(tmp_path: Path) -> None:
    lock = FilesystemLock(str(tmp_path / "lock"))
    lock.lock()
    lock.unlock()
    assert lock.locked is False
    assert list(tmp_path.iterdir()) == []
    assert FilesystemLock(lock.name).lock() is True


def test_theLockOfADeadProcessIsTakenOver(tmp_path: Path) -> None:
    name = str(tmp_path / "lock")
    os.symlink(str(deadProcess()), name)
    lock = FilesystemLock(name)
    assert lock.lock() is True
    assert lock.clean is False


def test_onlyTheOwnerCanUnlock(tmp_path: Path) -> None:
    name = str(tmp_path / "lock")
    os.symlink(str(os.getpid() + 1), name)
    with pytest.raises(ValueError, match="not owned by this process"):
        FilesystemLock(name).unlock()


@pytest.mark.parametrize("target", ["1", "nowhere", "9" * 40])
def test_aLinkThatIsNotOursStays(tmp_path: Path, target: str) -> None:
    name = str(tmp_path / "lock")
    os.symlink(target, name)
    assert FilesystemLock(name).lock() is False
    assert os.readlink(name) == target


def test_aMissingFolderIsAnError(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        FilesystemLock(str(tmp_path / "missing" / "lock")).lock()


def test_isLockedAsksWithoutTaking(tmp_path: Path) -> None:
    name = str(tmp_path / "lock")
    assert isLocked(name) is False
    lock = FilesystemLock(name)
    lock.lock()
    assert isLocked(name) is True
    assert lock.locked
    lock.unlock()
    assert isLocked(name) is False


def test_aNameOfBytesWorks(tmp_path: Path) -> None:
    lock = FilesystemLock(os.fsencode(tmp_path / "lock"))
    assert lock.lock()
    assert FilesystemLock(lock.name).lock() is False
    lock.unlock()
