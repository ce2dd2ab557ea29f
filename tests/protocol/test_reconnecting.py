from __future__ import annotations

import pickle
from typing import Any

import pytest

from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.error import ConnectionDone, NotConnectingError
from twisted_endpoints.failure import Failure
from twisted_endpoints.protocol import ReconnectingClientFactory
from twisted_endpoints.task import Clock

from .connectors import Connector


def reconnecting(**settings: Any) -> Any:
    made: Any = ReconnectingClientFactory()
    made.clock, made.jitter, made.noisy = Clock(), None, False
    vars(made).update(settings)
    return made


def test_waitsLongerAndLonger() -> None:
    factory, connector = reconnecting(factor=2, maxDelay=4), Connector()
    waits = []
    for _ in range(5):
        factory.clientConnectionFailed(connector, Failure(ConnectionDone()))
        [call] = factory.clock.getDelayedCalls()
        waits.append(call.getTime() - factory.clock.seconds())
        factory.clock.advance(waits[-1])

    assert waits == [1.0, 2.0, 4, 4, 4]
    assert connector.connects == factory.retries == 5


def test_jitterSpreadsTheWaits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.normalvariate", lambda mean, spread: mean + 2 * spread)
    factory = reconnecting(jitter=0.25)
    factory.clientConnectionLost(Connector(), Failure(ConnectionDone()))

    assert [call.getTime() for call in factory.clock.getDelayedCalls()] == [1.5]


def test_stopsAfterMaxRetries() -> None:
    factory, connector = reconnecting(maxRetries=1), Connector()
    factory.clientConnectionFailed(connector, Failure(ConnectionDone()))
    factory.clock.advance(1)
    factory.clientConnectionFailed(connector, Failure(ConnectionDone()))

    assert factory.clock.getDelayedCalls() == []
    assert connector.connects == 1


def test_stopTryingEndsAWait() -> None:
    factory, connector = reconnecting(), Connector()
    factory.clientConnectionLost(connector, Failure(ConnectionDone()))
    factory.stopTrying()

    assert factory.clock.getDelayedCalls() == []
    assert connector.stops == 1
    factory.clientConnectionLost(connector, Failure(ConnectionDone()))
    assert factory.clock.getDelayedCalls() == []


def test_stopTryingLeavesAnOpenConnection() -> None:
    class Connected(Connector):
        def stopConnecting(self) -> None:
            raise NotConnectingError()

    factory = reconnecting(connector=Connected())
    factory.stopTrying()
    assert not factory.continueTrying


def test_resetDelayBeginsAgain() -> None:
    factory = reconnecting()
    factory.clientConnectionLost(Connector(), Failure(ConnectionDone()))
    assert (factory.retries, factory.delay) == (1, factory.factor)
    factory.clock.advance(1)
    factory.resetDelay()
    assert (factory.retries, factory.delay) == (0, 1.0)


def test_retryNeedsAConnector() -> None:
    with pytest.raises(ValueError, match="no connector"):
        reconnecting().retry()


def test_aPickleStartsAfresh() -> None:
    factory = reconnecting(maxDelay=7)
    factory.clientConnectionLost(Connector(), Failure(ConnectionDone()))
    again = pickle.loads(pickle.dumps(factory))

    assert (again.maxDelay, again.retries, again.delay, again.connector, again.clock) == (
        7,
        0,
        1.0,
        None,
        None,
    )


@pytest.mark.skipif(vocabulary == "twisted", reason="Twisted logs by twisted.logger")
def test_whatItDoesIsLogged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "twisted_endpoints")
    factory, connector = reconnecting(noisy=True, maxRetries=1), "the connector"
    factory.retry(connector)
    factory.retry(connector)
    factory.stopTrying()
    factory.retry(connector)

    assert caplog.messages == [
        "the connector will retry in 1 seconds",
        "Abandoning the connector after 2 retries.",
        "Abandoning the connector on explicit request",
    ]
