"""
A transport that passes file descriptors: what the event loops' own transports can't do on a UNIX socket.

A stream changes to it when its protocol can receive descriptors or sends the first one.  It then works on a
copy of the socket's descriptor, and the loop's transport is closed, which leaves the connection as it is.

Nothing is sent before the next round of the loop.  A descriptor needs a byte to travel with, and programs
write that byte before the descriptor or after it.

What a peer sends opens descriptors in this process, asked for or not.  Those that nobody takes are closed.
Where the process can't have more, the kernel drops some without an error: a protocol that counts on them
could take the next one for the one that is missing, so that ends the connection.
"""

from __future__ import annotations

import array
import asyncio
import errno
import os
import socket
from collections import deque
from typing import TYPE_CHECKING, Any

from .. import error
from .._log import Logger
from ..failure import Failure
from ..interfaces import IFileDescriptorReceiver
from .errors import lostReason
from .loops import breakCircle
from .writing import BUFFER_SIZE

if TYPE_CHECKING:
    from .stream import Stream

_log = Logger(__name__)

#: Descriptors that wait to be sent, above which a producer is paused.
_MANY = 64
#: The most descriptors that Linux puts into one message (SCM_MAX_FD); fewer would be lost without a word.
_PER_MESSAGE = 253
#: Room for those, and for what a socket that was adopted may have been told to add, such as credentials.
_SPACE = socket.CMSG_SPACE(_PER_MESSAGE * array.array("i").itemsize) + socket.CMSG_SPACE(64)


class DescriptorTransport(asyncio.Transport):
    """
    A transport for a stream over a UNIX socket, in the place of the event loop's.

    Args:
        loop: the event loop.
        former: the loop's transport; what it has not yet sent goes first.
        stream: its protocol.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, former: Any, stream: Stream) -> None:
        super().__init__()
        self._loop = loop
        #: None once the connection is lost: the stream holds its transport, and circles wait for the garbage
        #: collector.
        self._stream: Any = stream
        self._former: Any = former
        self._names = {name: former.get_extra_info(name) for name in ("sockname", "peername")}
        self._sock: socket.socket | None = None
        self._unsent = bytearray()
        self._descriptors: deque[int] = deque()
        self._high, self._low = BUFFER_SIZE, 0
        self._full = False
        self._reading = not stream._paused and not stream._readClosed
        self._watching = False
        self._flushScheduled = False
        self._closing = self._ending = self._lost = False
        self._hasComplained = False
        former.set_protocol(_Handover(self, stream))
        if former.get_write_buffer_size():
            former.set_write_buffer_limits(0)
        else:
            self._takeOver()

    def _takeOver(self) -> None:
        """Go on with the socket, now that the former transport has sent everything."""
        former = self._former
        if former is None or self._closing:
            return
        try:
            descriptor = os.dup(former.get_extra_info("socket").fileno())
        except OSError as e:
            self._stream._reason = lostReason(e)
            self.abort()
            return
        self._sock = socket.socket(fileno=descriptor)
        self._sock.setblocking(False)
        self._former = None
        former.set_protocol(asyncio.Protocol())
        former.abort()
        breakCircle(former)
        if self._reading:
            self._loop.add_reader(self._sock, self._readReady)
        self._scheduleFlush()

    # Reading

    def is_reading(self) -> bool:
        return self._reading and not self._closing

    def pause_reading(self) -> None:
        self._reading = False
        if self._former is not None:
            self._former.pause_reading()
        elif self._sock is not None:
            self._loop.remove_reader(self._sock)

    def resume_reading(self) -> None:
        if self._closing:
            return
        self._reading = True
        if self._former is not None:
            self._former.resume_reading()
        elif self._sock is not None:
            self._loop.add_reader(self._sock, self._readReady)

    def _readReady(self) -> None:
        assert self._sock is not None
        try:
            data, ancillary, flags, _ = self._sock.recvmsg(BUFFER_SIZE, _SPACE, socket.MSG_CMSG_CLOEXEC)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as e:
            self._end(e)
            return
        descriptors = array.array("i")
        for level, kind, content in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                descriptors.frombytes(content[: len(content) - len(content) % descriptors.itemsize])
        if flags & socket.MSG_CTRUNC and self._takesDescriptors():
            _closeAll(descriptors)
            self._end(
                OSError(errno.EMFILE, "descriptors that the peer has sent were lost: too many open files")
            )
            return
        self._received(descriptors)
        if data:
            if not self._closing:
                self._stream.data_received(data)
        else:
            self.pause_reading()
            self._stream.eof_received()

    def _takesDescriptors(self) -> bool:
        # Asked each time: the protocol may be exchanged, and may close the connection.
        return not self._closing and bool(IFileDescriptorReceiver.providedBy(self._stream.protocol))

    def _received(self, descriptors: array.array[int]) -> None:
        for taken, descriptor in enumerate(descriptors):
            if not self._takesDescriptors():
                _closeAll(descriptors[taken:])
                if not self._hasComplained:
                    self._hasComplained = True
                    _log.info(f"{self._stream!r} gets descriptors that nobody takes: they are closed")
                return
            try:
                self._stream.protocol.fileDescriptorReceived(descriptor)
            except BaseException:
                self._stream._fail("fileDescriptorReceived")

    # Writing

    def write(self, data: Any) -> None:
        if not self._closing and data:
            self._unsent += data
            self._queued()

    def sendDescriptor(self, descriptor: int) -> None:
        """Send a descriptor with the first byte that is unsent when the loop goes round next."""
        self._descriptors.append(descriptor)
        self._queued()

    def _queued(self) -> None:
        if not self._full and (self.get_write_buffer_size() > self._high or len(self._descriptors) > _MANY):
            self._full = True
            self._stream.pause_writing()
        self._scheduleFlush()

    def _scheduleFlush(self) -> None:
        if not self._flushScheduled and not self._watching and (self._unsent or self._descriptors):
            self._flushScheduled = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushScheduled = False
        if self._lost or self._sock is None:
            return
        if len(self._descriptors) > len(self._unsent):
            self._stream._abort(Failure(error.FileDescriptorOverrun()))
            return
        try:
            while self._descriptors:
                rights = array.array("i", [self._descriptors[0]])
                self._sock.sendmsg([self._unsent[:1]], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
                self._descriptors.popleft()
                del self._unsent[:1]
            if self._unsent:
                del self._unsent[: self._sock.send(self._unsent)]
        except (BlockingIOError, InterruptedError):
            pass
        except OSError as e:
            self._end(e)
            return
        self._flushed(self._sock)

    def _flushed(self, sock: socket.socket) -> None:
        if self._unsent and not self._watching:
            self._loop.add_writer(sock, self._flush)
        elif not self._unsent and self._watching:
            self._loop.remove_writer(sock)
        self._watching = bool(self._unsent)
        if not self._unsent and self._closing:
            self._end(None)
        elif not self._unsent and self._ending:
            sock.shutdown(socket.SHUT_WR)
        if self._full and len(self._unsent) <= self._low:
            self._full = False
            self._stream.resume_writing()

    def get_write_buffer_size(self) -> int:
        former = self._former.get_write_buffer_size() if self._former is not None else 0
        # Descriptors count: who closes the connection waits until it is known that there are bytes for them.
        return len(self._unsent) + len(self._descriptors) + int(former)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._high = BUFFER_SIZE if high is None else high
        self._low = self._high // 4 if low is None else low
        if not self._full and self.get_write_buffer_size() > self._high:
            self._full = True
            self._stream.pause_writing()

    def write_eof(self) -> None:
        self._ending = True
        if self._former is not None:
            self._former.write_eof()
        elif self._sock is not None and not self._unsent:
            self._sock.shutdown(socket.SHUT_WR)

    # Ending

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        if self._closing:
            return
        self._closing = True
        if self._former is not None:
            self._former.close()
            return
        if self._sock is not None:
            self._loop.remove_reader(self._sock)
        if not self._unsent:
            self._end(None)

    def abort(self) -> None:
        self._closing = True
        self._unsent.clear()
        self._descriptors.clear()
        if self._former is not None:
            self._former.abort()
        else:
            self._end(None)

    def _end(self, reason: OSError | None) -> None:
        if self._lost:
            return
        self._lost = self._closing = True
        assert self._sock is not None
        self._loop.remove_reader(self._sock)
        self._loop.remove_writer(self._sock)
        self._loop.call_soon(self._close, reason)

    def _close(self, reason: BaseException | None) -> None:
        self._lost = self._closing = True
        stream, self._stream = self._stream, None
        breakCircle(self._former)
        try:
            stream.connection_lost(reason)
        finally:
            if self._sock is not None:
                self._sock.close()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        if name == "socket":
            return self._sock if self._former is None else self._former.get_extra_info(name)
        return self._names.get(name, default)


class _Handover(asyncio.Protocol):
    """The former transport's protocol while it sends the rest of what it has: it reads on for the stream."""

    def __init__(self, successor: DescriptorTransport, stream: Stream) -> None:
        self._successor = successor
        self.data_received = stream.data_received  # type: ignore[method-assign]
        self.eof_received = stream.eof_received  # type: ignore[method-assign]
        self.connection_lost = successor._close  # type: ignore[method-assign, assignment]

    def resume_writing(self) -> None:
        # Not from within: the loop's transport still has work to do after this call.
        self._successor._loop.call_soon(self._successor._takeOver)


def _closeAll(descriptors: array.array[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
