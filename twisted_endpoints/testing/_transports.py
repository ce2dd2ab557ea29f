"""Transports that keep what is written to them, and a producer that writes a known text."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import Any

from zope.interface import implementer

from ..address import IPv4Address
from ..defer import Deferred
from ..error import ConnectionDone
from ..failure import Failure
from ..interfaces import IAddress, IConsumer, IProtocol, IPushProducer, ITransport, IUDPTransport


@implementer(ITransport, IConsumer, IPushProducer)
class StringTransport:
    """
    A transport that keeps what is written to it, and how it is treated, and does nothing by itself.

    Attributes:
        io: what was written since the last `clear`; `value` gives it as bytes.
        connected: True; subclasses change it.
        disconnecting: `loseConnection` or `abortConnection` was called.
        disconnected: `abortConnection` was called.
        producer, streaming: what `registerProducer` was given; None without a producer.
        producerState: as a producer this is ``"producing"``, ``"paused"`` or ``"stopped"``.
        hostAddr, peerAddr: what `getHost` and `getPeer` give; where they are None, an IPv4 address.

    Args:
        hostAddress: for `getHost`.
        peerAddress: for `getPeer`.
        lenient: allow that it is paused and resumed after `loseConnection`.  By default that raises
            RuntimeError, because no transport does anything then, and code that relies on it would wait in
            vain.
    """

    disconnecting = False
    disconnected = False
    producer: Any = None
    streaming: bool | None = None
    hostAddr: IAddress | None = None
    peerAddr: IAddress | None = None
    producerState = "producing"

    def __init__(
        self, hostAddress: IAddress | None = None, peerAddress: IAddress | None = None, lenient: bool = False
    ) -> None:
        # Only if given: subclasses set them for the class.
        if hostAddress is not None:
            self.hostAddr = hostAddress
        if peerAddress is not None:
            self.peerAddr = peerAddress
        self._lenient = lenient
        self.connected = True
        self.clear()

    def clear(self) -> None:
        """Forget what was written; for tests, no method of a transport."""
        self.io = BytesIO()

    def value(self) -> bytes:
        """Give what was written since the last `clear`; for tests, no method of a transport."""
        return self.io.getvalue()

    def write(self, data: bytes) -> None:
        if not isinstance(data, bytes):
            raise TypeError(f"Data must be bytes, not {type(data).__name__}")
        self.io.write(data)

    def writeSequence(self, data: Iterable[bytes]) -> None:
        self.io.write(b"".join(data))

    def loseConnection(self) -> None:
        self.disconnecting = True

    def abortConnection(self) -> None:
        """Close the connection without sending what is still to be sent; noted as any close is."""
        self.disconnected = True
        self.loseConnection()

    def getHost(self) -> IAddress:
        return IPv4Address("TCP", "10.0.0.1", 12345) if self.hostAddr is None else self.hostAddr

    def getPeer(self) -> IAddress:
        return IPv4Address("TCP", "192.168.1.1", 54321) if self.peerAddr is None else self.peerAddr

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        if self.producer is not None:
            raise RuntimeError(f"{self.producer!r} is registered: unregister it before {producer!r}")
        self.producer, self.streaming = producer, streaming

    def unregisterProducer(self) -> None:
        if self.producer is None:
            raise RuntimeError("no producer is registered")
        self.producer = self.streaming = None

    def pauseProducing(self) -> None:
        self._checkState()
        self.producerState = "paused"

    def resumeProducing(self) -> None:
        self._checkState()
        self.producerState = "producing"

    def stopProducing(self) -> None:
        self.producerState = "stopped"

    def _checkState(self) -> None:
        if self.disconnecting and not self._lenient:
            raise RuntimeError("paused or resumed after loseConnection, when that has no effect")
        if self.producerState == "stopped":
            raise RuntimeError("paused or resumed after stopProducing")


class StringTransportWithDisconnection(StringTransport):
    """
    A StringTransport that tells its protocol when the connection is closed.

    Attributes:
        protocol: who is told; the test sets it.
    """

    protocol: IProtocol

    def loseConnection(self) -> None:
        if self.connected:
            self.connected = False
            self.protocol.connectionLost(Failure(ConnectionDone("Bye.")))


class StringIOWithoutClosing(BytesIO):
    """A BytesIO that can still be read after `close`."""

    def close(self) -> None:
        """Do nothing."""


@implementer(IUDPTransport)
class FakeDatagramTransport:
    """
    A UDP port that sends nothing.

    Attributes:
        written: the packets, each with the address that it was written to, or `noAddr` if none was given.
    """

    noAddr: Any = object()

    def __init__(self) -> None:
        self.written: list[tuple[bytes, Any]] = []
        self._host = IPv4Address("UDP", "127.0.0.1", 0)
        self._broadcastAllowed = False

    def write(self, packet: bytes, addr: Any = noAddr) -> None:
        self.written.append((packet, addr))

    def connect(self, host: str, port: int) -> None:
        """Do nothing: `written` tells which packets had no address."""

    def getHost(self) -> IPv4Address:
        return self._host

    def stopListening(self) -> Deferred[None] | None:
        return None

    def setBroadcastAllowed(self, enabled: bool) -> None:
        self._broadcastAllowed = enabled

    def getBroadcastAllowed(self) -> bool:
        return self._broadcastAllowed


class NonStreamingProducer:
    """
    A pull producer that writes the digits from 0 to 9, one each time it is asked, and then has no more.

    Attributes:
        counter: how many were written.
        stopped: the consumer has stopped it.
        result: a Deferred that fires with None when it is at its end, or stopped.

    Args:
        consumer: who gets them.
    """

    counter = 0
    stopped = False

    def __init__(self, consumer: Any) -> None:
        self.consumer = consumer
        self.result: Deferred[None] = Deferred()

    def resumeProducing(self) -> None:
        """Write one digit; RuntimeError if there is no more, for then the consumer was told so."""
        if self.consumer is None or self.counter >= 10:
            raise RuntimeError("BUG: a producer was resumed after it was unregistered or stopped")
        self.consumer.write(b"%d" % self.counter)
        self.counter += 1
        if self.counter == 10:
            self.consumer.unregisterProducer()
            self._done()

    def pauseProducing(self) -> None:
        """Raise RuntimeError: a consumer does not pause a pull producer, it does not ask."""
        raise RuntimeError("BUG: a pull producer was paused")

    def stopProducing(self) -> None:
        """Write no more."""
        self.stopped = True
        self._done()

    def _done(self) -> None:
        self.consumer = None
        result = self.result
        # A second end is a bug of the consumer, and shows as an AttributeError.
        del self.result
        result.callback(None)
