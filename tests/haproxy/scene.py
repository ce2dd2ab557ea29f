"""A connection from a proxy, in memory."""

from __future__ import annotations

from typing import Any

import pytest

from twisted_endpoints.address import IPv4Address
from twisted_endpoints.error import ConnectionDone
from twisted_endpoints.failure import Failure
from twisted_endpoints.haproxy import HAProxyWrappingFactory
from twisted_endpoints.protocol import Factory, Protocol
from twisted_endpoints.task import Clock
from twisted_endpoints.testing import StringTransport

PROXY = IPv4Address("TCP", "10.0.0.7", 4711)
HOST = IPv4Address("TCP", "10.0.0.1", 443)


class Transport(StringTransport):
    """A transport that has a place for its protocol, as those of reactors have."""

    PLACE = "protocol"

    def __init__(self) -> None:
        super().__init__(HOST, PROXY, lenient=True)
        self.aborted = False

    def abortConnection(self) -> None:
        self.aborted = True
        super().abortConnection()

    def receive(self, data: bytes) -> None:
        getattr(self, self.PLACE).dataReceived(data)

    def lose(self) -> None:
        protocol = getattr(self, self.PLACE)
        setattr(self, self.PLACE, None)
        protocol.connectionLost(Failure(ConnectionDone()))


class Layer(Transport):
    """One that has the place that layers such as TLS have for it."""

    PLACE = "wrappedProtocol"


class Bare(Transport):
    """One that has no place for it that anybody knows."""

    PLACE = "hidden"


class Seen(Protocol):
    """Notes what happens to it, and what it could know by then."""

    def __init__(self, factory: Recording) -> None:
        self.events = factory.events

    def connectionMade(self) -> None:
        transport: Any = self.transport
        self.events.append(("made", transport.getPeer(), transport.getHost()))

    def dataReceived(self, data: bytes) -> None:
        self.events.append(("data", data))

    def connectionLost(self, reason: Any = None) -> None:
        self.events.append(("lost", reason.type))


class Recording(Factory):
    """Makes what `protocol` makes, and notes for whom."""

    noisy = False
    protocol: Any = Seen

    def __init__(self, protocol: Any = Seen) -> None:
        self.events: list[tuple[Any, ...]] = []
        self.protocol = protocol
        self.made: Any = None

    def buildProtocol(self, addr: Any) -> Any:
        self.events.append(("build", addr))
        self.made = self.protocol(self)
        return self.made


class Scene:
    """One connection from a proxy."""

    def __init__(self, protocol: Any = Seen, transport: type[Transport] = Transport, **options: Any) -> None:
        self.clock = Clock()
        self.user = Recording(protocol)
        self.factory = HAProxyWrappingFactory(self.user, clock=self.clock, headerTimeout=5, **options)
        self.transport = transport()
        wrapper: Any = self.factory.buildProtocol(PROXY)
        self.wrapper = wrapper
        setattr(self.transport, transport.PLACE, wrapper)
        wrapper.makeConnection(self.transport)

    @property
    def events(self) -> list[tuple[Any, ...]]:
        return self.user.events


KINDS = [Transport, Layer, Bare]
eachTransport = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
