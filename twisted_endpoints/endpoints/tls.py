"""TLS, around any other endpoint; and the two of old that are TLS over TCP by the reactor's own methods."""

from __future__ import annotations

import warnings
from typing import Any

from zope.interface import implementer

from .. import error
from .._tls.factory import TLSMemoryBIOFactory
from ..defer import Deferred
from ..failure import Failure
from ..interfaces import (
    IListeningPort,
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    IStreamClientEndpoint,
    IStreamServerEndpoint,
)
from ._securing import AwaitingFactory, SecuringFactory
from .wrapping import _SPENT, _WrapperEndpoint, answered, clockOf, startConnecting, startListening

#: Seconds that a handshake may take.
HANDSHAKE_TIMEOUT = 10.0

#: Seconds that a peer has to answer our close_notify.
CLOSE_TIMEOUT = 2.0


class EarlyConnectionWarning(UserWarning):
    """A client's connection counts as made before the server has proved who it is, as Twisted's does."""


def wrapClientTLS(
    connectionCreator: Any,
    wrappedEndpoint: IStreamClientEndpoint,
    clock: IReactorTime | None = None,
    *,
    secureFirst: bool | None = None,
    handshakeTimeout: float | None = HANDSHAKE_TIMEOUT,
) -> IStreamClientEndpoint:
    """
    Make an endpoint that does TLS on the connections of another.

    Args:
        connectionCreator: what `ssl.optionsForClientTLS` returns, or another provider of
            `IOpenSSLClientConnectionCreator`.
        wrappedEndpoint: makes the connections.
        clock: calls later; None for the reactor of the wrapped endpoint, or else of the process.
        secureFirst: true to have `connect` wait for the handshake, and fail if the server can't prove who it
            is; false for Twisted's order, in which it fires before, and only `connectionLost` hears of it.
            Not given, it is Twisted's order, with an `EarlyConnectionWarning`.
        handshakeTimeout: seconds for the handshake; None for no limit.
    """
    if secureFirst is None:
        warnings.warn(
            "wrapClientTLS: connect() fires before the server has proved who it is; "
            "pass secureFirst=True to have it wait, or secureFirst=False to keep this order",
            EarlyConnectionWarning,
            stacklevel=2,
        )
    clock = clock or clockOf(wrappedEndpoint)
    if secureFirst:
        return TLSClientEndpoint(wrappedEndpoint, connectionCreator, clock, handshakeTimeout)
    return _WrapperEndpoint(
        wrappedEndpoint,
        lambda protocolFactory: _tlsFactory(
            connectionCreator, True, protocolFactory, clock, handshakeTimeout
        ),
    )


def wrapServerTLS(
    connectionCreator: Any,
    wrappedEndpoint: IStreamServerEndpoint,
    clock: IReactorTime | None = None,
    *,
    handshakeTimeout: float | None = HANDSHAKE_TIMEOUT,
) -> IStreamServerEndpoint:
    """
    Make an endpoint that does TLS on the connections of another.

    Args:
        connectionCreator: `ssl.CertificateOptions`, or another provider of `IOpenSSLServerConnectionCreator`.
        wrappedEndpoint: takes the connections.
        clock: calls later; None for the reactor of the wrapped endpoint, or else of the process.
        handshakeTimeout: seconds for the handshake; None for no limit.
    """
    return _TLSServerEndpoint(
        wrappedEndpoint, connectionCreator, clock or clockOf(wrappedEndpoint), handshakeTimeout
    )


def _tlsFactory(
    creator: Any, isClient: bool, factory: Any, clock: Any, handshakeTimeout: float | None
) -> TLSMemoryBIOFactory:
    made = TLSMemoryBIOFactory(creator, isClient, factory, clock=clock)
    made.handshakeTimeout = handshakeTimeout
    made.closeTimeout = CLOSE_TIMEOUT
    return made


@implementer(IStreamClientEndpoint)
class TLSClientEndpoint:
    """
    Connects another endpoint, and then does TLS.

    Args:
        wrappedEndpoint: makes the connections.
        connectionCreator: as of `wrapClientTLS`.
        clock: calls later; None for the reactor of the process.
        handshakeTimeout: seconds for the handshake; None for no limit.
        deadline: seconds for all of it, name and connection included; None for no limit.
    """

    def __init__(
        self,
        wrappedEndpoint: IStreamClientEndpoint,
        connectionCreator: Any,
        clock: IReactorTime | None = None,
        handshakeTimeout: float | None = HANDSHAKE_TIMEOUT,
        deadline: float | None = None,
    ) -> None:
        self._wrappedEndpoint = wrappedEndpoint
        self._connectionCreator = connectionCreator
        self._clock = clock
        self._handshakeTimeout = handshakeTimeout
        self._deadline = deadline

    def __repr__(self) -> str:
        return f"<{type(self).__name__} around {self._wrappedEndpoint!r}>"

    def _wrapperFactory(self, protocolFactory: Any) -> TLSMemoryBIOFactory:
        return _tlsFactory(
            self._connectionCreator, True, protocolFactory, self._clock, self._handshakeTimeout
        )

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """
        Connect.

        Returns:
            A Deferred that fires with the protocol when the handshake is done.  It fails as the wrapped
            endpoint's does, with an `OpenSSL.SSL.Error` whose text says why the handshake failed, with
            `error.TimeoutError`, or as `startConnecting` says.  Cancelling it closes what there is; it fails
            with `error.ConnectingCancelledError`.
        """
        return answered(lambda: _Securing(self, protocolFactory).begin())


def _tooLate(result: Any, seconds: float) -> Any:
    if isinstance(result, Failure) and result.check(error.ConnectingCancelledError):
        raise error.TimeoutError(string=f"no TLS connection was made in {seconds:g} seconds")
    return result


class _Securing:
    """One `connect` of a `TLSClientEndpoint`."""

    def __init__(self, endpoint: TLSClientEndpoint, protocolFactory: IProtocolFactory) -> None:
        self._endpoint = endpoint
        self._secured = SecuringFactory(protocolFactory)
        #: What the caller waits for; None once it has fired, so that there is no circle then.
        self._outcome: Deferred[IProtocol] | None = None
        #: The wrapped endpoint's attempt, while it lasts, and then the TLS on its connection.
        self._connecting: Deferred[Any] | None = None
        self._layer: Any = None

    def begin(self) -> Deferred[IProtocol]:
        outcome: Deferred[IProtocol] = Deferred(self._cancelled)
        self._outcome = self._secured._onConnection = outcome
        factory = self._endpoint._wrapperFactory(self._secured)
        if self._endpoint._deadline is not None:
            # What is left of a time may be less than nothing.
            outcome.addTimeout(max(0, self._endpoint._deadline), factory._clock, _tooLate)
        outcome.addBoth(self._over)
        connecting = self._connecting = answered(lambda: self._endpoint._wrappedEndpoint.connect(factory))
        connecting.addCallbacks(self._connected, self._failed)
        return outcome

    def _connected(self, layer: Any) -> None:
        self._connecting = None
        if self._outcome is not None:
            self._layer = layer
        elif not getattr(layer, "_handshakeDone", True):
            layer.abortConnection()

    def _failed(self, reason: Failure) -> None:
        self._connecting = None
        try:
            if self._outcome is not None:
                self._outcome.errback(reason)
        finally:
            # As in Deferred.errback: the reason may be raised by then, in a frame that knows this one.
            del reason

    def _over(self, result: Any) -> Any:
        self._outcome = self._layer = None
        # Its result may stay the protocol, whose transport holds the factory.
        self._secured._onConnection = _SPENT
        return result

    def _cancelled(self, outcome: Deferred[IProtocol]) -> None:
        connecting, layer = self._connecting, self._layer
        outcome.errback(error.ConnectingCancelledError(None))
        if layer is not None:
            layer.abortConnection()
        elif connecting is not None:
            connecting.cancel()


@implementer(IStreamServerEndpoint)
class _TLSServerEndpoint:
    """
    Listens on another endpoint, and does TLS on its connections.

    The user's factory is asked for a protocol when a handshake is done.

    Args:
        endpoint: takes the connections.
        connectionCreator: as of `wrapServerTLS`.
        clock: calls later; None for the reactor of the process.
        handshakeTimeout: seconds for the handshake; None for no limit.
    """

    def __init__(
        self,
        endpoint: IStreamServerEndpoint,
        connectionCreator: Any,
        clock: IReactorTime | None = None,
        handshakeTimeout: float | None = HANDSHAKE_TIMEOUT,
    ) -> None:
        self.endpoint = endpoint
        self.connectionCreator = connectionCreator
        self.clock = clock
        self._handshakeTimeout = handshakeTimeout

    def __repr__(self) -> str:
        return f"<{type(self).__name__} around {self.endpoint!r}>"

    def _awaiting(self, factory: IProtocolFactory) -> AwaitingFactory:
        return AwaitingFactory(factory)

    def listen(self, factory: IProtocolFactory) -> Deferred[IListeningPort]:
        """Listen on the wrapped endpoint; fires with its port, and fails as that does."""
        return answered(lambda: self.endpoint.listen(self._wrapperFactory(factory)))

    def _wrapperFactory(self, factory: IProtocolFactory) -> TLSMemoryBIOFactory:
        return _tlsFactory(
            self.connectionCreator, False, self._awaiting(factory), self.clock, self._handshakeTimeout
        )


@implementer(IStreamServerEndpoint)
class SSL4ServerEndpoint:
    """
    Listens for TLS on a TCP port, by the reactor's ``listenSSL``.

    Args:
        reactor: an `IReactorSSL`.
        port: the port number; 0 for any that is free.
        sslContextFactory: `ssl.CertificateOptions`, or another `IOpenSSLContextFactory`.
        backlog: how many connections may wait to be accepted.
        interface: the address to listen on, "" for all of IPv4.
    """

    def __init__(
        self, reactor: Any, port: int, sslContextFactory: Any, backlog: int = 50, interface: str = ""
    ) -> None:
        self._reactor = reactor
        self._port = port
        self._sslContextFactory = sslContextFactory
        self._backlog = backlog
        self._interface = interface

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._interface or '*'}:{self._port}>"

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """Listen; the Deferred has fired with the port, or failed, with `error.CannotListenError` mostly."""
        return startListening(
            lambda: self._reactor.listenSSL(
                self._port,
                protocolFactory,
                contextFactory=self._sslContextFactory,
                backlog=self._backlog,
                interface=self._interface,
            )
        )


@implementer(IStreamClientEndpoint)
class SSL4ClientEndpoint:
    """
    Connects over TCP, and does TLS, by the reactor's ``connectSSL``.

    Args:
        reactor: an `IReactorSSL`.
        host: a name or an address.
        port: the port number.
        sslContextFactory: what `ssl.optionsForClientTLS` returns: anything else lets every server be this
            host.
        timeout: seconds after which an attempt to connect has failed.
        bindAddress: a pair of the local address to connect from, and a port or 0; None for any.
    """

    def __init__(
        self,
        reactor: Any,
        host: str,
        port: int,
        sslContextFactory: Any,
        timeout: float = 30,
        bindAddress: Any = None,
    ) -> None:
        self._reactor = reactor
        self._host = host
        self._port = port
        self._sslContextFactory = sslContextFactory
        self._timeout = timeout
        self._bindAddress = bindAddress

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._host}:{self._port}>"

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """Connect; what the Deferred fires with, and what a cancel does, is `startConnecting`'s contract."""
        return startConnecting(
            protocolFactory,
            lambda factory: self._reactor.connectSSL(
                self._host,
                self._port,
                factory,
                self._sslContextFactory,
                bindAddress=self._bindAddress,
                timeout=self._timeout,
            ),
        )
