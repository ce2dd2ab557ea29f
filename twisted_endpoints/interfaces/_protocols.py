"""What reacts to a stream's events, and what makes the objects that do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import Interface

if TYPE_CHECKING:
    from ..failure import Failure
    from ._core import IAddress
    from ._transports import ITransport


class IProtocol(Interface):
    """Handles the events of one stream."""

    def dataReceived(data: bytes) -> None:
        """
        Take the bytes that have come.

        Args:
            data: at least one byte; its bounds say nothing about what the peer wrote at a time.
        """

    def connectionLost(reason: Failure) -> None:
        """
        Learn that the stream is over; nothing comes after this.

        Args:
            reason: wraps `error.ConnectionDone` after an orderly end, else an `error.ConnectionLost`.
        """

    def makeConnection(transport: ITransport) -> None:
        """
        Take the transport, then call `connectionMade`.

        Args:
            transport: the stream's other direction: where to write.
        """

    def connectionMade() -> None:
        """Learn that the stream is open; the first of the events."""


class IHalfCloseableProtocol(Interface):
    """A protocol that wants to know when one direction of its stream ends before the other."""

    def readConnectionLost() -> None:
        """
        Learn that the peer will send nothing more.

        It is now this protocol that must end the stream, with ``loseConnection``.
        """

    def writeConnectionLost() -> None:
        """Learn that nothing can be written any more: a ``loseWriteConnection`` is done."""


class IHandshakeListener(Interface):
    """A protocol that wants to know when TLS is ready; nobody calls it where there is no TLS."""

    def handshakeCompleted() -> None:
        """Learn that a handshake is complete, so that the peer's certificate can be looked at."""


class IFileDescriptorReceiver(Interface):
    """A protocol that takes file descriptors which come over a UNIX socket."""

    def fileDescriptorReceived(descriptor: int) -> None:
        """
        Take a descriptor; it is this protocol's to close.

        Args:
            descriptor: its number in this process.
        """


class IProtocolFactory(Interface):
    """Makes a protocol for each connection."""

    def buildProtocol(addr: IAddress) -> IProtocol | None:
        """
        Make the protocol for a new connection.

        Args:
            addr: where the peer is.

        Returns:
            The protocol, or None to close the connection at once.
        """

    def doStart() -> None:
        """Learn that one more port or connector uses this factory."""

    def doStop() -> None:
        """Learn that a port or connector no longer uses this factory."""
