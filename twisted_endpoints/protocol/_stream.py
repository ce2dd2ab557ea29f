"""Protocols of streams and of processes: base classes whose methods do nothing, to be overridden."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from ..error import ConnectionDone
from ..failure import Failure
from ..interfaces import ILoggingContext, IProcessProtocol, IProtocol

if TYPE_CHECKING:
    from ..interfaces import IProcessTransport, ITransport

#: The reason of an orderly end, for tests and for those who call ``connectionLost`` themselves.
connectionDone = Failure(ConnectionDone())
connectionDone.cleanFailure()


class BaseProtocol:
    """
    What the protocols of streams and of processes have in common.

    Attributes:
        connected: 1 from `makeConnection` on, else 0.
        transport: where to write; None before `makeConnection`.
    """

    connected = 0
    transport: ITransport | None = None

    def makeConnection(self, transport: Any) -> None:
        """
        Take the transport, then call `connectionMade`.

        Args:
            transport: where to write.
        """
        self.connected = 1
        self.transport = transport
        self.connectionMade()

    def connectionMade(self) -> None:
        """Learn that the connection is open: override it to say the first word."""


@implementer(IProtocol, ILoggingContext)
class Protocol(BaseProtocol):
    """
    Handles the events of one stream: the class that most programs begin with.

    Override `dataReceived`, and `connectionMade` and `connectionLost` where they matter; write to
    ``self.transport``.

    Attributes:
        factory: the factory that made it, if `Factory.buildProtocol` did.
    """

    factory: Any = None

    def logPrefix(self) -> str:
        """Return the name of the class."""
        return self.__class__.__name__

    def dataReceived(self, data: bytes) -> None:
        """
        Take the bytes that have come.

        Args:
            data: at least one byte.  A message may come in pieces, and several at once.
        """

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Learn that the stream is over: drop what refers to it.

        Args:
            reason: wraps `ConnectionDone` after an orderly end, else a `ConnectionLost`.
        """


@implementer(IProcessProtocol)
class ProcessProtocol(BaseProtocol):
    """Handles the events of one process, those of its three usual pipes by a method each."""

    transport: IProcessTransport | None = None

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        """
        Pass output on to `outReceived` or `errReceived`; override it to read from other pipes.

        Args:
            childFD: which descriptor, by the process's own count.
            data: the bytes.
        """
        match childFD:
            case 1:
                self.outReceived(data)
            case 2:
                self.errReceived(data)

    def outReceived(self, data: bytes) -> None:
        """
        Take what the process has written to its output.

        Args:
            data: the bytes.
        """

    def errReceived(self, data: bytes) -> None:
        """
        Take what the process has written to its error output.

        Args:
            data: the bytes.
        """

    def childConnectionLost(self, childFD: int) -> None:
        """
        Pass the end of a pipe on to the method that it has.

        Args:
            childFD: which descriptor, by the process's own count.
        """
        match childFD:
            case 0:
                self.inConnectionLost()
            case 1:
                self.outConnectionLost()
            case 2:
                self.errConnectionLost()

    def inConnectionLost(self) -> None:
        """Learn that the process's input is closed."""

    def outConnectionLost(self) -> None:
        """Learn that the process's output is closed."""

    def errConnectionLost(self) -> None:
        """Learn that the process's error output is closed."""

    def processExited(self, reason: Failure) -> None:
        """
        Learn that the process has ended; output may still come.

        Args:
            reason: wraps `ProcessDone` or `ProcessTerminated`.
        """

    def processEnded(self, reason: Failure) -> None:
        """
        Learn that the process has ended and all its pipes are closed.

        Args:
            reason: wraps `ProcessDone` or `ProcessTerminated`.
        """
