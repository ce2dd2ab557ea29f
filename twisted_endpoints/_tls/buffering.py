"""Small writes, gathered: each record of TLS costs some twenty bytes and a call of OpenSSL."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from .membio import TLSMemoryBIOProtocol

if TYPE_CHECKING:
    from ..failure import Failure
    from ..interfaces import IDelayedCall, IReactorTime


class _AggregateSmallWrites:
    """
    Gathers what is written in one round of the reactor, and writes it at once.

    Args:
        write: called with what was gathered.
        clock: whose next round is waited for.
    """

    #: Bytes above which they are written at once.
    MAX_BUFFER_SIZE = 64_000

    def __init__(self, write: Callable[[bytes], object], clock: IReactorTime) -> None:
        self._write = write
        self._clock = clock
        self._buffer: list[bytes] = []
        self._size = 0
        self._scheduled: IDelayedCall | None = None
        self._closed = False
        #: Whoever calls is going to flush.
        self.held = False

    def write(self, data: bytes) -> None:
        """Keep bytes for the end of this round; after `close` this does nothing."""
        if self._closed:
            return
        # Added to bytes: what is no bytes is an error of this call, and not of a later one.
        self._buffer.append(b"" + data)
        self._size += len(data)
        if self._size > self.MAX_BUFFER_SIZE:
            self.flush()
        elif self._scheduled is None and not self.held:
            self._scheduled = self._clock.callLater(0, self._scheduledFlush)

    def _scheduledFlush(self) -> None:
        self._scheduled = None
        self.flush()

    def flush(self) -> None:
        """Write what was gathered."""
        if self._buffer:
            gathered, self._buffer, self._size = self._buffer, [], 0
            self._write(b"".join(gathered))

    def close(self) -> None:
        """Write what was gathered, and take no more."""
        self._closed = True
        if self._scheduled is not None:
            self._scheduled.cancel()
        self._scheduledFlush()


class BufferingTLSTransport(TLSMemoryBIOProtocol):
    """TLS that gathers small writes: what `TLSMemoryBIOFactory` makes."""

    def __init__(self, factory: Any, wrappedProtocol: Any, _connectWrapped: bool = True) -> None:
        super().__init__(factory, wrappedProtocol, _connectWrapped)
        self._aggregator: Any = _AggregateSmallWrites(super().write, factory._clock)
        # On the instance: a call less for each write.
        self.write = self._aggregator.write  # type: ignore[method-assign]

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        """Encrypt and send the bytes of several objects in order."""
        self._aggregator.write(b"".join(iovec))

    def dataReceived(self, data: bytes) -> None:
        # What is written in answer is complete when this ends: no other round need be waited for.
        self._aggregator.held = True
        try:
            super().dataReceived(data)
        finally:
            self._aggregator.held = False
            self._aggregator.flush()

    def _flushWritten(self) -> None:
        if self._aggregator._buffer and not self._writeEnded:
            self._aggregator.flush()
        else:
            self._flushSendBIO()

    def loseWriteConnection(self) -> None:
        self._aggregator.flush()
        super().loseWriteConnection()

    def loseConnection(self) -> None:
        self._aggregator.flush()
        super().loseConnection()

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        self._aggregator.close()
        # A circle otherwise, by way of the method that it calls.
        del self._aggregator._write
        super().connectionLost(reason)
