"""The lock of a UNIX socket's path: who holds it, who is dead, and what a lock of Twisted's says."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from twisted_endpoints._lockfile import FilesystemLock
from twisted_endpoints.asyncioreactor import socketlock
from twisted_endpoints.asyncioreactor.socketlock import SocketLock, isServed

from .streams import descriptorsOpen


def nobody() -> bool:
    return False


def somebody() -> bool:
    return True


def lockOf(folder: Path, answers: Any = nobody) -> SocketLock:
    return SocketLock(os.fsencode(folder / "s"), answers)


def deadProcess() -> int:
    process = subprocess.Popen(["/bin/true"])
    process.wait()
    return process.pid


@contextmanager
def anotherProcess(folder: Path) -> Iterator[int]:
    """A process that holds the lock, until it is killed."""
    program = (
        "import sys, time\n"
        "from twisted_endpoints.asyncioreactor.socketlock import SocketLock\n"
        f"lock = SocketLock({os.fsencode(folder / 's')!r}, lambda: False)\n"
        "print(lock.lock(), flush=True)\n"
        "sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        yield process.pid
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def anHourLater(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socketlock, "time", SimpleNamespace(time=lambda: time.time() + 3600))


def test_aFreeLockIsTakenAndReleased(tmp_path: Path) -> None:
    before = descriptorsOpen()
    lock = lockOf(tmp_path)
    assert (lock.locked, lock.clean) == (False, None)
    assert lock.lock()
    assert (lock.locked, lock.clean) == (True, True)
    assert sorted(os.listdir(tmp_path)) == ["s.flock", "s.lock"]
    assert os.readlink(lock.name) == os.fsencode(str(os.getpid()))
    assert os.stat(tmp_path / "s.flock").st_mode & 0o777 == 0o600
    lock.unlock()
    assert not lock.locked
    assert os.listdir(tmp_path) == []
    assert descriptorsOpen() == before
    assert lock.lock()
    lock.unlock()


def test_oneHoldsItInAProcess(tmp_path: Path) -> None:
    lock, second = lockOf(tmp_path), lockOf(tmp_path)
    assert lock.lock()
    assert not second.lock()
    assert not second.locked
    lock.unlock()
    assert second.lock()
    second.unlock()


def test_oneProcessHoldsItAndItEndsWithThat(tmp_path: Path) -> None:
    before = descriptorsOpen()
    lock = lockOf(tmp_path)
    with anotherProcess(tmp_path) as process:
        assert not lock.lock()
        assert descriptorsOpen() == before + 2  # the pipes to that process
        assert os.readlink(lock.name) == os.fsencode(str(process))
        os.kill(process, signal.SIGKILL)
        # It stays a zombie, whose id runs as far as others can tell.
        os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT)
        assert lock.lock()
    assert lock.clean is False
    lock.unlock()
    assert os.listdir(tmp_path) == []


def test_locksOfTwistedsKindAreExcluded(tmp_path: Path) -> None:
    lock = lockOf(tmp_path)
    assert lock.lock()
    assert not FilesystemLock(lock.name).lock()
    lock.unlock()
    theirs = FilesystemLock(lock.name)
    assert theirs.lock()
    assert not lockOf(tmp_path, somebody).lock()
    assert os.listdir(tmp_path) == ["s.lock"]
    theirs.unlock()


UNRELATED = ["1", "0", "-1", "nowhere", "", "9" * 40, "this process", "its parent"]


def linkTo(folder: Path, owner: str) -> None:
    ids = {"this process": os.getpid(), "its parent": os.getppid()}
    # A link can't be empty: as near to it as one gets.
    os.symlink(str(ids.get(owner, owner)) or " ", folder / "s.lock")


@pytest.mark.usefixtures("anHourLater")
@pytest.mark.parametrize("owner", UNRELATED)
def test_aLinkOfNoServerIsReplaced(tmp_path: Path, owner: str) -> None:
    linkTo(tmp_path, owner)
    lock = lockOf(tmp_path)
    assert lock.lock()
    assert lock.clean is False
    lock.unlock()
    assert os.listdir(tmp_path) == []


@pytest.mark.usefixtures("anHourLater")
@pytest.mark.parametrize("owner", UNRELATED)
def test_aLinkIsBelievedWhereSomebodyAnswers(tmp_path: Path, owner: str) -> None:
    linkTo(tmp_path, owner)
    before = descriptorsOpen()
    link = os.readlink(tmp_path / "s.lock")
    assert not lockOf(tmp_path, somebody).lock()
    assert os.readlink(tmp_path / "s.lock") == link
    assert os.listdir(tmp_path) == ["s.lock"]
    assert descriptorsOpen() == before


@pytest.mark.parametrize("owner", UNRELATED)
def test_aNewLinkIsBelievedUnlessItIsThisProcess(tmp_path: Path, owner: str) -> None:
    linkTo(tmp_path, owner)
    lock = lockOf(tmp_path)
    if owner == "this process":
        assert lock.lock()
        lock.unlock()
    else:
        assert not lock.lock()
        assert os.listdir(tmp_path) == ["s.lock"]


@pytest.mark.parametrize("answers", [nobody, somebody])
def test_theLinkOfADeadProcessIsReplacedAtOnce(tmp_path: Path, answers: Any) -> None:
    linkTo(tmp_path, str(deadProcess()))
    lock = lockOf(tmp_path, answers)
    assert lock.lock()
    assert lock.clean is False
    lock.unlock()


@pytest.mark.parametrize("owner", ["1", "0", "9" * 19, "this process", "its parent"])
def test_whatOurLastServerLeftIsReplacedAtOnceWhateverItsIdMeansNow(tmp_path: Path, owner: str) -> None:
    linkTo(tmp_path, owner)
    (tmp_path / "s.flock").write_bytes(os.readlink(os.fsencode(tmp_path / "s.lock")))
    lock = lockOf(tmp_path, somebody)
    assert lock.lock()
    assert lock.clean is False
    lock.unlock()
    assert os.listdir(tmp_path) == []


def test_aServerThatDiedBeforeItsLinkWasMadeIsKnown(tmp_path: Path) -> None:
    (tmp_path / "s.flock").write_bytes(b"4711")
    lock = lockOf(tmp_path)
    assert lock.lock()
    assert lock.clean is False
    assert (tmp_path / "s.flock").read_text().strip() == str(os.getpid())
    lock.unlock()


def test_itHoldsOnAFullDisk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any) -> int:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    lock = lockOf(tmp_path)
    assert lock.lock()
    assert not lockOf(tmp_path).lock()
    lock.unlock()
    assert os.listdir(tmp_path) == []


def test_aFileSystemWithoutLocksHasTwistedsAlone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*args: Any) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuses)
    warned: list[str] = []
    monkeypatch.setattr(socketlock._log, "warning", warned.append)
    lock = lockOf(tmp_path)
    assert lock.lock()
    assert len(warned) == 1
    assert "has no locks" in warned[0]
    assert sorted(os.listdir(tmp_path)) == ["s.flock", "s.lock"]
    lock.unlock()
    linkTo(tmp_path, "1")
    assert not lockOf(tmp_path, somebody).lock()


def test_aLinkFromTheFutureIsOld(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    linkTo(tmp_path, "1")
    monkeypatch.setattr(socketlock, "time", SimpleNamespace(time=lambda: time.time() - 3600))
    lock = lockOf(tmp_path)
    assert lock.lock()
    lock.unlock()


def test_aFileInPlaceOfALockIsLeftAlone(tmp_path: Path) -> None:
    before = descriptorsOpen()
    (tmp_path / "s.lock").write_text("precious")
    with pytest.raises(FileExistsError, match="a file where the lock should be"):
        lockOf(tmp_path).lock()
    assert os.listdir(tmp_path) == ["s.lock"]
    assert (tmp_path / "s.lock").read_text() == "precious"
    (tmp_path / "s.lock").unlink()
    (tmp_path / "s.flock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        lockOf(tmp_path).lock()
    assert os.listdir(tmp_path) == ["s.flock"]
    (tmp_path / "s.flock").unlink()
    (tmp_path / "s.flock").write_text("precious")
    with pytest.raises(FileExistsError, match="a file where the lock should be"):
        lockOf(tmp_path).lock()
    assert (tmp_path / "s.flock").read_text() == "precious"
    assert descriptorsOpen() == before


def test_withoutAFolderNothingIsLeft(tmp_path: Path) -> None:
    before = descriptorsOpen()
    with pytest.raises(FileNotFoundError):
        lockOf(tmp_path / "missing").lock()
    assert descriptorsOpen() == before


def test_locksThatWereRemovedAreNoErrorAtTheEnd(tmp_path: Path) -> None:
    before = descriptorsOpen()
    for gone in (["s.lock"], ["s.flock"], ["s.lock", "s.flock"]):
        lock = lockOf(tmp_path)
        assert lock.lock()
        for name in gone:
            (tmp_path / name).unlink()
        lock.unlock()
        assert os.listdir(tmp_path) == []
    assert descriptorsOpen() == before


@pytest.mark.usefixtures("anHourLater")
def test_whatAnotherHasTakenMeanwhileStaysItsOwn(tmp_path: Path) -> None:
    first = lockOf(tmp_path)
    assert first.lock()
    (tmp_path / "s.flock").unlink()
    # The link says what that of the first says, as that of a server in another container may.
    second = lockOf(tmp_path)
    assert second.lock()
    first.unlock()
    assert sorted(os.listdir(tmp_path)) == ["s.flock", "s.lock"]
    assert not lockOf(tmp_path).lock()
    second.unlock()
    assert os.listdir(tmp_path) == []


def test_aLinkOfTwistedsThatWasMadeMeanwhileStays(tmp_path: Path) -> None:
    lock = lockOf(tmp_path)
    assert lock.lock()
    (tmp_path / "s.lock").unlink()
    os.symlink("1", tmp_path / "s.lock")
    lock.unlock()
    assert os.listdir(tmp_path) == ["s.lock"]


def test_itIsReleasedByAProcessThatHasForkedAway(tmp_path: Path) -> None:
    # As a program does that listens first and goes into the background then.
    program = (
        "import os\n"
        "from twisted_endpoints.asyncioreactor.socketlock import SocketLock\n"
        f"lock = SocketLock({os.fsencode(tmp_path / 's')!r}, lambda: False)\n"
        "assert lock.lock()\n"
        "child = os.fork()\n"
        "if child:\n"
        "    os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
        "lock.unlock()\n"
        f"os._exit(len(os.listdir({str(tmp_path)!r})))\n"
    )
    assert subprocess.run([sys.executable, "-c", program], timeout=60, check=False).returncode == 0


def test_programsThatAreStartedDoNotInheritIt(tmp_path: Path) -> None:
    lock = lockOf(tmp_path)
    assert lock.lock()
    child = subprocess.Popen(["/bin/sleep", "60"], close_fds=False)
    try:
        lock.unlock()
        (tmp_path / "s.flock").touch()
        with open(tmp_path / "s.flock") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        child.kill()
        child.wait()


@pytest.mark.parametrize(
    ("owner", "served"), [("this process", True), ("1", True), ("dead", False), ("none", False)]
)
def test_aClientAsksAndChangesNothing(tmp_path: Path, owner: str, served: bool) -> None:
    if owner != "none":
        linkTo(tmp_path, str(deadProcess()) if owner == "dead" else owner)
    before = sorted(os.listdir(tmp_path))
    assert isServed(os.fsencode(tmp_path / "s")) is served
    assert sorted(os.listdir(tmp_path)) == before
