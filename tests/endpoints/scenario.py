"""
A network on a fake clock, written as a table: which address answers what, and when.

`Network` is a reactor, a resolver and the hosts behind them.  After a run, `Network.attempts` has every
attempt with the times at which it began and ended, and what came of it: a test compares the whole history.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from zope.interface import implementer

from twisted_endpoints import error
from twisted_endpoints.address import IPv4Address, IPv6Address
from twisted_endpoints.endpoints import HostnameEndpoint
from twisted_endpoints.failure import Failure
from twisted_endpoints.interfaces import IHostnameResolver, IReactorPluggableNameResolver, IReactorTCP
from twisted_endpoints.protocol import Factory, Protocol
from twisted_endpoints.task import Clock

#: What an address that never answers does.
SILENT = "silent"
CONNECTS = "connects"
REFUSES = "refuses"


@dataclass
class Transport:
    """One made connection."""

    protocol: Any = None
    aborted: bool = False

    def abortConnection(self) -> None:
        self.aborted = True

    loseConnection = abortConnection


@dataclass
class Attempt:
    """One call of connectTCP, which is its own connector."""

    network: Network
    address: Any
    factory: Any
    timeout: float | None
    bindAddress: Any
    began: float
    ended: float | None = None
    outcome: str = "open"
    transport: Transport | None = None
    calls: list[Any] = field(default_factory=list)

    def row(self) -> tuple[str, float, float | None, str]:
        return (self.address.host, self.began, self.ended, self.outcome)

    def getDestination(self) -> Any:
        return self.address

    def stopConnecting(self) -> None:
        if self.outcome != "open":
            raise error.NotConnectingError()
        self.fail("cancelled", error.UserError())

    def end(self, outcome: str) -> None:
        self.outcome, self.ended = outcome, self.network.seconds()
        for call in self.calls:
            if call.active():
                call.cancel()
        self.calls.clear()

    def fail(self, outcome: str, why: Exception) -> None:
        self.end(outcome)
        self.factory.clientConnectionFailed(self, Failure(why))

    def succeed(self) -> None:
        self.end("connected")
        self.transport = Transport()
        self.transport.protocol = self.factory.buildProtocol(self.address)
        if self.transport.protocol is None:
            self.transport.aborted = True
        else:
            self.transport.protocol.makeConnection(self.transport)


@dataclass
class Lookup:
    """One look-up of a name, which is its own resolution."""

    name: str
    receiver: Any
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


@implementer(IReactorTCP, IReactorPluggableNameResolver, IHostnameResolver)
class Network(Clock):
    """
    A reactor whose peers do what a table says.

    Args:
        hosts: address -> (seconds until it answers, `CONNECTS`, `REFUSES`, `SILENT` or an exception), in the
            order in which the resolver gives them.
        lookup: seconds that the look-up takes; None: it never answers.
    """

    def __init__(self, hosts: dict[str, tuple[float, str | Exception]], lookup: float | None = 0.0) -> None:
        super().__init__()
        self.hosts = hosts
        self.lookup = lookup
        self.lookups: list[Lookup] = []
        self.attempts: list[Attempt] = []
        self.nameResolver: Any = self

    def installNameResolver(self, resolver: Any) -> Any:
        raise NotImplementedError

    def listenTCP(self, port: int, factory: Any, backlog: int = 50, interface: str = "") -> Any:
        raise NotImplementedError

    def resolveHostName(
        self,
        resolutionReceiver: Any,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Any = None,
        transportSemantics: str = "TCP",
    ) -> Lookup:
        lookup = Lookup(hostName, resolutionReceiver)
        self.lookups.append(lookup)
        resolutionReceiver.resolutionBegan(lookup)

        def answer() -> None:
            for host in self.hosts:
                kind = IPv6Address if ":" in host else IPv4Address
                resolutionReceiver.addressResolved(kind("TCP", host, portNumber))
            resolutionReceiver.resolutionComplete()

        if self.lookup == 0:
            answer()
        elif self.lookup is not None:
            self.callLater(self.lookup, answer)
        return lookup

    def connectTCP(
        self, host: str, port: int, factory: Any, timeout: float | None = 30, bindAddress: Any = None
    ) -> Attempt:
        kind = IPv6Address if ":" in host else IPv4Address
        attempt = Attempt(self, kind("TCP", host, port), factory, timeout, bindAddress, self.seconds())
        self.attempts.append(attempt)
        factory.doStart()
        factory.startedConnecting(attempt)
        if timeout is not None:
            attempt.calls.append(self.callLater(timeout, attempt.fail, "timeout", error.TimeoutError()))
        delay, what = self.hosts[host]
        act: Callable[[], None]
        if what == SILENT:
            return attempt
        if what == CONNECTS:
            act = attempt.succeed
        else:
            why = error.ConnectionRefusedError() if what == REFUSES else what

            def act() -> None:
                attempt.fail("failed", why)

        if delay:
            attempt.calls.append(self.callLater(delay, act))
        else:
            act()
        return attempt

    def history(self) -> list[tuple[str, float, float | None, str]]:
        """List every attempt: address, when it began, when it ended, and how."""
        return [attempt.row() for attempt in self.attempts]

    def runUntilIdle(self) -> None:
        """Let time pass until nothing is left to happen."""
        while self.getDelayedCalls():
            self.runUntil(min(call.getTime() for call in self.getDelayedCalls()))

    def runUntil(self, time: float) -> None:
        """Let everything happen that is due until `time`, each at its own time."""
        while True:
            due = [call.getTime() for call in self.getDelayedCalls() if call.getTime() <= time]
            if not due:
                break
            self.advance(max(0.0, min(due) - self.seconds()))
        self.advance(max(0.0, time - self.seconds()))

    def forget(self) -> None:
        """End all connections, and break the circles that a fake has and a reactor would not."""
        for attempt in self.attempts:
            if attempt.transport is not None and attempt.transport.protocol is not None:
                attempt.transport.protocol.connectionLost(Failure(error.ConnectionDone()))
                del attempt.transport.protocol
            del attempt.network, attempt.factory
        for lookup in self.lookups:
            del lookup.receiver
        self.nameResolver = None

    def busiest(self) -> int:
        """Count the attempts that went on at one time, at most."""
        moments = {attempt.began for attempt in self.attempts}
        return max(
            sum(a.began <= moment and (a.ended is None or a.ended > moment) for a in self.attempts)
            for moment in moments
        )


class Greeter(Protocol):
    """Counts its connections."""

    made = 0
    lost = 0

    def connectionMade(self) -> None:
        self.made += 1

    def connectionLost(self, reason: Any = None) -> None:
        self.lost += 1


class GreeterFactory(Factory):
    """Keeps what it made."""

    protocol = Greeter
    noisy = False

    def __init__(self) -> None:
        self.made: list[Any] = []

    def buildProtocol(self, addr: Any) -> Any:
        protocol = super().buildProtocol(addr)
        self.made.append(protocol)
        return protocol


@dataclass
class Outcome:
    """What came of a connect."""

    network: Network
    factory: GreeterFactory
    deferred: Any
    results: list[Any] = field(default_factory=list)
    at: float | None = None

    @property
    def error(self) -> Any:
        """The exception it failed with."""
        (failure,) = self.results
        return failure.value

    @property
    def protocol(self) -> Any:
        """The protocol it fired with."""
        (protocol,) = self.results
        assert not isinstance(protocol, Failure), protocol.value
        return protocol


def connect(
    network: Network, factory: Any = None, host: str | bytes = "example.com", **options: Any
) -> Outcome:
    """Begin to connect; port 80."""
    factory = GreeterFactory() if factory is None else factory
    outcome = Outcome(network, factory, HostnameEndpoint(network, host, 80, **options).connect(factory))

    def ended(result: Any) -> None:
        outcome.results.append(result)
        outcome.at = network.seconds()

    outcome.deferred.addBoth(ended)
    return outcome
