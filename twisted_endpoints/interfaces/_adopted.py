"""Sockets that somebody else made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import Interface

if TYPE_CHECKING:
    from socket import AddressFamily

    from ..protocol import DatagramProtocol, ServerFactory
    from ._tcp import IListeningPort


class IReactorSocket(Interface):
    """
    A reactor that takes over open sockets: from systemd, from a parent process, over a UNIX socket.

    Each method works on a copy of the descriptor, so the caller closes its own, as soon as it likes.  The
    socket must be non-blocking before, and other flags (close-on-exec) are the caller's affair.
    """

    def adoptStreamPort(
        fileDescriptor: int, addressFamily: AddressFamily, factory: ServerFactory
    ) -> IListeningPort:
        """
        Take connections on a stream socket that listens.

        Args:
            fileDescriptor: the socket's descriptor.
            addressFamily: such as `socket.AF_INET6`.
            factory: makes a protocol for each connection.

        Raises:
            error.UnsupportedAddressFamily: the reactor doesn't know that family.
            error.UnsupportedSocketType: the reactor doesn't know that type of socket.
        """

    def adoptStreamConnection(
        fileDescriptor: int, addressFamily: AddressFamily, factory: ServerFactory
    ) -> None:
        """
        Speak over a stream socket that is connected.

        Args:
            fileDescriptor: the socket's descriptor.
            addressFamily: such as `socket.AF_INET6`.
            factory: makes the protocol; it isn't told of a start or stop.

        Raises:
            error.UnsupportedAddressFamily: the reactor doesn't know that family.
            error.UnsupportedSocketType: the reactor doesn't know that type of socket.
        """

    def adoptDatagramPort(
        fileDescriptor: int, addressFamily: AddressFamily, protocol: DatagramProtocol, maxPacketSize: int
    ) -> IListeningPort:
        """
        Take and send datagrams on a socket that is bound.

        Args:
            fileDescriptor: the socket's descriptor.
            addressFamily: such as `socket.AF_INET6`.
            protocol: takes the datagrams.
            maxPacketSize: bytes; longer datagrams are cut.

        Raises:
            error.UnsupportedAddressFamily: the reactor doesn't know that family.
            error.UnsupportedSocketType: the reactor doesn't know that type of socket.
        """
