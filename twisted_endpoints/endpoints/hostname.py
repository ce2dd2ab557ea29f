"""Connects to a host by its name: looks the name up, and races its addresses (RFC 8305)."""

from __future__ import annotations

import socket
import warnings
from typing import Any

from zope.interface import implementer

from ..address import HostnameAddress, IPv4Address, IPv6Address
from ..defer import Deferred, fail
from ..error import ConnectingCancelledError
from ..failure import Failure
from ..interfaces import (
    IHostnameResolver,
    IProtocol,
    IProtocolFactory,
    IReactorPluggableNameResolver,
    IStreamClientEndpoint,
)
from ..threads import deferToThread
from ._resolution import (
    AddressInfo,
    HostName,
    _SimpleHostnameResolver,
    isIPv6,
    lookUpInThread,
    scoped,
    shown,
)
from .tcp import BindAddress, TCP4ClientEndpoint, TCP6ClientEndpoint
from .wrapping import answered


@implementer(IStreamClientEndpoint)
class HostnameEndpoint:
    """
    Connects to the first address of a host that answers, IPv6 or IPv4.

    Args:
        reactor: an `IReactorTCP` and `IReactorTime`, mostly with a name resolver as well.
        host: a name, in Unicode or in its ASCII form, or an IP address.  One that can't be a host name is an
            error of `connect`, and not of this call.
        port: the port to connect to.
        timeout: seconds after which the attempt with one address has failed.
        bindAddress: the local address to connect from: a host, or a ``(host, port)`` pair where the port is
            to be fixed too; None for any.
        attemptDelay: seconds that an attempt is given before the next one starts beside it; by default 0.25,
            which RFC 8305 recommends.  Longer is kinder to servers, shorter helps where many addresses are
            dead.
        deadline: seconds that the whole may take, the look-up and all attempts together; by default there is
            no limit.  Give it where somebody waits for the answer.
        resolver: looks the name up; by default the reactor's, as it is when `connect` is called.
    """

    # Twisted's names, which tests replace.
    _getaddrinfo = staticmethod(socket.getaddrinfo)
    _deferToThread: Any = staticmethod(deferToThread)
    #: RFC 8305, section 8, "Connection Attempt Delay"; Twisted has 0.3.
    _DEFAULT_ATTEMPT_DELAY = 0.25

    def __init__(
        self,
        reactor: Any,
        host: str | bytes,
        port: int,
        timeout: float = 30,
        bindAddress: BindAddress = None,
        attemptDelay: float | None = None,
        *,
        deadline: float | None = None,
        resolver: IHostnameResolver | None = None,
    ) -> None:
        self._reactor = reactor
        self._resolver = resolver
        # For its warning alone, which belongs to the line that makes the endpoint; connect() asks again,
        # because a program may install its resolver later.
        self._getNameResolverAndMaybeWarn(reactor)
        name = HostName.parse(host)
        self._hostText, self._hostBytes, self._badHostname = name.text, name.ascii, not name.valid
        self._isAddress = name.isAddress
        self._port = port
        self._timeout = timeout
        if isinstance(bindAddress, (str, bytes)):
            bindAddress = (bindAddress, 0)
        if isinstance(bindAddress, (tuple, list)) and isinstance(bindAddress[0], bytes):
            bindAddress = (bindAddress[0].decode(), bindAddress[1])
        self._bindAddress = bindAddress
        self._attemptDelay = self._DEFAULT_ATTEMPT_DELAY if attemptDelay is None else attemptDelay
        self._deadline = deadline

    def __repr__(self) -> str:
        # The ASCII form can be pasted into any tool.
        return f"<{type(self).__name__} {shown(self._hostBytes, self._port)}>"

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """
        Look the name up and connect.

        Args:
            protocolFactory: makes the protocol, for the address that won and for no other.

        Returns:
            A Deferred that fires with the protocol, connected.  It fails with

            - `ValueError`: this can't be a host name;
            - `error.DNSLookupError`: it has no addresses;
            - `error.TimeoutError`: the deadline has passed;
            - what the attempt failed with, where there was one address; where there were several, an
              `error.ConnectError` of the kind that the last attempt met, whose text has every address and why
              it failed.

            Cancelling it gives up the look-up and all attempts; it fails with
            `error.ConnectingCancelledError` at whatever stage.
        """
        if self._badHostname:
            return fail(ValueError(f"invalid hostname: {self._hostText}"))
        if self._isAddress and self._deadline is None:
            # Nothing to look up, and nobody to race with.
            kind = IPv6Address if isIPv6(self._hostText) else IPv4Address
            only = self._endpointFor(kind("TCP", self._hostText, self._port))
            return only.connect(protocolFactory).addErrback(self._namedAsCancelled)
        return answered(lambda: self._connect(protocolFactory))

    def _connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        # Not with the module: its values are dataclasses, which cost a program that never connects 10 ms.
        from ._connecting import Connecting

        return Connecting(self, protocolFactory).start()

    def _namedAsCancelled(self, reason: Failure) -> Failure:
        """Let a cancel name what the user asked for."""
        if reason.check(ConnectingCancelledError):
            return Failure(ConnectingCancelledError(HostnameAddress(self._hostBytes, self._port)))
        return reason

    def _getNameResolverAndMaybeWarn(self, reactor: Any) -> Any:
        if self._resolver is not None:
            return self._resolver
        if IReactorPluggableNameResolver.providedBy(reactor):
            return reactor.nameResolver
        kind = type(reactor)
        warnings.warn(
            "Passing HostnameEndpoint a reactor that does not provide IReactorPluggableNameResolver"
            f" ({kind.__module__}.{kind.__qualname__}) was deprecated in Twisted 17.5.0;"
            " please use a reactor that provides IReactorPluggableNameResolver instead",
            DeprecationWarning,
            stacklevel=3,
        )
        return _SimpleHostnameResolver(self._fallbackNameResolution)

    def _fallbackNameResolution(self, host: str, port: int) -> Deferred[AddressInfo]:
        return lookUpInThread(
            self._reactor, self._deferToThread, self._getaddrinfo, host, port, 0, socket.SOCK_STREAM
        )

    def _endpointFor(self, address: IPv4Address | IPv6Address) -> TCP4ClientEndpoint | TCP6ClientEndpoint:
        if isinstance(address, IPv6Address):
            return TCP6ClientEndpoint(
                self._reactor,
                scoped(address.host, address.scopeID),
                address.port,
                self._timeout,
                self._bindAddress,
            )
        return TCP4ClientEndpoint(self._reactor, address.host, address.port, self._timeout, self._bindAddress)
