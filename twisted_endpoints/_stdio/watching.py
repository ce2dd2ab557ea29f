"""One direction of standard input and output, as a descriptor that a reactor watches."""

from __future__ import annotations

import os
import select
import sys
from typing import TYPE_CHECKING, Any

from .files import Absent, openFile

if TYPE_CHECKING:
    from ..failure import Failure
    from ..stdio import StandardIO


class Half:
    """
    What reading and writing have in common.

    Args:
        reactor: an `IReactorFDSet`.
        owner: whose half it is.
        number: the descriptor.
        access: ``os.O_RDONLY`` or ``os.O_WRONLY``.
    """

    def __init__(self, reactor: Any, owner: StandardIO, number: int, access: int) -> None:
        self._reactor = reactor
        self._owner = owner
        self._identity = _identity(number)
        self._file = Absent() if _missing(number) else openFile(number, access)
        self._closed = False
        try:
            # The number that we were given, also if it was opened once more: of a named pipe that is opened
            # after its last writer has gone, the system doesn't tell the end.
            self._epoll = _watched(self._file.number)
        except OSError:
            self._file.close()
            raise

    def isOn(self, number: int) -> bool:
        """Whether this is what a descriptor stands for, now."""
        return not self._closed and number == self._file.number and self._identity == _identity(number)

    def fileno(self) -> int:
        """Return the number that the reactor watches, -1 once this is closed."""
        if self._closed:
            return -1
        return self._file.number if self._epoll is None else self._epoll.fileno()

    def logPrefix(self) -> str:
        """Name the connection in log entries."""
        return "stdio"

    def connectionLost(self, reason: Failure) -> None:
        """End the connection: the reactor can't watch this any more, or stops."""
        self._owner.connectionLost(reason)

    def close(self) -> None:
        """Watch no more, and release all but the descriptor itself."""
        if not self._closed:
            self._reactor.removeReader(self)
            self._reactor.removeWriter(self)
            self._closed = True
            self._file.close()
            if self._epoll is not None:
                self._epoll.close()


def _watched(number: int) -> select.epoll | None:
    """
    Give what watches a descriptor, and is watched by the reactor; None if the descriptor is always ready.

    Raises:
        OSError: this process can't have one more.
    """
    epoll = select.epoll()
    try:
        epoll.register(number, 0)
    except PermissionError:
        epoll.close()
        return None
    except OSError:
        epoll.close()
        raise
    return epoll


def _identity(number: int) -> tuple[int, int] | None:
    try:
        status = os.fstat(number)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _missing(number: int) -> bool:
    """
    Whether the process was started without a standard input or output.

    Whatever has its number by now is something else, such as the event loop's own epoll.
    """
    return (number == 0 and sys.__stdin__ is None) or (number == 1 and sys.__stdout__ is None)
