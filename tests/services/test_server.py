"""`StreamServerEndpointService`, on an endpoint that the test plays."""

from __future__ import annotations

from typing import Any

import pytest
from zope.interface import implementer

from tests.asyncioreactor.logged import loggedErrors
from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.defer import Deferred
from twisted_endpoints.error import CannotListenError
from twisted_endpoints.failure import Failure
from twisted_endpoints.interfaces import IStreamServerEndpoint
from twisted_endpoints.protocol import Factory
from twisted_endpoints.service import IService
from twisted_endpoints.services import StreamServerEndpointService

from .test_client import results

ours = pytest.mark.skipif(vocabulary == "twisted", reason="Twisted's service fails at this")


class Port:
    def __init__(self) -> None:
        self.stopped: Deferred[None] = Deferred()

    def stopListening(self) -> Deferred[None]:
        return self.stopped


@implementer(IStreamServerEndpoint)
class Endpoint:
    def __init__(self) -> None:
        self.listening: list[Deferred[Any]] = []
        self.problem: Exception | None = None

    def listen(self, factory: Any) -> Deferred[Any]:
        self.listening.append(Deferred())
        if self.problem is not None:
            self.listening[-1].errback(Failure(self.problem))
        return self.listening[-1]


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


@pytest.fixture
def service(endpoint: Endpoint) -> Any:
    return StreamServerEndpointService(endpoint, Factory())


def test_itListensOnce(endpoint: Endpoint, service: Any) -> None:
    assert IService.providedBy(service)
    service.privilegedStartService()
    assert not service.running
    service.startService()
    assert service.running
    assert len(endpoint.listening) == 1


def test_itStopsWhenThePortHas(endpoint: Endpoint, service: Any) -> None:
    service.startService()
    port = Port()
    endpoint.listening[0].callback(port)
    stopped = results(service.stopService())
    assert (stopped, bool(service.running)) == ([], True)
    port.stopped.callback(None)
    assert (stopped, bool(service.running)) == ([None], False)


def test_toStopGivesAnAttemptUp(endpoint: Endpoint, service: Any) -> None:
    with loggedErrors() as logged:
        service.startService()
        assert results(service.stopService()) == [None]
    assert logged == []


@pytest.mark.parametrize("soon", [True, False], ids=["at once", "later"])
def test_thatItCanNotListenIsLogged(soon: bool, endpoint: Endpoint, service: Any) -> None:
    problem = CannotListenError(None, 1, OSError())
    with loggedErrors() as logged:
        if soon:
            endpoint.problem = problem
        # What is told later can't be raised.
        service._raiseSynchronously = not soon
        service.startService()
        if not soon:
            endpoint.listening[0].errback(Failure(problem))
        assert results(service.stopService()) == [None]
    assert logged == [CannotListenError]


def test_thatItCanNotListenIsRaisedIfThatIsWanted(endpoint: Endpoint, service: Any) -> None:
    endpoint.problem = CannotListenError(None, 1, OSError())
    service._raiseSynchronously = True
    with pytest.raises(CannotListenError):
        service.startService()


@ours
def test_whatCouldNotListenDoesNotRunAndCanTryAgain(endpoint: Endpoint, service: Any) -> None:
    endpoint.problem = CannotListenError(None, 1, OSError())
    service._raiseSynchronously = True
    with pytest.raises(CannotListenError):
        service.startService()
    assert not service.running
    endpoint.problem = None
    service.startService()
    assert service.running
    assert len(endpoint.listening) == 2


@ours
def test_itCanBeStartedAgain(endpoint: Endpoint, service: Any) -> None:
    service.startService()
    service.stopService()
    service.startService()
    assert len(endpoint.listening) == 2


@ours
def test_toStopWhatWasNotStartedIsNoError(service: Any) -> None:
    assert results(service.stopService()) == [None]
