"""TCP endpoints: what the reactor is asked for, and names that become IPv6 addresses."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from zope.interface import implementer

from tests.running import needsIPv6, run
from twisted_endpoints import error
from twisted_endpoints.address import HostnameAddress, IPv4Address, IPv6Address
from twisted_endpoints.defer import Deferred, fail, succeed
from twisted_endpoints.endpoints import (
    HostnameEndpoint,
    TCP4ClientEndpoint,
    TCP4ServerEndpoint,
    TCP6ClientEndpoint,
    TCP6ServerEndpoint,
)
from twisted_endpoints.interfaces import IHostnameResolver, IReactorPluggableNameResolver, IReactorThreads
from twisted_endpoints.protocol import Factory, Protocol
from twisted_endpoints.testing import MemoryReactorClock

from .scenario import GreeterFactory


@pytest.mark.parametrize(("kind", "host"), [(TCP4ClientEndpoint, "example.com"), (TCP6ClientEndpoint, "::1")])
def test_connectAsksForAConnection(kind: Any, host: str) -> None:
    reactor = MemoryReactorClock()

    kind(reactor, host, 80).connect(GreeterFactory())
    kind(reactor, host, 80, timeout=2.5, bindAddress=("127.0.0.1", 99)).connect(GreeterFactory())

    asked = [(host, port, timeout, bound) for host, port, _, timeout, bound in reactor.tcpClients]
    assert asked == [(host, 80, 30, None), (host, 80, 2.5, ("127.0.0.1", 99))]


@pytest.mark.parametrize(
    ("host", "asked"),
    [("faß.example", "xn--fa-hia.example"), ("BÜCHER.example", "xn--bcher-kva.example"), (b"::1", "::1")],
)
@pytest.mark.parametrize("kind", [TCP4ClientEndpoint, TCP6ClientEndpoint])
def test_aNameIsAskedForInASCII(kind: Any, host: Any, asked: str) -> None:
    reactor = MemoryReactorClock()
    endpoint = kind(reactor, host, 80)
    lookedUp: list[str] = []

    def lookUp(function: Any, name: str, *others: Any) -> Any:
        lookedUp.append(name)
        return succeed([(socket.AF_INET6, 1, 6, "", ("::2", 0, 0, 0))])

    endpoint._deferToThread = lookUp
    endpoint.connect(GreeterFactory())
    assert lookedUp or [client[0] for client in reactor.tcpClients] == [asked]
    assert lookedUp in ([], [asked])


@needsIPv6
def test_aScopeThatIsNoInterfaceIsAnError(reactor: Any) -> None:
    async def main() -> None:
        connecting = TCP6ClientEndpoint(reactor, "fe80::1%nosuch", 9).connect(GreeterFactory())
        with pytest.raises(error.ConnectError, match=r"not known|Invalid|nosuch|No such device"):
            await connecting

    run(reactor, main)


def test_listenAsksForAPort() -> None:
    reactor = MemoryReactorClock()
    factory = GreeterFactory()

    TCP4ServerEndpoint(reactor, 80).listen(factory)
    TCP6ServerEndpoint(reactor, 81).listen(factory)
    TCP4ServerEndpoint(reactor, 82, 7, "127.0.0.1").listen(factory)
    TCP6ServerEndpoint(reactor, 83, backlog=8, interface="::1").listen(factory)

    assert reactor.tcpServers == [
        (80, factory, 50, ""),
        (81, factory, 50, "::"),
        (82, factory, 7, "127.0.0.1"),
        (83, factory, 8, "::1"),
    ]


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        (TCP4ClientEndpoint(None, "example.com", 80), "<TCP4ClientEndpoint example.com:80>"),
        (TCP6ClientEndpoint(None, "::1", 80), "<TCP6ClientEndpoint [::1]:80>"),
        (TCP4ServerEndpoint(None, 80), "<TCP4ServerEndpoint *:80>"),
        (TCP4ServerEndpoint(None, 80, interface="127.0.0.1"), "<TCP4ServerEndpoint 127.0.0.1:80>"),
        (TCP6ServerEndpoint(None, 0), "<TCP6ServerEndpoint [::]:0>"),
    ],
)
def test_repr(endpoint: Any, expected: str) -> None:
    assert repr(endpoint) == expected


# Names for TCP6ClientEndpoint


def named(reactor: Any, answer: Any) -> tuple[Any, list[Any], list[Any]]:
    """Begin to connect to a name; return the Deferred, its results and what was asked of the thread."""
    asked: list[Any] = []
    results: list[Any] = []
    endpoint = TCP6ClientEndpoint(reactor, "ipv6.example", 80)

    def inThread(function: Any, *args: Any) -> Any:
        asked.append((function, *args))
        return answer

    endpoint._deferToThread = inThread
    deferred = endpoint.connect(GreeterFactory())
    deferred.addBoth(results.append)
    return deferred, results, asked


@pytest.mark.parametrize(
    ("address", "host"),
    [
        (("2001:db8::1", 0, 0, 0), "2001:db8::1"),
        (("fe80::1", 0, 0, 2), "fe80::1%2"),
        (("fe80::1%lo", 0, 0, 2), "fe80::1%lo"),
    ],
)
def test_aNameBecomesItsFirstIPv6Address(address: Any, host: str) -> None:
    reactor = MemoryReactorClock()

    _, _, asked = named(reactor, succeed([(10, 1, 6, "", address), (10, 1, 6, "", ("::9", 0, 0, 0))]))

    assert asked == [(socket.getaddrinfo, "ipv6.example", 0, socket.AF_INET6)]
    assert [client[:2] for client in reactor.tcpClients] == [(host, 80)]


def test_aNameThatIsNotKnownIsADNSLookupError() -> None:
    cause = socket.gaierror(-2, "Name or service not known")

    _, results, _ = named(MemoryReactorClock(), fail(cause))

    assert results[0].check(error.DNSLookupError)
    assert "ipv6.example" in str(results[0].value)
    assert results[0].value.__cause__ is cause


def test_otherErrorsOfTheLookupAreHandedOn() -> None:
    _, results, _ = named(MemoryReactorClock(), fail(ZeroDivisionError()))

    assert results[0].check(ZeroDivisionError)


def test_aLookupThatCantBeginIsAFailure() -> None:
    endpoint = TCP6ClientEndpoint(None, "ipv6.example", 80)

    def broken(*args: Any) -> Any:
        raise RuntimeError("no threads")

    endpoint._deferToThread = broken
    results: list[Any] = []

    endpoint.connect(GreeterFactory()).addBoth(results.append)

    assert results[0].check(RuntimeError)


def test_aCancelDuringTheLookupIsAsAtAnyOtherTime() -> None:
    reactor = MemoryReactorClock()
    looking: Deferred[Any] = Deferred()
    deferred, results, _ = named(reactor, looking)

    deferred.cancel()

    assert results[0].check(error.ConnectingCancelledError)
    assert results[0].value.address == HostnameAddress(b"ipv6.example", 80)
    assert reactor.tcpClients == []


@implementer(IReactorThreads, IReactorPluggableNameResolver, IHostnameResolver)
class OwnResolver(MemoryReactorClock):
    """A reactor that has threads, which aren't used, and is its own resolver."""

    def __init__(self, *found: Any) -> None:
        super().__init__()
        self.nameResolver = self
        self.found = found
        self.receiver: Any = None
        self.asked: tuple[Any, ...] = ()
        self.cancelled = 0

    def resolveHostName(self, receiver: Any, *asked: Any) -> None:
        self.asked = asked
        self.receiver = receiver
        receiver.resolutionBegan(self)

    def answer(self) -> None:
        for address in self.found:
            self.receiver.addressResolved(address)
        self.receiver.resolutionComplete()

    def cancel(self) -> None:
        self.cancelled += 1
        raise NotImplementedError


def test_theReactorsResolverIsAsked() -> None:
    found = [IPv4Address("TCP", "192.0.2.1", 0), IPv6Address("TCP", "fe80::1", 0, 0, 3)]
    reactor = OwnResolver(*found)

    TCP6ClientEndpoint(reactor, "ipv6.example", 80).connect(GreeterFactory())
    assert reactor.asked == ("ipv6.example", 0, [IPv6Address])
    reactor.answer()

    assert [client[:2] for client in reactor.tcpClients] == [("fe80::1%3", 80)]


def test_aResolverThatFindsNoIPv6IsADNSLookupError() -> None:
    reactor = OwnResolver(IPv4Address("TCP", "192.0.2.1", 0))
    results: list[Any] = []

    TCP6ClientEndpoint(reactor, "ipv6.example", 80).connect(GreeterFactory()).addBoth(results.append)
    reactor.answer()

    assert results[0].check(error.DNSLookupError)
    assert reactor.tcpClients == []


def test_aCancelEndsTheResolversLookUp() -> None:
    reactor = OwnResolver(IPv6Address("TCP", "::1", 0))
    results: list[Any] = []

    connecting = TCP6ClientEndpoint(reactor, "ipv6.example", 80).connect(GreeterFactory())
    connecting.addBoth(results.append)
    connecting.cancel()
    reactor.answer()

    assert results[0].check(error.ConnectingCancelledError)
    assert reactor.cancelled == 1
    assert reactor.tcpClients == []


# On sockets


class Echo(Protocol):
    def dataReceived(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data)
        self.transport.loseConnection()


class Collect(Protocol):
    """Sends a greeting and collects what comes back."""

    def __init__(self) -> None:
        self.got = b""
        self.closed: Deferred[bytes] = Deferred()

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(b"hello")

    def dataReceived(self, data: bytes) -> None:
        self.got += data

    def connectionLost(self, reason: Any = None) -> None:
        self.closed.callback(self.got)


@pytest.mark.parametrize("kind", ["tcp4", pytest.param("tcp6", marks=needsIPv6), "hostname"])
def test_bytesGoThereAndBack(kind: str, reactor: Any) -> None:
    async def main() -> Any:
        factory = Factory.forProtocol(Echo)
        server = (
            TCP6ServerEndpoint(reactor, 0, interface="::1")
            if kind == "tcp6"
            else TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
        )
        port = await server.listen(factory)
        number = port.getHost().port
        client: Any = {
            "tcp4": lambda: TCP4ClientEndpoint(reactor, "127.0.0.1", number),
            "tcp6": lambda: TCP6ClientEndpoint(reactor, "::1", number),
            "hostname": lambda: HostnameEndpoint(reactor, "localhost", number, deadline=10),
        }[kind]()
        protocol = await client.connect(Factory.forProtocol(Collect))
        got = await protocol.closed
        await port.stopListening()
        return got

    assert run(reactor, main) == b"hello"


@pytest.mark.parametrize("kind", [TCP4ClientEndpoint, HostnameEndpoint])
def test_aClosedPortRefuses(kind: Any, reactor: Any) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        number = unused.getsockname()[1]

        async def main() -> Any:
            await kind(reactor, "127.0.0.1", number).connect(Factory.forProtocol(Protocol))

        with pytest.raises(error.ConnectionRefusedError):
            run(reactor, main)
