"""The copying of streams, on transports in memory that do at once what they are told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from twisted_endpoints.defer import CancelledError, Deferred, fail, succeed
from twisted_endpoints.error import ConnectError, ConnectionDone, ConnectionLost
from twisted_endpoints.failure import Failure
from twisted_endpoints.interfaces import IHalfCloseableProtocol
from twisted_endpoints.relay import End, Observer, RelayFactory, Stream
from twisted_endpoints.testing import StringTransport


class Wire(StringTransport):
    """A transport that can half-close, with a write buffer of 10 bytes, and that notes what it is told."""

    def __init__(self, protocol: End, **options: Any) -> None:
        super().__init__(lenient=True, **options)
        self.protocol = protocol
        self.told: list[str] = []
        self.buffered = 0

    def write(self, data: bytes) -> None:
        super().write(data)
        self.buffered += len(data)
        if self.buffered > 10 and self.producer is not None:
            self.producer.pauseProducing()

    def drain(self) -> None:
        """The peer has read everything."""
        self.buffered = 0
        if self.producer is not None:
            self.producer.resumeProducing()

    def loseWriteConnection(self) -> None:
        assert self.producer is None, "half-closed while a producer is registered"
        self.told.append("half-close")
        self.protocol.writeConnectionLost()

    def loseConnection(self) -> None:
        if "abort" not in self.told:
            assert self.producer is None, "closed while a producer is registered"
            self.told.append("close")

    def abortConnection(self) -> None:
        self.told.append("abort")

    def lose(self, kind: type[Exception]) -> None:
        """Report the connection as lost, as a reactor does: the producer first, then the protocol."""
        producer, self.producer = self.producer, None
        if producer is not None:
            producer.stopProducing()
        self.protocol.connectionLost(Failure(kind("it is lost")))

    @property
    def reading(self) -> bool:
        return self.producerState == "producing"


class Endpoint:
    """A client endpoint whose attempts end when the test says so."""

    def __init__(self) -> None:
        self.attempts: list[tuple[Deferred[Any], Any]] = []
        self.cancelled = 0

    def connect(self, factory: Any) -> Deferred[Any]:
        def cancel(attempt: Deferred[Any]) -> None:
            self.cancelled += 1

        attempt: Deferred[Any] = Deferred(cancel)
        self.attempts.append((attempt, factory))
        return attempt

    def succeed(self, number: int = -1) -> Wire:
        attempt, factory = self.attempts[number]
        wire = connect(factory)
        attempt.callback(wire.protocol)
        return wire

    def fail(self, number: int = -1) -> None:
        self.attempts[number][0].errback(ConnectError("nobody is there"))


class Notes(Observer):
    def __init__(self) -> None:
        self.said: list[tuple[str, Stream]] = []
        self.halfEnds = 0

    def opened(self, stream: Stream) -> None:
        self.said.append(("opened", stream))

    def failed(self, stream: Stream) -> None:
        self.said.append(("failed", stream))

    def halfEnded(self, stream: Stream) -> None:
        self.halfEnds += 1

    def closed(self, stream: Stream) -> None:
        self.said.append(("closed", stream))

    @property
    def words(self) -> list[str]:
        return [word for word, _ in self.said]


def connect(factory: Any) -> Wire:
    """Give a factory a connection."""
    protocol = factory.buildProtocol(None)
    wire = Wire(protocol)
    protocol.makeConnection(wire)
    return wire


def relay(**options: Any) -> tuple[RelayFactory, Endpoint, Notes]:
    endpoint, notes = Endpoint(), Notes()
    return RelayFactory(endpoint, observer=notes, **options), endpoint, notes  # type: ignore[arg-type]


def joined() -> tuple[Wire, Wire, RelayFactory, Notes]:
    factory, endpoint, notes = relay()
    accepted = connect(factory)
    return accepted, endpoint.succeed(), factory, notes


def test_copiesBothWays() -> None:
    accepted, outgoing, factory, notes = joined()
    accepted.protocol.dataReceived(b"question")
    outgoing.protocol.dataReceived(b"ans")
    outgoing.protocol.dataReceived(b"wer")

    assert (outgoing.value(), accepted.value()) == (b"question", b"answer")
    [stream] = factory.open
    assert (stream.sent, stream.returned, factory.carried) == (8, 6, 14)
    assert notes.words == ["opened"]


def test_acceptedSideIsPausedUntilTheOtherIsThere() -> None:
    factory, endpoint, _ = relay()
    accepted = connect(factory)
    assert not accepted.reading

    outgoing = endpoint.succeed()
    assert accepted.reading
    assert outgoing.reading


def test_whatComesInSpiteOfThePauseIsSentFirst() -> None:
    factory, endpoint, _ = relay()
    accepted = connect(factory)
    accepted.protocol.dataReceived(b"too ")
    accepted.protocol.dataReceived(b"early, ")
    accepted.protocol.readConnectionLost()
    outgoing = endpoint.succeed()

    assert outgoing.value() == b"too early, "
    assert outgoing.told == ["half-close"]
    assert not accepted.reading  # 11 bytes are more than the wire's buffer takes


@pytest.mark.parametrize("turned", [False, True])
def test_aFullBufferPausesTheSender(turned: bool) -> None:
    accepted, outgoing, _, _ = joined()
    source, sink = (outgoing, accepted) if turned else (accepted, outgoing)
    source.protocol.dataReceived(b"." * 10)
    assert source.reading

    source.protocol.dataReceived(b".")
    assert not source.reading
    assert sink.reading

    sink.drain()
    assert source.reading


def test_anEndedSideIsNotResumed() -> None:
    accepted, _, _, _ = joined()
    accepted.protocol.dataReceived(b"." * 11)
    accepted.protocol.readConnectionLost()
    accepted.protocol.resumeProducing()

    assert not accepted.reading


@pytest.mark.parametrize("turned", [False, True])
def test_halfCloseIsPassedOnAndTheOtherDirectionGoesOn(turned: bool) -> None:
    accepted, outgoing, factory, notes = joined()
    first, second = (outgoing, accepted) if turned else (accepted, outgoing)
    assert IHalfCloseableProtocol.providedBy(first.protocol)
    first.protocol.readConnectionLost()
    assert (first.told, second.told) == ([], ["half-close"])

    second.protocol.dataReceived(b"still here")
    assert first.value() == b"still here"

    second.protocol.readConnectionLost()
    assert (first.told, second.told) == (["close"], ["half-close", "close"])

    first.lose(ConnectionDone)
    assert "closed" not in notes.words
    second.lose(ConnectionDone)
    assert notes.words == ["opened", "closed"]
    assert notes.said[-1][1].reason is None
    assert (len(factory.open), factory.carried) == (0, 10)


@pytest.mark.parametrize("turned", [False, True])
def test_aCleanCloseClosesTheOtherAfterItsBuffer(turned: bool) -> None:
    accepted, outgoing, _, _ = joined()
    first, second = (outgoing, accepted) if turned else (accepted, outgoing)
    first.protocol.dataReceived(b"last words")
    first.lose(ConnectionDone)

    assert second.value() == b"last words"
    assert second.told == ["close"]
    second.protocol.dataReceived(b"to nobody")
    assert first.value() == b""


@pytest.mark.parametrize("turned", [False, True])
def test_aResetAbortsTheOther(turned: bool) -> None:
    accepted, outgoing, factory, notes = joined()
    first, second = (outgoing, accepted) if turned else (accepted, outgoing)
    first.lose(ConnectionLost)
    assert second.told == ["abort"]

    second.lose(ConnectionLost)
    assert notes.words == ["opened", "closed"]
    reason = notes.said[-1][1].reason
    assert reason is not None
    assert reason.check(ConnectionLost)
    assert not factory.open


def test_aResetAfterTheHalfCloseAbortsTheOther() -> None:
    accepted, outgoing, _, _ = joined()
    accepted.protocol.readConnectionLost()
    accepted.lose(ConnectionLost)

    assert outgoing.told == ["half-close", "abort"]


def test_aPeerThatWantsNoMoreIsCutOffWhenThereIsMoreForIt() -> None:
    accepted, outgoing, _, _ = joined()
    outgoing.protocol.writeConnectionLost()
    outgoing.protocol.dataReceived(b"but sends")
    assert (outgoing.told, accepted.value()) == ([], b"but sends")

    accepted.protocol.dataReceived(b"more")
    assert outgoing.told == ["abort"]


def test_whatIsPausedForAPeerThatWantsNoMoreGoesOn() -> None:
    accepted, outgoing, _, _ = joined()
    accepted.protocol.pauseProducing()
    outgoing.protocol.writeConnectionLost()

    assert accepted.producerState == "producing"


def test_theObserverHearsOfTheEndOfOneDirection() -> None:
    accepted, outgoing, _, notes = joined()
    outgoing.protocol.readConnectionLost()
    assert notes.halfEnds == 1

    accepted.protocol.readConnectionLost()
    assert notes.halfEnds == 1


def test_aStreamCanBeClosed() -> None:
    accepted, outgoing, _, notes = joined()
    notes.said[0][1].close()

    assert (accepted.told, outgoing.told) == (["close"], ["close"])


def test_aTransportThatCannotHalfCloseIsClosed() -> None:
    factory, endpoint, _ = relay()
    accepted = connect(factory)
    attempt, outgoingFactory = endpoint.attempts[0]
    protocol = outgoingFactory.buildProtocol(None)
    pipe = StringTransport()
    protocol.makeConnection(pipe)
    attempt.callback(protocol)
    accepted.protocol.dataReceived(b"all")
    accepted.protocol.readConnectionLost()

    assert (pipe.value(), pipe.disconnecting) == (b"all", True)


def test_aFailedConnectAbortsTheAccepted() -> None:
    factory, endpoint, notes = relay()
    accepted = connect(factory)
    endpoint.fail()
    assert accepted.told == ["abort"]
    assert notes.words == ["failed"]
    reason = notes.said[0][1].reason
    assert reason is not None
    assert reason.check(ConnectError)

    accepted.lose(ConnectionLost)
    assert notes.words == ["failed", "closed"]
    assert not factory.open


@pytest.mark.parametrize(
    "connects",
    [
        lambda factory: fail(ConnectError("at once")),
        lambda factory: 1 // 0,
    ],
    ids=["fails at once", "raises"],
)
def test_anEndpointThatFailsAtOnce(connects: Callable[[Any], Any]) -> None:
    factory, endpoint, notes = relay()
    endpoint.connect = connects  # type: ignore[method-assign]

    assert connect(factory).told == ["abort"]
    assert notes.words == ["failed"]


def test_anEndpointThatConnectsAtOnce() -> None:
    wires = []

    def connects(factory: Any) -> Deferred[Any]:
        wires.append(connect(factory))
        return succeed(wires[0].protocol)

    factory, endpoint, _ = relay()
    endpoint.connect = connects  # type: ignore[method-assign]
    accepted = connect(factory)
    accepted.protocol.dataReceived(b"hello")

    assert wires[0].value() == b"hello"


def test_aPeerThatLeavesBeforeWeAreConnectedCancelsTheConnect() -> None:
    factory, endpoint, notes = relay()
    accepted = connect(factory)
    accepted.lose(ConnectionLost)

    assert endpoint.cancelled == 1
    assert notes.words == ["closed"]
    assert not factory.open


def test_anEndpointThatConnectsInSpiteOfTheCancel() -> None:
    factory, endpoint, notes = relay()
    connect(factory).lose(ConnectionLost)
    late = connect(endpoint.attempts[0][1])

    assert late.told == ["abort"]
    late.lose(ConnectionLost)
    assert notes.words == ["closed"]


def test_anAttemptThatItsEndpointGaveUpChangesNothing() -> None:
    factory, endpoint, notes = relay()
    accepted = connect(factory)
    connect(endpoint.attempts[0][1]).lose(ConnectionLost)
    assert accepted.told == []

    outgoing = endpoint.succeed()
    accepted.protocol.dataReceived(b"by the winner")
    assert outgoing.value() == b"by the winner"
    assert notes.words == ["opened"]


def test_aConnectionThatIsLostBeforeItsDeferredFires() -> None:
    factory, endpoint, notes = relay()
    accepted = connect(factory)
    attempt, outgoingFactory = endpoint.attempts[0]
    outgoing = connect(outgoingFactory)
    outgoing.lose(ConnectionLost)
    attempt.callback(outgoing.protocol)
    assert accepted.told == ["abort"]

    accepted.lose(ConnectionLost)
    assert notes.words == ["closed"]


def test_aboveTheMaximumConnectionsWaitInTheirOrder() -> None:
    factory, endpoint, _ = relay(maxConnections=1)
    first, second, third = (connect(factory) for _ in range(3))
    assert (len(endpoint.attempts), len(factory.open), factory.waiting) == (1, 1, 2)
    assert not second.reading
    assert second.told == []

    endpoint.succeed()
    second.lose(ConnectionDone)  # it had enough of waiting
    assert factory.waiting == 1

    [stream] = factory.open
    stream.abort()
    first.lose(ConnectionLost)
    assert stream.outgoing is not None
    stream.outgoing.transport.lose(ConnectionLost)  # type: ignore[union-attr]
    assert (len(endpoint.attempts), factory.waiting) == (2, 0)
    endpoint.succeed()
    third.protocol.dataReceived(b"at last")
    assert factory.carried == 7


def test_aMaximumBelowOneIsRefused() -> None:
    with pytest.raises(ValueError, match="1 or more"):
        RelayFactory(Endpoint(), maxConnections=0)  # type: ignore[arg-type]


def test_refuseLetsOpenStreamsGoOn() -> None:
    factory, endpoint, _ = relay(maxConnections=1)
    first, waiting = connect(factory), connect(factory)
    outgoing = endpoint.succeed()
    factory.refuse()
    late = connect(factory)
    assert (first.told, waiting.told, late.told) == ([], ["abort"], ["abort"])

    first.protocol.dataReceived(b"goes on")
    assert outgoing.value() == b"goes on"


def test_abortCutsEveryStream() -> None:
    factory, endpoint, _ = relay()
    connected = connect(factory)
    outgoing = endpoint.succeed()
    connecting = connect(factory)
    factory.abort()

    assert (connected.told, outgoing.told) == (["abort"], ["abort"])
    assert connecting.told[0] == "abort"
    assert endpoint.cancelled == 1


def test_whenIdle() -> None:
    factory, endpoint, _ = relay()
    idle: list[None] = []
    factory.whenIdle().addCallback(idle.append)
    assert idle == [None]

    accepted = connect(factory)
    endpoint.fail()
    factory.whenIdle().addCallback(idle.append)
    given_up = factory.whenIdle()
    given_up.addErrback(lambda reason: reason.trap(CancelledError) and None)
    given_up.cancel()
    assert idle == [None]
    accepted.lose(ConnectionLost)
    assert idle == [None, None]


def test_theTimeAndThePeerOfAStream() -> None:
    factory, _, _ = relay(clock=lambda: 7.5)
    accepted = connect(factory)
    [stream] = factory.open

    assert (stream.started, stream.peer) == (7.5, accepted.getPeer())


@pytest.mark.parametrize("kind", [ZeroDivisionError, asyncio.CancelledError])
def test_anObserverThatRaisesHarmsNoStream(
    monkeypatch: pytest.MonkeyPatch, kind: type[BaseException]
) -> None:
    def raises(stream: Any) -> None:
        raise kind

    logged: list[str] = []
    monkeypatch.setattr("twisted_endpoints.relay._factory.log.failure", logged.append)
    accepted, outgoing, factory, notes = joined()
    monkeypatch.setattr(notes, "opened", raises)
    endpoint = Endpoint()
    factory.endpoint = endpoint  # type: ignore[assignment]
    accepted = connect(factory)
    outgoing = endpoint.succeed()
    accepted.protocol.dataReceived(b"all the same")

    assert outgoing.value() == b"all the same"
    assert logged == ["the observer of a relay failed at 'opened'"]


def test_anEndpointThatFiresWithSomethingElseHasFailed() -> None:
    factory, endpoint, notes = relay()
    accepted = connect(factory)
    endpoint.attempts[0][0].callback(None)

    assert (accepted.told, notes.words, len(factory.open)) == (["abort"], ["failed"], 1)
    accepted.lose(ConnectionLost)
    assert (notes.words, factory.open) == (["failed", "closed"], set())
    assert notes.said[0][1].reason.check(TypeError)  # type: ignore[union-attr]


def test_byDefaultFailuresAreLogged(monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[str] = []
    monkeypatch.setattr("twisted_endpoints.relay._factory.log.warning", logged.append)
    endpoint = Endpoint()
    connect(RelayFactory(endpoint))  # type: ignore[arg-type]
    endpoint.fail()

    assert len(logged) == 1
    assert "nobody is there" in logged[0]


def test_anEndedStreamIsNoGarbageCycle() -> None:
    accepted, outgoing, factory, _ = joined()
    [stream] = factory.open
    accepted.lose(ConnectionDone)
    outgoing.lose(ConnectionDone)

    # Nothing that the ends hold leads back to the stream, as their transports may, by the endpoint's factory.
    for end in (stream.accepted, stream.outgoing):
        assert end is not None
        held = [value for value in vars(end).values() if isinstance(value, Stream | End | Wire)]
        assert held == []
        assert "discard" in repr(end._write)
