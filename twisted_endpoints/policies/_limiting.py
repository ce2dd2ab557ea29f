"""How many connections there may be at one time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..protocol import ServerFactory
from ._wrapping import ProtocolWrapper, WrappingFactory

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..interfaces import IAddress


class LimitConnectionsByPeer(WrappingFactory):
    """
    Closes connections of a host that has enough of them.

    Attributes:
        maxConnectionsPerPeer: how many a host may have at one time.
        peerConnections: how many each host has.
    """

    maxConnectionsPerPeer = 5

    def startFactory(self) -> None:
        self.peerConnections: dict[Any, int] = {}

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """
        Wrap what the wrapped factory makes.

        Returns:
            The wrapper; None, by which the connection is refused, when the host has enough.
        """
        host = _hostOf(addr)
        count = self.peerConnections.get(host, 0)
        if count >= self.maxConnectionsPerPeer:
            return None
        wrapper = super().buildProtocol(addr)
        if wrapper is not None:
            self.peerConnections[host] = count + 1
        return wrapper

    def unregisterProtocol(self, p: Any) -> None:
        super().unregisterProtocol(p)
        host = _hostOf(p.getPeer())
        self.peerConnections[host] -= 1
        if not self.peerConnections[host]:
            del self.peerConnections[host]


def _hostOf(address: Any) -> Any:
    # All that come by one UNIX socket count as one host.
    return getattr(address, "host", None)


class LimitTotalConnectionsFactory(ServerFactory):
    """
    Serves only so many connections at one time.

    Attributes:
        connectionCount: how many there are.
        connectionLimit: how many there may be; None for no limit.
        overflowProtocol: makes the protocols of connections above the limit, to tell the peer; None has them
            closed at once.
    """

    connectionCount = 0
    connectionLimit: int | None = None
    overflowProtocol: Callable[[], Any] | None = None

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """
        Make a protocol, or one for a connection that is too many.

        Returns:
            A `ProtocolWrapper`; None, by which the connection is refused, if there is no `overflowProtocol`.
        """
        full = self.connectionLimit is not None and self.connectionCount >= self.connectionLimit
        make = self.overflowProtocol if full else self.protocol
        if make is None:
            return None
        wrapped = make()
        wrapped.factory = self
        self.connectionCount += 1
        return ProtocolWrapper(self, wrapped)

    def registerProtocol(self, p: Any) -> None:
        """Nothing: it was counted when it was made."""

    def unregisterProtocol(self, p: Any) -> None:
        """Count one less."""
        self.connectionCount -= 1
