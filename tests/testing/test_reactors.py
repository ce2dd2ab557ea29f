"""`testing`'s reactors: that they are what they claim, keep what they are asked, or refuse it."""

from __future__ import annotations

from collections.abc import Callable
from socket import AF_INET, AF_INET6, AF_UNIX
from typing import Any

import pytest
from zope.interface import providedBy
from zope.interface.verify import verifyObject

from twisted_endpoints.address import IPv4Address, IPv6Address, UNIXAddress
from twisted_endpoints.error import UnsupportedAddressFamily
from twisted_endpoints.interfaces import (
    IConnector,
    IHostnameResolver,
    IHostResolution,
    IListeningPort,
    IReactorCore,
    IReactorFDSet,
    IReactorPluggableNameResolver,
    IReactorSocket,
    IReactorSSL,
    IReactorTCP,
    IReactorTime,
    IReactorUNIX,
)
from twisted_endpoints.protocol import ClientFactory, Factory
from twisted_endpoints.testing import (
    MemoryReactor,
    MemoryReactorClock,
    RaisingMemoryReactor,
    SynchronousResolver,
)

STREAMS = {IReactorTCP, IReactorSSL, IReactorUNIX, IReactorSocket, IReactorPluggableNameResolver}


@pytest.mark.parametrize(
    ("kind", "interfaces"),
    [
        (MemoryReactor, {*STREAMS, IReactorCore, IReactorFDSet}),
        (MemoryReactorClock, {*STREAMS, IReactorCore, IReactorFDSet, IReactorTime}),
        (RaisingMemoryReactor, STREAMS),
    ],
)
def test_providesWhatItClaims(kind: Any, interfaces: set[Any]) -> None:
    made = kind()
    assert set(providedBy(made)) == interfaces
    for interface in interfaces:
        verifyObject(interface, made)


class Client(ClientFactory):
    """Keeps the connector that it is started with."""

    started: Any = None

    def startedConnecting(self, connector: Any) -> None:
        self.started = connector


SERVER, CLIENT, CONTEXT = Factory(), Client(), object()

#: A method, what it is called with, and where it keeps what, under which address.
PORTS: list[tuple[str, tuple[Any, ...], str, tuple[Any, ...], Any]] = [
    ("listenTCP", (80, SERVER), "tcpServers", (80, SERVER, 50, ""), IPv4Address("TCP", "0.0.0.0", 80)),
    (
        "listenTCP",
        (80, SERVER, 5, "::1"),
        "tcpServers",
        (80, SERVER, 5, "::1"),
        IPv6Address("TCP", "::1", 80),
    ),
    (
        "listenTCP",
        (80, SERVER, 50, "fe80::1%eth0"),
        "tcpServers",
        (80, SERVER, 50, "fe80::1%eth0"),
        IPv6Address("TCP", "fe80::1%eth0", 80),
    ),
    (
        "listenSSL",
        (443, SERVER, CONTEXT),
        "sslServers",
        (443, SERVER, CONTEXT, 50, ""),
        IPv4Address("TCP", "0.0.0.0", 443),
    ),
    (
        "listenUNIX",
        ("/run/x", SERVER),
        "unixServers",
        ("/run/x", SERVER, 50, 0o666, 0),
        UNIXAddress("/run/x"),
    ),
    (
        "adoptStreamPort",
        (7, AF_INET, SERVER),
        "adoptedPorts",
        (7, AF_INET, SERVER),
        IPv4Address("TCP", "0.0.0.0", 1234),
    ),
    (
        "adoptStreamPort",
        (7, AF_INET6, SERVER),
        "adoptedPorts",
        (7, AF_INET6, SERVER),
        IPv6Address("TCP", "::", 1234),
    ),
    (
        "adoptDatagramPort",
        (7, AF_INET, SERVER),
        "adoptedPorts",
        (7, AF_INET, SERVER, 8192),
        IPv4Address("UDP", "0.0.0.0", 1234),
    ),
    (
        "adoptDatagramPort",
        (7, AF_INET6, SERVER, 100),
        "adoptedPorts",
        (7, AF_INET6, SERVER, 100),
        IPv6Address("UDP", "::", 1234),
    ),
]
CONNECTIONS: list[tuple[str, tuple[Any, ...], str, tuple[Any, ...], Any]] = [
    (
        "connectTCP",
        ("example.com", 80, CLIENT),
        "tcpClients",
        ("example.com", 80, CLIENT, 30, None),
        IPv4Address("TCP", "example.com", 80),
    ),
    (
        "connectTCP",
        ("::1", 80, CLIENT, 3, ("::", 0)),
        "tcpClients",
        ("::1", 80, CLIENT, 3, ("::", 0)),
        IPv6Address("TCP", "::1", 80),
    ),
    (
        "connectSSL",
        ("example.com", 443, CLIENT, CONTEXT),
        "sslClients",
        ("example.com", 443, CLIENT, CONTEXT, 30, None),
        IPv4Address("TCP", "example.com", 443),
    ),
    (
        "connectUNIX",
        ("/run/x", CLIENT, 3, 1),
        "unixClients",
        ("/run/x", CLIENT, 3, 1),
        UNIXAddress("/run/x"),
    ),
]


@pytest.mark.parametrize(("method", "arguments", "where", "kept", "address"), PORTS)
def test_portsAreKept(method: str, arguments: Any, where: str, kept: Any, address: Any) -> None:
    reactor = MemoryReactor()
    port = getattr(reactor, method)(*arguments)

    verifyObject(IListeningPort, port)
    assert getattr(reactor, where) == [kept]
    assert port.getHost() == address
    assert port.startListening() is None
    assert port.stopListening() is None


@pytest.mark.parametrize(("method", "arguments", "where", "kept", "address"), CONNECTIONS)
def test_connectionsAreKept(method: str, arguments: Any, where: str, kept: Any, address: Any) -> None:
    reactor = MemoryReactor()
    connector = getattr(reactor, method)(*arguments)

    verifyObject(IConnector, connector)
    assert getattr(reactor, where) == [kept]
    assert reactor.connectors == [connector]
    assert CLIENT.started is connector
    assert connector.getDestination() == address
    connector.connect()
    assert not connector.stoppedConnecting
    connector.stopConnecting()
    assert connector.stoppedConnecting
    connector.disconnect()
    assert connector._disconnected


def test_anAdoptedConnectionIsKept() -> None:
    reactor = MemoryReactor()
    reactor.adoptStreamConnection(7, AF_INET, SERVER)
    assert reactor.adoptedStreamConnections == [(7, AF_INET, SERVER)]


@pytest.mark.parametrize("method", ["adoptStreamPort", "adoptDatagramPort"])
def test_aFamilyThatCanNotBeAdopted(method: str) -> None:
    reactor = MemoryReactor()
    with pytest.raises(UnsupportedAddressFamily):
        getattr(reactor, method)(7, AF_UNIX, SERVER)
    assert reactor.adoptedPorts == []


def test_descriptorsAreKept() -> None:
    reactor: Any = MemoryReactor()
    reactor.addReader("reader")
    reactor.addReader("reader")
    reactor.addWriter("writer")
    assert (reactor.getReaders(), reactor.getWriters()) == (["reader"], ["writer"])

    assert sorted(reactor.removeAll()) == ["reader", "writer"]
    assert (reactor.getReaders(), reactor.getWriters()) == ([], [])

    reactor.removeReader("reader")
    reactor.removeWriter("writer")


def test_runCallsWhatWaitsAndStops() -> None:
    reactor = MemoryReactor()
    called: list[Any] = []
    reactor.callWhenRunning(lambda *args, **kw: called.append((args, kw, reactor.running)), 1, key=2)
    assert (called, reactor.running, reactor.hasRun) == ([], False, False)

    reactor.run()

    assert called == [((1,), {"key": 2}, True)]
    assert (reactor.running, reactor.hasRun, reactor.hasStopped) == (False, True, True)
    reactor.callWhenRunning(called.append, "at once")
    assert called[-1] == "at once"


def test_crashAndInstallAreNoted() -> None:
    reactor = MemoryReactor()
    assert (reactor.hasCrashed, reactor.hasInstalled) == (False, False)
    reactor.crash()
    reactor.install()
    assert (reactor.hasCrashed, reactor.hasInstalled, reactor.running) == (True, True, None)


def test_triggersAreKept() -> None:
    reactor = MemoryReactor()
    reactor.addSystemEventTrigger("before", "shutdown", print, 1, end="")
    reactor.addSystemEventTrigger("before", "shutdown", print)
    reactor.addSystemEventTrigger("after", "startup", print)
    assert reactor.triggers == {
        "before": {"shutdown": [(print, (1,), {"end": ""}), (print, (), {})]},
        "after": {"startup": [(print, (), {})]},
    }


@pytest.mark.parametrize(
    "ask",
    [
        lambda r: r.resolve("example.com"),
        lambda r: r.iterate(),
        lambda r: r.fireSystemEvent("shutdown"),
        lambda r: r.removeSystemEventTrigger(1),
    ],
)
def test_whatItCanNotDoItSays(ask: Callable[[Any], Any]) -> None:
    with pytest.raises(NotImplementedError):
        ask(MemoryReactor())


def test_itHasAClock() -> None:
    reactor = MemoryReactorClock()
    called: list[float] = []
    reactor.callLater(2, lambda: called.append(reactor.seconds()))
    reactor.advance(2)
    assert called == [2]


@pytest.mark.parametrize("kind", [MemoryReactor, RaisingMemoryReactor])
def test_theResolverCanBeReplaced(kind: Any) -> None:
    reactor = kind()
    first, other = reactor.nameResolver, object()
    verifyObject(IHostnameResolver, first)
    assert reactor.installNameResolver(other) is first
    assert reactor.nameResolver is other


def test_theResolverAnswersAtOnce() -> None:
    class Receiver:
        def __init__(self) -> None:
            self.told: list[Any] = []

        def resolutionBegan(self, resolution: Any) -> None:
            verifyObject(IHostResolution, resolution)
            self.told.append(resolution.name)

        def addressResolved(self, address: Any) -> None:
            self.told.append(address)

        def resolutionComplete(self) -> None:
            self.told.append("complete")

    receiver: Any = Receiver()
    resolution: Any = SynchronousResolver().resolveHostName(receiver, "example.com", 80)

    assert receiver.told == ["example.com", IPv4Address("TCP", "127.0.0.1", 80), "complete"]
    with pytest.raises(Exception, match=r"already resolved|is over"):
        resolution.cancel()


#: One call of each method; those that the raising reactor answers as it does attempts to listen.
ASKED = {method: arguments for method, arguments, *_ in PORTS + CONNECTIONS}
ASKED["adoptStreamConnection"] = (7, AF_INET, SERVER)
LISTENING = {"listenTCP", "listenSSL", "listenUNIX", "adoptStreamPort"}


@pytest.mark.parametrize("method", ASKED)
def test_theRaisingReactorRefuses(method: str) -> None:
    reactor = RaisingMemoryReactor(OSError("listen"), KeyError("connect"))
    with pytest.raises(OSError if method in LISTENING else KeyError):
        getattr(reactor, method)(*ASKED[method])


@pytest.mark.parametrize("method", ASKED)
def test_theRaisingReactorWithoutAnExceptionRaisesAnyway(method: str) -> None:
    with pytest.raises(TypeError):
        getattr(RaisingMemoryReactor(), method)(*ASKED[method])
