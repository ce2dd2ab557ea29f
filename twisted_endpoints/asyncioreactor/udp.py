"""
UDP: a bound socket that gives a protocol its datagrams and sends the protocol's, at once or not at all.

Datagrams don't ride the loop's transports, as streams do: those queue what the system can't send, and tell a
protocol of errors that belong to a call.
"""

from __future__ import annotations

import errno
import socket as socketlib
import warnings
from typing import Any

from zope.interface import implementer

from .. import error
from .._log import Logger
from ..address import IPv4Address, IPv6Address
from ..defer import Deferred, maybeDeferred
from ..interfaces import IListeningPort, ILoggingContext, IReactorUDP, ISystemHandle, IUDPTransport
from .addresses import hostOf, isLiteral, resolveIPv6
from .descriptors import Descriptors
from .errors import cannotListen
from .raised import calledLogged
from .stream import logPrefixOf

_log = Logger(__name__)

#: Bytes that are read in one round of the loop: a flood on one port mustn't keep the others waiting.
_MOST_AT_ONCE = 256 * 1024

_BROADCAST = "<broadcast>"


@implementer(IListeningPort, ILoggingContext, ISystemHandle, IUDPTransport)
class DatagramPort:
    """
    A UDP port: the protocol's transport, and what `listenUDP` returns.

    Args:
        reactor: the reactor.
        port: 0...65535, where 0 lets the system choose.
        protocol: takes the datagrams.
        interface: the IPv4 or IPv6 address to bind; ``""`` for all of IPv4.
        maxPacketSize: bytes; of a longer datagram the rest is lost.

    Attributes:
        connected: it listens.
        socket: the socket, None while it doesn't listen.
        addressFamily: of the socket.

    Raises:
        InvalidAddressError: the interface is no IP address.
    """

    connected = False
    socket: socketlib.socket | None = None

    def __init__(
        self, reactor: Descriptors, port: int, protocol: Any, interface: str, maxPacketSize: int
    ) -> None:
        self.reactor: Any = reactor
        self.port = port
        self.protocol = protocol
        self.interface = interface
        self.maxPacketSize = maxPacketSize
        self.addressFamily = _familyOf(interface) if interface else socketlib.AF_INET
        self._peer: tuple[str, int] | None = None
        self._number: int | None = None
        self._stopped: Deferred[None] | None = None

    def _openSocket(self) -> socketlib.socket:
        sock = socketlib.socket(self.addressFamily, socketlib.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            self._prepare(sock)
            sock.bind(self._sockaddr(self.interface, self.port))
        except BaseException:
            sock.close()
            raise
        return sock

    def _prepare(self, sock: socketlib.socket) -> None:
        """Set what has to be set before a socket is bound."""

    def _sockaddr(self, host: str, port: int) -> Any:
        if self.addressFamily == socketlib.AF_INET6:
            return resolveIPv6(host, port)
        return host, port

    def startListening(self) -> None:
        """
        Bind the socket, and start the protocol.

        Raises:
            CannotListenError: the address is in use, forbidden or not one of this machine's.
        """
        try:
            sock = self._openSocket()
        except (OSError, OverflowError) as e:
            raise cannotListen(self.interface, self.port, e if isinstance(e, OSError) else str(e)) from e
        self.listenOn(sock)

    def listenOn(self, sock: socketlib.socket) -> None:
        """Start the protocol on a socket that is bound, and doesn't block."""
        self.socket = sock
        self.connected = True
        self._number = sock.getsockname()[1]
        _log.info(f"{logPrefixOf(self.protocol)} starting on {self._number}")
        try:
            self.protocol.makeConnection(self)
        except BaseException:
            self._close()
            raise
        self.reactor.addReader(self)

    def stopListening(self) -> Deferred[None] | None:
        """
        Take no more datagrams.

        Returns:
            A Deferred that fires with None when the socket is closed and the protocol has been told, or fails
            with what the protocol's `doStop` raised; None if it doesn't listen.
        """
        if not self.connected:
            return None
        if self._stopped is None:
            self._stopped = Deferred()
            self.reactor.removeReader(self)
            # As with every transport, the protocol isn't told in the midst of what it does.
            self.reactor.callLater(0, self._stop, self._stopped)
        return self._stopped

    def loseConnection(self) -> None:
        """Do as `stopListening` does, and warn that that is the name."""
        warnings.warn("call stopListening() to close a UDP port", DeprecationWarning, stacklevel=2)
        self.stopListening()

    def _stop(self, stopped: Deferred[None]) -> None:
        maybeDeferred(self.connectionLost).chainDeferred(stopped)

    def connectionLost(self, reason: object = None) -> None:
        """Close the socket at once, and tell the protocol; what its `doStop` raises, this raises."""
        if not self.connected:
            return
        _log.info(f"(UDP Port {self._number} Closed)")
        self._close()
        self.protocol.doStop()

    def _close(self) -> None:
        sock, self.socket = self.socket, None
        self.connected = False
        self._stopped = self._number = None
        self.reactor.removeReader(self)
        if sock is not None:
            sock.close()

    @property
    def _bound(self) -> socketlib.socket:
        """
        The socket.

        Raises:
            RuntimeError: there is none any more.
        """
        if self.socket is None:
            raise RuntimeError(f"{self!r}: it doesn't listen any more")
        return self.socket

    # Datagrams

    def doRead(self) -> None:
        """Give the protocol what has come: for the reactor."""
        left = _MOST_AT_ONCE
        # The protocol may close this port with any of them.
        while left > 0 and self.socket is not None and self._stopped is None:
            try:
                datagram, sender = self.socket.recvfrom(self.maxPacketSize)
            except BlockingIOError:
                return
            except OSError as e:
                # An earlier datagram's fate (RFC 1122, 4.1.3.3): reading it has taken it off the socket.
                if e.errno == errno.ECONNREFUSED and self._peer is not None:
                    self._tell(self.protocol.connectionRefused)
                else:
                    _log.info(f"{self!r}: {e}")
                return
            # An empty datagram costs a round trip to the system too.
            left -= len(datagram) or 1
            self._tell(self.protocol.datagramReceived, datagram, sender[:2])

    def _tell(self, method: Any, *arguments: Any) -> None:
        calledLogged(f"in {self!r}", method, *arguments)

    def write(self, packet: bytes, addr: tuple[str, int] | None = None) -> None:
        """
        Send a datagram, now: what the system has no room for is an error and isn't kept.

        Args:
            packet: the datagram.
            addr: the host (an IP address, or ``"<broadcast>"``) and port; after `connect` None or the peer's.

        Raises:
            InvalidAddressError: the host is no IP address, or of the other family than the port.
            MessageLengthError: it is longer than a datagram can be.
            OSError: the system can't send it: no route, no room.
            RuntimeError: this port doesn't listen any more.
        """
        try:
            if self._peer is None:
                assert addr is not None, "whom to? A port that isn't connected needs an address"
                self._bound.sendto(packet, self._sockaddr(*self._target(*addr)))
            else:
                assert addr in (None, self._peer), f"it is connected to {self._peer}"
                self._bound.send(packet)
        except OSError as e:
            if e.errno == errno.EMSGSIZE:
                raise error.MessageLengthError("message too long") from e
            if e.errno != errno.ECONNREFUSED:
                raise
            # An earlier datagram was refused.
            if self._peer is not None:
                self.protocol.connectionRefused()

    def writeSequence(self, seq: Any, addr: tuple[str, int] | None = None) -> None:
        """Send one datagram that is made of several parts; see `write`."""
        self.write(b"".join(seq), addr)

    def _target(self, host: str, port: int) -> tuple[str, int]:
        """Check that a datagram can go there from here; names aren't looked up, as that would take time."""
        family = socketlib.AF_INET if host == _BROADCAST else _familyOf(host)
        if family != self.addressFamily:
            ours, theirs = ("IPv6", "IPv4") if self.addressFamily == socketlib.AF_INET6 else ("IPv4", "IPv6")
            raise error.InvalidAddressError(host, f"this port speaks {ours}, and that is {theirs}")
        return host, port

    def connect(self, host: str, port: int) -> None:
        """
        Exchange datagrams with one peer only; `connectionRefused` tells the protocol that nobody is there.

        Args:
            host: an IP address.
            port: the port's number.

        Raises:
            RuntimeError: it is connected already.
            InvalidAddressError: the host is no IP address.
        """
        if self._peer is not None:
            raise RuntimeError(f"it is connected to {self._peer}, and can't be connected again")
        self._bound.connect(self._sockaddr(*self._target(host, port)))
        self._peer = (host, port)

    def setBroadcastAllowed(self, enabled: bool) -> None:
        """Allow sending to broadcast addresses, or forbid it, which is the default."""
        self._bound.setsockopt(socketlib.SOL_SOCKET, socketlib.SO_BROADCAST, bool(enabled))

    def getBroadcastAllowed(self) -> bool:
        """Tell whether sending to broadcast addresses is allowed."""
        return bool(self._bound.getsockopt(socketlib.SOL_SOCKET, socketlib.SO_BROADCAST))

    # About the port

    def getHost(self) -> IPv4Address | IPv6Address:
        """Return the address of this end."""
        name = self._bound.getsockname()
        if self.addressFamily == socketlib.AF_INET6:
            return IPv6Address("UDP", hostOf(name), *name[1:])
        return IPv4Address("UDP", *name)

    def getHandle(self) -> Any:
        """Return the socket."""
        return self.socket

    def fileno(self) -> int:
        """Return the number of the socket's descriptor, -1 when it doesn't listen."""
        return -1 if self.socket is None else self.socket.fileno()

    def logPrefix(self) -> str:
        """Name the protocol in log entries."""
        return f"{logPrefixOf(self.protocol)} (UDP)"

    def __repr__(self) -> str:
        where = "not connected" if self._number is None else f"on {self._number}"
        return f"<{type(self.protocol)} {where}>"


def _familyOf(host: str) -> socketlib.AddressFamily:
    for family in (socketlib.AF_INET, socketlib.AF_INET6):
        if isLiteral(host, family):
            return family
    raise error.InvalidAddressError(host, "not an IPv4 or IPv6 address; names aren't looked up here")


@implementer(IReactorUDP)
class UDP(Descriptors):
    """Implements `IReactorUDP`."""

    def listenUDP(
        self, port: int, protocol: Any, interface: str = "", maxPacketSize: int = 8192
    ) -> DatagramPort:
        """
        Take and send datagrams on a port.

        Args:
            port: 0...65535, where 0 lets the system choose.
            protocol: takes the datagrams; its transport sends them.
            interface: the IPv4 or IPv6 address to bind; ``""`` for all of IPv4.
            maxPacketSize: bytes; of a longer datagram the rest is lost.

        Raises:
            CannotListenError: the address is in use, forbidden or not one of this machine's.
            InvalidAddressError: the interface is no IP address.
        """
        listening = DatagramPort(self, port, protocol, interface, maxPacketSize)
        listening.startListening()
        return listening
