"""`testing`'s protocols."""

from __future__ import annotations

from typing import Any

import pytest
from zope.interface.verify import verifyObject

from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.defer import Deferred
from twisted_endpoints.error import ConnectionDone
from twisted_endpoints.failure import Failure
from twisted_endpoints.interfaces import IProtocol
from twisted_endpoints.protocol import Factory
from twisted_endpoints.task import Clock
from twisted_endpoints.testing import (
    AccumulatingProtocol,
    LineSendingProtocol,
    StringTransport,
    waitUntilAllDisconnected,
)

from ..installing import install

CLOSED = Failure(ConnectionDone())


@pytest.mark.parametrize("protocol", [AccumulatingProtocol(), LineSendingProtocol([])])
def test_providesWhatItClaims(protocol: Any) -> None:
    verifyObject(IProtocol, protocol)


def test_anAccumulatingProtocolKeepsWhatHappens() -> None:
    protocol = AccumulatingProtocol()
    assert (protocol.made, protocol.closed, protocol.data) == (0, 0, b"")
    protocol.makeConnection(StringTransport())
    protocol.dataReceived(b"one ")
    protocol.dataReceived(b"two")
    assert (protocol.made, protocol.closed, protocol.data) == (1, 0, b"one two")

    lost: list[Any] = []
    protocol.closedDeferred = Deferred()
    protocol.closedDeferred.addCallback(lost.append)
    protocol.connectionLost(CLOSED)

    assert (protocol.closed, protocol.closedReason, lost) == (1, CLOSED, [None])
    assert protocol.closedDeferred is None


def test_itsFactoryIsToldOfTheFirstConnection() -> None:
    factory: Any = Factory.forProtocol(AccumulatingProtocol)
    made: list[Any] = []
    factory.protocolConnectionMade = Deferred()
    factory.protocolConnectionMade.addCallback(made.append)

    first, second = factory.buildProtocol(None), factory.buildProtocol(None)
    first.makeConnection(StringTransport())
    second.makeConnection(StringTransport())

    assert made == [first]
    assert factory.protocolConnectionMade is None


def test_linesAreSentAtTheStart() -> None:
    transport = StringTransport()
    protocol = LineSendingProtocol([b"a", b"b"])
    protocol.makeConnection(transport)
    assert transport.value() == b"a\r\nb\r\n"

    protocol.dataReceived(b"c\r\nd\r\ne")
    assert protocol.response == [b"c", b"d"]
    assert transport.value() == b"a\r\nb\r\n"

    assert not protocol.lostConn
    protocol.connectionLost(CLOSED)
    assert protocol.lostConn


def test_linesAreSentAsAnAnswer() -> None:
    lines = [b"a", b"b"]
    transport = StringTransport()
    protocol = LineSendingProtocol(lines, start=False)
    protocol.makeConnection(transport)
    assert transport.value() == b""

    protocol.dataReceived(b"hello\r\nagain\r\n")

    assert transport.value() == b"a\r\nb\r\n"
    assert lines == [b"a", b"b"]


@pytest.mark.skipif(vocabulary == "twisted", reason="Twisted's keeps its own last line instead")
def test_theLineThatIsAnsweredIsKept() -> None:
    protocol = LineSendingProtocol([b"a", b"b"], start=False)
    protocol.makeConnection(StringTransport())
    protocol.dataReceived(b"hello\r\nagain\r\n")
    assert protocol.response == [b"hello", b"again"]


def test_waitingForDisconnection(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    install(monkeypatch, clock)
    protocols: list[Any] = [AccumulatingProtocol(), AccumulatingProtocol()]
    for protocol in protocols:
        protocol.makeConnection(StringTransport())
    gone: list[Any] = []
    waitUntilAllDisconnected(clock, protocols).addCallback(gone.append)

    protocols[0].transport.connected = False
    clock.advance(0.01)
    assert gone == []
    protocols[1].transport.connected = False
    clock.advance(0.01)

    assert len(gone) == 1
    assert clock.getDelayedCalls() == []
