"""
What every endpoint does the same way: the one connect body, the one listen body, and wrappers.

A reactor reports a connection to a factory, an endpoint reports it by a Deferred.  `_WrappingFactory` stands
between the two: the reactor is given it in place of the user's factory, and it fires the Deferred once,
whatever happens.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any, TypeVar

from zope.interface import alsoProvides, implementer, providedBy

from .._provided import declared
from ..defer import Deferred, fail, succeed
from ..error import ConnectingCancelledError, NoProtocol, NotConnectingError
from ..failure import Failure
from ..interfaces import (
    IAddress,
    IConnector,
    IFileDescriptorReceiver,
    IHalfCloseableProtocol,
    IHandshakeListener,
    IListeningPort,
    ILoggingContext,
    IProtocol,
    IProtocolFactory,
    IProtocolNegotiationFactory,
    IReactorTime,
    IStreamClientEndpoint,
    IStreamServerEndpoint,
)
from ..protocol import ClientFactory, Factory, Protocol

_T = TypeVar("_T")

#: What a transport looks for on its protocol, and `_WrappingProtocol` passes on.
PASSED_ON = (IHalfCloseableProtocol, IFileDescriptorReceiver, IHandshakeListener)


def startConnecting(
    protocolFactory: IProtocolFactory, connect: Callable[[ClientFactory], object]
) -> Deferred[IProtocol]:
    """
    Begin one connection: the body of every `connect()`.

    Args:
        protocolFactory: the user's factory.
        connect: called once, with the factory to hand to the reactor.

    Returns:
        A Deferred that fires with the user's protocol after its `connectionMade`.  It fails with what the
        reactor reports, with `error.NoProtocol` if the factory made no protocol, or with what the factory or
        `connectionMade` raised; the connection is closed then.  Cancelling it stops the attempt, or closes
        the connection that has just been made; it fails with `error.ConnectingCancelledError`.
    """
    factory = _WrappingFactory(protocolFactory)
    onConnection = factory._onConnection.addBoth(factory._letGo)
    try:
        connect(factory)
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException:
        factory._connector = None
        factory._failed(Failure())
    return onConnection


def startListening(listen: Callable[[], IListeningPort]) -> Deferred[IListeningPort]:
    """
    Begin to listen: the body of every `listen()`.

    Args:
        listen: called once; asks the reactor for the port.

    Returns:
        A Deferred that has fired with the port, or failed with what `listen` raised.
    """
    return answered(lambda: succeed(listen()))


def answered(act: Callable[[], Deferred[_T]]) -> Deferred[_T]:
    """
    Do what an endpoint does, so that its caller is given a Deferred whatever happens.

    Args:
        act: called once.

    Returns:
        What `act` returned, or a Deferred that has failed with what it raised: only what is to end the
        program, SystemExit and KeyboardInterrupt, isn't kept.
    """
    try:
        return act()
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException:
        return fail(Failure())


class PassingProtocol(Protocol):
    """
    Stands before another protocol, which has the same transport, and passes everything on.

    It provides what a transport looks for on that one.

    Args:
        wrappedProtocol: the other one.
    """

    def __init__(self, wrappedProtocol: Any) -> None:
        self._wrappedProtocol = wrappedProtocol

    @property
    def __providedBy__(self) -> Any:
        # When somebody asks, not for each protocol that is made: it takes as long as all else in that.
        passedOn = filter(providedBy(self._wrappedProtocol).isOrExtends, PASSED_ON)
        return declared(self, *passedOn)

    def logPrefix(self) -> str:
        """Give the user's protocol's own prefix, or its class's name."""
        if ILoggingContext.providedBy(self._wrappedProtocol):
            return str(self._wrappedProtocol.logPrefix())
        return type(self._wrappedProtocol).__name__

    def connectionMade(self) -> None:
        self._wrappedProtocol.makeConnection(self.transport)

    def dataReceived(self, data: bytes) -> None:
        return self._wrappedProtocol.dataReceived(data)  # type: ignore[no-any-return]

    def fileDescriptorReceived(self, descriptor: int) -> None:
        return self._wrappedProtocol.fileDescriptorReceived(descriptor)  # type: ignore[no-any-return]

    def connectionLost(self, reason: Failure | None = None) -> None:
        self._wrappedProtocol.connectionLost(reason)

    def readConnectionLost(self) -> None:
        self._wrappedProtocol.readConnectionLost()

    def writeConnectionLost(self) -> None:
        self._wrappedProtocol.writeConnectionLost()

    def handshakeCompleted(self) -> None:
        self._wrappedProtocol.handshakeCompleted()


class _WrappingProtocol(PassingProtocol):
    """
    Stands before the user's protocol until the connection is made, and passes everything on.

    Args:
        connectedDeferred: fires with the user's protocol when it is connected.
        wrappedProtocol: the user's protocol.
    """

    def __init__(self, connectedDeferred: Deferred[IProtocol], wrappedProtocol: Any) -> None:
        self._wrappedProtocol = wrappedProtocol
        # Any: mypy takes `called` for unchanged by what is called after a look at it.
        self._connectedDeferred: Any = connectedDeferred
        #: Nobody waits for this connection any more, and the user's protocol never hears of it.
        self._unwanted = False

    def connectionMade(self) -> None:
        # Let go of before it fires: its result is the protocol, whose transport holds this object.
        connected, self._connectedDeferred = self._connectedDeferred, None
        if connected.called:
            self._unwanted = True
            closeNow(self.transport)
            return
        try:
            self._wrappedProtocol.makeConnection(self.transport)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException:
            closeNow(self.transport)
            # It may have been cancelled by connectionMade itself, before that raised.
            if not connected.called:
                connected.errback(Failure())
            # The traceback holds this frame: the failure would be cyclic garbage.
            del connected
            return
        if connected.called:
            closeNow(self.transport)
            return
        try:
            connected.callback(self._wrappedProtocol)
        finally:
            # As above: what a callback raises.
            del connected

    def connectionLost(self, reason: Failure | None = None) -> None:
        if not self._unwanted:
            self._wrappedProtocol.connectionLost(reason)


def closeNow(transport: Any) -> None:
    """Abort a connection; one whose transport knows no abort (a pipe, a process) is closed."""
    getattr(transport, "abortConnection", transport.loseConnection)()


#: Stands for a Deferred that has fired, and holds nothing.
_SPENT: Deferred[Any] = succeed(None)


class _WrappingFactory(ClientFactory):
    """
    Fires a Deferred, `_onConnection`, for the one connection that it is used for.

    Args:
        wrappedFactory: the user's factory.
    """

    protocol: Any = _WrappingProtocol

    def __init__(self, wrappedFactory: IProtocolFactory) -> None:
        self._wrappedFactory: Any = wrappedFactory
        self._onConnection: Deferred[IProtocol] = Deferred(self._canceller)
        self._connector: IConnector | None = None

    def doStart(self) -> None:
        self._wrappedFactory.doStart()

    def doStop(self) -> None:
        self._wrappedFactory.doStop()
        if self._onConnection is _SPENT:
            # It may hold its protocol, as that of `connectProtocol` does: another circle.
            self._wrappedFactory = None

    def startedConnecting(self, connector: IConnector) -> None:
        self._connector = connector

    def buildProtocol(self, addr: Any) -> Any:
        """Wrap what the user's factory makes; None, which closes the connection, if it makes nothing."""
        try:
            protocol = self._wrappedFactory.buildProtocol(addr)
            if protocol is None:
                raise NoProtocol()
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException:
            self._failed(Failure())
            return None
        if self._onConnection.called:  # cancelled by the user's factory
            return None
        return self.protocol(self._onConnection, protocol)

    # The connector holds this factory: it is let go of when it is done, or the two would be cyclic garbage.

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:
        try:
            if connector is self._connector:
                self._connector = None
            self._failed(reason)
        finally:
            # As in Deferred.errback: the reason may be raised by then, in a frame that knows this one.
            del reason

    def clientConnectionLost(self, connector: IConnector, reason: Failure) -> None:
        self._connector = None
        # Its result is the protocol, whose transport holds the connector.
        self._onConnection = _SPENT

    def _letGo(self, result: Any) -> Any:
        """Let go of the Deferred as it fires: what a callback raises may hold what holds this object."""
        self._onConnection = _SPENT
        return result

    def _failed(self, reason: Failure) -> None:
        try:
            if not self._onConnection.called:
                self._onConnection.errback(reason)
        finally:
            del reason

    def _canceller(self, deferred: Deferred[IProtocol]) -> None:
        connector = self._connector
        try:
            deferred.errback(ConnectingCancelledError(connector and connector.getDestination()))
        finally:
            del deferred
        if connector is not None:
            try:
                connector.stopConnecting()
            except NotConnectingError:
                pass  # the connection is being made: buildProtocol or connectionMade closes it


def negotiateFor(factory: Any, wrapped: Any) -> None:
    """Let a factory name the protocols (ALPN) that another one names, if that one does."""
    if IProtocolNegotiationFactory.providedBy(wrapped):
        factory.acceptableProtocols = wrapped.acceptableProtocols
        alsoProvides(factory, IProtocolNegotiationFactory)


def clockOf(endpoint: Any) -> IReactorTime | None:
    """Find an endpoint's own reactor: it is the one that runs, and need not be that of the process."""
    reactor = getattr(endpoint, "_reactor", None)
    return reactor if IReactorTime.providedBy(reactor) else None


class _OneProtocolFactory(Factory):
    """Gives the protocol that it was given."""

    def __init__(self, protocol: IProtocol) -> None:
        self._protocol = protocol

    def buildProtocol(self, addr: IAddress | None) -> Any:
        return self._protocol


def connectProtocol(endpoint: IStreamClientEndpoint, protocol: IProtocol) -> Deferred[Any]:
    """
    Connect one protocol object, where a factory would be of no use.

    Args:
        endpoint: where to connect.
        protocol: what to connect; it is used for this connection only.

    Returns:
        What the endpoint's ``connect`` returns: a Deferred that fires with `protocol` when it is connected.
    """
    return endpoint.connect(_OneProtocolFactory(protocol))


@implementer(IStreamClientEndpoint)
class _WrapperEndpoint:
    """
    A client endpoint whose connections carry a layer, such as TLS, between transport and protocol.

    Args:
        wrappedEndpoint: makes the connections.
        wrapperFactory: takes the user's factory and returns the layer's, whose protocols have the user's as
            ``wrappedProtocol`` (as those of `policies.WrappingFactory` do).
    """

    def __init__(
        self, wrappedEndpoint: IStreamClientEndpoint, wrapperFactory: Callable[[IProtocolFactory], Any]
    ) -> None:
        self._wrappedEndpoint = wrappedEndpoint
        self._wrapperFactory = wrapperFactory

    def __repr__(self) -> str:
        return f"<{type(self).__name__} around {self._wrappedEndpoint!r}>"

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[Any]:
        """Connect the wrapped endpoint; fires with the user's protocol, else is as that one's Deferred."""
        connecting: Deferred[Any] = answered(
            lambda: self._wrappedEndpoint.connect(self._wrapperFactory(protocolFactory))
        )
        return connecting.addCallback(lambda layer: layer.wrappedProtocol)


@implementer(IStreamServerEndpoint)
class _WrapperServerEndpoint:
    """
    A server endpoint whose connections carry a layer between transport and protocol.

    Args:
        wrappedEndpoint: takes the connections.
        wrapperFactory: takes the user's factory and returns the layer's.
    """

    def __init__(
        self, wrappedEndpoint: IStreamServerEndpoint, wrapperFactory: Callable[[IProtocolFactory], Any]
    ) -> None:
        self._wrappedEndpoint = wrappedEndpoint
        self._wrapperFactory = wrapperFactory

    def __repr__(self) -> str:
        return f"<{type(self).__name__} around {self._wrappedEndpoint!r}>"

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """Listen on the wrapped endpoint; fires with its port, and fails as that does."""
        return answered(lambda: self._wrappedEndpoint.listen(self._wrapperFactory(protocolFactory)))


def announces(endpoint: object) -> bool:
    """Tell whether an endpoint, or one that it wraps, tells its peer whom it speaks for (PROXY protocol)."""
    while endpoint is not None and not hasattr(endpoint, "speakingFor"):
        endpoint = getattr(endpoint, "_wrappedEndpoint", None)
    return endpoint is not None


def speakingFor(endpoint: Any, source: Any, destination: Any) -> Any:
    """
    Have an endpoint that `announces` speak for somebody.

    Args:
        endpoint: stays as it is.
        source: the client's address.
        destination: where the client has connected to.

    Returns:
        Another endpoint.
    """
    if hasattr(endpoint, "speakingFor"):
        return endpoint.speakingFor(source, destination)
    return around(endpoint, speakingFor(endpoint._wrappedEndpoint, source, destination))


def around(endpoint: Any, wrapped: Any) -> Any:
    """Make another endpoint that does around `wrapped` what this one does around its own."""
    other = copy(endpoint)
    other._wrappedEndpoint = wrapped
    return other
