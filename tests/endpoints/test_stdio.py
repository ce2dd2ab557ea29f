"""The endpoint of standard input and output, and its string."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from twisted_endpoints import serverFromString
from twisted_endpoints.endpoints import StandardIOEndpoint, _parseServer, _StandardIOParser
from twisted_endpoints.error import AlreadyListened, NoProtocol
from twisted_endpoints.protocol import Factory, Protocol
from twisted_endpoints.stdio import PipeAddress, StandardIO
from twisted_endpoints.strings import DescriptionError
from twisted_endpoints.testing import MemoryReactorClock


@pytest.fixture
def endpoint() -> Iterator[StandardIOEndpoint]:
    """Give one on pipes in place of this process's own, whose connections end with the test."""
    stdin, feeder = os.pipe()
    taker, stdout = os.pipe()
    made: list[StandardIO] = []

    def connect(protocol: Any, reactor: Any) -> StandardIO:
        made.append(StandardIO(protocol, stdin, stdout, reactor))
        return made[-1]

    endpoint = StandardIOEndpoint(MemoryReactorClock())
    endpoint._stdio = connect
    yield endpoint
    for stdio in made:
        stdio.connectionLost(None)  # type: ignore[arg-type]
    for number in (stdin, feeder, taker, stdout):
        os.close(number)


def outcome(listening: Any) -> Any:
    """Give what a Deferred has fired with."""
    results: list[Any] = []
    listening.addBoth(results.append)
    [result] = results
    return result


class Noting(Factory):
    protocol = Protocol
    addresses: list[Any] = []

    def buildProtocol(self, addr: Any) -> Any:
        self.addresses = [*self.addresses, addr]
        return super().buildProtocol(addr)


def test_theProtocolIsConnectedAtOnce(endpoint: StandardIOEndpoint) -> None:
    factory = Noting()
    stdio = outcome(endpoint.listen(factory))

    assert isinstance(stdio, StandardIO)
    assert stdio.protocol.transport is stdio
    assert isinstance(factory.addresses[0], PipeAddress)


def test_byDefaultItIsTheProcesssOwn() -> None:
    assert StandardIOEndpoint._stdio is StandardIO


def test_whatListenGivesIsAPort(endpoint: StandardIOEndpoint) -> None:
    port = outcome(endpoint.listen(Noting()))
    port.startListening()

    assert outcome(port.stopListening()) is None
    assert not port.disconnected
    assert str(port.getHost()) == "stdio"


def test_onlyOneProtocolAtATime(endpoint: StandardIOEndpoint) -> None:
    first = outcome(endpoint.listen(Noting()))
    failure = outcome(endpoint.listen(Noting()))
    assert failure.type is AlreadyListened
    assert "have a protocol" in str(failure.value)

    first.connectionLost(None)
    assert isinstance(outcome(endpoint.listen(Noting())), StandardIO)


@pytest.mark.parametrize(
    ("method", "error"),
    [(lambda: None, NoProtocol), (lambda: 1 // 0, ZeroDivisionError)],
    ids=["none", "raises"],
)
def test_aFactoryThatMakesNothingIsAFailure(endpoint: StandardIOEndpoint, method: Any, error: Any) -> None:
    factory = Noting()
    factory.buildProtocol = lambda addr: method()  # type: ignore[method-assign]

    assert outcome(endpoint.listen(factory)).type is error


def test_aConnectionMadeThatRaisesIsAFailure(endpoint: StandardIOEndpoint) -> None:
    class Raising(Protocol):
        def connectionMade(self) -> None:
            raise ValueError

    assert outcome(endpoint.listen(Factory.forProtocol(Raising))).type is ValueError
    assert endpoint._reactor.getReaders() == []


@pytest.mark.parametrize("text", ["stdio:", "stdio", "STDIO:"])
def test_theString(text: str) -> None:
    reactor = MemoryReactorClock()
    made = serverFromString(reactor, text)

    assert isinstance(made, StandardIOEndpoint)
    assert made._reactor is reactor


@pytest.mark.parametrize("text", ["stdio:extra:x=1", "stdio:x=1", "stdio:extra", "stdio::"])
def test_theStringHasNoArguments(text: str) -> None:
    with pytest.raises(DescriptionError, match="takes no argument"):
        serverFromString(MemoryReactorClock(), text)


def test_theParsersDocumentedMethod() -> None:
    reactor = MemoryReactorClock()
    parser = _StandardIOParser()

    assert parser.prefix == "stdio"
    assert parser._parseServer(reactor)._reactor is reactor
    assert isinstance(parser.parseStreamServer(reactor), StandardIOEndpoint)
    assert isinstance(_parseServer("stdio:", None)[0], _StandardIOParser)
