"""
How to read and write a descriptor that others use as well, without waiting and without a change to it.

- A pipe or a terminal is opened once more, by ``/proc/self/fd``: that is an open file of our own, and
  ``O_NONBLOCK`` set on it is nobody else's matter.
- A socket can't be opened again, but its calls take ``MSG_DONTWAIT``.
- A regular file never makes anybody wait.  It isn't opened again, as its position is shared on purpose:
  ``(relay ...; date) > file``.
- What is left, such as a terminal that belongs to another user (after ``su``), is made non-blocking
  for each call and put back after it.
"""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager

#: The major number of /dev/tty, /dev/console and /dev/ptmx.  Who opens one of these again may get another
#: terminal; of the last, which is what stands at the other end of a terminal, a new one each time.
_ALIASES = 5


class File:
    """
    A regular file, or what is like one: reading and writing it doesn't wait for anybody.

    Args:
        number: the descriptor; it stays open at the end.
        mode: what ``os.fstat`` says about it.

    Attributes:
        number: the descriptor.
        isPipe: it is one.
    """

    def __init__(self, number: int, mode: int = 0) -> None:
        self.number = number
        self.isPipe = stat.S_ISFIFO(mode)

    def read(self, size: int) -> bytes:
        """
        Read what is there.

        Args:
            size: the greatest number of bytes.

        Returns:
            The bytes; none at the end of the file.

        Raises:
            BlockingIOError: there is nothing yet.
            OSError: it can't be read.
        """
        return os.read(self.number, size)

    def write(self, data: memoryview) -> int:
        """
        Write what there is room for, and return how many bytes that was.

        Raises:
            BlockingIOError: there is no room.
            OSError: it can't be written.
        """
        return os.write(self.number, data)

    def endOutput(self) -> None:
        """
        Tell who reads that no more comes, where there is a way to tell.

        The writing end of a pipe can't be closed, as the next file to be opened would get its number: the
        null device takes its place.
        """
        if self.isPipe:
            null = os.open(os.devnull, os.O_RDWR)
            os.dup2(null, self.number, inheritable=os.get_inheritable(self.number))
            os.close(null)

    def close(self) -> None:
        """Release what was opened for this object."""


class Reopened(File):
    """
    A pipe or a terminal, opened once more.

    Raises:
        OSError: that can't be done: it is another user's, or there is no ``/proc``.
    """

    def __init__(self, number: int, mode: int, access: int) -> None:
        super().__init__(number, mode)
        # O_NOCTTY: a terminal that is opened may become the one whose Ctrl-C we get.
        self._own = os.open(f"/proc/self/fd/{number}", access | os.O_NONBLOCK | os.O_NOCTTY)

    def read(self, size: int) -> bytes:
        return os.read(self._own, size)

    def write(self, data: memoryview) -> int:
        return os.write(self._own, data)

    def close(self) -> None:
        os.close(self._own)


class Socket(File):
    """A socket, by a duplicate of its descriptor."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        with _blockingAsItWas(number):
            self._socket = socket.socket(fileno=os.dup(number))
            # The program may have set another default, with which Python would wait.
            self._socket.settimeout(None)

    def read(self, size: int) -> bytes:
        return self._socket.recv(size, socket.MSG_DONTWAIT)

    def write(self, data: memoryview) -> int:
        return self._socket.send(data, socket.MSG_DONTWAIT)

    def endOutput(self) -> None:
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the peer has gone already

    def close(self) -> None:
        self._socket.close()


class Shared(File):
    """What has to be made non-blocking for each call."""

    def read(self, size: int) -> bytes:
        with _blockingAsItWas(self.number):
            os.set_blocking(self.number, False)
            return super().read(size)

    def write(self, data: memoryview) -> int:
        with _blockingAsItWas(self.number):
            os.set_blocking(self.number, False)
            return super().write(data)


class Absent(File):
    """
    In place of a descriptor that the process wasn't given: at its end, and nothing can be written.

    It is the null device, opened for reading, so that to write it fails as with the closed descriptor.
    """

    def __init__(self) -> None:
        super().__init__(os.open(os.devnull, os.O_RDONLY))

    def close(self) -> None:
        os.close(self.number)


def openFile(number: int, access: int) -> File:
    """
    Prepare to read or write a descriptor.

    Args:
        number: the descriptor.
        access: ``os.O_RDONLY`` to read, ``os.O_WRONLY`` to write.
    """
    try:
        status = os.fstat(number)
    except OSError:
        return Absent()
    mode = status.st_mode
    if stat.S_ISSOCK(mode):
        return Socket(number)
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISBLK(mode):
        return File(number, mode)
    if stat.S_ISFIFO(mode) or (os.isatty(number) and os.major(status.st_rdev) != _ALIASES):
        try:
            return Reopened(number, mode, access)
        except OSError:
            pass
    return Shared(number, mode)


@contextmanager
def _blockingAsItWas(number: int) -> Iterator[None]:
    """See to it that afterwards reading a descriptor waits if it does now."""
    blocking = os.get_blocking(number)
    try:
        yield
    finally:
        if os.get_blocking(number) != blocking:
            os.set_blocking(number, blocking)
