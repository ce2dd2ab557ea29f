from __future__ import annotations

from typing import Any

import pytest

from twisted_endpoints.defer import CancelledError
from twisted_endpoints.error import ConnectionDone
from twisted_endpoints.failure import Failure
from twisted_endpoints.protocol import ClientCreator, Protocol
from twisted_endpoints.task import Clock

from .connectors import Connector


class Reactor(Clock):
    """Remembers the factory that it is to connect."""

    def connectTCP(self, host: str, port: int, factory: Any, timeout: float, bindAddress: Any) -> Connector:
        self.asked = (host, port, timeout, bindAddress)
        return self._take(factory)

    def connectUNIX(self, address: str, factory: Any, timeout: float, checkPID: bool) -> Connector:
        self.asked = (address, timeout, checkPID)
        return self._take(factory)

    def connectSSL(
        self, host: str, port: int, factory: Any, contextFactory: Any, timeout: float, bindAddress: Any
    ) -> Connector:
        self.asked = (host, port, contextFactory, timeout, bindAddress)
        return self._take(factory)

    def _take(self, factory: Any) -> Connector:
        self.factory = factory
        self.connector = Connector()
        return self.connector


@pytest.mark.parametrize(
    ("method", "arguments", "asked"),
    [
        ("connectTCP", ("host", 80), ("host", 80, 30, None)),
        ("connectTCP", ("host", 80, 5, ("here", 0)), ("host", 80, 5, ("here", 0))),
        ("connectUNIX", ("/a",), ("/a", 30, False)),
        ("connectUNIX", ("/a", 5, True), ("/a", 5, True)),
        ("connectSSL", ("host", 80, "tls"), ("host", 80, "tls", 30, None)),
        ("connectSSL", ("host", 80, "tls", 5, ("here", 0)), ("host", 80, "tls", 5, ("here", 0))),
    ],
)
def test_passesItsArgumentsOn(method: str, arguments: Any, asked: Any) -> None:
    reactor, results = Reactor(), []
    getattr(ClientCreator(reactor, Protocol), method)(*arguments).addCallback(results.append)
    made = reactor.factory.buildProtocol(None)

    assert reactor.asked == asked
    assert results == []
    reactor.advance(0)
    assert results == [made]
    assert type(made) is Protocol


def test_makesTheProtocolWithItsArguments() -> None:
    class Named(Protocol):
        def __init__(self, name: str, *, age: int) -> None:
            self.both = (name, age)

    reactor = Reactor()
    ClientCreator(reactor, Named, "a", age=1).connectTCP("host", 80)
    assert reactor.factory.buildProtocol(None).both == ("a", 1)


def test_failsAsTheAttemptDoes() -> None:
    reactor, results = Reactor(), []
    ClientCreator(reactor, Protocol).connectTCP("host", 80).addErrback(results.append)
    reason = Failure(ConnectionDone())
    reactor.factory.clientConnectionFailed(reactor.connector, reason)
    reactor.advance(0)

    assert results == [reason]


@pytest.mark.parametrize("stage", ["connecting", "connected", "failed"])
def test_cancelDisconnects(stage: str) -> None:
    reactor, results = Reactor(), []
    connecting = ClientCreator(reactor, Protocol).connectTCP("host", 80).addErrback(results.append)
    if stage == "connected":
        reactor.factory.buildProtocol(None)
    if stage == "failed":
        reactor.factory.clientConnectionFailed(reactor.connector, Failure(ConnectionDone()))
    connecting.cancel()

    assert reactor.connector.disconnects == 1
    assert reactor.getDelayedCalls() == []
    assert [type(failure.value) for failure in results] == [CancelledError]
