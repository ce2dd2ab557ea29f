"""The server's side in memory: who hears of a connection, when, and what of it."""

from __future__ import annotations

from typing import Any

import pytest
from zope.interface import implementer

from twisted_endpoints.address import IPv4Address, UNIXAddress
from twisted_endpoints.error import ConnectionDone
from twisted_endpoints.failure import Failure
from twisted_endpoints.haproxy import (
    AnyProxyWarning,
    HAProxyWrappingFactory,
    ProxyServerEndpoint,
    Trust,
    proxyEndpoint,
    v1,
    v2,
)
from twisted_endpoints.haproxy import complaints as complaintsModule
from twisted_endpoints.interfaces import IHalfCloseableProtocol, IHandshakeListener
from twisted_endpoints.protocol import Factory, Protocol
from twisted_endpoints.task import Clock
from twisted_endpoints.testing import StringTransport

from .headers import PATHS, PATHS_ADDRESSES, V4, V4_ADDRESSES, V6, V6_ADDRESSES, fixed

PROXY = IPv4Address("TCP", "10.0.0.7", 4711)
HOST = IPv4Address("TCP", "10.0.0.1", 443)


class Transport(StringTransport):
    """A transport that has a place for its protocol, as those of reactors have."""

    PLACE = "protocol"

    def __init__(self) -> None:
        super().__init__(HOST, PROXY, lenient=True)
        self.aborted = False

    def abortConnection(self) -> None:
        self.aborted = True
        super().abortConnection()

    def receive(self, data: bytes) -> None:
        getattr(self, self.PLACE).dataReceived(data)

    def lose(self) -> None:
        protocol = getattr(self, self.PLACE)
        setattr(self, self.PLACE, None)
        protocol.connectionLost(Failure(ConnectionDone()))


class Layer(Transport):
    """One that has the place that layers such as TLS have for it."""

    PLACE = "wrappedProtocol"


class Bare(Transport):
    """One that has no place for it that anybody knows."""

    PLACE = "hidden"


class Seen(Protocol):
    """Notes what happens to it, and what it could know by then."""

    def __init__(self, factory: Recording) -> None:
        self.events = factory.events

    def connectionMade(self) -> None:
        transport: Any = self.transport
        self.events.append(("made", transport.getPeer(), transport.getHost()))

    def dataReceived(self, data: bytes) -> None:
        self.events.append(("data", data))

    def connectionLost(self, reason: Any = None) -> None:
        self.events.append(("lost", reason.type))


class Recording(Factory):
    """Makes what `protocol` makes, and notes for whom."""

    noisy = False
    protocol: Any = Seen

    def __init__(self, protocol: Any = Seen) -> None:
        self.events: list[tuple[Any, ...]] = []
        self.protocol = protocol
        self.made: Any = None

    def buildProtocol(self, addr: Any) -> Any:
        self.events.append(("build", addr))
        self.made = self.protocol(self)
        return self.made


class Scene:
    """One connection from a proxy."""

    def __init__(self, protocol: Any = Seen, transport: type[Transport] = Transport, **options: Any) -> None:
        self.clock = Clock()
        self.user = Recording(protocol)
        self.factory = HAProxyWrappingFactory(self.user, clock=self.clock, headerTimeout=5, **options)
        self.transport = transport()
        wrapper: Any = self.factory.buildProtocol(PROXY)
        self.wrapper = wrapper
        setattr(self.transport, transport.PLACE, wrapper)
        wrapper.makeConnection(self.transport)

    @property
    def events(self) -> list[tuple[Any, ...]]:
        return self.user.events


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is logged about peers."""
    lines: list[str] = []
    monkeypatch.setattr(complaintsModule._log, "warning", lines.append)
    return lines


KINDS = [Transport, Layer, Bare]
eachTransport = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)

HEADERS = [
    ("v1", b"PROXY TCP4 192.0.2.1 198.51.100.2 8080 443\r\n", V4_ADDRESSES),
    ("v1 tcp6", v1.build(*V6_ADDRESSES), V6_ADDRESSES),
    ("v1 unknown", b"PROXY UNKNOWN\r\n", (PROXY, HOST)),
    ("v2", fixed(rest=V4), V4_ADDRESSES),
    ("v2 tcp6", fixed(kind=0x21, rest=V6), V6_ADDRESSES),
    ("v2 unix", fixed(kind=0x31, rest=PATHS), PATHS_ADDRESSES),
    ("v2 local", fixed(0x20, 0x00), (PROXY, HOST)),
    ("v2 unspecified", fixed(kind=0x00), (PROXY, HOST)),
]
eachHeader = pytest.mark.parametrize(
    ("header", "addresses"), [row[1:] for row in HEADERS], ids=[row[0] for row in HEADERS]
)


@eachTransport
@eachHeader
def test_theTrueAddressesAreKnownFromTheFirstInstant(
    kind: type[Transport], header: bytes, addresses: tuple[Any, Any]
) -> None:
    scene = Scene(transport=kind)
    source, destination = addresses
    scene.transport.receive(header[:7])
    assert scene.events == []
    scene.transport.receive(header[7:] + b"first")
    scene.transport.receive(b"second")
    scene.transport.lose()
    assert scene.events == [
        ("build", source),
        ("made", source, destination),
        ("data", b"first"),
        ("data", b"second"),
        ("lost", ConnectionDone),
    ]
    assert scene.clock.getDelayedCalls() == []


@eachTransport
def test_allOfTheHeaderIsThere(kind: type[Transport]) -> None:
    scene = Scene(transport=kind)
    assert scene.wrapper.proxyInfo is None
    scene.transport.receive(v2.build(*V4_ADDRESSES, [(2, b"example.com")]))
    assert scene.user.made.transport.proxyInfo.authority == "example.com"
    assert scene.user.made.transport is scene.wrapper
    assert scene.wrapper.wrappedProtocol is scene.user.made


def test_theProtocolIsCalledDirectly() -> None:
    for kind in (Transport, Layer):
        scene = Scene(transport=kind)
        scene.transport.receive(fixed(rest=V4))
        assert getattr(scene.transport, kind.PLACE) is scene.user.made


@pytest.mark.parametrize("name", ["protocol", "wrappedProtocol"])
@eachTransport
def test_aProtocolCanBeExchanged(kind: type[Transport], name: str) -> None:
    scene = Scene(transport=kind)
    scene.transport.receive(fixed(rest=V4))
    assert getattr(scene.wrapper, name) is scene.user.made
    other = Seen(Recording())
    setattr(scene.wrapper, name, other)
    scene.transport.receive(b"for the other")
    assert other.events == [("data", b"for the other")]
    assert scene.events[-1][0] == "made"


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n",
        b"PROXY TCP4 1.2.3.4\r\n",
        b"\r\n\r\nx",
        fixed(length=65535),
        b"PROXY ".ljust(107),
    ],
    ids=["http", "half", "blank", "long", "no end"],
)
@eachTransport
def test_anythingElseIsTurnedAwayAtOnce(kind: type[Transport], data: bytes, said: list[str]) -> None:
    scene = Scene(transport=kind)
    scene.transport.receive(data)
    assert scene.transport.aborted
    assert scene.clock.getDelayedCalls() == []
    scene.transport.receive(fixed(rest=V4))  # a transport may have more that it has read already
    scene.transport.lose()
    assert scene.events == []
    assert len(said) == 1
    assert said[0].startswith(f"PROXY protocol: closed the connection from {PROXY}: ")


def test_theHeaderHasADeadlineAndBytesDontMoveIt(said: list[str]) -> None:
    scene = Scene()
    for byte in b"PROXY TCP4":
        scene.clock.advance(0.4)
        scene.transport.receive(bytes([byte]))
    assert not scene.transport.aborted
    scene.clock.advance(1.0)
    assert scene.transport.aborted
    assert said[0].endswith("its header wasn't complete in 5 seconds")
    scene.transport.lose()
    assert (scene.events, len(said)) == ([], 1)


def test_afterTheHeaderThereIsNoDeadline() -> None:
    scene = Scene()
    scene.transport.receive(fixed(rest=V4))
    assert scene.clock.getDelayedCalls() == []
    scene.clock.advance(100)
    assert not scene.transport.aborted


def test_withoutADeadlineNothingIsScheduled() -> None:
    factory = HAProxyWrappingFactory(Recording())
    wrapper: Any = factory.buildProtocol(PROXY)
    wrapper.makeConnection(Transport())
    assert wrapper in factory.protocols


def test_whoWaitsForAHeaderIsKnownAndForgotten() -> None:
    scene = Scene()
    assert list(scene.factory.protocols) == [scene.wrapper]
    scene.transport.receive(fixed(rest=V4))
    assert scene.factory.protocols == {}
    other = Scene()
    other.transport.lose()
    assert (other.factory.protocols, other.clock.getDelayedCalls(), other.events) == ({}, [], [])


@pytest.mark.parametrize(("begun", "lines"), [(b"", 0), (b"PROXY TCP4", 1)], ids=["nothing", "half"])
def test_whoLeavesWithoutAWordIsNotWorthOne(begun: bytes, lines: int, said: list[str]) -> None:
    scene = Scene()
    scene.transport.receive(begun)
    scene.transport.lose()
    assert len(said) == lines


def test_strangersAreTurnedAwayWithoutAProtocol(said: list[str]) -> None:
    factory = HAProxyWrappingFactory(Recording(), Trust.parse("10.0.0.0/8"), clock=Clock())
    assert factory.buildProtocol(PROXY) is not None
    assert factory.buildProtocol(IPv4Address("TCP", "192.0.2.9", 1)) is None
    assert factory.buildProtocol(UNIXAddress(None)) is None
    assert factory.protocols == {}
    assert len(said) == 1
    assert "192.0.2.9" in said[0]
    assert said[0].endswith("it isn't one of those whose headers are believed, 10.0.0.0/8")


def test_manyPeersAreOneLineASecond(said: list[str]) -> None:
    clock = Clock()
    factory = HAProxyWrappingFactory(Recording(), Trust(), clock=clock)
    for _ in range(1000):
        factory.buildProtocol(PROXY)
    assert len(said) == 1
    clock.advance(1)
    factory.buildProtocol(PROXY)
    factory.buildProtocol(PROXY)
    assert len(said) == 2
    assert said[1].endswith(" (and 999 more were closed)")
    clock.advance(1)
    factory.buildProtocol(PROXY)
    assert said[2].endswith(" (and 1 more were closed)")


def test_whatAPeerSaysIsOneLineInTheLog(said: list[str]) -> None:
    scene = Scene()
    scene.transport.receive(b"PROXY TCP4 1.2.3.4\n[-]FAKE\x1b[31m 1.2.3.4 1 2\r\n")
    assert said[0].isprintable()


def test_aFactoryMayMakeNoProtocol() -> None:
    scene = Scene(lambda factory: None)
    scene.transport.receive(fixed(rest=V4) + b"data")
    assert scene.transport.aborted
    scene.transport.lose()
    assert scene.events == [("build", V4_ADDRESSES[0])]


def test_whatAFactoryRaisesIsTheTransportsMatter() -> None:
    def fails(factory: Any) -> Any:
        raise ZeroDivisionError

    scene = Scene(fails)
    with pytest.raises(ZeroDivisionError):
        scene.transport.receive(fixed(rest=V4) + b"data")
    scene.transport.lose()
    assert scene.events == [("build", V4_ADDRESSES[0])]
    assert (scene.factory.protocols, scene.clock.getDelayedCalls()) == ({}, [])


@eachTransport
def test_whoseConnectionMadeRaisesHearsThatItIsLost(kind: type[Transport]) -> None:
    class Fails(Seen):
        def connectionMade(self) -> None:
            raise ZeroDivisionError

    scene = Scene(Fails, transport=kind)
    with pytest.raises(ZeroDivisionError):
        scene.transport.receive(fixed(rest=V4) + b"data")
    scene.transport.lose()
    assert scene.events == [("build", V4_ADDRESSES[0]), ("lost", ConnectionDone)]


class Paused(Seen):
    """Wants to read nothing yet."""

    def connectionMade(self) -> None:
        super().connectionMade()
        self.transport.pauseProducing()  # type: ignore[union-attr]


@eachTransport
def test_whatCameWithTheHeaderWaitsForAPausedProtocol(kind: type[Transport]) -> None:
    scene = Scene(Paused, transport=kind)
    scene.transport.receive(fixed(rest=V4) + b"first")
    assert scene.events[-1][0] == "made"
    assert scene.transport.producerState == "paused"
    scene.wrapper.resumeProducing()
    assert scene.transport.producerState == "paused"  # else more could come before it
    assert scene.events[-1][0] == "made"
    scene.clock.advance(0)
    assert scene.events[-1] == ("data", b"first")
    assert scene.transport.producerState == "producing"
    scene.transport.receive(b"second")
    assert scene.events[-1] == ("data", b"second")
    scene.wrapper.pauseProducing()
    assert scene.transport.producerState == "paused"
    scene.wrapper.resumeProducing()
    assert scene.transport.producerState == "producing"
    assert scene.clock.getDelayedCalls() == []


def test_pausedAgainBeforeItIsDelivered() -> None:
    scene = Scene(Paused)
    scene.transport.receive(fixed(rest=V4) + b"first")
    scene.wrapper.resumeProducing()
    scene.wrapper.pauseProducing()
    scene.clock.advance(0)
    assert scene.events[-1][0] == "made"
    assert scene.transport.producerState == "paused"
    scene.wrapper.resumeProducing()
    scene.wrapper.resumeProducing()
    scene.clock.advance(0)
    assert [event for event in scene.events if event[0] == "data"] == [("data", b"first")]


def test_pausedByWhatCameWithTheHeader() -> None:
    class PausedByData(Seen):
        def dataReceived(self, data: bytes) -> None:
            super().dataReceived(data)
            self.transport.pauseProducing()  # type: ignore[union-attr]

    scene = Scene(PausedByData)
    scene.transport.receive(fixed(rest=V4) + b"first")
    assert scene.events[-1] == ("data", b"first")
    assert scene.transport.producerState == "paused"


@eachTransport
def test_lostWhileItWaits(kind: type[Transport]) -> None:
    scene = Scene(Paused, transport=kind)
    scene.transport.receive(fixed(rest=V4) + b"first")
    scene.wrapper.resumeProducing()
    scene.transport.lose()
    scene.clock.advance(0)
    assert [event[0] for event in scene.events] == ["build", "made", "lost"]


@pytest.mark.parametrize("how", ["loseConnection", "abortConnection", "stopProducing"])
def test_whoTurnsAClientAwayHearsNothingFromIt(how: str) -> None:
    class Closes(Seen):
        def connectionMade(self) -> None:
            super().connectionMade()
            getattr(self.transport, how)()

    scene = Scene(Closes)
    scene.transport.receive(fixed(rest=V4) + b"data")
    assert scene.events[-1][0] == "made"
    assert scene.transport.disconnecting
    assert scene.transport.aborted == (how == "abortConnection")
    assert scene.wrapper.disconnecting


def test_whatIsWrittenGoesToTheTransport() -> None:
    scene = Scene()
    scene.transport.receive(fixed(rest=V4))
    scene.wrapper.write(b"a")
    scene.wrapper.writeSequence([b"b", b"c"])
    assert scene.transport.value() == b"abc"
    producer = object()
    scene.wrapper.registerProducer(producer, True)
    assert scene.transport.producer is producer
    scene.wrapper.unregisterProducer()
    assert scene.transport.producer is None


def test_tlsThatAProtocolBeginsGetsWhatCameWithTheHeader() -> None:
    taken: list[bytes] = []

    class TLS:
        dataReceived = staticmethod(taken.append)

    class Begins(Seen):
        def connectionMade(self) -> None:
            super().connectionMade()
            scene.transport.protocol = TLS()  # as a transport's startTLS does

    scene = Scene(Begins)
    scene.transport.receive(fixed(rest=V4) + b"hello")
    assert taken == [b"hello"]
    assert scene.events[-1][0] == "made"


def test_itClaimsNothingThatItsTransportIsToOthers() -> None:
    @implementer(IHalfCloseableProtocol)
    class Both(Layer):
        pass

    scene = Scene(transport=Both)
    assert IHalfCloseableProtocol.providedBy(scene.transport)
    assert not IHalfCloseableProtocol.providedBy(scene.wrapper)


def test_aHandshakeThatIsDoneIsToldToTheProtocol() -> None:
    @implementer(IHandshakeListener)
    class Listens(Seen):
        def handshakeCompleted(self) -> None:
            self.events.append(("secured",))

    scene = Scene(Listens, transport=Layer)
    scene.wrapper.handshakeCompleted()
    scene.transport.receive(fixed(rest=V4) + b"data")
    assert [event[0] for event in scene.events] == ["build", "made", "secured", "data"]
    without = Scene(Listens)
    without.transport.receive(fixed(rest=V4))
    assert [event[0] for event in without.events] == ["build", "made"]


def test_namesInLogEntries() -> None:
    class Named(Recording):
        def logPrefix(self) -> str:
            return "mine"

    assert HAProxyWrappingFactory(Recording()).logPrefix() == "Recording (PROXY)"
    assert HAProxyWrappingFactory(Named()).logPrefix() == "mine (PROXY)"
    scene = Scene()
    assert scene.wrapper.logPrefix() == "Recording (PROXY)"
    scene.transport.receive(fixed(rest=V4))
    assert scene.wrapper.logPrefix() == "Seen (HAProxyProtocolWrapper)"


class Endpoint:
    """A server's endpoint that keeps the factory."""

    def __init__(self, reactor: Any = None) -> None:
        self._reactor = reactor
        self.factory: Any = None

    def listen(self, factory: Any) -> Any:
        self.factory = factory
        return factory

    def __repr__(self) -> str:
        return "<Endpoint>"


def test_theFunctionOfTwisteds() -> None:
    clock = Clock()
    wrapped: Any = Endpoint(clock)
    endpoint = proxyEndpoint(wrapped, trusted="10.0.0.0/8", headerTimeout=2.5, headerLimit=100)
    assert isinstance(endpoint, ProxyServerEndpoint)
    assert repr(endpoint) == "<ProxyServerEndpoint around <Endpoint>, trusts 10.0.0.0/8>"
    endpoint.listen(Recording())
    factory = wrapped.factory
    assert isinstance(factory, HAProxyWrappingFactory)
    assert (factory.headerTimeout, factory.headerLimit, factory.clock) == (2.5, 100, clock)
    assert factory.trusted == Trust.parse("10.0.0.0/8")


def test_whoDoesntSayWhomToTrustIsWarned() -> None:
    wrapped: Any = Endpoint()
    with pytest.warns(AnyProxyWarning, match="trusted='10.0.0.0/8'") as caught:
        endpoint = proxyEndpoint(wrapped)
    assert caught[0].filename == __file__
    assert repr(endpoint).endswith("trusts any>")
    proxyEndpoint(wrapped, trusted="any")
    proxyEndpoint(wrapped, trusted=Trust(unix=True))
    with pytest.raises(ValueError, match="neither a network"):
        proxyEndpoint(wrapped, trusted="me")
    with pytest.raises(TypeError, match=r"or a Trust, not \['10.0.0.0/8'\]"):
        proxyEndpoint(wrapped, trusted=["10.0.0.0/8"])  # type: ignore[arg-type]
