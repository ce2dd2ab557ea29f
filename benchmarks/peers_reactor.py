"""
The roles of `benchmarks.peers` as programs on a reactor: the same code for Twisted and for this package.

Factories are quiet: what a line in the log costs is not what is measured.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from .peers_race import ATTEMPT_DELAY, Addresses, report

BLOCK = bytes(1 << 16)

#: Blocks that are written before others get their turn, should the kernel take them all.
TURN = 64


class Vocabulary(NamedTuple):
    """A reactor, and the modules that go with it."""

    reactor: Any
    endpoints: Any
    protocol: Any
    address: Any
    interfaces: Any


def vocabularyOf(contender: str) -> Vocabulary:
    """Give Twisted's own, on its epoll reactor, or ours on a loop."""
    if contender == "twisted-epoll":
        from twisted.internet import epollreactor

        epollreactor.install()
        from twisted.internet import address, endpoints, interfaces, protocol, reactor

        return Vocabulary(reactor, endpoints, protocol, address, interfaces)
    from twisted_endpoints import address, endpoints, interfaces, protocol
    from twisted_endpoints.asyncioreactor import AsyncioReactor

    from .peers import newLoop

    reactor = AsyncioReactor(newLoop(contender.removeprefix("ours-")))
    return Vocabulary(reactor, endpoints, protocol, address, interfaces)


def _quiet(v: Vocabulary, protocol: Any) -> Any:
    factory = v.protocol.Factory.forProtocol(protocol)
    factory.noisy = False
    return factory


def _run(v: Vocabulary) -> None:
    v.reactor.run(installSignalHandlers=False)


def _failed(v: Vocabulary) -> Callable[[Any], None]:
    def failed(reason: Any) -> None:
        reason.printTraceback()
        v.reactor.stop()

    return failed


# -- servers

_TCP = "tcp:0:backlog=1024"


def _serve(v: Vocabulary, protocol: Any, description: str) -> None:
    endpoint = v.endpoints.serverFromString(v.reactor, description)
    listening = endpoint.listen(_quiet(v, protocol))
    listening.addCallback(lambda port: print(port.getHost().port, flush=True))
    listening.addErrback(_failed(v))
    _run(v)


def echo(v: Vocabulary, description: str = _TCP, noDelay: bool = False) -> None:
    class Echo(v.protocol.Protocol):  # type: ignore[misc, name-defined]
        def dataReceived(self, data: bytes) -> None:
            self.transport.write(data)

    class Prompt(Echo):
        def connectionMade(self) -> None:
            self.transport.setTcpNoDelay(True)

    _serve(v, Prompt if noDelay else Echo, description)


def receive(v: Vocabulary, description: str = _TCP) -> None:
    class Receive(v.protocol.Protocol):  # type: ignore[misc, name-defined]
        def dataReceived(self, data: bytes) -> None:
            pass

    _serve(v, Receive, description)


def send(v: Vocabulary, description: str = _TCP) -> None:
    from zope.interface import implementer

    @implementer(v.interfaces.IPushProducer)
    class Send(v.protocol.Protocol):  # type: ignore[misc, name-defined]
        full = False

        def connectionMade(self) -> None:
            self.transport.registerProducer(self, True)
            self._more()

        def pauseProducing(self) -> None:
            self.full = True

        def resumeProducing(self) -> None:
            self.full = False
            self._more()

        def stopProducing(self) -> None:
            self.full = True

        def _more(self) -> None:
            for _ in range(TURN):
                if self.full:
                    return
                self.transport.write(BLOCK)
            v.reactor.callLater(0, self._more)

    _serve(v, Send, description)


# -- clients


def connect(v: Vocabulary, how: str, port: str, connections: str) -> None:
    class Visitor(v.protocol.Protocol):  # type: ignore[misc, name-defined]
        def connectionMade(self) -> None:
            self.transport.loseConnection()

        def connectionLost(self, reason: Any) -> None:
            self.factory.again()

    visits(v, _makerOf(v, how, int(port)), Visitor, int(connections))


def visits(v: Vocabulary, makeEndpoint: Callable[[], Any], visitor: Any, connections: int) -> None:
    """Connect again and again, so many at once; a visitor calls its factory's ``again`` when it is lost."""
    factory = _quiet(v, visitor)
    failed = _failed(v)

    def again() -> None:
        makeEndpoint().connect(factory).addErrback(failed)

    def begin() -> None:
        for _ in range(connections):
            again()

    factory.again = again
    v.reactor.callWhenRunning(begin)
    _run(v)


def _makerOf(v: Vocabulary, how: str, port: int) -> Callable[[], Any]:
    """Tell how the endpoint comes about: made once, as in most programs, or from a string each time."""
    if how == "string":
        return lambda: v.endpoints.clientFromString(v.reactor, f"tcp:127.0.0.1:{port}")
    if how == "tcp4":
        once = v.endpoints.TCP4ClientEndpoint(v.reactor, "127.0.0.1", port)
    else:
        host = {"literal": "127.0.0.1", "localhost": "localhost"}[how]
        once = v.endpoints.HostnameEndpoint(v.reactor, host, port)
    return lambda: once


def race(v: Vocabulary, first: str, attempts: str) -> None:
    from zope.interface import implementer

    addresses = Addresses(first)

    @implementer(v.interfaces.IHostResolution)
    class Resolution:
        name = "two.example"

        def cancel(self) -> None:
            pass

    @implementer(v.interfaces.IHostnameResolver)
    class Resolver:
        def resolveHostName(
            self, receiver: Any, hostName: str, portNumber: int = 0, *args: Any, **kw: Any
        ) -> Any:
            resolution = Resolution()
            receiver.resolutionBegan(resolution)
            for host in addresses.hosts:
                receiver.addressResolved(v.address.IPv4Address("TCP", host, portNumber))
            receiver.resolutionComplete()
            return resolution

    v.reactor.installNameResolver(Resolver())
    # Where nobody answers, all have the same patience; a refusal is met with what each has by default.
    delay = ATTEMPT_DELAY if first == "dropped" else None
    endpoint = v.endpoints.HostnameEndpoint(v.reactor, "two.example", addresses.port, attemptDelay=delay)
    factory = _quiet(v, v.protocol.Protocol)
    seconds: list[float] = []

    def once() -> None:
        began = time.perf_counter()

        def connected(protocol: Any) -> None:
            seconds.append(time.perf_counter() - began)
            protocol.transport.loseConnection()
            if len(seconds) < int(attempts):
                v.reactor.callLater(0, once)
            else:
                v.reactor.stop()

        endpoint.connect(factory).addCallback(connected).addErrback(_failed(v))

    v.reactor.callWhenRunning(once)
    _run(v)
    report(seconds)
