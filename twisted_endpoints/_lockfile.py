"""
A lock between processes that outlives no crash: a symbolic link whose target is the owner's process id.

To make a symbolic link is atomic and needs no open descriptor, and the link may point nowhere, so the
owner's id is in place in the same step as the lock.  A lock whose owner no longer runs is taken over.  The
file is as `twisted.python.lockfile` makes it, so programs of both kinds exclude each other.
"""

from __future__ import annotations

import os

__all__ = ["FilesystemLock", "isLocked"]


class FilesystemLock:
    """
    A lock that one process at a time can hold.

    Attributes:
        name: the path of the symbolic link.
        locked: this object holds the lock.
        clean: the lock was free when it was taken; false if its last owner died without releasing it, so that
            what the lock protects may need repair.  None until `lock` has succeeded once.
    """

    def __init__(self, name: str | bytes) -> None:
        self.name = name
        self.clean: bool | None = None
        self.locked = False

    def lock(self) -> bool:
        """
        Try to take the lock, without waiting.

        Returns:
            True if the lock is now held by this object, False if a running process holds it.

        Raises:
            OSError: the link can't be made or read, for example because its folder is missing.
        """
        clean = True
        while True:
            try:
                os.symlink(str(os.getpid()), self.name)
            except FileExistsError:
                pass
            else:
                self.locked, self.clean = True, clean
                return True
            try:
                owner = os.readlink(os.fsencode(self.name))
            except FileNotFoundError:
                continue
            if _isRunning(owner):
                return False
            try:
                os.unlink(self.name)
            except FileNotFoundError:
                # Another process was quicker to clean up.  Whichever of us links first has the lock.
                continue
            clean = False

    def unlock(self) -> None:
        """
        Release the lock.

        Raises:
            OSError: the link is gone.
            ValueError: another process holds the lock.
        """
        owner = os.readlink(os.fsencode(self.name))
        if int(owner) != os.getpid():
            raise ValueError(f"Lock {self.name!r} not owned by this process")
        os.unlink(self.name)
        self.locked = False


def isLocked(name: str | bytes) -> bool:
    """Tell whether a running process holds the lock of this name; a stale lock is removed in passing."""
    lock = FilesystemLock(name)
    if not lock.lock():
        return True
    lock.unlock()
    return False


def _isRunning(owner: bytes) -> bool:
    """Tell whether the process that a link names is there; in doubt it is."""
    if os.name != "posix":
        # Elsewhere signal 0 is no harmless question: on Windows it is Ctrl-C.
        return True
    try:
        os.kill(int(owner), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, ValueError, OverflowError):
        # Somebody else's process, or a link that no lock of this kind has made: not ours to remove.
        return True
    return True
