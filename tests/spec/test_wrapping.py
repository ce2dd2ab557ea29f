"""connectProtocol, wrapClientTLS, and what wraps factories, protocols and endpoints."""

from __future__ import annotations

from typing import Any

import pytest
from zope.interface.verify import verifyObject

from tests.plugins.tlsfiles import EchoFactory, Files, Says
from tests.running import run
from twisted_endpoints import error
from twisted_endpoints.address import IPv4Address
from twisted_endpoints.defer import Deferred
from twisted_endpoints.endpoints import (
    TCP4ClientEndpoint,
    TCP4ServerEndpoint,
    TCP6ServerEndpoint,
    _TCPServerEndpoint,
    _WrapperEndpoint,
    _WrapperServerEndpoint,
    _WrappingFactory,
    _WrappingProtocol,
    connectProtocol,
    serverFromString,
    wrapClientTLS,
)
from twisted_endpoints.failure import Failure
from twisted_endpoints.interfaces import IStreamClientEndpoint, IStreamServerEndpoint
from twisted_endpoints.policies import ProtocolWrapper, WrappingFactory
from twisted_endpoints.protocol import Factory
from twisted_endpoints.ssl import Certificate, optionsForClientTLS
from twisted_endpoints.testing import MemoryReactorClock, StringTransport

from .recording import Records

ADDRESS = IPv4Address("TCP", "192.0.2.1", 80)


# connectProtocol


def test_connectProtocolConnectsAProtocolInstanceWithoutAFactory() -> None:
    reactor = MemoryReactorClock()
    protocol = Records()
    results: list[Any] = []
    connectProtocol(TCP4ClientEndpoint(reactor, "192.0.2.1", 80), protocol).addCallback(results.append)
    assert results == []

    factory: Any = reactor.tcpClients[0][2]
    made = factory.buildProtocol(ADDRESS)
    made.makeConnection(StringTransport())

    assert results == [protocol]
    assert protocol.told == ["made"]


def test_connectProtocolReturnsWhatTheEndpointsConnectReturns() -> None:
    returned: Deferred[Any] = Deferred()

    class Endpoint:
        def connect(self, factory: Any) -> Any:
            return returned

    assert connectProtocol(Endpoint(), Records()) is returned  # type: ignore[arg-type]


def test_connectProtocolFailsWithAnAppropriateError() -> None:
    reactor = MemoryReactorClock()
    results: list[Any] = []
    connectProtocol(TCP4ClientEndpoint(reactor, "192.0.2.1", 80), Records()).addErrback(results.append)
    factory: Any = reactor.tcpClients[0][2]
    factory.clientConnectionFailed(reactor.connectors[0], Failure(error.ConnectionRefusedError()))

    assert results[0].check(error.ConnectionRefusedError)


# wrapClientTLS


@pytest.mark.parametrize("secureFirst", [True, False], ids=["ours", "Twisted's order"])
def test_wrapClientTLSUpgradesToTLSAsSoonAsTheConnectionIsThere(
    reactor: Any, files: Files, secureFirst: bool
) -> None:
    with open(files.root_pem, "rb") as file:
        options = optionsForClientTLS("localhost", Certificate.loadPEM(file.read()))
    factory = EchoFactory()

    async def main() -> Any:
        server = serverFromString(reactor, f"tls:{files.served}:0:interface=127.0.0.1")
        port: Any = await server.listen(factory)
        wrapped = TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port)
        protocol = Secured()
        await connectProtocol(wrapClientTLS(options, wrapped, secureFirst=secureFirst), protocol)
        await protocol.done
        await port.stopListening()
        await factory.idle()
        return protocol

    protocol = run(reactor, main)
    assert protocol.heard == b"hello"
    assert protocol.shown.subject.rfc4514_string() == "CN=localhost"


class Secured(Says):
    """Looks whom it has talked to when it has heard something: before, in Twisted's order, nobody knows."""

    shown: Any = None

    def dataReceived(self, data: bytes) -> None:
        transport: Any = self.transport
        self.shown = transport.getPeerCertificate().to_cryptography()
        super().dataReceived(data)


def test_wrapClientTLSReturnsAnEndpointOnTopOfTheWrappedOne() -> None:
    reactor = MemoryReactorClock()
    wrapped = TCP4ClientEndpoint(reactor, "192.0.2.1", 443)
    endpoint = wrapClientTLS(optionsForClientTLS("example.com"), wrapped, secureFirst=False)

    assert verifyObject(IStreamClientEndpoint, endpoint)
    deferred = endpoint.connect(Factory.forProtocol(Records))
    [(host, port, factory, _, _)] = reactor.tcpClients
    assert (host, port) == ("192.0.2.1", 443)
    transport = StringTransport()
    factory.buildProtocol(ADDRESS).makeConnection(transport)
    # It begins with a handshake (RFC 8446, 5.1): content type 22.
    assert transport.value()[:1] == b"\x16"
    deferred.addErrback(lambda reason: None)


# _WrappingProtocol and _WrappingFactory


def test_aWrappingProtocolNotifiesItsUserWhenAConnectionHasBeenMade() -> None:
    connected: Deferred[Any] = Deferred()
    results: list[Any] = []
    connected.addCallback(results.append)
    protocol = Records()
    wrapping = _WrappingProtocol(connected, protocol)
    assert results == []

    transport = StringTransport()
    wrapping.makeConnection(transport)
    wrapping.dataReceived(b"data")
    wrapping.connectionLost(Failure(error.ConnectionDone()))

    assert results == [protocol]
    assert protocol.transport is transport
    assert protocol.told == ["made", b"data", error.ConnectionDone]


def test_aWrappingFactoryWrapsTheProtocolsThatAFactoryBuilds() -> None:
    asked: list[Any] = []

    class Builds(Factory):
        protocol = Records

        def buildProtocol(self, addr: Any) -> Any:
            asked.append(addr)
            return super().buildProtocol(addr)

    wrapping = _WrappingFactory(Builds())
    made = wrapping.buildProtocol(ADDRESS)

    assert asked == [ADDRESS]
    assert isinstance(made, _WrappingProtocol)
    made.makeConnection(StringTransport())
    assert isinstance(wrapping._onConnection.result, Records)


# Wrapper endpoints


class Shouts(ProtocolWrapper):
    """A layer in which all is in capitals."""

    def write(self, data: bytes) -> None:
        super().write(data.upper())


class ShoutsFactory(WrappingFactory):
    protocol = Shouts
    noisy = False


def test_aWrapperEndpointWrapsAClientEndpoint() -> None:
    reactor = MemoryReactorClock()
    endpoint = _WrapperEndpoint(TCP4ClientEndpoint(reactor, "192.0.2.1", 80), ShoutsFactory)
    results: list[Any] = []
    endpoint.connect(Factory.forProtocol(Says)).addCallback(results.append)

    assert verifyObject(IStreamClientEndpoint, endpoint)
    transport = StringTransport()
    reactor.tcpClients[0][2].buildProtocol(ADDRESS).makeConnection(transport)
    assert [type(result) for result in results] == [Says]
    assert transport.value() == b"HELLO"


def test_aWrapperServerEndpointWrapsAServerEndpoint() -> None:
    reactor = MemoryReactorClock()
    endpoint = _WrapperServerEndpoint(TCP4ServerEndpoint(reactor, 80), ShoutsFactory)
    endpoint.listen(Factory.forProtocol(Says))

    assert verifyObject(IStreamServerEndpoint, endpoint)
    transport = StringTransport()
    reactor.tcpServers[0][1].buildProtocol(ADDRESS).makeConnection(transport)
    assert transport.value() == b"HELLO"


@pytest.mark.parametrize("kind", [TCP4ServerEndpoint, TCP6ServerEndpoint])
def test_tcpServerEndpointsShareOneInterface(kind: type) -> None:
    assert issubclass(kind, _TCPServerEndpoint)
    reactor = MemoryReactorClock()
    factory = Factory()
    _TCPServerEndpoint(reactor, 80, 7, "192.0.2.1").listen(factory)
    assert reactor.tcpServers == [(80, factory, 7, "192.0.2.1")]
