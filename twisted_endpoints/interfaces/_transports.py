"""What a protocol writes to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from zope.interface import Interface

if TYPE_CHECKING:
    from ..address import IPv4Address, IPv6Address
    from ._core import IAddress


class ITransport(Interface):
    """The way out of a stream.  No method blocks; what can't be done now is done later, in order."""

    def write(data: bytes) -> None:
        """
        Send bytes after all that was written before.

        Args:
            data: the bytes.
        """

    def writeSequence(data: Iterable[bytes]) -> None:
        """
        Send several pieces, as few copies and system calls as can be.

        Args:
            data: the pieces, in order.
        """

    def loseConnection() -> None:
        """Close the stream once all that was written is sent and no producer is registered."""

    def getPeer() -> IAddress:
        """Return the address of the other end, as far as this end can see: there may be a proxy between."""

    def getHost() -> IAddress:
        """Return the address of this end."""


class ITCPTransport(ITransport):
    """The way out of a TCP stream."""

    def loseWriteConnection() -> None:
        """
        Tell the peer that nothing more will come, once what was written is sent; reading goes on.

        A protocol that provides `IHalfCloseableProtocol` is told when it is done.
        """

    def abortConnection() -> None:
        """Close the stream at once: what waits to be sent is dropped, and the peer sees a reset."""

    def getTcpNoDelay() -> bool:
        """Tell whether ``TCP_NODELAY`` is set."""

    def setTcpNoDelay(enabled: bool) -> None:
        """
        Set ``TCP_NODELAY``: send small pieces at once (True), or gather them (False).

        Args:
            enabled: whether to.
        """

    def getTcpKeepAlive() -> bool:
        """Tell whether ``SO_KEEPALIVE`` is set."""

    def setTcpKeepAlive(enabled: bool) -> None:
        """
        Set ``SO_KEEPALIVE``: probe a silent peer now and then, so that one that is gone is found out.

        Args:
            enabled: whether to.
        """

    def getHost() -> IPv4Address | IPv6Address:
        """Return the address of this end."""

    def getPeer() -> IPv4Address | IPv6Address:
        """Return the address of the other end."""


class IUNIXTransport(ITransport):
    """The way out of a stream on a UNIX socket."""

    def sendFileDescriptor(descriptor: int) -> None:
        """
        Send a copy of an open descriptor to the process at the other end.

        It travels with a byte of the stream, so write at least as many bytes as you send descriptors.
        Descriptors keep their order among themselves, but have none relative to the bytes.

        Args:
            descriptor: the number; it must stay open until it is sent.
        """
