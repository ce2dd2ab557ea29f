"""Cuts a stream into lines."""

from __future__ import annotations

from collections import deque

from .protocol import Protocol

__all__ = ["LineReceiver"]


class LineReceiver(Protocol):
    r"""
    A protocol that receives lines.

    Attributes:
        delimiter: what ends a line; by default ``\r\n``.
        MAX_LENGTH: how long a line may be, in bytes without its end; a longer one closes the connection.
    """

    delimiter = b"\r\n"
    MAX_LENGTH = 16384

    # What was received after the end of the last line.
    _rest = b""
    _lines: deque[bytes] | None = None

    def lineReceived(self, line: bytes) -> None:
        """
        Take a line; for subclasses.

        Args:
            line: the line without its end.
        """
        raise NotImplementedError(f"{type(self).__qualname__} does not say what to do with a line")

    def lineLengthExceeded(self, line: bytes) -> None:
        """
        Take a line that is too long; by default it closes the connection.

        Args:
            line: as much of the line as has arrived.
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

    def dataReceived(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(self.delimiter)
        if self._lines is not None:
            # lineReceived has led to this call; the loop below it, on the stack, goes on with these lines.
            self._lines.extend(lines)
            return
        self._lines = deque(lines)
        try:
            self._deliver(self._lines)
        finally:
            self._lines = None
        # Not at the limit itself: the beginning of the delimiter may be among these bytes.
        if len(self._rest) >= self.MAX_LENGTH + len(self.delimiter):
            tooLong, self._rest = self._rest, b""
            self.lineLengthExceeded(tooLong)

    def _deliver(self, lines: deque[bytes]) -> None:
        while lines:
            line = lines.popleft()
            if len(line) > self.MAX_LENGTH:
                lines.clear()
                self._rest = b""
                self.lineLengthExceeded(line)
            else:
                self.lineReceived(line)
                if getattr(self.transport, "disconnecting", False):
                    lines.clear()
