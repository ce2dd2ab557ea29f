from __future__ import annotations

from typing import Any

import pytest
from zope.interface.verify import verifyObject

from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.interfaces import ILoggingContext, IProtocolFactory
from twisted_endpoints.protocol import (
    ClientFactory,
    Factory,
    Protocol,
    ReconnectingClientFactory,
    ServerFactory,
)


def test_providesItsInterfaces() -> None:
    assert verifyObject(IProtocolFactory, Factory())
    assert verifyObject(ILoggingContext, Factory())


@pytest.mark.parametrize("kind", [Factory, ServerFactory, ClientFactory, ReconnectingClientFactory])
def test_forProtocolMakesAFactoryOfItsClass(kind: Any) -> None:
    factory = kind.forProtocol(Protocol)
    made = factory.buildProtocol(None)

    assert type(factory) is kind
    assert type(made) is Protocol
    assert made.factory is factory


def test_forProtocolPassesArgumentsOn() -> None:
    class Shared(Factory):
        def __init__(self, one: int, *, two: int) -> None:
            self.both = (one, two)

    assert Shared.forProtocol(Protocol, 1, two=2).both == (1, 2)  # type: ignore[attr-defined]


def test_aFunctionCanMakeTheProtocol() -> None:
    made = Protocol()
    assert Factory.forProtocol(lambda: made).buildProtocol(None) is made


def test_withoutAProtocolNothingIsBuilt() -> None:
    with pytest.raises(AssertionError):
        Factory().buildProtocol(None)


def test_startsWithTheFirstPortAndStopsWithTheLast() -> None:
    events = []

    class Quiet(Factory):
        noisy = False

        def startFactory(self) -> None:
            events.append("start")

        def stopFactory(self) -> None:
            events.append("stop")

    factory = Quiet()
    factory.doStart()
    factory.doStart()
    factory.doStop()
    assert (events, factory.numPorts) == (["start"], 1)
    factory.doStop()
    assert (events, factory.numPorts) == (["start", "stop"], 0)
    factory.doStop()
    assert (events, factory.numPorts) == (["start", "stop"], 0)


def test_canBeSubscriptedForTypes() -> None:
    class Typed(Factory[Protocol]):
        protocol = Protocol

    assert type(Typed().buildProtocol(None)) is Protocol


@pytest.mark.skipif(vocabulary == "twisted", reason="Twisted logs by twisted.logger")
def test_startAndStopAreLogged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "twisted_endpoints")
    factory = Factory()
    factory.doStart()
    factory.doStop()

    assert caplog.messages == [f"Starting factory {factory!r}", f"Stopping factory {factory!r}"]
