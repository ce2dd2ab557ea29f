"""Cuts a stream into lines, and into raw data where the protocol asks for that."""

from __future__ import annotations

from typing import Any

from .protocol import Protocol

__all__ = ["LineReceiver"]


class LineReceiver(Protocol):
    r"""
    A protocol that receives lines or, after `setRawMode`, data as it comes.

    Attributes:
        delimiter: what ends a line; by default ``\r\n``.
        MAX_LENGTH: how long a line may be, in bytes without its end; a longer one closes the connection.
        line_mode: 1 for lines, 0 for raw data.
        paused: nothing is delivered until `resumeProducing`; what has arrived is kept.
    """

    delimiter = b"\r\n"
    MAX_LENGTH = 16384
    line_mode = 1
    paused = False

    # What was received, and how many bytes of it were delivered.  A count, because to cut each line off the
    # front would copy the rest as often as there are lines.
    _buffer = b""
    _delivered = 0
    _delivering = False

    def lineReceived(self, line: bytes) -> Any:
        """
        Take a line; for subclasses.

        Args:
            line: the line without its end.

        Returns:
            None.  Anything true keeps the rest of what has arrived until more comes.
        """
        raise NotImplementedError(f"{type(self).__qualname__} does not say what to do with a line")

    def rawDataReceived(self, data: bytes) -> Any:
        """
        Take data in raw mode; for subclasses that call `setRawMode`.

        Args:
            data: all that has arrived.

        Returns:
            As `lineReceived`.
        """
        raise NotImplementedError(f"{type(self).__qualname__} does not say what to do with raw data")

    def lineLengthExceeded(self, line: bytes) -> Any:
        """
        Take a line that is too long; by default it closes the connection.

        Args:
            line: as much of the line as has arrived, and all that has arrived after it.
        """
        assert self.transport is not None
        self.transport.loseConnection()

    def sendLine(self, line: bytes) -> None:
        """
        Send a line.

        Args:
            line: the line without its end.
        """
        assert self.transport is not None
        self.transport.write(line + self.delimiter)

    def setRawMode(self) -> None:
        """Have all that follows delivered to `rawDataReceived`, from what has arrived already."""
        self.line_mode = 0

    def setLineMode(self, extra: bytes = b"") -> Any:
        """
        Have lines delivered again.

        Args:
            extra: what `rawDataReceived` was given and leaves to the lines; not for `lineReceived` to use.
        """
        self.line_mode = 1
        return self.dataReceived(extra) if extra else None

    def clearLineBuffer(self) -> bytes:
        """Return what has arrived and was not delivered, and forget it."""
        rest = self._buffer[self._delivered :]
        self._buffer, self._delivered = b"", 0
        return rest

    def pauseProducing(self) -> None:
        """Deliver nothing more for now, not even what has arrived, and read nothing."""
        self.paused = True
        self.transport.pauseProducing()  # type: ignore[union-attr]

    def resumeProducing(self) -> None:
        """Read again, and deliver what had arrived."""
        self.paused = False
        self.transport.resumeProducing()  # type: ignore[union-attr]
        self.dataReceived(b"")

    def stopProducing(self) -> None:
        """Deliver nothing more, and have the transport end."""
        self.paused = True
        self.transport.stopProducing()  # type: ignore[union-attr]

    def dataReceived(self, data: bytes) -> Any:
        self._buffer += data
        if self._delivering:
            # lineReceived has led to this call; the loop below it, on the stack, goes on with these bytes.
            return None
        self._delivering = True
        try:
            return self._deliver()
        finally:
            self._delivering = False
            self._forgetDelivered()

    def _deliver(self) -> Any:
        told = None
        while not told and not self.paused and self._delivered < len(self._buffer):
            if not self.line_mode:
                told = self.rawDataReceived(self.clearLineBuffer())
                continue
            end = self._buffer.find(self.delimiter, self._delivered)
            length = (len(self._buffer) if end < 0 else end) - self._delivered
            # Without an end not at the limit itself: half of the delimiter may be among these bytes.
            if length >= self.MAX_LENGTH + (len(self.delimiter) if end < 0 else 1):
                return self.lineLengthExceeded(self.clearLineBuffer())
            if end < 0:
                return None
            line = self._buffer[self._delivered : end]
            self._delivered = end + len(self.delimiter)
            told = self.lineReceived(line)
            if getattr(self.transport, "disconnecting", False):
                break
        return told

    def _forgetDelivered(self) -> None:
        self._buffer, self._delivered = self._buffer[self._delivered :], 0
