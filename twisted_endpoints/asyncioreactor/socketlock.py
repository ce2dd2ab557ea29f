"""
The lock of a UNIX socket's path: one server at a time, and none that is dead.

Two locks are taken, one after the other, and both are held while the server listens:

- ``PATH.flock``, a file with a lock of the kernel's (flock).  It ends with the process that holds it, however
  that ends, so servers of this package need no guess about each other: no process id that was given to
  another process meanwhile, or that means another one in another container.
- ``PATH.lock``, Twisted's: a symbolic link whose target is a process id.  Ours tells Twisted's servers to
  stay away, and clients with ``lockfile=1`` that there is a server.

A link that is there already, when we hold the first lock, was left by one of ours if it says what that file
says, and then its server is dead.  Any other is Twisted's.  A process id proves a server dead, but never
alive: so a link whose process seems to run is believed if somebody answers at the socket, and for some
seconds after it was made, as its server may be between link and socket.  After that it is replaced, whatever
it says: an id that others have by now, 0, -1, or no number at all.

What stays possible is what Twisted's kind of lock can't exclude: two servers that find the same stale link,
one of them Twisted's, can replace each other's.  Then the path decides, as only one of them can bind it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable

from .._lockfile import _isRunning
from .._log import Logger

_log = Logger(__name__)

#: The length of what is written into our file.
_SIGNATURE = 20
#: Seconds that Twisted's servers surely don't need from their lock to their socket.
STARTING = 10.0


class SocketLock:
    """
    The lock of one path, of servers.

    Args:
        path: the socket's.
        answers: tells whether somebody listens there.

    Attributes:
        name: the path of Twisted's lock.
        locked: this object holds both locks.
        clean: no dead server had left anything; None before the first `lock`.
    """

    def __init__(self, path: bytes, answers: Callable[[], bool]) -> None:
        self.name = path + b".lock"
        self.locked = False
        self.clean: bool | None = None
        self._file = path + b".flock"
        self._descriptor = -1
        self._answers = answers
        #: What our link says: the id of the process that made it, which a fork may have left behind.
        self._owner = b""

    def lock(self) -> bool:
        """
        Try to take the lock, without waiting.

        Returns:
            Whether it is held now; if not, another server holds it.

        Raises:
            OSError: one of the files can't be made or read; nothing is held.
        """
        descriptor = _locked(self._file)
        if descriptor is None:
            return False
        try:
            last = _last(self._file, descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        try:
            self.locked = self._link(last)
        finally:
            if not self.locked:
                self._release()
        return self.locked

    def _link(self, last: bytes) -> bool:
        """Make the link; `last` is what that of our last server said, if it hasn't tidied up."""
        self._owner = b"%d" % os.getpid()
        self.clean = not last
        # Before anything is removed: whoever is killed now has left something that tells.
        self._sign()
        while True:
            try:
                if self._isHeld(last):
                    return False
                os.unlink(self.name)
                self.clean = False
            except FileNotFoundError:
                pass
            try:
                os.symlink(self._owner, self.name)
            except FileExistsError:
                # Somebody else was quicker: whoever it was, once more.
                continue
            return True

    def _sign(self) -> None:
        """Write into our file what our link will say."""
        try:
            # Of one length, so that it can be written over in one step.
            os.pwrite(self._descriptor, self._owner.ljust(_SIGNATURE - 1) + b"\n", 0)
        except OSError:
            # A full disk, for example.  The lock holds without it.
            pass

    def _isHeld(self, last: bytes) -> bool:
        """Tell whether the link that is there belongs to a living server."""
        owner = _target(self.name)
        if owner == last or not _isRunning(owner):
            return False
        # Not this process: after a restart, a container has the same ids again.
        starting = owner != self._owner and _age(os.lstat(self.name)) < STARTING
        return starting or self._answers()

    def unlock(self) -> None:
        """Release the lock; files that are another server's by now stay."""
        self.locked = False
        try:
            if not _isReplaced(self._file, self._descriptor) and os.readlink(self.name) == self._owner:
                os.unlink(self.name)
        except FileNotFoundError:
            pass
        except OSError as e:
            _log.warning(f"the lock {os.fsdecode(self.name)!r} stays: {e.strerror}")
        self._release()

    def _release(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        try:
            # Locked still, so that whoever has opened it by now finds out that it is no longer there.
            if not _isReplaced(self._file, descriptor):
                os.unlink(self._file)
        except FileNotFoundError:
            pass
        except OSError as e:
            _log.warning(f"the lock {os.fsdecode(self._file)!r} stays, released: {e.strerror}")
        finally:
            os.close(descriptor)


def isServed(path: bytes) -> bool:
    """Tell, for a client, whether there is a server's lock, and leave it as it is."""
    try:
        return _isRunning(os.readlink(path + b".lock"))
    except OSError:
        return False


def _age(status: os.stat_result) -> float:
    """Count the seconds since a file was made; where clocks were set back, it is old."""
    age = time.time() - status.st_ctime
    return age if age >= 0 else STARTING


def _locked(path: bytes) -> int | None:
    """Open a file and lock it; None if somebody else has."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            _flock(path, descriptor)
            if os.path.samestat(os.lstat(path), os.fstat(descriptor)):
                return descriptor
        except FileNotFoundError:
            # It was released between the two steps.
            pass
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _flock(path: bytes, descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as e:
        if e.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):
            raise
        _log.warning(
            f"{os.fsdecode(path)!r}: this file system has no locks; only the process id beside it is one"
        )


def _last(path: bytes, descriptor: int) -> bytes:
    """Read the process id in a lock's file."""
    last = os.pread(descriptor, _SIGNATURE + 1, 0).strip()
    if last and not last.isdigit():
        raise FileExistsError(errno.EEXIST, "there is a file where the lock should be", path)
    return last


def _target(link: bytes) -> bytes:
    try:
        return os.readlink(link)
    except OSError as e:
        if e.errno == errno.EINVAL:
            raise FileExistsError(errno.EEXIST, "there is a file where the lock should be", link) from e
        raise


def _isReplaced(path: bytes, descriptor: int) -> bool:
    """Tell whether a path leads to another file than the one that is open; if it is just gone, it doesn't."""
    try:
        return not os.path.samestat(os.lstat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False
