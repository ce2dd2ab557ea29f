"""
The reactor's ends of a child's pipes and terminals: a `Reader`, and what a `Writer` writes through.

They watch their descriptor themselves, and are no transports of the loop's own: those begin a round after
they are made, and `spawnProcess` returns what can be written to, paused and closed at once.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from typing import Any

from ... import error
from ..._log import Logger
from ...failure import Failure
from ..core import Core
from ..errors import lostReason
from ..raised import calledLogged
from ..writing import BUFFER_SIZE, Writer

_log = Logger(__name__)

#: What a pipe holds, on Linux.
_READ_SIZE = 64 * 1024


class Reader:
    """
    Reads from a descriptor.

    Args:
        reactor: the reactor.
        descriptor: the descriptor, which this owns from now on.
        received: called with each piece of data.
        lost: called once, with the reason, when nothing more can be read; the descriptor is closed by then.
    """

    def __init__(
        self,
        reactor: Core,
        descriptor: int,
        received: Callable[[bytes], object],
        lost: Callable[[Failure], object],
    ) -> None:
        self._loop = reactor._loop
        self._descriptor = descriptor
        self._received = received
        self._lost = lost
        self.reading = self._closing = False
        os.set_blocking(descriptor, False)
        self.resumeProducing()

    def resumeProducing(self) -> None:
        """Read on."""
        if not self.reading and not self._closing:
            self.reading = True
            self._loop.add_reader(self._descriptor, self._readable)

    def pauseProducing(self) -> None:
        """Stop reading at once."""
        if self.reading:
            self.reading = False
            self._loop.remove_reader(self._descriptor)

    def _readable(self) -> None:
        try:
            data = os.read(self._descriptor, _READ_SIZE)
        except BlockingIOError:
            return
        except OSError as e:
            # EIO: of a terminal, the other end is closed.
            self.close(lostReason(e))
            return
        if not data:
            self.close(lostReason(None))
            return
        try:
            self._received(data)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException:
            _log.failure("Unhandled error in childDataReceived: the pipe is closed")
            self.close(Failure())

    def loseConnection(self) -> None:
        """Read no more, and close the descriptor in the loop's next round."""
        if not self._closing:
            self._closing = True
            self.pauseProducing()
            self._loop.call_soon(self.close, Failure(error.ConnectionDone()))

    #: What is unread is dropped in any case.
    abortConnection = loseConnection

    def close(self, reason: Failure) -> None:
        """Close the descriptor, and tell why."""
        if self._descriptor >= 0:
            self._closing = True
            self.pauseProducing()
            os.close(self._descriptor)
            self._descriptor = -1
            self._lost(reason)

    def fileno(self) -> int:
        """Return the descriptor's number, -1 once it is closed."""
        return self._descriptor


class _Outlet:
    """
    The part of an asyncio transport that a `Writer` uses.

    Args:
        loop: the event loop.
        descriptor: the descriptor, which this owns from now on.
        protocol: what is told as a transport tells its protocol.
    """

    def __init__(self, loop: Any, descriptor: int, protocol: Any) -> None:
        os.set_blocking(descriptor, False)
        self._loop = loop
        self._descriptor = descriptor
        self._protocol = protocol
        self._unsent = bytearray()
        self._high = self._low = BUFFER_SIZE
        self._full = self._closing = False
        self._watched = stat.S_ISFIFO(os.fstat(descriptor).st_mode)
        if self._watched:
            # Nothing can be read from this end: it is ready when the other end is closed.
            loop.add_reader(descriptor, self._fail, BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)))

    def is_closing(self) -> bool:
        return self._closing

    def get_write_buffer_size(self) -> int:
        return len(self._unsent)

    def set_write_buffer_limits(self, high: int, low: int = 0) -> None:
        self._high, self._low = high, low
        self._throttle()

    def _throttle(self) -> None:
        if len(self._unsent) > self._high and not self._full:
            self._full = True
            self._protocol.pause_writing()

    def write(self, data: bytes) -> None:
        if self._unsent:
            self._unsent += data
        elif data:
            sent = self._send(data)
            if sent is None or sent == len(data):
                return
            self._unsent += memoryview(data)[sent:]
            self._loop.add_writer(self._descriptor, self._ready)
        self._throttle()

    def _send(self, data: bytes | bytearray) -> int | None:
        try:
            return os.write(self._descriptor, data)
        except BlockingIOError:
            return 0
        except OSError as error:
            self._fail(error)
            return None

    def _ready(self) -> None:
        sent = self._send(self._unsent)
        if sent is None:
            return
        del self._unsent[:sent]
        if not self._unsent:
            self._loop.remove_writer(self._descriptor)
        if self._full and len(self._unsent) <= self._low:
            self._full = False
            self._protocol.resume_writing()

    def close(self) -> None:
        """Close the descriptor in the loop's next round; nothing may be unsent."""
        self._fail(None)

    abort = close

    def _fail(self, error: OSError | None) -> None:
        if not self._closing:
            self._closing = True
            self._forget()
            self._loop.call_soon(self.finish, error)

    def _forget(self) -> None:
        if self._unsent:
            self._unsent.clear()
            self._loop.remove_writer(self._descriptor)
        if self._watched:
            self._watched = False
            self._loop.remove_reader(self._descriptor)

    def finish(self, error: OSError | None) -> None:
        """Close the descriptor now, and tell the protocol."""
        if self._descriptor >= 0:
            self._closing = True
            self._forget()
            os.close(self._descriptor)
            self._descriptor = -1
            # Let go of: the two hold each other.
            protocol, self._protocol = self._protocol, None
            protocol.connection_lost(error)


class ChildWriter(Writer):
    """
    Writes to a descriptor.

    Args:
        reactor: the reactor.
        descriptor: the descriptor, which this owns from now on.
        protocol: whom errors in producers are logged for.
        lost: called once, with the reason, when nothing more can be written; the descriptor is closed by
            then.
    """

    __slots__ = ("_lost",)

    def __init__(
        self, reactor: Core, descriptor: int, protocol: Any, lost: Callable[[Failure], object]
    ) -> None:
        super().__init__(reactor)
        self.protocol = protocol
        self._lost = lost
        self._transport = _Outlet(reactor._loop, descriptor, self)
        self.connected = self._writable = True

    def connection_lost(self, exc: BaseException | None) -> None:
        self.connected = self._writable = False
        producer, self.producer = self.producer, None
        if producer is not None:
            calledLogged("Unhandled error in stopProducing", producer.stopProducing)
        self.protocol = None
        self._lost(self._reason or lostReason(exc))

    def loseConnection(self) -> None:
        """Close the descriptor when all that was written is sent, and no producer waits for its turn."""
        if self.connected and not self.disconnecting:
            self.disconnecting = True
            self._scheduleDrained()

    def abortConnection(self) -> None:
        """Close the descriptor in the loop's next round; what is unsent is dropped."""
        if self.connected and self._reason is None:
            self._abort(Failure(error.ConnectionAborted()))

    def close(self, reason: Failure) -> None:
        """Close the descriptor now, and tell why; what is unsent is dropped."""
        if self.connected:
            self._reason = self._reason or reason
            self._transport.finish(None)
