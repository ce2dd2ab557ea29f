"""Protocols of datagrams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from .._log import Logger
from ..interfaces import ILoggingContext

if TYPE_CHECKING:
    from ..failure import Failure
    from ..interfaces import IMulticastTransport, IUDPTransport

_log = Logger("twisted_endpoints.protocol")


class AbstractDatagramProtocol:
    """
    Handles the datagrams of one port.

    Attributes:
        transport: where to write; None while there is no port.
        numPorts: how many ports use it.
        noisy: log its start and stop.
    """

    transport: IUDPTransport | IMulticastTransport | None = None
    numPorts = 0
    noisy = True

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "transport": None}

    def doStart(self) -> None:
        """Count one more port, and call `startProtocol` at the first.  For ports, not for programs."""
        if not self.numPorts:
            if self.noisy:
                _log.info(f"Starting protocol {self}")
            self.startProtocol()
        self.numPorts += 1

    def doStop(self) -> None:
        """Count one port less, and call `stopProtocol` at the last.  For ports, not for programs."""
        assert self.numPorts > 0, "stopped more often than started"
        self.numPorts -= 1
        self.transport = None
        if not self.numPorts:
            if self.noisy:
                _log.info(f"Stopping protocol {self}")
            self.stopProtocol()

    def startProtocol(self) -> None:
        """Learn that the first port is there: override it to get ready."""

    def stopProtocol(self) -> None:
        """Learn that the last port is gone: override it to clean up."""

    def makeConnection(self, transport: Any) -> None:
        """
        Take the transport, and start.

        Args:
            transport: where to write.
        """
        assert self.transport is None, "it has a transport already"
        self.transport = transport
        self.doStart()

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """
        Take a datagram.

        Args:
            datagram: the bytes.
            addr: who sent it: host and port, or the path of a UNIX socket.
        """


@implementer(ILoggingContext)
class DatagramProtocol(AbstractDatagramProtocol):
    """Handles the datagrams of one UDP port."""

    def logPrefix(self) -> str:
        """Return the name of the class."""
        return self.__class__.__name__

    def connectionRefused(self) -> None:
        """Learn that nobody listens where the transport is connected to: an earlier datagram was refused."""


class ConnectedDatagramProtocol(DatagramProtocol):
    """Handles the datagrams of one UNIX socket that has one peer."""

    def datagramReceived(self, datagram: bytes) -> None:  # type: ignore[override]  # the one peer has sent it
        """
        Take a datagram.

        Args:
            datagram: the bytes.
        """

    def connectionFailed(self, failure: Failure) -> None:
        """
        Learn that the socket can't be connected.

        Args:
            failure: why.
        """
