"""`ClientService` and its policy, on a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from zope.interface import implementer

from tests.asyncioreactor.logged import loggedErrors
from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.defer import CancelledError, Deferred
from twisted_endpoints.error import ConnectError, ConnectionDone
from twisted_endpoints.failure import Failure
from twisted_endpoints.interfaces import IHalfCloseableProtocol, IStreamClientEndpoint
from twisted_endpoints.protocol import Factory, Protocol
from twisted_endpoints.services import ClientService, backoffPolicy
from twisted_endpoints.task import Clock
from twisted_endpoints.testing import StringTransport

ours = pytest.mark.skipif(vocabulary == "twisted", reason="Twisted's ClientService fails at this")


class Wire(StringTransport):
    """A transport that is lost when its protocol asks for that, at once or when the test says so."""

    protocol: Any
    patient = False

    def loseConnection(self) -> None:
        super().loseConnection()
        if not self.patient:
            self.lose()

    def lose(self) -> None:
        self.connected = False
        self.protocol.connectionLost(Failure(ConnectionDone()))


@implementer(IHalfCloseableProtocol)
class Client(Protocol):
    reason: Any = None

    def connectionLost(self, reason: Any = None) -> None:
        self.reason = reason.type

    def readConnectionLost(self) -> None: ...

    def writeConnectionLost(self) -> None: ...


@implementer(IStreamClientEndpoint)
class Endpoint:
    """Connects when the test says so."""

    def __init__(self) -> None:
        self.attempts: list[Deferred[Any]] = []
        self.wires: list[Wire] = []
        self.cancelled = 0
        self.immediate = False

    def connect(self, factory: Any) -> Deferred[Any]:
        def cancel(attempt: Deferred[Any]) -> None:
            self.cancelled += 1

        self.factory = factory
        self.attempts.append(Deferred(cancel))
        if self.immediate:
            self.made()
        return self.attempts[-1]

    def made(self, patient: bool = False) -> Wire:
        """Let the last attempt succeed."""
        protocol = self.factory.buildProtocol(None)
        wire = Wire()
        wire.protocol, wire.patient = protocol, patient
        self.wires.append(wire)
        protocol.makeConnection(wire)
        self.attempts[-1].callback(protocol)
        return wire

    def refuse(self) -> None:
        """Let the last attempt fail."""
        self.attempts[-1].errback(Failure(ConnectError()))


class Scene:
    """A service that has started, its endpoint and its clock."""

    def __init__(self, prepareConnection: Callable[[Any], object] | None = None) -> None:
        self.clock = Clock()
        self.endpoint = Endpoint()
        self.delays: list[int] = []
        self.service = ClientService(
            self.endpoint,
            Factory.forProtocol(Client),
            retryPolicy=self.delay,
            clock=self.clock,
            prepareConnection=prepareConnection,
        )
        self.service.startService()

    def delay(self, failures: int) -> float:
        self.delays.append(failures)
        return 10.0

    def waits(self) -> bool:
        return len(self.clock.getDelayedCalls()) == 1


def results(deferred: Deferred[Any]) -> list[Any]:
    """Give what a Deferred has fired with: nothing, a result, or the class of an error."""
    found: list[Any] = []
    deferred.addCallbacks(found.append, lambda reason: found.append(reason.type))
    return found


@pytest.mark.parametrize("attempt", [0, 1, 2, 10, 1000000])
def test_delaysGrowUpToTheirMaximum(attempt: int) -> None:
    policy = backoffPolicy(2.0, 30.0, 1.5, jitter=lambda: 0.25)
    assert policy(attempt) == min(2.0 * 1.5 ** min(attempt, 99), 30.0) + 0.25


def test_aFactorBeyondNumbersIsNoError() -> None:
    assert backoffPolicy(1.0, 60.0, 1e10, jitter=lambda: 0)(10**6) == 60.0


def test_jitterIsUpToASecond() -> None:
    policy = backoffPolicy(1.0, 1.0, 1.0)
    assert all(1.0 <= policy(1) < 2.0 for _ in range(100))
    assert len({policy(1) for _ in range(10)}) > 1


def test_itConnectsAndTellsWhoWaits() -> None:
    scene = Scene()
    before = results(scene.service.whenConnected())
    scene.endpoint.made()
    after = results(scene.service.whenConnected(failAfterFailures=1))
    assert isinstance(before[0], Client)
    assert before == after
    assert before[0].transport is scene.endpoint.wires[0]


def test_itTriesAgainUntilItIsConnectedAndWhenThatIsLost() -> None:
    scene = Scene()
    for _ in range(3):
        scene.endpoint.refuse()
        scene.clock.advance(9.5)
        assert scene.waits()
        scene.clock.advance(0.5)
    assert scene.delays == [1, 2, 3]
    scene.endpoint.made().lose()
    # The connection was good, so the delays begin anew.
    assert scene.delays == [1, 2, 3, 1]
    scene.clock.advance(10)
    assert len(scene.endpoint.attempts) == 5


def test_whoWaitsCanSetANumberOfFailures() -> None:
    scene = Scene()
    found = {count: results(scene.service.whenConnected(count)) for count in (None, 1, 2)}
    scene.endpoint.refuse()
    assert list(found.values()) == [[], [ConnectError], []]
    scene.clock.advance(10)
    late = results(scene.service.whenConnected(2))
    scene.endpoint.refuse()
    assert [found[None], found[2], late] == [[], [ConnectError], []]
    scene.service.stopService()
    assert [found[None], late] == [[CancelledError], [CancelledError]]


@ours
def test_whoGivesUpWaitingIsForgotten() -> None:
    scene = Scene()
    waiting = scene.service.whenConnected()
    found = results(waiting)
    waiting.cancel()
    assert found == [CancelledError]
    assert scene.service._waiters == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("patient", [False, True], ids=["at once", "later"])
def test_toStopClosesTheConnection(patient: bool) -> None:
    scene = Scene()
    wire = scene.endpoint.made(patient)
    stopped = results(scene.service.stopService())
    assert wire.disconnecting
    if patient:
        assert stopped == []
        wire.lose()
    assert stopped == [None]
    assert results(scene.service.whenConnected()) == [CancelledError]
    assert scene.clock.getDelayedCalls() == []
    assert results(scene.service.stopService()) == [None]


def test_toStopCancelsTheAttempt() -> None:
    scene = Scene()
    assert results(scene.service.stopService()) == [None]
    assert scene.endpoint.cancelled == 1
    assert scene.clock.getDelayedCalls() == []


def test_toStopWhileItWaitsIsDoneAtOnce() -> None:
    scene = Scene()
    scene.endpoint.refuse()
    assert results(scene.service.stopService()) == [None]
    assert scene.clock.getDelayedCalls() == []


@ours
def test_aConnectionThatWasMadeAllTheSameIsClosed() -> None:
    scene = Scene()
    scene.endpoint.attempts[-1]._canceller = lambda attempt: scene.endpoint.made()  # type: ignore[assignment]
    assert results(scene.service.stopService()) == [None]
    assert scene.endpoint.wires[0].disconnecting


@ours
def test_whoWaitsForAServiceThatNeverStartsIsToldWhenItIsStopped() -> None:
    service = ClientService(Endpoint(), Factory.forProtocol(Client), clock=Clock())
    waiting = results(service.whenConnected())
    assert results(service.stopService()) == [None]
    assert waiting == [CancelledError]


def test_itCanBeStartedAgain() -> None:
    scene = Scene()
    wire = scene.endpoint.made(patient=True)
    stopped = results(scene.service.stopService())
    scene.service.startService()
    waiting = results(scene.service.whenConnected())
    assert (stopped, len(scene.endpoint.attempts)) == ([], 1)
    wire.lose()
    assert (stopped, len(scene.endpoint.attempts)) == ([None], 2)
    scene.endpoint.made()
    assert waiting[0].transport is scene.endpoint.wires[1]


@ours
def test_itCanBeStartedAgainWhileAnAttemptIsCancelled() -> None:
    scene = Scene(lambda protocol: Deferred())
    wire = scene.endpoint.made(patient=True)
    stopped = results(scene.service.stopService())
    scene.service.startService()
    assert (stopped, wire.disconnecting) == ([], True)
    wire.lose()
    assert (stopped, len(scene.endpoint.attempts)) == ([None], 2)


def test_toStartTwiceDoesNothing() -> None:
    scene = Scene()
    scene.service.startService()
    assert len(scene.endpoint.attempts) == 1


def test_theTransportSeesWhatTheProtocolProvides() -> None:
    scene = Scene()
    wire = scene.endpoint.made()
    assert IHalfCloseableProtocol.providedBy(wire.protocol)
    assert wire.protocol.readConnectionLost() is None
    assert "Client" in repr(wire.protocol)
    assert scene.endpoint.factory.protocol is Client


def test_aProtocolThatFailsToEndDoesNotHoldTheServiceUp() -> None:
    scene = Scene()
    wire = scene.endpoint.made()

    def fails(reason: Any) -> None:
        raise ZeroDivisionError

    wire.protocol._protocol.connectionLost = fails
    with pytest.raises(ZeroDivisionError):
        wire.lose()
    assert scene.waits()


def test_preparationComesBeforeTheConnectionCounts() -> None:
    ready: Deferred[None] = Deferred()
    prepared: list[Any] = []

    def prepare(protocol: Any) -> Deferred[None]:
        prepared.append(protocol)
        return ready

    scene = Scene(prepare)
    waiting = results(scene.service.whenConnected())
    wire = scene.endpoint.made()
    assert (prepared, waiting) == ([wire.protocol], [])
    ready.callback(None)
    assert isinstance(waiting[0], Client)


@pytest.mark.parametrize("problem", ["raises", "fails"])
def test_preparationThatFailsIsAFailedAttempt(problem: str) -> None:
    def prepare(protocol: Any) -> Deferred[None]:
        if problem == "raises":
            raise ZeroDivisionError
        failed: Deferred[None] = Deferred()
        failed.errback(Failure(ZeroDivisionError()))
        return failed

    scene = Scene(prepare)
    waiting = results(scene.service.whenConnected(failAfterFailures=2))
    scene.endpoint.made(patient=True)
    scene.clock.advance(10)
    scene.endpoint.made(patient=True)
    assert waiting == [ZeroDivisionError]
    assert scene.delays == [1, 2]


@ours
def test_aConnectionThatIsNotGoodIsClosed() -> None:
    def prepare(protocol: Any) -> None:
        raise ZeroDivisionError

    scene = Scene(prepare)
    wire = scene.endpoint.made()
    assert wire.disconnecting
    assert scene.delays == [1]


@ours
@pytest.mark.parametrize("then", ["waits", "connects", "is connected"])
def test_toStopWaitsForConnectionsThatWereNoGood(then: str) -> None:
    def prepare(protocol: Any) -> None:
        if len(scene.endpoint.wires) < 2:
            raise ZeroDivisionError

    scene = Scene(prepare)
    # Its peer doesn't read what was written before it was refused.
    refused = scene.endpoint.made(patient=True)
    assert (refused.disconnecting, scene.waits()) == (True, True)
    if then != "waits":
        scene.clock.advance(10)
    if then == "is connected":
        scene.endpoint.made()
    stopped = results(scene.service.stopService())
    assert stopped == []
    assert scene.clock.getDelayedCalls() == []
    refused.lose()
    assert stopped == [None]
    assert "idle" in repr(scene.service)


@ours
@pytest.mark.parametrize("started", [False, True], ids=["stopped", "started again"])
def test_aConnectionThatWasNoGoodMayEndBeforeTheAttemptThatFollows(started: bool) -> None:
    def prepare(protocol: Any) -> Any:
        if len(scene.endpoint.wires) < 2:
            raise ZeroDivisionError
        return Deferred()

    scene = Scene(prepare)
    refused = scene.endpoint.made(patient=True)
    scene.clock.advance(10)
    prepared = scene.endpoint.made(patient=True)
    stopped = results(scene.service.stopService())
    if started:
        scene.service.startService()
    refused.lose()
    assert (stopped, len(scene.endpoint.attempts)) == ([], 2)
    prepared.lose()
    assert (stopped, len(scene.endpoint.attempts)) == ([None], 3 if started else 2)


@ours
def test_whoHearsOfItsStopMayStopItAgain() -> None:
    scene = Scene()
    wire = scene.endpoint.made(patient=True)
    stopped = scene.service.stopService()
    again: list[Any] = []
    stopped.addCallback(lambda _: again.extend(results(scene.service.stopService())))
    scene.service.startService()
    wire.lose()
    assert len(scene.endpoint.attempts) == 1
    assert "idle" in repr(scene.service)


@ours
def test_aConnectionThatIsLostWhileItIsPreparedIsAFailedAttempt() -> None:
    cancelled: list[Any] = []
    scene = Scene(lambda protocol: Deferred(cancelled.append))
    waiting = results(scene.service.whenConnected(failAfterFailures=1))
    scene.endpoint.made().lose()
    assert len(cancelled) == 1
    assert waiting == [ConnectionDone]
    assert (scene.delays, scene.waits()) == ([1], True)


@ours
def test_aConnectionThatIsLostAtOnceIsAFailedAttempt() -> None:
    class Hasty(Client):
        def connectionMade(self) -> None:
            self.transport.loseConnection()  # type: ignore[union-attr]

    scene = Scene()
    scene.endpoint.factory.protocol = Hasty
    scene.service._factory.protocol = Hasty  # type: ignore[attr-defined]
    waiting = results(scene.service.whenConnected(failAfterFailures=1))
    scene.endpoint.made()
    assert waiting == [ConnectionDone]
    assert scene.waits()


@ours
def test_toStopWhileAConnectionIsPreparedClosesIt() -> None:
    scene = Scene(lambda protocol: Deferred())
    wire = scene.endpoint.made(patient=True)
    stopped = results(scene.service.stopService())
    assert (wire.disconnecting, stopped) == (True, [])
    wire.lose()
    assert stopped == [None]
    assert scene.clock.getDelayedCalls() == []


@ours
def test_itCanBeStoppedByWhatIsConnected() -> None:
    class Shy(Factory):
        def buildProtocol(self, addr: Any) -> Any:
            stopped.extend(results(service.stopService()))
            return Client()

    endpoint = Endpoint()
    endpoint.immediate = True
    stopped: list[Any] = []
    service = ClientService(endpoint, Shy(), clock=Clock())
    service.startService()
    assert endpoint.wires[0].disconnecting
    assert "idle" in repr(service)


@ours
@pytest.mark.parametrize("kind", [ZeroDivisionError, asyncio.CancelledError])
def test_anEndpointThatRaisesIsAFailedAttempt(kind: type[BaseException]) -> None:
    def raises(factory: Any) -> Any:
        raise kind

    scene = Scene()
    scene.endpoint.refuse()
    scene.endpoint.connect = raises  # type: ignore[method-assign]
    waiting = results(scene.service.whenConnected(failAfterFailures=1))
    scene.clock.advance(10)
    assert waiting == [kind]
    assert scene.waits()


def test_noErrorIsLogged() -> None:
    with loggedErrors() as logged:
        scene = Scene()
        scene.endpoint.refuse()
        scene.clock.advance(10)
        scene.endpoint.made().lose()
        scene.service.stopService()
    assert logged == []


@ours
def test_aStringIsNoEndpoint() -> None:
    with pytest.raises(TypeError, match="not 'tcp:localhost:80'; clientFromString makes one"):
        ClientService("tcp:localhost:80", Factory())  # type: ignore[arg-type]
