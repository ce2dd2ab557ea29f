"""TCP over IPv4 and over IPv6."""

from __future__ import annotations

import socket
from functools import partial
from typing import Any

from zope.interface import implementer

from ..address import HostnameAddress, IPv4Address
from ..defer import CancelledError, Deferred
from ..error import CannotListenError, ConnectingCancelledError, DNSLookupError
from ..failure import Failure
from ..interfaces import (
    IListeningPort,
    IProtocol,
    IProtocolFactory,
    IStreamClientEndpoint,
    IStreamServerEndpoint,
)
from ..protocol import ClientFactory
from ..threads import deferToThread
from ._resolution import AddressInfo, HostName, inASCII, isIPv4, isIPv6, lookUpInThread, scoped, shown
from .wrapping import answered, startConnecting, startListening

#: A local address to connect from: a host, a host and a port, what `makeBinding` made, or None for any.
BindAddress = Any


@implementer(IStreamServerEndpoint)
class _TCPServerEndpoint:
    """
    Listens on a TCP port.

    Args:
        reactor: an `IReactorTCP`.
        port: 0 for one that is free.
        backlog: how many connections may wait to be accepted.
        interface: the local address to listen on.
    """

    def __init__(self, reactor: Any, port: int, backlog: int, interface: str) -> None:
        self._reactor = reactor
        self._port = port
        self._backlog = backlog
        self._interface = interface

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {shown(self._interface or '*', self._port)}>"

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """
        Listen; the Deferred has fired with the port, or failed, with `error.CannotListenError` mostly.

        It fires later if a name server is to be asked for the interface; a cancel gives that up.
        """
        return answered(lambda: self._listen(protocolFactory))

    def _listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        # Of our own reactor.  With the others', bind() has the loop wait for the name server.
        find = getattr(self._reactor, "_firstAddressOf", None)
        if find is None or not self._interface or isIPv4(self._interface) or isIPv6(self._interface):
            return self._listenAt(protocolFactory, self._interface)
        looking: Deferred[Any] = find(inASCII(self._interface), IPv4Address)
        return looking.addCallbacks(partial(self._listenAt, protocolFactory), self._notFound)

    def _listenAt(self, protocolFactory: IProtocolFactory, interface: str) -> Deferred[IListeningPort]:
        return startListening(
            lambda: self._reactor.listenTCP(
                self._port, protocolFactory, backlog=self._backlog, interface=interface
            )
        )

    def _notFound(self, reason: Failure) -> Failure:
        if reason.check(DNSLookupError):
            error = CannotListenError(self._interface, self._port, str(reason.value).rstrip("."))
            error.__cause__ = reason.value
            return Failure(error)
        return reason


class TCP4ServerEndpoint(_TCPServerEndpoint):
    """
    Listens on a TCP port, over IPv4.

    Args:
        reactor: an `IReactorTCP`.
        port: 0 for one that is free.
        backlog: how many connections may wait to be accepted.
        interface: the local address to listen on; empty for all of the machine's.
    """

    def __init__(self, reactor: Any, port: int, backlog: int = 50, interface: str = "") -> None:
        super().__init__(reactor, port, backlog, interface)


class TCP6ServerEndpoint(_TCPServerEndpoint):
    """
    Listens on a TCP port, over IPv6 (and, where the system is set so, over IPv4 as well).

    Args:
        reactor: an `IReactorTCP`.
        port: 0 for one that is free.
        backlog: how many connections may wait to be accepted.
        interface: the local address to listen on; ``"::"`` for all of the machine's.
    """

    def __init__(self, reactor: Any, port: int, backlog: int = 50, interface: str = "::") -> None:
        super().__init__(reactor, port, backlog, interface)


class _TCPClientEndpoint:
    """What TCP clients of both families have."""

    def __init__(
        self, reactor: Any, host: str, port: int, timeout: float | None = 30, bindAddress: BindAddress = None
    ) -> None:
        self._reactor = reactor
        self._host = host
        self._port = port
        self._timeout = timeout
        self._bindAddress = bindAddress

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {shown(self._host, self._port)}>"

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """Connect; what the Deferred fires with, and what a cancel does, is `startConnecting`'s contract."""
        return startConnecting(protocolFactory, self._begin)

    def _begin(self, factory: ClientFactory, host: str | None = None) -> None:
        self._reactor.connectTCP(
            inASCII(self._host) if host is None else host,
            self._port,
            factory,
            timeout=self._timeout,
            bindAddress=self._bindAddress,
        )


@implementer(IStreamClientEndpoint)
class TCP4ClientEndpoint(_TCPClientEndpoint):
    """
    Connects over TCP and IPv4; for a name that may have IPv6 addresses, `HostnameEndpoint` is better.

    Args:
        reactor: an `IReactorTCP`.
        host: a name, in Unicode or ASCII, or an address.
        port: the port to connect to.
        timeout: seconds after which an attempt has failed; None for no limit.
        bindAddress: the local address to connect from, as a ``(host, port)`` pair; None for any.
    """


@implementer(IStreamClientEndpoint)
class TCP6ClientEndpoint(_TCPClientEndpoint):
    """
    Connects over TCP and IPv6, to the first IPv6 address of a name.

    Args:
        reactor: an `IReactorTCP`.
        host: a name, or an IPv6 address, which may have a scope.
        port: the port to connect to.
        timeout: seconds after which an attempt has failed, the look-up not counted; None for no limit.
        bindAddress: the local address to connect from, as a ``(host, port)`` pair; None for any.
    """

    # How the name is looked up, and what of the answer is used: Twisted's names, which tests replace.
    _getaddrinfo = staticmethod(socket.getaddrinfo)
    _deferToThread: Any = staticmethod(deferToThread)
    _GAI_ADDRESS = 4
    _GAI_ADDRESS_HOST = 0

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """
        Look the name up, unless it is an address, and connect.

        Returns:
            A Deferred as `startConnecting`'s.  A name without an IPv6 address is an `error.DNSLookupError`.
        """
        return answered(lambda: self._connect(protocolFactory))

    def _connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        if isIPv6(self._host):
            return super().connect(protocolFactory)
        looking: Deferred[Any] = self._nameResolution(inASCII(self._host))
        looking.addCallbacks(self._firstOf, self._notFound)
        return looking.addCallback(
            lambda host: startConnecting(protocolFactory, partial(self._begin, host=host))
        )

    def _nameResolution(self, host: str) -> Deferred[AddressInfo]:
        return lookUpInThread(self._reactor, self._deferToThread, self._getaddrinfo, host, 0, socket.AF_INET6)

    def _firstOf(self, found: Any) -> str:
        address = found[0][self._GAI_ADDRESS]
        return scoped(address[self._GAI_ADDRESS_HOST], address[3])

    def _notFound(self, reason: Failure) -> Failure:
        if reason.check(CancelledError):
            destination = HostnameAddress(HostName.parse(self._host).ascii, self._port)
            return Failure(ConnectingCancelledError(destination))
        if reason.check(socket.gaierror, UnicodeError):
            error = DNSLookupError(f"no IPv6 address for hostname {self._host}: {reason.value}")
            error.__cause__ = reason.value
            return Failure(error)
        return reason
