"""Listening on and connecting to UNIX sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import Interface

if TYPE_CHECKING:
    from ..address import UNIXAddress
    from ..protocol import ClientFactory, ConnectedDatagramProtocol, DatagramProtocol, Factory
    from ._tcp import IConnector, IListeningPort


class IReactorUNIX(Interface):
    """A reactor that speaks over UNIX stream sockets; a name that begins with NUL is an abstract one."""

    def connectUNIX(
        address: str, factory: ClientFactory, timeout: float = 30, checkPID: bool = False
    ) -> IConnector:
        """
        Connect to a socket.

        Args:
            address: its path.
            factory: told of each step, and makes the protocol.
            timeout: seconds after which the attempt has failed.
            checkPID: look at the server's lock file, and fail if no server holds it; not for abstract names.
        """

    def listenUNIX(
        address: str, factory: Factory, backlog: int = 50, mode: int = 0o666, wantPID: bool = False
    ) -> IListeningPort:
        """
        Take connections on a socket.

        Args:
            address: its path.
            factory: makes a protocol for each connection.
            backlog: how many connections may wait to be taken.
            mode: the permissions of the socket's file, exactly: the umask is not applied.
            wantPID: hold a lock file beside the socket, so that a second server is refused and a dead one's
                socket replaced; not for abstract names.

        Raises:
            error.CannotListenError: the socket can't be bound, or another process holds the lock.
        """


class IReactorUNIXDatagram(Interface):
    """A reactor that speaks over UNIX datagram sockets."""

    def connectUNIXDatagram(
        address: str,
        protocol: ConnectedDatagramProtocol,
        maxPacketSize: int,
        mode: int,
        bindAddress: tuple[str, int] | None,
    ) -> IConnector:
        """
        Exchange datagrams with one socket.

        Args:
            address: its path.
            protocol: takes the datagrams.
            maxPacketSize: bytes; longer datagrams are cut.
            mode: the permissions of the local socket's file.
            bindAddress: the path of the local socket, which answers can be sent to; None for none.
        """

    def listenUNIXDatagram(
        address: str, protocol: DatagramProtocol, maxPacketSize: int, mode: int
    ) -> IListeningPort:
        """
        Take datagrams on a socket.

        Args:
            address: its path.
            protocol: takes the datagrams.
            maxPacketSize: bytes; longer datagrams are cut.
            mode: the permissions of the socket's file.
        """


class IUNIXDatagramTransport(Interface):
    """The way out of a UNIX datagram socket."""

    def write(packet: bytes, addr: str) -> None:
        """
        Send a datagram.

        Args:
            packet: the datagram.
            addr: the path of the socket that shall have it.
        """

    def getHost() -> UNIXAddress:
        """Return the address of this end."""


class IUNIXDatagramConnectedTransport(Interface):
    """The way out of a UNIX datagram socket that has one peer."""

    def write(packet: bytes) -> None:
        """Send a datagram to the peer."""

    def getHost() -> UNIXAddress:
        """Return the address of this end."""

    def getPeer() -> UNIXAddress:
        """Return the address of the other end."""
