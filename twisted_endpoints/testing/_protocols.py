"""Protocols that keep what they receive."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from .._lines import LineReceiver
from ..defer import Deferred
from ..protocol import Protocol
from ..task import LoopingCall

if TYPE_CHECKING:
    from ..failure import Failure
    from ..interfaces import IReactorTime


class AccumulatingProtocol(Protocol):
    """
    A protocol that keeps the data it receives and tells of its connection.

    If its factory has a Deferred as its ``protocolConnectionMade``, that fires with the protocol when the
    connection is made, once.

    Attributes:
        data: all that was received.
        made, closed: 1 from the moment that the connection was made, or lost.
        closedReason: why it was lost.
        closedDeferred: a Deferred to fire with None when it is lost; the test sets it.
    """

    data = b""
    made = closed = 0
    closedReason: Failure | None = None
    closedDeferred: Deferred[None] | None = None
    factory: Any = None

    def connectionMade(self) -> None:
        self.made = 1
        factory = self.factory
        if factory is not None and factory.protocolConnectionMade is not None:
            told, factory.protocolConnectionMade = factory.protocolConnectionMade, None
            told.callback(self)

    def dataReceived(self, data: bytes) -> None:
        self.data += data

    def connectionLost(self, reason: Failure | None = None) -> None:
        self.closed = 1
        self.closedReason = reason
        told, self.closedDeferred = self.closedDeferred, None
        if told is not None:
            told.callback(None)


class LineSendingProtocol(LineReceiver):
    """
    A protocol that sends some lines and keeps those it gets.

    Attributes:
        response: the lines that it got.
        lostConn: the connection was lost.

    Args:
        lines: what to send.
        start: send them when the connection is made; False sends them when the first line has come.
    """

    lostConn = False

    def __init__(self, lines: Sequence[bytes], start: bool = True) -> None:
        self.lines = list(lines)
        self.start = start
        self.response: list[bytes] = []

    def connectionMade(self) -> None:
        if self.start:
            self._sendAll()

    def lineReceived(self, line: bytes) -> None:
        if not self.start:
            self._sendAll()
            self.lines = []
        self.response.append(line)

    def connectionLost(self, reason: Failure | None = None) -> None:
        self.lostConn = True

    def _sendAll(self) -> None:
        for line in self.lines:
            self.sendLine(line)


def waitUntilAllDisconnected(reactor: IReactorTime, protocols: Iterable[Any]) -> Deferred[LoopingCall]:
    """
    Wait until no protocol's transport is connected, looking every 10 ms.

    For older tests with real sockets; a new one is better told by `connectionLost`.

    Args:
        reactor: what times the looking.
        protocols: protocols whose transports have a ``connected``.

    Returns:
        A Deferred that fires when all are disconnected.
    """
    watched = list(protocols)

    def look() -> None:
        if not any(protocol.transport.connected for protocol in watched):
            loop.stop()

    loop = LoopingCall(look)
    loop.clock = reactor
    return loop.start(0.01)
