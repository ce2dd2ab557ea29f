"""What every endpoint does the same way: one Deferred, fired once, and nothing left open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from zope.interface import alsoProvides, directlyProvides, implementer
from zope.interface.verify import verifyObject

from twisted_endpoints import error
from twisted_endpoints.address import IPv4Address
from twisted_endpoints.defer import Deferred
from twisted_endpoints.endpoints import (
    TCP4ClientEndpoint,
    TCP4ServerEndpoint,
    TCP6ClientEndpoint,
    TCP6ServerEndpoint,
    UNIXClientEndpoint,
    UNIXServerEndpoint,
    _WrapperEndpoint,
    _WrapperServerEndpoint,
    _WrappingFactory,
    _WrappingProtocol,
    connectProtocol,
)
from twisted_endpoints.failure import Failure
from twisted_endpoints.interfaces import (
    IAddress,
    IFileDescriptorReceiver,
    IHalfCloseableProtocol,
    IHandshakeListener,
    IProtocol,
    IStreamClientEndpoint,
    IStreamServerEndpoint,
)
from twisted_endpoints.protocol import ClientFactory, Factory, Protocol
from twisted_endpoints.testing import MemoryReactorClock, RaisingMemoryReactor, StringTransport

from .scenario import Greeter, GreeterFactory

CLIENTS: dict[str, Callable[[Any], Any]] = {
    "tcp4": lambda reactor: TCP4ClientEndpoint(reactor, "127.0.0.1", 80),
    "tcp6": lambda reactor: TCP6ClientEndpoint(reactor, "::1", 80),
    "unix": lambda reactor: UNIXClientEndpoint(reactor, "/run/server"),
    "wrapper": lambda reactor: _WrapperEndpoint(TCP4ClientEndpoint(reactor, "127.0.0.1", 80), Layer),
}

SERVERS: dict[str, Callable[[Any], Any]] = {
    "tcp4": lambda reactor: TCP4ServerEndpoint(reactor, 80),
    "tcp6": lambda reactor: TCP6ServerEndpoint(reactor, 80),
    "unix": lambda reactor: UNIXServerEndpoint(reactor, "/run/server"),
    "wrapper": lambda reactor: _WrapperServerEndpoint(TCP4ServerEndpoint(reactor, 80), Layer),
}


class LayerProtocol(Protocol):
    """A layer between transport and protocol that changes nothing."""

    def __init__(self, wrappedProtocol: Any) -> None:
        self.wrappedProtocol = wrappedProtocol

    def connectionMade(self) -> None:
        self.wrappedProtocol.makeConnection(self.transport)


class Layer(Factory):
    """Makes layers."""

    noisy = False

    def __init__(self, wrappedFactory: Any) -> None:
        self.wrappedFactory = wrappedFactory

    def buildProtocol(self, addr: Any) -> Any:
        made = self.wrappedFactory.buildProtocol(addr)
        return None if made is None else LayerProtocol(made)


class Transport(StringTransport):
    """Notes whether it was aborted."""

    aborted = False

    def abortConnection(self) -> None:
        self.aborted = True


def connecting(kind: str, factory: Any) -> tuple[Any, list[Any], Any]:
    """Begin to connect; return the Deferred, its results, and the factory that the reactor was given."""
    reactor = MemoryReactorClock()
    results: list[Any] = []
    deferred = CLIENTS[kind](reactor).connect(factory)
    deferred.addBoth(results.append)
    given = reactor.unixClients[0][1] if kind == "unix" else reactor.tcpClients[0][2]
    return deferred, results, given


def made(given: Any) -> Transport:
    """Make the connection, as a reactor does."""
    transport = Transport()
    protocol = given.buildProtocol(IPv4Address("TCP", "127.0.0.1", 80))
    if protocol is None:
        transport.aborted = True
    else:
        transport.protocol = protocol
        protocol.makeConnection(transport)
    return transport


class Raising(GreeterFactory):
    """Its protocols raise when they are connected."""

    class protocol(Greeter):
        def connectionMade(self) -> None:
            super().connectionMade()
            raise RuntimeError("a bug")


@pytest.mark.parametrize("kind", CLIENTS)
def test_clientEndpointsProvideTheInterface(kind: str) -> None:
    verifyObject(IStreamClientEndpoint, CLIENTS[kind](MemoryReactorClock()))


@pytest.mark.parametrize("kind", CLIENTS)
def test_connectFiresWithTheConnectedProtocol(kind: str) -> None:
    _, results, given = connecting(kind, GreeterFactory())
    assert results == []

    transport = made(given)

    (protocol,) = results
    assert type(protocol) is Greeter
    assert protocol.made == 1
    assert protocol.transport is transport
    assert not transport.aborted


@pytest.mark.parametrize("kind", CLIENTS)
def test_connectFailsWithTheReactorsReason(kind: str) -> None:
    _, results, given = connecting(kind, GreeterFactory())
    reason = Failure(error.ConnectionRefusedError())

    given.clientConnectionFailed(given._connector, reason)

    assert results[0].value is reason.value


@pytest.mark.parametrize("kind", CLIENTS)
def test_aReactorThatRaisesIsAFailure(kind: str) -> None:
    raised = error.ConnectBindError(string="no")
    results: list[Any] = []

    CLIENTS[kind](RaisingMemoryReactor(connectException=raised)).connect(GreeterFactory()).addBoth(
        results.append
    )

    assert results[0].value is raised


@pytest.mark.parametrize("kind", CLIENTS)
def test_aReactorThatCantConnectSoIsAFailure(kind: str) -> None:
    results: list[Any] = []

    CLIENTS[kind](object()).connect(GreeterFactory()).addBoth(results.append)

    assert results[0].check(AttributeError)


@pytest.mark.parametrize("kind", CLIENTS)
def test_aFactoryThatMakesNothingIsNoProtocol(kind: str) -> None:
    factory = GreeterFactory()
    factory.buildProtocol = lambda addr: None
    _, results, given = connecting(kind, factory)

    transport = made(given)

    assert results[0].check(error.NoProtocol)
    assert transport.aborted


@pytest.mark.parametrize("kind", CLIENTS)
def test_aRaisingFactoryFailsTheConnect(kind: str) -> None:
    def buildProtocol(addr: Any) -> Any:
        raise RuntimeError("a bug")

    factory = GreeterFactory()
    factory.buildProtocol = buildProtocol
    _, results, given = connecting(kind, factory)

    transport = made(given)

    assert str(results[0].value) == "a bug"
    assert transport.aborted


@pytest.mark.parametrize("kind", CLIENTS)
def test_aRaisingConnectionMadeFailsTheConnectAndCloses(kind: str) -> None:
    factory = Raising()
    _, results, given = connecting(kind, factory)

    transport = made(given)

    assert str(results[0].value) == "a bug"
    assert transport.aborted


def test_aProtocolWhoseConnectionMadeRaisedHearsOfTheEnd() -> None:
    factory = Raising()
    _, results, given = connecting("tcp4", factory)
    transport = made(given)

    transport.protocol.connectionLost(Failure(error.ConnectionAborted()))

    assert [protocol.lost for protocol in factory.made] == [1]
    assert len(results) == 1


@pytest.mark.parametrize("kind", CLIENTS)
@pytest.mark.parametrize("leave", [KeyboardInterrupt, SystemExit])
def test_exitsAreNotSwallowed(kind: str, leave: type[BaseException]) -> None:
    class Leaving(GreeterFactory):
        def buildProtocol(self, addr: Any) -> Any:
            raise leave

    class Reactor:
        def connectTCP(self, *args: Any, **kwargs: Any) -> Any:
            raise leave

        connectUNIX = connectTCP

    _, results, given = connecting(kind, Leaving())

    with pytest.raises(leave):
        made(given)
    assert results == []
    with pytest.raises(leave):
        CLIENTS[kind](Reactor()).connect(GreeterFactory())


@pytest.mark.parametrize("kind", CLIENTS)
def test_aCancelStopsTheAttempt(kind: str) -> None:
    deferred, results, given = connecting(kind, GreeterFactory())
    connector = given._connector

    deferred.cancel()
    given.clientConnectionFailed(connector, Failure(error.UserError()))

    assert connector.stoppedConnecting
    assert len(results) == 1
    assert results[0].check(error.ConnectingCancelledError)
    assert results[0].value.address == connector.getDestination()


def test_aConnectionThatComesAfterTheCancelIsClosed() -> None:
    factory = GreeterFactory()
    deferred, results, given = connecting("tcp4", factory)
    protocol = given.buildProtocol(None)
    deferred.cancel()
    transport = Transport()

    protocol.makeConnection(transport)
    protocol.connectionLost(Failure(error.ConnectionAborted()))

    assert transport.aborted
    assert [(p.made, p.lost) for p in factory.made] == [(0, 0)]
    assert results[0].check(error.ConnectingCancelledError)
    assert made(given).aborted


def test_aTransportThatCantAbortIsClosed() -> None:
    factory = Raising()
    _, _, given = connecting("tcp4", factory)
    transport = StringTransport()

    given.buildProtocol(None).makeConnection(transport)

    assert transport.disconnecting


def test_whatTheUsersProtocolRaisesAfterItsCancelIsNotAnError() -> None:
    class CancelsAndRaises(Greeter):
        def connectionMade(self) -> None:
            deferred.cancel()
            raise RuntimeError("a bug")

    deferred, results, given = connecting("tcp4", GreeterFactory.forProtocol(CancelsAndRaises))

    assert made(given).aborted
    assert results[0].check(error.ConnectingCancelledError)


def test_aFailureThatTheReactorReportsAndRaisesIsOne() -> None:
    class Reactor:
        def connectTCP(self, host: str, port: int, factory: Any, **kwargs: Any) -> Any:
            factory.clientConnectionFailed(None, Failure(error.ConnectBindError()))
            raise OSError("and again")

    results: list[Any] = []

    CLIENTS["tcp4"](Reactor()).connect(GreeterFactory()).addBoth(results.append)

    assert results[0].check(error.ConnectBindError)


# Servers


@pytest.mark.parametrize("kind", SERVERS)
def test_serverEndpointsProvideTheInterface(kind: str) -> None:
    verifyObject(IStreamServerEndpoint, SERVERS[kind](MemoryReactorClock()))


@pytest.mark.parametrize("kind", SERVERS)
def test_listenFiresWithThePort(kind: str) -> None:
    results: list[Any] = []

    SERVERS[kind](MemoryReactorClock()).listen(GreeterFactory()).addBoth(results.append)

    assert results[0].getHost() is not None


@pytest.mark.parametrize("kind", SERVERS)
def test_aReactorThatCantListenIsAFailure(kind: str) -> None:
    raised = error.CannotListenError("", 80, OSError("in use"))
    results: list[Any] = []

    SERVERS[kind](RaisingMemoryReactor(listenException=raised)).listen(GreeterFactory()).addBoth(
        results.append
    )
    SERVERS[kind](object()).listen(GreeterFactory()).addBoth(results.append)

    assert results[0].value is raised
    assert results[1].check(AttributeError)


@pytest.mark.parametrize("kind", SERVERS)
def test_listenLetsExitsThrough(kind: str) -> None:
    class Reactor:
        def listenTCP(self, *args: Any, **kwargs: Any) -> Any:
            raise KeyboardInterrupt

        listenUNIX = listenTCP

    with pytest.raises(KeyboardInterrupt):
        SERVERS[kind](Reactor()).listen(GreeterFactory())


# The wrapping factory and protocol


def test_startAndStopReachTheUsersFactory() -> None:
    factory = ClientFactory()
    factory.noisy = False
    wrapping = _WrappingFactory(factory)

    wrapping.doStart()
    assert factory.numPorts == 1
    wrapping.doStop()
    assert factory.numPorts == 0


def test_theProtocolIsLetGoOfAtTheEnd() -> None:
    factory = _WrappingFactory(GreeterFactory())
    layer = factory.buildProtocol(None)
    layer.makeConnection(StringTransport())
    assert factory._onConnection.result is layer._wrappedProtocol
    factory.clientConnectionLost(None, Failure(error.ConnectionDone()))  # type: ignore[arg-type]
    assert factory._onConnection.result is None
    # As before, it is of no use for a second connection.
    assert factory.buildProtocol(None) is None


def test_theConnectorIsLetGoOfAtTheEnd() -> None:
    """It holds the factory, and would be garbage with it."""
    _, _, given = connecting("tcp4", GreeterFactory())
    made(given)

    given.clientConnectionLost(given._connector, Failure(error.ConnectionDone()))

    assert given._connector is None


@implementer(IHalfCloseableProtocol, IFileDescriptorReceiver, IHandshakeListener)
class Everything(Greeter):
    """Writes down all that it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def dataReceived(self, data: bytes) -> None:
        self.told.append(data)

    def fileDescriptorReceived(self, descriptor: int) -> None:
        self.told.append(descriptor)

    def readConnectionLost(self) -> None:
        self.told.append("read")

    def writeConnectionLost(self) -> None:
        self.told.append("write")

    def handshakeCompleted(self) -> None:
        self.told.append("handshake")

    def connectionLost(self, reason: Any = None) -> None:
        self.told.append(reason)

    def logPrefix(self) -> str:
        return "everything"


def test_everythingIsPassedOn() -> None:
    user = Everything()
    wrapping = _WrappingProtocol(Deferred(), user)
    wrapping.makeConnection(StringTransport())

    wrapping.dataReceived(b"x")
    wrapping.fileDescriptorReceived(3)
    wrapping.readConnectionLost()
    wrapping.writeConnectionLost()
    wrapping.handshakeCompleted()
    wrapping.connectionLost("reason")

    assert user.told == [b"x", 3, "read", "write", "handshake", "reason"]
    assert wrapping.logPrefix() == "everything"


def test_itProvidesWhatTheUsersProtocolProvides() -> None:
    interfaces = [IHalfCloseableProtocol, IFileDescriptorReceiver, IHandshakeListener]
    everything = _WrappingProtocol(Deferred(), Everything())
    nothing = _WrappingProtocol(Deferred(), Greeter())

    assert [interface.providedBy(everything) for interface in interfaces] == [True] * 3
    assert [interface.providedBy(nothing) for interface in interfaces] == [False] * 3
    assert IProtocol.providedBy(everything)
    assert IProtocol.providedBy(nothing)


def test_itProvidesWhatItWasDeclaredToAndWhatTheUsersProtocolIsLater() -> None:
    user = Greeter()
    wrapping = _WrappingProtocol(Deferred(), user)
    directlyProvides(wrapping, IAddress)
    alsoProvides(user, IHalfCloseableProtocol)

    assert IAddress.providedBy(wrapping)
    assert IHalfCloseableProtocol.providedBy(wrapping)
    assert IProtocol.providedBy(wrapping)
    assert not IHandshakeListener.providedBy(wrapping)


def test_aProtocolWithoutALogPrefixIsNamedByItsClass() -> None:
    class Bare:
        pass

    assert _WrappingProtocol(Deferred(), Bare()).logPrefix() == "Bare"


# connectProtocol and wrappers


def test_connectProtocolConnectsTheObjectItWasGiven() -> None:
    reactor = MemoryReactorClock()
    protocol = Greeter()
    results: list[Any] = []

    connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", 80), protocol).addBoth(results.append)
    made(reactor.tcpClients[0][2])

    assert results == [protocol]
    assert protocol.made == 1


def test_connectProtocolReturnsTheEndpointsDeferred() -> None:
    deferred: Deferred[Any] = Deferred()

    class Endpoint:
        def connect(self, protocolFactory: Any) -> Any:
            return deferred

    assert connectProtocol(Endpoint(), Greeter()) is deferred


@pytest.mark.parametrize("kind", [RuntimeError, asyncio.CancelledError])
def test_aLayerThatCantBeMadeIsAFailure(kind: type[BaseException]) -> None:
    def broken(factory: Any) -> Any:
        raise kind("no layer")

    reactor = MemoryReactorClock()
    results: list[Any] = []

    _WrapperEndpoint(TCP4ClientEndpoint(reactor, "127.0.0.1", 80), broken).connect(Greeter()).addBoth(
        results.append
    )
    _WrapperServerEndpoint(TCP4ServerEndpoint(reactor, 80), broken).listen(Greeter()).addBoth(results.append)

    assert [(result.type, str(result.value)) for result in results] == [(kind, "no layer")] * 2
    assert reactor.tcpClients == reactor.tcpServers == []


def test_reprsNameWhatIsWrapped() -> None:
    reactor = MemoryReactorClock()

    assert repr(CLIENTS["wrapper"](reactor)) == "<_WrapperEndpoint around <TCP4ClientEndpoint 127.0.0.1:80>>"
    assert repr(SERVERS["wrapper"](reactor)) == "<_WrapperServerEndpoint around <TCP4ServerEndpoint *:80>>"
