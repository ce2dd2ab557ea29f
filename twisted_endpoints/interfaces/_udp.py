"""Datagrams, to one and to many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import Interface

if TYPE_CHECKING:
    from ..address import IPv4Address, IPv6Address
    from ..defer import Deferred
    from ..protocol import DatagramProtocol
    from ._tcp import IListeningPort


class IReactorUDP(Interface):
    """A reactor that speaks UDP."""

    def listenUDP(
        port: int, protocol: DatagramProtocol, interface: str, maxPacketSize: int
    ) -> IListeningPort:
        """
        Take and send datagrams on a port.

        Args:
            port: 0...65535, where 0 lets the system choose.
            protocol: takes the datagrams; its transport sends them.
            interface: the address to bind, an IPv4 or IPv6 literal; ``""`` for all of IPv4.
            maxPacketSize: bytes; longer datagrams are cut.

        Raises:
            error.CannotListenError: the port can't be bound.
        """


class IReactorMulticast(Interface):
    """A reactor that speaks UDP to groups."""

    def listenMulticast(
        port: int,
        protocol: DatagramProtocol,
        interface: str = "",
        maxPacketSize: int = 8192,
        listenMultiple: bool = False,
    ) -> IMulticastTransport:
        """
        Take and send datagrams on a port from which groups can be joined.

        Args:
            port: 0...65535, where 0 lets the system choose.
            protocol: takes the datagrams.
            interface: the address to bind, an IP literal of the family that is wanted; ``""`` is all of IPv4.
            maxPacketSize: bytes; longer datagrams are cut.
            listenMultiple: let other sockets that want it share the port.

        Raises:
            error.CannotListenError: the port can't be bound.
        """


class IUDPTransport(Interface):
    """The way out of a UDP port."""

    def write(packet: bytes, addr: tuple[str, int] | None) -> None:
        """
        Send a datagram.

        Args:
            packet: the datagram.
            addr: the host (an IP literal) and port; None, or the peer's, after `connect`.

        Raises:
            error.MessageLengthError: it is longer than a datagram can be.
        """

    def connect(host: str, port: int) -> None:
        """
        Exchange datagrams with one peer only, and have its refusals reported.

        Args:
            host: an IP literal; names aren't looked up.
            port: the port's number.
        """

    def getHost() -> IPv4Address | IPv6Address:
        """Return the address of this end."""

    def stopListening() -> Deferred[None] | None:
        """Close the port; where that isn't done on return, return a Deferred that fires when it is."""

    def setBroadcastAllowed(enabled: bool) -> None:
        """
        Allow sending to broadcast addresses, or forbid it.

        Args:
            enabled: whether to allow it.
        """

    def getBroadcastAllowed() -> bool:
        """Tell whether sending to broadcast addresses is allowed."""


class IMulticastTransport(IUDPTransport):
    """The way out of a UDP port that can speak to groups."""

    def getOutgoingInterface() -> str | int:
        """Return the network interface that datagrams to groups leave by."""

    def setOutgoingInterface(addr: str | int) -> Deferred[int]:
        """
        Choose the network interface that datagrams to groups leave by.

        Args:
            addr: its name or address (IPv4), or its index (IPv6).

        Returns:
            A Deferred that fires with 1 if it was done, 0 if not.
        """

    def getLoopbackMode() -> bool:
        """Tell whether this host hears what it sends to groups."""

    def setLoopbackMode(mode: bool) -> None:
        """
        Choose whether this host hears what it sends to groups.

        Args:
            mode: whether it does.
        """

    def getTTL() -> int:
        """Return how many hops datagrams to groups go."""

    def setTTL(ttl: int) -> None:
        """
        Set how many hops datagrams to groups go.

        Args:
            ttl: the hops; 0 keeps them on this host, 1 on this network.
        """

    def joinGroup(addr: str, interface: str = "") -> Deferred[None]:
        """
        Take a group's datagrams.

        Args:
            addr: the group's address.
            interface: the network interface to take them from; ``""`` lets the system choose.

        Returns:
            A Deferred that fires when it is done, or fails with `error.MulticastJoinError`.
        """

    def leaveGroup(addr: str, interface: str = "") -> Deferred[None]:
        """
        Take a group's datagrams no more.

        Args:
            addr: the group's address.
            interface: the one that was given to `joinGroup`.

        Returns:
            A Deferred that fires when it is done.
        """
