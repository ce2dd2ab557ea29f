"""A relay that is full: who waits, where, and who is turned away.  On transports and ports in memory."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from zope.interface import implementer

from twisted_endpoints.defer import Deferred, succeed
from twisted_endpoints.error import ConnectionLost
from twisted_endpoints.interfaces import IListeningPort, IPushProducer
from twisted_endpoints.relay import Observer, RelayFactory, RelayFull
from twisted_endpoints.relay._waiting import INTERVAL
from twisted_endpoints.task import Clock

from .test_relay import Endpoint, Notes, Wire, connect, relay


@implementer(IListeningPort, IPushProducer)
class Port:  # type: ignore[misc]  # as much of a port as a relay needs
    """A port, and the endpoint that listens on it, which notes what it is told."""

    whenFull = "wait"

    def __init__(self) -> None:
        self.told: list[str] = []

    def listen(self, factory: Any) -> Deferred[Any]:
        return succeed(self)

    def pauseProducing(self) -> None:
        self.told.append("pause")

    def resumeProducing(self) -> None:
        self.told.append("resume")


class Plain:
    """A port that neither pauses nor knows what it is to be full."""

    def listen(self, factory: Any) -> Deferred[Any]:
        return succeed(self)


def listening(**options: Any) -> tuple[RelayFactory, Endpoint, Notes, Port]:
    factory, endpoint, notes = relay(**options)
    port = Port()
    given: list[Any] = []
    factory.listen(port).addCallback(given.append)  # type: ignore[arg-type]
    assert given == [port]
    return factory, endpoint, notes, port


def end(wire: Wire) -> None:
    """Lose a connection that has no other end yet."""
    wire.lose(ConnectionLost)


def test_thePortIsPausedWhileTheRelayIsFull() -> None:
    factory, _, _, port = listening(maxConnections=2)
    first = connect(factory)
    assert port.told == []
    second = connect(factory)
    assert port.told == ["pause"]
    end(first)
    assert port.told == ["pause", "resume"]
    connect(factory)
    end(second)
    assert port.told == ["pause", "resume", "pause", "resume"]


def test_whoWasAcceptedInTheSameRoundTakesTheTurnsBeforeThePort() -> None:
    factory, endpoint, _, port = listening(maxConnections=1)
    wires = [connect(factory) for _ in range(3)]
    assert (factory.waiting, len(endpoint.attempts)) == (2, 1)
    for wire in wires:
        assert port.told == ["pause"]
        end(wire)
    assert (port.told, len(endpoint.attempts)) == (["pause", "resume"], 3)


def test_aPortThatIsAddedWhileTheRelayIsFullIsPausedToo() -> None:
    factory, _, _, first = listening(maxConnections=1)
    wire = connect(factory)
    second: Any = Port()
    factory.listen(second)
    assert second.told == ["pause"]
    end(wire)
    assert first.told == second.told == ["pause", "resume"]


def test_aPortThatCannotBePausedIsLeftAlone() -> None:
    factory, endpoint, _ = relay(maxConnections=1, whenFull="drop")
    factory.listen(Plain())  # type: ignore[arg-type]
    first = connect(factory)
    assert connect(factory).told == ["abort"]
    end(first)
    assert len(endpoint.attempts) == 1


def test_whoRefusesLetsThePortTellTheirPeers() -> None:
    factory, _, _, port = listening(maxConnections=1)
    connect(factory)
    factory.refuse()
    assert port.told == ["pause", "resume"]
    assert connect(factory).told == ["abort"]
    assert port.told == ["pause", "resume"]


def test_aFullRelayMayTurnPeersAway() -> None:
    factory, endpoint, notes, port = listening(maxConnections=1, whenFull="drop")
    first = connect(factory)
    second = connect(factory)
    assert (first.told, second.told) == ([], ["abort"])
    assert (factory.waiting, factory.accepted, len(endpoint.attempts)) == (0, 2, 1)
    assert notes.words == ["failed"]
    reason = notes.said[0][1].reason
    assert reason is not None
    assert reason.check(RelayFull)
    assert str(reason.value) == "The relay is full: 1 open, as many as may be."

    second.lose(ConnectionLost)
    assert notes.words == ["failed", "closed"]
    end(first)
    connect(factory)
    assert len(endpoint.attempts) == 2
    assert port.told == []


@pytest.mark.parametrize("whenFull", ["wait", "drop"])
def test_thePortDoesTheSameWhereDescriptorsRunOut(whenFull: str) -> None:
    assert listening(whenFull=whenFull)[3].whenFull == whenFull


def test_whatElseItMightDoIsRefused() -> None:
    with pytest.raises(ValueError, match="'wait' or 'drop', not 'panic'"):
        relay(whenFull="panic")


def test_byDefaultAThousandFailuresAreALine(monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[str] = []
    monkeypatch.setattr("twisted_endpoints.relay._factory.log.warning", logged.append)
    clock = Clock()
    monkeypatch.setattr("twisted_endpoints.relay._factory.time.monotonic", clock.seconds)
    factory = RelayFactory(Endpoint(), maxConnections=1, whenFull="drop")  # type: ignore[arg-type]
    assert type(factory.observer) is Observer
    for _ in range(1000):
        connect(factory)
    assert len(logged) == 1
    clock.advance(1)
    connect(factory)
    assert len(logged) == 2


class OnASocket(Wire):
    """A wire that has a descriptor, and is lost when it is aborted."""

    number = -1

    def fileno(self) -> int:
        return self.number

    def abortConnection(self) -> None:
        super().abortConnection()
        self.lose(ConnectionLost)


class Pair:
    """Both ends of a connection over TCP, of which the relay has one."""

    def __init__(self, factory: RelayFactory, server: socket.socket) -> None:
        self.peer = socket.create_connection(server.getsockname())
        self.accepted, _ = server.accept()
        protocol = factory.buildProtocol(None)
        self.wire = OnASocket(protocol)
        self.wire.number = self.accepted.fileno()
        protocol.makeConnection(self.wire)

    def reset(self) -> None:
        self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.peer.close()


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def pairs(factory: RelayFactory, server: socket.socket) -> Any:
    made = [Pair(factory, server) for _ in range(4)]
    assert factory.waiting == 3
    return made


def close(made: list[Pair]) -> None:
    for pair in made:
        pair.peer.close()
        pair.accepted.close()


def test_whoWasResetBeforeItsTurnIsNotConnected(server: socket.socket) -> None:
    factory, endpoint, notes = relay(maxConnections=1)
    first, second, third, fourth = made = pairs(factory, server)
    second.reset()
    third.peer.sendall(b"all that there is to say")
    third.peer.close()
    first.wire.lose(ConnectionLost)

    assert (second.wire.told, third.wire.told, fourth.wire.told) == (["abort"], [], [])
    assert notes.words == ["closed", "closed"]
    assert (len(endpoint.attempts), factory.waiting) == (2, 1)
    close(made)


@pytest.mark.parametrize("wrapped", [False, True], ids=["endpoint", "wrapped endpoint"])
def test_whoIsResetLeavesTheQueueWithoutHavingHadItsTurn(server: socket.socket, wrapped: bool) -> None:
    clock = Clock()
    endpoint: Any = Endpoint()
    endpoint._reactor = clock
    if wrapped:
        inner, endpoint = endpoint, Endpoint()
        endpoint._wrappedEndpoint = inner
    factory = RelayFactory(endpoint, maxConnections=1)
    first, second, third, fourth = made = pairs(factory, server)
    clock.advance(INTERVAL)
    assert factory.waiting == 3
    for pair in (second, fourth):
        pair.reset()
    third.peer.close()
    clock.advance(INTERVAL)
    assert (second.wire.told, third.wire.told, fourth.wire.told) == (["abort"], [], ["abort"])
    assert factory.waiting == 1

    third.wire.lose(ConnectionLost)
    assert (factory.waiting, len(factory.open)) == (0, 1)
    first.wire.lose(ConnectionLost)
    assert clock.getDelayedCalls() == []
    close(made)


def test_whoIsResetWhileTheTargetIsSilentIsNotConnected(server: socket.socket) -> None:
    clock = Clock()
    notes, endpoint = Notes(), Endpoint()
    endpoint._reactor = clock  # type: ignore[attr-defined]
    factory = RelayFactory(endpoint, observer=notes)  # type: ignore[arg-type]
    reset, ended, _ = made = [Pair(factory, server) for _ in range(3)]
    reset.reset()
    ended.peer.sendall(b"all that there is to say")
    ended.peer.close()
    clock.advance(INTERVAL)
    assert [pair.wire.told for pair in made] == [["abort"], [], []]
    assert (notes.words, endpoint.cancelled, len(factory.open)) == (["closed"], 1, 2)

    # Connected, the reactor looks after it.
    for number in (1, 2):
        endpoint.succeed(number)
    assert clock.getDelayedCalls() == []
    factory.abort()
    close(made)


def test_whoWaitsForNobodyHasNoTimer(server: socket.socket) -> None:
    clock = Clock()
    endpoint: Any = Endpoint()
    endpoint._reactor = clock
    factory = RelayFactory(endpoint, maxConnections=1)
    made = pairs(factory, server)
    assert len(clock.getDelayedCalls()) == 1
    factory.abort()
    assert factory.waiting == 0
    assert clock.getDelayedCalls() == []
    close(made)
