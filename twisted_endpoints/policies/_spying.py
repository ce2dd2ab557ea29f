"""Policies that write down what passes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, TYPE_CHECKING, Any

from .._log import Logger
from ._wrapping import ProtocolWrapper, WrappingFactory

if TYPE_CHECKING:
    from ..failure import Failure
    from ..interfaces import IAddress

_log = Logger("twisted_endpoints.policies")

#: What stands for the end of data that is too long for a log, and how many characters it counts for.
_ELIDED = "<... elided>"


class SpewingProtocol(ProtocolWrapper):
    """Logs all that is received and written."""

    def dataReceived(self, data: bytes) -> None:
        _log.info(f"Received: {data!r}")
        super().dataReceived(data)

    def write(self, data: bytes) -> None:
        _log.info(f"Sending: {data!r}")
        super().write(data)


class SpewingFactory(WrappingFactory):
    """Has all that its connections receive and write logged."""

    protocol = SpewingProtocol


class TrafficLoggingProtocol(ProtocolWrapper):
    """
    Writes what happens on a connection into a file, a line each.

    Lines begin with ``C`` for what came from the peer, ``S`` for what was sent, ``SV`` for a sequence of it,
    and the connection's number; ``*`` is the connection's begin and end.

    Args:
        factory: the `TrafficLoggingFactory`.
        wrappedProtocol: the protocol to stand before.
        logfile: a text file that is open for writing.
        lengthLimit: bytes that are shown of one piece of data; None for all.
        number: the connection's.
    """

    def __init__(
        self,
        factory: Any,
        wrappedProtocol: Any,
        logfile: IO[str],
        lengthLimit: int | None = None,
        number: int = 0,
    ) -> None:
        super().__init__(factory, wrappedProtocol)
        self.logfile = logfile
        self.lengthLimit = lengthLimit
        self._number = number

    def _log(self, line: str) -> None:
        self.logfile.write(f"{line}\n")
        self.logfile.flush()

    def _mungeData(self, data: Any) -> Any:
        """Shorten what is longer than the limit."""
        if not self.lengthLimit or len(data) <= self.lengthLimit:
            return data
        elided: Any = _ELIDED.encode() if isinstance(data, bytes) else _ELIDED
        return data[: max(0, self.lengthLimit - len(elided))] + elided

    def connectionMade(self) -> None:
        self._log("*")
        super().connectionMade()

    def dataReceived(self, data: bytes) -> None:
        self._log(f"C {self._number}: {self._mungeData(data)!r}")
        super().dataReceived(data)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        self._log(f"C {self._number}: {reason!r}")
        super().connectionLost(reason)

    def write(self, data: bytes) -> None:
        self._log(f"S {self._number}: {self._mungeData(data)!r}")
        super().write(data)

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        pieces = list(iovec)
        self._log(f"SV {self._number}: {[self._mungeData(piece) for piece in pieces]!r}")
        super().writeSequence(pieces)

    def loseConnection(self) -> None:
        self._log(f"S {self._number}: *")
        super().loseConnection()


class TrafficLoggingFactory(WrappingFactory):
    """
    Has what happens on each connection written into a file of its own.

    Args:
        wrappedFactory: the factory to stand before.
        logfilePrefix: the path of the files, to which ``-1``, ``-2`` and so on is added.
        lengthLimit: bytes that are shown of one piece of data; None for all.
    """

    protocol = TrafficLoggingProtocol

    _counter = 0

    def __init__(self, wrappedFactory: Any, logfilePrefix: str, lengthLimit: int | None = None) -> None:
        self.logfilePrefix = logfilePrefix
        self.lengthLimit = lengthLimit
        super().__init__(wrappedFactory)

    def open(self, name: str) -> IO[str]:
        """Open a file to write to; override it to have another kind."""
        return open(name, "w")

    def buildProtocol(self, addr: IAddress | None) -> Any:
        self._counter += 1
        logfile = self.open(f"{self.logfilePrefix}-{self._counter}")
        wrapped = self.wrappedFactory.buildProtocol(addr)
        if wrapped is None:
            logfile.close()
            return None
        return self.protocol(self, wrapped, logfile, self.lengthLimit, self._counter)

    def resetCounter(self) -> None:
        """Number the next connection 1."""
        self._counter = 0
