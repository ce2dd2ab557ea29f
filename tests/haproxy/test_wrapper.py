"""The server's side in memory: who hears of a connection, when, and what of it."""

from __future__ import annotations

from typing import Any

import pytest
from zope.interface import implementer

from twisted_endpoints.error import ConnectionDone
from twisted_endpoints.haproxy import (
    AnyProxyWarning,
    HAProxyWrappingFactory,
    ProxyServerEndpoint,
    Trust,
    proxyEndpoint,
    v1,
    v2,
)
from twisted_endpoints.interfaces import IHalfCloseableProtocol, IHandshakeListener
from twisted_endpoints.task import Clock

from .headers import PATHS, PATHS_ADDRESSES, V4, V4_ADDRESSES, V6, V6_ADDRESSES, fixed
from .scene import HOST, PROXY, Layer, Recording, Scene, Seen, Transport, eachTransport

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
