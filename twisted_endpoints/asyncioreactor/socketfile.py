"""
The file of a UNIX socket: how it comes about with the right permissions, and when it may be removed.

It outlives its server, and its path may have been taken by others.  So:

- Its permissions are set on the socket before that is bound, and never wider than asked for.  What the umask
  took away is given back before anybody can connect: to the file that was bound, and not to whatever the path
  leads to by then.
- It is removed only while the listener is held, and only if the path still leads to it: as long as the
  socket is open, no other file can have its inode number.
- A path is looked up once.  The process may change its folder, and a folder's link may be pointed elsewhere.

Between the look and the removal are two system calls; the kernel has no way to make them one.
"""

from __future__ import annotations

import errno
import os
import socket
import stat

from .._log import Logger
from .socketlock import STARTING, _age

_log = Logger(__name__)


class SocketFile:
    """
    The file of a socket that is to listen.

    Args:
        path: as it was asked for; abstract names have no file.

    Raises:
        OSError: the path is relative, and the current folder is gone.
    """

    def __init__(self, path: bytes) -> None:
        folder, name = os.path.split(path)
        self.path = path
        #: The same, without links and from the root: too long for an address, maybe.
        self.place = os.path.join(os.path.realpath(folder or b"."), name)
        self._bound: os.stat_result | None = None

    def bind(self, sock: socket.socket, mode: int) -> None:
        """
        Bind a socket, with these permissions.

        Raises:
            OSError: the path is in use or can't be; `remove` has to be called all the same.
        """
        os.fchmod(sock.fileno(), mode)
        sock.bind(self.path)
        status = os.lstat(self.place)
        if not stat.S_ISSOCK(status.st_mode):
            raise OSError(errno.EEXIST, "the file was exchanged while it was bound")
        self._bound = status
        if stat.S_IMODE(status.st_mode) != mode:
            self._setMode(mode)

    def _setMode(self, mode: int) -> None:
        if not hasattr(os, "O_PATH"):
            os.chmod(self.place, mode, follow_symlinks=False)
            return
        # By a descriptor of the file itself, as chmod would follow a link that somebody put in its place.
        file = os.open(self.place, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if not self._isBound(os.fstat(file)):
                raise OSError(errno.EEXIST, "the file was exchanged while it was bound")
            if not os.path.exists("/proc/self/fd"):
                raise OSError(errno.ENOSYS, "what the umask takes away can't be given back without /proc")
            os.chmod(f"/proc/self/fd/{file}", mode)
        finally:
            os.close(file)

    def _isBound(self, status: os.stat_result) -> bool:
        return self._bound is not None and os.path.samestat(status, self._bound)

    def remove(self) -> None:
        """Remove the file if it is still the one that was bound; only while the socket is open."""
        try:
            if self._bound is not None and self._isBound(os.lstat(self.place)):
                os.unlink(self.place)
        except FileNotFoundError:
            # Somebody tidied up.
            pass
        except OSError as e:
            _log.warning(f"the socket {os.fsdecode(self.place)!r} stays: {e.strerror}")
        self._bound = None

    def removeDead(self, certainly: bool) -> None:
        """
        Remove the socket that a dead server left; for who holds the path's lock.

        What is no socket stays, and so does a socket where somebody answers.

        Args:
            certainly: its server was one with a lock.  Of another's, a socket that is still new stays: it may
                be bound, and not listen yet.
        """
        try:
            status = os.lstat(self.place)
            known = certainly or _age(status) >= STARTING
            if stat.S_ISSOCK(status.st_mode) and known and not self.answers():
                os.unlink(self.place)
        except FileNotFoundError:
            pass

    def answers(self) -> bool:
        """Tell whether somebody listens at the path; in doubt, they do."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.setblocking(False)
            try:
                probe.connect(self.path)
            except (ConnectionRefusedError, FileNotFoundError):
                return False
            except OSError:
                # Busy, of another type, or not ours to ask.
                pass
            return True


def isOpenToAll(folder: bytes) -> bool:
    """Tell whether every user of the machine can get at what is in a folder."""
    try:
        while os.stat(folder).st_mode & stat.S_IXOTH:
            if folder in (b"/", b"//"):
                return True
            folder = os.path.dirname(folder)
    except OSError:
        pass
    return False
