"""Descriptors that a reactor watches for being readable or writable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import Interface

from ._core import ILoggingContext

if TYPE_CHECKING:
    from ..failure import Failure


class IReactorFDSet(Interface):
    """A reactor that watches numbered file descriptors on behalf of their owners."""

    def addReader(reader: IReadDescriptor) -> None:
        """
        Call ``reader.doRead`` whenever its descriptor is readable, until `removeReader`.

        Args:
            reader: the owner of the descriptor.
        """

    def addWriter(writer: IWriteDescriptor) -> None:
        """
        Call ``writer.doWrite`` whenever its descriptor is writable, until `removeWriter`.

        Args:
            writer: the owner of the descriptor.
        """

    def removeReader(reader: IReadDescriptor) -> None:
        """Watch no longer for `reader` being readable; nothing happens if it wasn't watched."""

    def removeWriter(writer: IWriteDescriptor) -> None:
        """Watch no longer for `writer` being writable; nothing happens if it wasn't watched."""

    def removeAll() -> list[IReadDescriptor | IWriteDescriptor]:
        """Forget all readers and writers but the reactor's own, and return them."""

    def getReaders() -> list[IReadDescriptor]:
        """List what is watched for being readable."""

    def getWriters() -> list[IWriteDescriptor]:
        """List what is watched for being writable."""


class IReactorWin32Events(Interface):
    """A reactor that waits for events of the Win32 API."""

    def addEvent(event: object, fd: Any, action: str) -> None:
        """
        Call a method whenever an event is set.

        Args:
            event: a Win32 event.
            fd: the object that has the method.
            action: the method's name.
        """

    def removeEvent(event: object) -> None:
        """Wait no longer for an event."""


class IFileDescriptor(ILoggingContext):
    """The owner of a numbered file descriptor."""

    def fileno() -> int:
        """Return the descriptor, the same number as long as it is open, and -1 afterwards."""

    def connectionLost(reason: Failure) -> None:
        """
        Learn that the descriptor is done with, whoever ended it.

        Args:
            reason: why; most often `error.ConnectionDone` or `error.ConnectionLost`.
        """


class IReadDescriptor(IFileDescriptor):
    """A descriptor to read from."""

    def doRead() -> Failure | None:
        """Read what is there; return a Failure (or an exception) if the descriptor can't be used any more."""


class IWriteDescriptor(IFileDescriptor):
    """A descriptor to write to."""

    def doWrite() -> Failure | None:
        """Write what waits; return a Failure (or an exception) if the descriptor can't be used any more."""


class IReadWriteDescriptor(IReadDescriptor, IWriteDescriptor):
    """A descriptor to read from and write to."""


class IHalfCloseableDescriptor(Interface):
    """A descriptor of which one direction can end before the other."""

    def writeConnectionLost(reason: Failure) -> None:
        """Learn that nothing can be written any more."""

    def readConnectionLost(reason: Failure) -> None:
        """Learn that nothing will come in any more."""
