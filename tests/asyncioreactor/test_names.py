from __future__ import annotations

from typing import Any

import pytest
from zope.interface import implementer
from zope.interface.verify import verifyObject

from twisted_endpoints import error
from twisted_endpoints.address import IPv4Address, IPv6Address
from twisted_endpoints.asyncioreactor.names import SimpleNameResolver, SimpleResolver
from twisted_endpoints.defer import CancelledError, Deferred
from twisted_endpoints.interfaces import (
    IHostnameResolver,
    IHostResolution,
    IResolutionReceiver,
    IResolverSimple,
)

from .logged import loggedErrors


@implementer(IResolverSimple)
class OldResolver:
    def __init__(self) -> None:
        self.answers: dict[str, Deferred[str]] = {}

    def getHostByName(self, name: str, timeout: Any = ()) -> Deferred[str]:
        self.answers[name] = Deferred()
        return self.answers[name]


@implementer(IHostResolution)
class Resolution:
    def __init__(self, name: str) -> None:
        self.name = name
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True
        if self.name == "uncancellable":
            raise NotImplementedError


@implementer(IHostnameResolver)
class NewResolver:
    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}
        self.resolutions: dict[str, Resolution] = {}

    def resolveHostName(
        self,
        resolutionReceiver: Any,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Any = None,
        transportSemantics: str = "TCP",
    ) -> Resolution:
        assert list(addressTypes) == [IPv4Address]
        self.asked[hostName] = resolutionReceiver
        self.resolutions[hostName] = Resolution(hostName)
        resolutionReceiver.resolutionBegan(self.resolutions[hostName])
        return self.resolutions[hostName]


@implementer(IResolutionReceiver)
class Receiver:
    def __init__(self) -> None:
        self.heard: list[Any] = []

    def resolutionBegan(self, resolutionInProgress: Any) -> None:
        self.heard.append("began")

    def addressResolved(self, address: Any) -> None:
        self.heard.append(address)

    def resolutionComplete(self) -> None:
        self.heard.append("complete")


def outcome(deferred: Deferred[Any]) -> list[Any]:
    """What a Deferred has fired with: the result or the type of the error, in a list; empty if it waits."""
    found: list[Any] = []
    deferred.addCallbacks(found.append, lambda failure: found.append(failure.type))
    return found


@pytest.mark.parametrize(("name", "text"), [("", "0.0.0.0"), ("192.0.2.1", "192.0.2.1")])
def test_someNamesAreAnswersThemselves(reactor: Any, name: str, text: str) -> None:
    assert outcome(reactor.resolve(name)) == [text]


def test_theFirstAddressIsTheAnswer(reactor: Any) -> None:
    resolver = NewResolver()
    reactor.installNameResolver(resolver)
    found = outcome(reactor.resolve("x.example"))
    assert found == []
    for host in ("192.0.2.1", "192.0.2.2"):
        resolver.asked["x.example"].addressResolved(IPv4Address("TCP", host, 0))
    resolver.asked["x.example"].resolutionComplete()
    assert found == ["192.0.2.1"]
    assert reactor.getDelayedCalls() == []


def test_noAddressIsAnError(reactor: Any) -> None:
    resolver = NewResolver()
    reactor.installNameResolver(resolver)
    found = outcome(reactor.resolve("x.example"))
    resolver.asked["x.example"].resolutionComplete()
    assert found == [error.DNSLookupError]
    assert reactor.getDelayedCalls() == []


@pytest.mark.parametrize("name", ["x.example", "uncancellable"])
def test_aCancelEndsTheLookUp(reactor: Any, name: str) -> None:
    resolver = NewResolver()
    reactor.installNameResolver(resolver)
    deferred = reactor.resolve(name)
    deferred.cancel()
    assert outcome(deferred) == [CancelledError]
    assert resolver.resolutions[name].cancelled
    assert reactor.getDelayedCalls() == []


@pytest.mark.parametrize(("timeout", "seconds"), [((1, 3, 11, 45), 60), ((0.5,), 0.5), ((), 60)])
def test_thereIsATimeLimit(reactor: Any, timeout: Any, seconds: float) -> None:
    resolver = NewResolver()
    reactor.installNameResolver(resolver)
    began = reactor.seconds()
    found = outcome(reactor.resolve("x.example", timeout))
    [limit] = reactor.getDelayedCalls()
    assert limit.getTime() - began == pytest.approx(seconds, abs=1)
    limit.reset(0)
    reactor.iterate(0.01)
    assert found == [error.DNSLookupError]
    assert resolver.resolutions["x.example"].cancelled


def test_eachKindOfResolverReplacesBoth(reactor: Any) -> None:
    first, firstSimple = reactor.nameResolver, reactor.resolver
    new, old = NewResolver(), OldResolver()
    assert reactor.installNameResolver(new) is first
    assert reactor.nameResolver is new
    assert verifyObject(IResolverSimple, reactor.resolver)
    assert isinstance(reactor.installResolver(old), SimpleResolver)
    assert reactor.resolver is old
    assert isinstance(reactor.nameResolver, SimpleNameResolver)
    assert verifyObject(IHostnameResolver, reactor.nameResolver)
    reactor.installResolver(firstSimple)
    reactor.installNameResolver(first)
    with pytest.raises(AssertionError, match="does not provide"):
        reactor.installResolver(object())


def test_anOldResolverFindsOneAddress() -> None:
    old, receiver = OldResolver(), Receiver()
    resolution = SimpleNameResolver(old).resolveHostName(receiver, "x.example", 80, [IPv6Address])
    assert verifyObject(IHostResolution, resolution)
    assert receiver.heard == ["began"]
    old.answers["x.example"].callback("192.0.2.1")
    assert receiver.heard == ["began", IPv4Address("TCP", "192.0.2.1", 80), "complete"]


@pytest.mark.parametrize(
    ("trouble", "logged"), [(error.DNSLookupError("no"), []), (ValueError("?"), [ValueError])]
)
def test_anOldResolversErrorIsAnEmptyResolution(trouble: Exception, logged: list[Any]) -> None:
    old, receiver = OldResolver(), Receiver()
    SimpleNameResolver(old).resolveHostName(receiver, "x.example")
    with loggedErrors() as errors:
        old.answers["x.example"].errback(trouble)
    assert receiver.heard == ["began", "complete"]
    assert errors == logged


def test_anOldResolversLookUpCanBeCancelled() -> None:
    old, receiver = OldResolver(), Receiver()
    with loggedErrors() as errors:
        SimpleNameResolver(old).resolveHostName(receiver, "x.example").cancel()
    assert receiver.heard == ["began"]
    assert errors == []
