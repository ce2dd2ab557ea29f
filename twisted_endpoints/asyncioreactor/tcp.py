"""TCP: the reactor's `IReactorTCP`."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Coroutine
from typing import Any

from zope.interface import implementer

from .. import error
from ..address import IPv4Address, IPv6Address
from ..interfaces import IReactorTCP, ITLSTransport
from .addresses import hostOf, isLiteral, mayBeScoped, resolveIPv6, tcpAddress
from .connectors import Connecting, Connector
from .core import Core
from .errors import cannotListen
from .ports import Port
from .stream import Stream, attach


@implementer(ITLSTransport)
class TCPStream(Stream):
    """A connection over TCP, IPv4 or IPv6."""

    __slots__ = ()

    def getPeer(self) -> IPv4Address | IPv6Address:
        # Made anew each time: kept, it would be a sixth of the memory of an idle connection.
        name = self._transport.get_extra_info("peername")
        if name is None:
            # uvloop asks the kernel, which forgets who a peer was that has reset the connection.
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
        return tcpAddress(name)

    def getHost(self) -> IPv4Address | IPv6Address:
        return tcpAddress(self._transport.get_extra_info("sockname"))

    @property
    def hostname(self) -> str:
        return hostOf(self._transport.get_extra_info("peername"))

    def getTcpNoDelay(self) -> bool:
        return bool(self.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    def setTcpNoDelay(self, enabled: bool) -> None:
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, enabled)

    #: TLS has begun: see `startTLS`.
    TLS = False

    def startTLS(self, contextFactory: Any, normal: bool = True) -> None:
        """
        Begin TLS: what is written and received from now on is inside of it.

        Args:
            contextFactory: what makes OpenSSL's connection, as for ``connectSSL`` or ``listenSSL``.
            normal: whether the end that has connected says hello; false for the other.
        """
        from .tls import startTLS

        startTLS(self, contextFactory, normal == isinstance(self._owner, Connector))


class TCPPort(Port):
    """
    Listens on a TCP port.

    Attributes:
        port: the number that was asked for, 0 for any that is free.
        interface: the address that was asked for, "" for all of IPv4.
    """

    def __init__(
        self,
        reactor: Core,
        port: int,
        factory: Any,
        backlog: int,
        interface: str,
        reuseAddress: bool = True,
        reusePort: bool = False,
    ) -> None:
        super().__init__(reactor, factory, backlog)
        self.port = port
        self.interface = interface
        self._options = []
        if reuseAddress:
            self._options.append(socket.SO_REUSEADDR)
        if reusePort:
            self._options.append(socket.SO_REUSEPORT)
        self._realPortNumber: int | None = None
        self.addressFamily = socket.AF_INET6 if isLiteral(interface, socket.AF_INET6) else socket.AF_INET

    def _openSocket(self) -> socket.socket:
        try:
            listening = _newSocket(self.addressFamily)
        except OSError as e:
            raise cannotListen(self.interface, self.port, e) from e
        try:
            listening.setblocking(False)
            for option in self._options:
                listening.setsockopt(socket.SOL_SOCKET, option, 1)
            if self.addressFamily == socket.AF_INET6:
                listening.bind(resolveIPv6(self.interface, self.port))
            else:
                listening.bind((self.interface, self.port))
            # Two sockets of SO_REUSEADDR can be bound to one port, and only the listen of the second fails.
            listening.listen(self.backlog)
            self._realPortNumber = listening.getsockname()[1]
        except OSError as e:
            listening.close()
            raise cannotListen(self.interface, self.port, e) from e
        except BaseException:
            listening.close()
            raise
        return listening

    def _makeStream(self) -> Stream:
        return TCPStream(self.reactor, self)

    def _name(self) -> int | str:
        return self.port if self._realPortNumber is None else self._realPortNumber

    def getHost(self) -> IPv4Address | IPv6Address:
        """
        Tell the address that is listened on, with the real port number.

        Raises:
            NotListeningError: it doesn't listen.
        """
        if self.socket is None:
            raise error.NotListeningError(repr(self))
        return tcpAddress(self.socket.getsockname())


class TCPConnector(Connector):
    """
    Connects over TCP.

    Attributes:
        host: a name or an IP address.
        port: the port number.
        bindAddress: the address to connect from: a pair of host and port, or what `makeBinding` makes.
    """

    def __init__(
        self, reactor: Core, host: str, port: int | str, factory: Any, timeout: float | None, bindAddress: Any
    ) -> None:
        Connector.__init__(self, reactor, factory, timeout)
        if isinstance(port, str):
            try:
                port = socket.getservbyname(port, "tcp")
            except OSError as e:
                raise error.ServiceNameUnknownError(string=f"{e} ({port!r})") from e
        self.host = host
        self.port = port
        self.bindAddress = bindAddress
        # uvloop does it all in C.  asyncio's way has more steps than ours, and costs half as much again.
        self._byLoop = bindAddress is None and not reactor._onAsyncio
        self._isIPv4 = False

    def getDestination(self) -> IPv4Address | IPv6Address:
        if isLiteral(self.host, socket.AF_INET6):
            return IPv6Address("TCP", self.host, self.port)
        return IPv4Address("TCP", self.host, self.port)

    def _target(self) -> tuple[str, int]:
        return self.host, self.port

    def _makeStream(self) -> Stream:
        return TCPStream(self.reactor, self)

    def _peer(self, stream: Stream) -> Any:
        # An IPv4 literal is what it connects to, but for the one that means this machine.  To ask for the
        # peer's address costs more than all else that Python does here.
        if self._isIPv4 and self.host != "0.0.0.0":
            return IPv4Address("TCP", self.host, self.port)
        return stream.getPeer()

    def _open(self, stream: Stream) -> Coroutine[Any, Any, Any]:
        self._isIPv4 = isLiteral(self.host, socket.AF_INET)
        if self._isIPv4 and self._byLoop and 0 <= self.port <= 65535:
            # As in `_openAny`, without a coroutine in between.
            loop = self.reactor._loop
            direct: Coroutine[Any, Any, Any] = loop.create_connection(stream._itself, self.host, self.port)
            return direct
        return self._openAny(stream)

    async def _openAny(self, stream: Stream) -> None:
        loop = self.reactor._loop
        host = self.host
        isIPv6 = not self._isIPv4 and isLiteral(host, socket.AF_INET6)
        if not self._isIPv4 and not isIPv6:
            host = await self.reactor.resolve(host).asFuture(loop)
            isIPv6 = isLiteral(host, socket.AF_INET6)
        if not 0 <= self.port <= 65535:
            # uvloop would take the number modulo 65536.
            raise OverflowError("connect_ex(): port must be 0-65535.")
        if self._byLoop and not (isIPv6 and mayBeScoped(host)):
            await loop.create_connection(stream._itself, host, self.port)
            return
        family = socket.AF_INET6 if isIPv6 else socket.AF_INET
        sock = (
            _newSocket(family) if self.bindAddress is None else self._bound(family, await self._local(family))
        )
        try:
            sock.setblocking(False)
            await _connect(loop, sock, resolveIPv6(host, self.port) if isIPv6 else (host, self.port))
        except BaseException:
            sock.close()
            raise
        await attach(loop, stream, sock)

    async def _local(self, family: int) -> tuple[Any, int]:
        """Tell host and port of `bindAddress`; a name is looked up, for which `bind` would stop the loop."""
        if isinstance(self.bindAddress, tuple):
            host, port = self.bindAddress
        else:
            host, port = self.bindAddress._address, self.bindAddress._port
        if not host or isLiteral(host, socket.AF_INET) or isLiteral(host, socket.AF_INET6):
            return host or "", port
        kind = IPv6Address if family == socket.AF_INET6 else IPv4Address
        try:
            return await self.reactor._firstAddressOf(host, kind).asFuture(self.reactor._loop), port
        except error.DNSLookupError as e:
            raise error.ConnectBindError(string=f"{host!r} is to be connected from: {e}") from e

    def _bound(self, family: int, local: tuple[Any, int]) -> socket.socket:
        """Make a socket, bound to an address of this machine."""
        sock = None
        try:
            sock = _newSocket(family)
            if not isinstance(self.bindAddress, tuple):
                if self.bindAddress._reuseAddress:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if self.bindAddress._reusePort:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            sock.bind(resolveIPv6(*local) if isLiteral(local[0], socket.AF_INET6) else local)
        except BaseException as e:
            if sock is not None:
                sock.close()
            if isinstance(e, OSError):
                raise error.ConnectBindError(e.errno, e.strerror) from e
            raise
        return sock


@implementer(IReactorTCP)
class TCP(Connecting):
    """The part of the reactor that listens and connects over TCP."""

    def listenTCP(self, port: Any, factory: Any, backlog: int = 50, interface: str = "") -> TCPPort:
        """
        Listen on a TCP port.

        Args:
            port: the number, 0 for any that is free; or what Twisted's ``makeBinding`` makes.
            factory: makes a protocol for each connection; a connection is closed if it makes None.
            backlog: how many connections may wait in the kernel.
            interface: the address to listen on, of IPv4 or IPv6; by default all of IPv4's.

        Returns:
            The listening port.

        Raises:
            CannotListenError: the address is in use, forbidden or not one of this machine's.
            TypeError: the port isn't a number.
        """
        reuseAddress, reusePort = True, False
        if not isinstance(port, int) and port is not None:
            if not hasattr(port, "_port"):
                raise TypeError(f"port must be a number, not {port!r}")
            binding = port
            if interface not in ("", binding._address):
                raise ValueError("Inconsistent interface vs Binding specifiers")
            port, interface = binding._port, binding._address or ""
            reuseAddress, reusePort = binding._reuseAddress, binding._reusePort
        listening = TCPPort(self, port, factory, backlog, interface, reuseAddress, reusePort)
        listening.startListening()
        return listening

    def connectTCP(
        self, host: str, port: int | str, factory: Any, timeout: float | None = 30, bindAddress: Any = None
    ) -> TCPConnector:
        """
        Connect over TCP.

        Args:
            host: a name or an IP address.
            port: the number, or the name of a service.
            factory: makes the protocol, and hears how the attempt ended.
            timeout: seconds for the attempt, None for no limit.
            bindAddress: a pair of host and port to connect from.

        Returns:
            The connector, which has begun its first attempt.

        Raises:
            ServiceNameUnknownError: there is no service of this name.
        """
        connector = TCPConnector(self, host, port, factory, timeout, bindAddress)
        connector.connect()
        return connector


def _newSocket(family: int) -> socket.socket:
    # The protocol is the only one there is.  But asyncio looks at it, before it sets TCP_NODELAY.
    return socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)


async def _connect(loop: asyncio.AbstractEventLoop, sock: socket.socket, address: Any) -> None:
    """Connect a non-blocking socket; uvloop's `sock_connect` would lose the scope of an IPv6 address."""
    number = sock.connect_ex(address)
    if number == errno.EINPROGRESS:
        # Within one machine it is done by now, and to ask again costs less than to have the loop look.
        number = sock.connect_ex(address)
    ready: asyncio.Future[None] = loop.create_future()
    if number == errno.EALREADY:
        loop.add_writer(sock, _setDone, ready)
        try:
            await ready
        finally:
            loop.remove_writer(sock)
        number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if number not in (0, errno.EISCONN):
        raise OSError(number, os.strerror(number))
    if not ready.done():
        # Two rounds, as if the loop had looked: a port of this loop has accepted by then, and programs that
        # have both ends count on it.
        loop.call_soon(loop.call_soon, _setDone, ready)
        await ready


def _setDone(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
