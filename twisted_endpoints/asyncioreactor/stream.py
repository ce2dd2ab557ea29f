"""
A connection: one object that is a transport to the user's protocol and a protocol to the event loop's transport.

The loop's own transport does the reading and writing (uvloop: in C), and this object is only what lies between it and
the protocol.  So the path of the bytes is two short methods, `data_received` and `write`, and all else is about ends.

Three things don't come with the loop's transports, and are the reason for most of this file:

- `loseConnection` keeps reading while unsent bytes are flushed; a loop's ``close()`` stops reading at once, and then a
  peer that won't read before it has written waits for ever.  So the stream waits for an empty buffer itself.
- An end of input ends the connection at once, and drops what is unsent, unless the protocol is half-closeable.
- Producers are resumed when the buffer is empty; a producer that pulls is asked once for each empty buffer.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

from zope.interface import implementer

from .. import error
from .._log import Logger
from ..failure import Failure
from ..interfaces import (
    IConsumer,
    IHalfCloseableProtocol,
    ILoggingContext,
    IPushProducer,
    ISystemHandle,
    ITCPTransport,
)
from ..protocol import Protocol as NullProtocol
from .addresses import hostOf, tcpAddress
from .errors import lostReason

if TYPE_CHECKING:
    from ..address import IPv4Address, IPv6Address
    from .core import Core

_log = Logger(__name__)

#: Unsent bytes above which a producer is paused.
BUFFER_SIZE = 64 * 1024

# glibc gives memory of 128 KiB and more straight back to the system, until a block of that size has been freed once:
# before that, each of asyncio's recv(256 KiB) costs a mmap, a mremap and a munmap, three times the read itself.
bytes(1 << 20)


class Owner(Protocol):
    """What a stream belongs to: a listening port, or a connector."""

    def _buildProtocol(self, stream: Stream) -> Any:
        """Make the protocol for a new connection; None closes it."""

    def _streamLost(self, stream: Stream, reason: Failure) -> None:
        """A connection, for which `_buildProtocol` was called, has ended and its protocol knows."""

    def _target(self) -> Any:
        """Tell what was asked to be connected to."""

    def _suffix(self, stream: Stream) -> str:
        """Tell the connection from others in log entries."""

    def _describe(self, stream: Stream) -> str:
        """Make the stream's `repr`."""


@implementer(IConsumer, IPushProducer, ISystemHandle, ILoggingContext)
class Stream(asyncio.Protocol):
    """
    A connection of any kind; subclasses know its addresses.

    Attributes:
        reactor: the reactor.
        protocol: the user's protocol, None once the connection is lost.  It may be exchanged at any time.
        connected: from just before ``connectionMade`` until just before ``connectionLost``.
        disconnecting: `loseConnection` has been called.
        disconnected: the connection is lost.
        sessionno: the number of the connection on its port; 0 for a client.
        producer: who was registered to write.
    """

    # A connection is what there are many of.  The dictionary costs only those who put something into it.
    __slots__ = (
        "__dict__",
        "__weakref__",
        "_drainScheduled",
        "_early",
        "_full",
        "_owner",
        "_paused",
        "_readClosed",
        "_reason",
        "_transport",
        "_writable",
        "_writeDisconnected",
        "_writeDisconnecting",
        "connected",
        "disconnected",
        "disconnecting",
        "producer",
        "producerPaused",
        "protocol",
        "reactor",
        "sessionno",
        "streamingProducer",
    )

    _transport: Any
    _reason: Failure | None

    def __init__(self, reactor: Core, owner: Owner, sessionno: int = 0) -> None:
        self.reactor: Any = reactor
        self.protocol: Any = None
        self.sessionno = sessionno
        self.connected = self.disconnecting = self.disconnected = False
        self.producer: Any = None
        self.producerPaused = self.streamingProducer = False
        self._owner = owner
        self._transport = None
        #: Why the connection ends, where we know better than the loop.
        self._reason = None
        #: What is written now can still be sent.
        self._writable = False
        self._paused = self._readClosed = False
        #: The loop's buffer is above its limit.
        self._full = False
        self._drainScheduled = False
        self._writeDisconnecting = self._writeDisconnected = False
        #: What uvloop read after it was told not to: see `data_received`.
        self._early = b""

    # The event loop's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        protocol = self._owner._buildProtocol(self)
        if protocol is None:
            self.protocol = NullProtocol()
            self.connected = True
            self._transport.abort()
            return
        self.protocol = protocol
        self._start()

    def _start(self) -> None:
        self.connected = self._writable = True
        self.reactor._track(self)
        try:
            self.protocol.makeConnection(self)
        except Exception:
            self._fail("connectionMade")

    def data_received(self, data: bytes) -> None:
        if self._paused:
            # uvloop starts to read after connection_made, whatever was paused in there.
            self._early += data
            self._transport.pause_reading()
            return
        try:
            # Looked up each time: both the protocol and its method may be exchanged.
            self.protocol.dataReceived(data)
        except Exception:
            self._fail("dataReceived")

    def eof_received(self) -> bool:
        self._readClosed = True
        if self._paused:
            # As above: told when the protocol wants to hear again.
            return True
        self._endOfInput()
        return True

    def connection_lost(self, exc: BaseException | None) -> None:
        if not self.connected:
            return
        self.connected = self._writable = False
        self.disconnected = True
        self.reactor._untrack(self)
        reason = self._reason or lostReason(exc)
        producer, self.producer = self.producer, None
        # Not kept: the protocol holds its transport, and circles wait for the garbage collector.
        protocol, self.protocol = self.protocol, None
        if producer is not None:
            _logged(producer.stopProducing)
        _logged(protocol.connectionLost, reason)
        self._owner._streamLost(self, reason)

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self._scheduleDrained()

    # Reading

    @property
    def _reading(self) -> bool:
        return bool(self.connected and not self._readClosed and self._transport.is_reading())

    def pauseProducing(self) -> None:
        """Stop reading at once: `dataReceived` isn't called again before `resumeProducing`."""
        self._paused = True
        if self.connected:
            self._transport.pause_reading()

    def resumeProducing(self) -> None:
        """Read again."""
        if not self.connected or self.disconnecting or not self._paused:
            return
        self._paused = False
        if self._early or self._readClosed:
            self.reactor._loop.call_soon(self._deliverEarly)
        else:
            self._transport.resume_reading()

    def stopProducing(self) -> None:
        """Close the connection: whoever consumes what it receives wants no more."""
        self.loseConnection()

    startReading = resumeProducing
    stopReading = pauseProducing

    def _deliverEarly(self) -> None:
        if self._paused or not self.connected:
            return
        data, self._early = self._early, b""
        if data:
            self.data_received(data)
        if self._paused or not self.connected:
            return
        if self._readClosed:
            self._endOfInput()
        else:
            self._transport.resume_reading()

    def _endOfInput(self) -> None:
        if self.disconnecting:
            # No news: the connection ends when what is unsent has been sent.
            return
        halfCloseable = IHalfCloseableProtocol(self.protocol, None)
        if halfCloseable is None:
            self._abort(Failure(error.ConnectionDone()))
            return
        try:
            halfCloseable.readConnectionLost()
        except Exception:
            self._fail("readConnectionLost")

    # Writing

    @property
    def _writing(self) -> bool:
        return self.connected and self._transport.get_write_buffer_size() > 0

    def write(self, data: bytes) -> None:
        """
        Send bytes; those that can't be sent at once are kept until they can.

        After the connection is lost, or its writing side is closed, this does nothing.

        Raises:
            TypeError: these are no bytes.
        """
        if not isinstance(data, bytes):
            raise TypeError("Data must be bytes")
        if self._writable:
            self._transport.write(data)
            if self.producer is not None:
                self._produced()

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        """
        Send the bytes of several objects in order.

        Raises:
            TypeError: one of them is no bytes.
        """
        try:
            data = b"".join(iovec)
        except TypeError:
            raise TypeError("Data must be bytes") from None
        self.write(data)

    def _produced(self) -> None:
        """Throttle whoever may have written just now."""
        if not self.streamingProducer:
            if not self._full:
                self._scheduleDrained()
        elif self._full and not self.producerPaused:
            self.producerPaused = True
            self.producer.pauseProducing()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """
        Have a producer paused while more than 64 KiB are unsent, and resumed when all is sent.

        Args:
            producer: an `IPushProducer` or an `IPullProducer`.
            streaming: true for a push producer; a pull producer is asked for more whenever all is sent.

        Raises:
            RuntimeError: another producer is registered.
        """
        if self.producer is not None:
            raise RuntimeError(
                f"Cannot register producer {producer}: {self.producer} is registered; unregister it first."
            )
        if not self.connected:
            producer.stopProducing()
            return
        self.producer, self.streamingProducer, self.producerPaused = producer, streaming, False
        self._transport.set_write_buffer_limits(BUFFER_SIZE if streaming else 0, 0)
        if not streaming:
            producer.resumeProducing()

    def unregisterProducer(self) -> None:
        """Forget the producer; a `loseConnection` that waited for it goes on."""
        self.producer = None
        if self.connected:
            self._transport.set_write_buffer_limits(BUFFER_SIZE, 0)
            if self.disconnecting or self._writeDisconnecting:
                self._scheduleDrained()

    def stopConsuming(self) -> None:
        """Unregister the producer, and close the connection."""
        self.unregisterProducer()
        self.loseConnection()

    def _scheduleDrained(self) -> None:
        # In a callback of its own: a close() within resume_writing makes asyncio call connection_lost twice.
        if not self._drainScheduled:
            self._drainScheduled = True
            self.reactor._loop.call_soon(self._drained)

    def _drained(self) -> None:
        """Do what waits for an empty buffer, if it is empty."""
        self._drainScheduled = False
        if not self.connected or self._reason is not None:
            return
        if self._transport.get_write_buffer_size():
            if self.disconnecting or self._writeDisconnecting:
                # From now on `resume_writing` means: empty.
                self._transport.set_write_buffer_limits(0)
            return
        if self.producer is not None and (self.producerPaused or not self.streamingProducer):
            self.producerPaused = False
            try:
                self.producer.resumeProducing()
            except Exception:
                self._fail("resumeProducing")
        elif self.disconnecting:
            self._writable = False
            self._transport.close()
        elif self._writeDisconnecting and not self._writeDisconnected:
            self._endOutput()

    def _endOutput(self) -> None:
        self._writeDisconnected = True
        self._writable = False
        try:
            self._transport.write_eof()
        except OSError:
            # The peer is gone already; reading will tell.
            pass
        halfCloseable = IHalfCloseableProtocol(self.protocol, None)
        if halfCloseable is not None:
            try:
                halfCloseable.writeConnectionLost()
            except Exception:
                self._fail("writeConnectionLost")

    # Ending

    def loseConnection(self) -> None:
        """
        Close the connection when all that was written is sent, and a producer that waits for its turn is done.

        Until then it is read from, if anything is unsent now.
        """
        if not self.connected or self.disconnecting:
            return
        self.disconnecting = True
        if self._writeDisconnected:
            self._transport.close()
            return
        if not self._transport.get_write_buffer_size():
            self._transport.pause_reading()
        self._scheduleDrained()

    def loseWriteConnection(self) -> None:
        """Tell the peer that no more comes, when all that was written is sent; reading goes on."""
        if self.connected and not self._writeDisconnecting:
            self._writeDisconnecting = True
            self._scheduleDrained()

    def abortConnection(self) -> None:
        """Close the connection at once, with a reset; what is unsent is dropped."""
        if not self.connected or self._reason is not None:
            return
        try:
            self.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            # Then without a reset.
            pass
        self._abort(Failure(error.ConnectionAborted()))

    def _abort(self, reason: Failure) -> None:
        self._reason = reason
        self._writable = False
        self._transport.abort()

    def _fail(self, method: str) -> None:
        """Log the exception that is being handled, and close the connection because of it."""
        _log.failure(f"Unhandled error in {method} of {self.protocol!r}: its connection is closed")
        if self._reason is None:
            self._abort(Failure())

    def connectionLost(self, reason: Failure) -> None:
        """Close the connection at once, and tell the protocol that this is why, before this returns."""
        if self.connected:
            self._abort(reason)
            self.connection_lost(None)

    def _shutdown(self) -> None:
        # Not later: the loop may not run again.
        self.connectionLost(Failure(error.ConnectionLost("The reactor has stopped")))

    # About the connection

    def getPeer(self) -> Any:
        """Tell the peer's address."""
        raise NotImplementedError

    def getHost(self) -> Any:
        """Tell the address at this end."""
        raise NotImplementedError

    @property
    def hostname(self) -> Any:
        """The host part of the peer's address."""
        raise NotImplementedError

    @property
    def addr(self) -> Any:
        """What a client was asked to connect to."""
        return self._owner._target()

    def getHandle(self) -> Any:
        """Return the socket, or what the loop shows of it: its options can be read and set."""
        return self._transport.get_extra_info("socket")

    @property
    def socket(self) -> Any:
        return self.getHandle()

    def fileno(self) -> int:
        """Return the number of the socket's descriptor, -1 once it is closed."""
        return int(self.getHandle().fileno())

    def logPrefix(self) -> str:
        """Name the protocol in log entries, and with it the connection."""
        return f"{logPrefixOf(self.protocol)},{self._owner._suffix(self)}"

    @property
    def logstr(self) -> str:
        return self.logPrefix()

    def __repr__(self) -> str:
        return self._owner._describe(self)


@implementer(ITCPTransport)
class TCPStream(Stream):
    """A connection over TCP, IPv4 or IPv6."""

    __slots__ = ("_peer",)

    def __init__(self, reactor: Core, owner: Owner, sessionno: int = 0) -> None:
        super().__init__(reactor, owner, sessionno)
        self._peer: IPv4Address | IPv6Address | None = None

    def getPeer(self) -> IPv4Address | IPv6Address:
        if self._peer is None:
            self._peer = tcpAddress(self._transport.get_extra_info("peername"))
        return self._peer

    def getHost(self) -> IPv4Address | IPv6Address:
        return tcpAddress(self._transport.get_extra_info("sockname"))

    @property
    def hostname(self) -> str:
        return hostOf(self._transport.get_extra_info("peername"))

    def getTcpNoDelay(self) -> bool:
        return bool(self.getHandle().getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    def setTcpNoDelay(self, enabled: bool) -> None:
        self.getHandle().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, enabled)

    def getTcpKeepAlive(self) -> bool:
        return bool(self.getHandle().getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))

    def setTcpKeepAlive(self, enabled: bool) -> None:
        self.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, enabled)


async def attach(loop: asyncio.AbstractEventLoop, stream: Stream, sock: socket.socket) -> None:
    """Give a connected socket to the event loop; it is closed if that fails."""
    transport, _ = await loop.create_connection(lambda: stream, sock=sock)
    ended = stream.disconnected or stream._transport is not transport
    if ended and type(transport).__module__.startswith("uvloop"):
        # Closed within connection_made, before uvloop had made a note of who owns the descriptor: it is closed
        # already, and the socket object would close whatever has its number by then.
        sock.detach()


def logPrefixOf(instance: object) -> str:
    """Name a protocol or factory in log entries: as it wishes, else by its class."""
    if ILoggingContext.providedBy(instance):
        return str(instance.logPrefix())  # type: ignore[attr-defined]
    return type(instance).__name__


def _logged(function: Any, *args: Any) -> None:
    """Call what a user wrote; log what it raises, as nothing is left that could be closed because of it."""
    try:
        function(*args)
    except Exception:
        _log.failure(f"Unhandled error in {getattr(function, '__qualname__', function)!s}")
