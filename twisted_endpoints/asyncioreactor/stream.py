"""
A connection: one object, a transport to the user's protocol and a protocol to the event loop's transport.

The loop's own transport does the reading and writing (uvloop: in C), and this object is only what lies
between it and the protocol.  The path of the bytes is two short methods, `data_received` and `write`; all
else is about ends.

An end of input is one: it ends the connection at once and drops what is unsent, unless the protocol can be
half closed.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING, Any, Protocol

from zope.interface import implementer

from .. import error
from .._provided import adapted
from ..failure import Failure
from ..interfaces import IConsumer, IHalfCloseableProtocol, ILoggingContext, IPushProducer, ISystemHandle
from ..protocol import Protocol as NullProtocol
from .errors import lostReason
from .loops import breakCircle
from .raised import logRaised
from .writing import DUE, HELD, NOT_DUE, Writer

if TYPE_CHECKING:
    from .core import Core

# `Stream._input`: nothing has come of an end; the loop has reported it; the protocol was told; the connection
# is lost.
_OPEN, _ENDED, _TOLD, _LOST = range(4)

# glibc gives blocks of 128 KiB and more straight back to the system, until one of that size was freed for
# the first time: before that, each of asyncio's recv(256 KiB) costs a mmap, a mremap and a munmap, three
# times the read itself.
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
class Stream(Writer):
    """
    A connection of any kind; subclasses know its addresses.

    Attributes:
        protocol: the user's protocol, None once the connection is lost.  It may be exchanged at any time.
        disconnected: the connection is lost.
        sessionno: the number of the connection on its port; 0 for a client.
    """

    __slots__ = (
        "__weakref__",
        "_input",
        "_owner",
        "_paused",
        "sessionno",
    )

    #: What the loop read after it was told not to: see `data_received`.
    _early = b""

    def __init__(self, reactor: Core, owner: Owner) -> None:
        # Of `Writer`, too: to call its constructor is a third of the time that this takes.
        self.reactor = reactor
        self.protocol = self.producer = self._transport = self._reason = None
        self.connected = self.disconnecting = self._writable = False
        self._drain = NOT_DUE
        self.sessionno = 0
        self._owner = owner
        self._paused = False
        #: How far the end of the input has got.
        self._input = _OPEN

    # The event loop's side

    def _itself(self) -> Stream:
        """Make the protocol of a new transport, as loops have it."""
        return self

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        protocol = self._owner._buildProtocol(self)
        if protocol is None:
            if self.disconnected:
                self._letGo()
                return
            self.protocol = NullProtocol()
            self.connected = True
            self._transport.abort()
            return
        self.protocol = protocol
        self._start()

    def _letGo(self) -> None:
        """
        Have nothing more to do with the loop's transport: its attempt was given up, and the loop closes it.

        uvloop does so without `connection_lost`, be it before or after `connection_made`.
        asyncio calls both.
        """
        self._input = _LOST
        if not self.reactor._onAsyncio:
            self._transport = None

    def _start(self) -> None:
        self.connected = self._writable = True
        self.reactor._open[self] = None
        # What then waits for an empty buffer needs no other round of the loop for it.
        self._drain = HELD
        try:
            self.protocol.makeConnection(self)
        except BaseException:
            self._fail("connectionMade")
        if self._drain == DUE:
            self._drained()
        else:
            self._drain = NOT_DUE

    def data_received(self, data: bytes) -> None:
        if self._paused:
            # uvloop, and asyncio before Python 3.11, begin to read after connection_made whatever was paused
            # in there.  The latter takes itself for paused, and wouldn't hear a second time: so both calls.
            self._early += data
            self._transport.resume_reading()
            self._transport.pause_reading()
            return
        try:
            # Looked up each time: both the protocol and its method may be exchanged.
            self.protocol.dataReceived(data)
        except BaseException:
            self._fail("dataReceived")

    def eof_received(self) -> bool:
        self._input = _ENDED
        if self._paused:
            # As above: told when the protocol wants to hear again.
            return True
        self._endOfInput()
        return True

    def connection_lost(self, exc: BaseException | None) -> None:
        if not self.connected:
            return
        self.connected = self._writable = False
        self._input = _LOST
        self.reactor._open.pop(self, None)
        # Not kept: the protocol holds its transport, as do the frames of what it raised, and circles wait for
        # the garbage collector.
        reason, self._reason = self._reason or lostReason(exc), None
        producer, self.producer = self.producer, None
        protocol, self.protocol = self.protocol, None
        if self.reactor._onAsyncio:
            breakCircle(self._transport)
        if producer is not None:
            try:
                producer.stopProducing()
            except BaseException:
                self._logUnhandled(producer.stopProducing)
        try:
            protocol.connectionLost(reason)
        except BaseException:
            self._logUnhandled(protocol.connectionLost)
        self._owner._streamLost(self, reason)

    def _logUnhandled(self, method: Any) -> None:
        """Log what a user's method has just raised, where nothing is left that could be closed for it."""
        text = f"Unhandled error in {getattr(method, '__qualname__', method)!s}"
        logRaised(self.reactor._loop, text)

    @property
    def disconnected(self) -> bool:
        return self._input == _LOST

    # Reading

    @property
    def _readClosed(self) -> bool:
        return self._input != _OPEN

    @property
    def _reading(self) -> bool:
        return self.connected and not (self._paused or self._readClosed or self._transport.is_closing())

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
        if self._input >= _TOLD:
            return
        if self._early or self._input == _ENDED:
            self.reactor._loop.call_soon(self._deliverEarly)
        else:
            self._transport.resume_reading()

    def stopProducing(self) -> None:
        """Close the connection: whoever consumes what it receives wants no more."""
        self.loseConnection()

    startReading = resumeProducing
    stopReading = pauseProducing

    def _deliverEarly(self) -> None:
        if not self._listens():
            return
        if self._early:
            data, self._early = self._early, b""
            self.data_received(data)
        if not self._listens():
            return
        if self._input == _ENDED:
            self._endOfInput()
        else:
            self._transport.resume_reading()

    def _listens(self) -> bool:
        return self.connected and not self._paused and self._input < _TOLD

    def _endOfInput(self) -> None:
        if self.disconnecting:
            # No news: the connection ends when what is unsent has been sent.
            return
        self._input = _TOLD
        halfCloseable: Any = adapted(IHalfCloseableProtocol, self.protocol)
        if halfCloseable is None:
            self._abort(lostReason(None))
            return
        try:
            halfCloseable.readConnectionLost()
        except BaseException:
            self._fail("readConnectionLost")

    # Ending

    def loseConnection(self) -> None:
        """
        Close the connection when all that was written is sent, and no producer waits for its turn.

        Until then it is read from, if anything is unsent now.
        """
        if not self.connected or self.disconnecting:
            return
        self.disconnecting = True
        if self._writeDisconnected:
            self._transport.close()
            return
        if self.producer is None and not self._transport.get_write_buffer_size():
            # The loop isn't told, as it is only until `_drained`.
            self._paused = True
        self._scheduleDrained()

    def stopConsuming(self) -> None:
        """Unregister the producer, and close the connection."""
        self.unregisterProducer()
        self.loseConnection()

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
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            # Then without a reset.
            pass
        self._abort(Failure(error.ConnectionAborted()))

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
        return self.socket

    @property
    def socket(self) -> Any:
        return self._transport.get_extra_info("socket")

    def getTcpKeepAlive(self) -> bool:
        return bool(self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))

    def setTcpKeepAlive(self, enabled: bool) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, enabled)

    def fileno(self) -> int:
        """Return the number of the socket's descriptor, -1 once it is closed."""
        return int(self.socket.fileno())

    def logPrefix(self) -> str:
        """Name the protocol in log entries, and with it the connection."""
        return f"{logPrefixOf(self.protocol)},{self._owner._suffix(self)}"

    @property
    def logstr(self) -> str:
        return self.logPrefix() if self.connected or self.disconnected else "Uninitialized"

    def __repr__(self) -> str:
        return self._owner._describe(self)


async def attach(loop: asyncio.AbstractEventLoop, stream: Stream, sock: socket.socket) -> None:
    """Give a connected socket to the event loop; it is closed if that fails."""
    transport, _ = await loop.create_connection(stream._itself, sock=sock)
    ended = stream.disconnected or stream._transport is not transport
    if ended and type(transport).__module__.startswith("uvloop"):
        # Closed within connection_made, before uvloop had made a note of who owns the descriptor: it is
        # closed already, and the socket object would close whatever has its number by then.
        sock.detach()


def logPrefixOf(instance: object) -> str:
    """Name a protocol or factory in log entries: as it wishes, else by its class."""
    if ILoggingContext.providedBy(instance):
        return str(instance.logPrefix())
    return type(instance).__name__
