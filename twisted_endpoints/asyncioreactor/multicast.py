"""UDP to groups: a port from which groups can be joined and left."""

from __future__ import annotations

import socket as socketlib
import struct
from typing import Any, NamedTuple

from zope.interface import implementer

from .. import error
from ..defer import Deferred, succeed
from ..interfaces import IMulticastTransport, IReactorMulticast
from .addresses import isLiteral
from .udp import UDP, DatagramPort


class _Options(NamedTuple):
    """What a family calls its socket options, all of `level`."""

    level: int
    interface: int
    loop: int
    hops: int
    join: int
    leave: int


_OPTIONS = {
    socketlib.AF_INET: _Options(
        socketlib.IPPROTO_IP,
        socketlib.IP_MULTICAST_IF,
        socketlib.IP_MULTICAST_LOOP,
        socketlib.IP_MULTICAST_TTL,
        socketlib.IP_ADD_MEMBERSHIP,
        socketlib.IP_DROP_MEMBERSHIP,
    ),
    socketlib.AF_INET6: _Options(
        socketlib.IPPROTO_IPV6,
        socketlib.IPV6_MULTICAST_IF,
        socketlib.IPV6_MULTICAST_LOOP,
        socketlib.IPV6_MULTICAST_HOPS,
        socketlib.IPV6_JOIN_GROUP,
        socketlib.IPV6_LEAVE_GROUP,
    ),
}


@implementer(IMulticastTransport)
class MulticastPort(DatagramPort):
    """
    A UDP port that can speak to groups.

    Args:
        listenMultiple: let other sockets that want it too bind the same port.
    """

    def __init__(
        self,
        reactor: UDP,
        port: int,
        protocol: Any,
        interface: str,
        maxPacketSize: int,
        listenMultiple: bool,
    ) -> None:
        super().__init__(reactor, port, protocol, interface, maxPacketSize)
        self.listenMultiple = listenMultiple

    def _prepare(self, sock: socketlib.socket) -> None:
        if self.listenMultiple:
            sock.setsockopt(socketlib.SOL_SOCKET, socketlib.SO_REUSEADDR, 1)
            sock.setsockopt(socketlib.SOL_SOCKET, socketlib.SO_REUSEPORT, 1)

    @property
    def _options(self) -> _Options:
        return _OPTIONS[self.addressFamily]

    def _set(self, option: int, value: int | bytes) -> None:
        self._bound.setsockopt(self._options.level, option, value)

    def _get(self, option: int) -> int:
        return self._bound.getsockopt(self._options.level, option)

    def getOutgoingInterface(self) -> str | int:
        """Return the interface that datagrams to groups leave by: its address (IPv4) or index (IPv6)."""
        if self.addressFamily == socketlib.AF_INET6:
            return self._get(self._options.interface)
        return socketlib.inet_ntoa(self._bound.getsockopt(self._options.level, self._options.interface, 4))

    def setOutgoingInterface(self, addr: str | int) -> Deferred[int]:
        """
        Choose the network interface that datagrams to groups leave by.

        Args:
            addr: for IPv4 its address, or a name that is looked up; for IPv6 its index.

        Returns:
            A Deferred that fires with 1, or fails with OSError or MulticastJoinError: there is none such; or
            with TypeError: that is what the other family wants.
        """
        return Deferred.fromCoroutine(self._chooseInterface(addr))

    async def _chooseInterface(self, addr: str | int) -> int:
        value: int | bytes
        match self.addressFamily, addr:
            case socketlib.AF_INET6, int():
                value = addr
            case socketlib.AF_INET, str():
                value = self._packed(await self._resolved(addr))
            case _:
                wanted = "its index" if self.addressFamily == socketlib.AF_INET6 else "its address"
                raise TypeError(f"{self!r} wants {wanted} for an interface, not {addr!r}")
        self._set(self._options.interface, value)
        return 1

    def getLoopbackMode(self) -> bool:
        """Tell whether this host hears what it sends to groups."""
        return bool(self._get(self._options.loop))

    def setLoopbackMode(self, mode: bool) -> None:
        """Choose whether this host hears what it sends to groups."""
        self._set(self._options.loop, int(bool(mode)))

    def getTTL(self) -> int:
        """Return how many hops datagrams to groups go."""
        return self._get(self._options.hops)

    def setTTL(self, ttl: int) -> None:
        """Set how many hops datagrams to groups go: 0...255, where 0 keeps them on this host."""
        self._set(self._options.hops, ttl)

    def joinGroup(self, addr: str, interface: str = "") -> Deferred[None]:
        """
        Take a group's datagrams.

        Args:
            addr: the group's address.
            interface: where to take them from: for IPv4 an address of this machine, for IPv6 the
                interface's name; ``""`` lets the system choose.

        Returns:
            A Deferred that fires with None when it is done, or fails with MulticastJoinError.
        """
        return Deferred.fromCoroutine(self._membership(self._options.join, addr, interface))

    def leaveGroup(self, addr: str, interface: str = "") -> Deferred[None]:
        """Take a group's datagrams no more; see `joinGroup`."""
        return Deferred.fromCoroutine(self._membership(self._options.leave, addr, interface))

    async def _membership(self, option: int, group: str, interface: str) -> None:
        try:
            packed = self._packed(await self._resolved(group))
            if self.addressFamily == socketlib.AF_INET6:
                index = 0 if interface in ("", "::") else socketlib.if_nametoindex(interface)
                self._set(option, packed + struct.pack("@I", index))
            else:
                self._set(option, packed + self._packed(await self._resolved(interface or "0.0.0.0")))
        except OSError as e:
            raise error.MulticastJoinError(group, interface, *e.args) from e

    def _resolved(self, host: str) -> Deferred[str]:
        if isLiteral(host, self.addressFamily) or isLiteral(host, socketlib.AF_INET6):
            return succeed(host)
        resolved: Deferred[str] = self.reactor.resolve(host)
        return resolved

    def _packed(self, host: str) -> bytes:
        try:
            return socketlib.inet_pton(self.addressFamily, host)
        except OSError:
            raise error.MulticastJoinError(
                f"invalid address literal for {self.addressFamily.name}: {host!r}"
            ) from None


@implementer(IReactorMulticast)
class Multicast(UDP):
    """Implements `IReactorMulticast`."""

    def listenMulticast(
        self,
        port: int,
        protocol: Any,
        interface: str = "",
        maxPacketSize: int = 8192,
        listenMultiple: bool = False,
    ) -> MulticastPort:
        """
        Take and send datagrams on a port from which groups can be joined.

        It is as `listenUDP`, but for `listenMultiple`: let other sockets that want it too bind the same port.
        """
        listening = MulticastPort(self, port, protocol, interface, maxPacketSize, listenMultiple)
        listening.startListening()
        return listening
