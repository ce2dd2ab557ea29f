"""
The two halves of every policy: a factory around a factory, a protocol around a protocol.

To the wrapped protocol, its wrapper is the transport; to the transport, it is the protocol.  A policy derives
from both classes and overrides the methods that it wants to see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from zope.interface import providedBy

from .._provided import provide
from ..interfaces import ILoggingContext
from ..protocol import ClientFactory, Protocol

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    from ..failure import Failure
    from ..interfaces import IAddress, IConnector, IProtocol

    WP = TypeVar("WP", bound="ProtocolWrapper", default="ProtocolWrapper")
else:
    # The default, by which `WrappingFactory` can stand without brackets, is only for type checkers.
    from typing import TypeVar

    WP = TypeVar("WP", bound="ProtocolWrapper")


def _wrappedLogPrefix(wrapper: object, wrapped: object) -> str:
    """Name both in log entries: ``Wrapped (Wrapper)``."""
    inner = wrapped.logPrefix() if ILoggingContext.providedBy(wrapped) else type(wrapped).__name__
    return f"{inner} ({type(wrapper).__name__})"


class ProtocolWrapper(Protocol):
    """
    Stands between a protocol and its transport, and passes everything on.

    Once connected it provides whatever its transport provides, and has all of the transport's attributes.

    Args:
        factory: the `WrappingFactory`, or another that has `registerProtocol` and `unregisterProtocol`.
        wrappedProtocol: the protocol to stand before.

    Attributes:
        wrappedProtocol: the same, None when the connection is lost.
        disconnecting: true once `loseConnection` has been called.
    """

    disconnecting: bool | int = 0

    def __init__(self, factory: Any, wrappedProtocol: IProtocol | Any) -> None:
        self.wrappedProtocol: Any = wrappedProtocol
        self.factory = factory

    def logPrefix(self) -> str:
        """Name the wrapped protocol and this one."""
        return _wrappedLogPrefix(self, self.wrappedProtocol)

    # From the transport to the protocol

    def makeConnection(self, transport: Any) -> None:
        """Connect the wrapped protocol to this, and tell the factory that there is one more."""
        provide(self, providedBy(transport))
        super().makeConnection(transport)
        self.factory.registerProtocol(self)
        self.wrappedProtocol.makeConnection(self)

    def dataReceived(self, data: bytes) -> None:
        """Pass it on."""
        self.wrappedProtocol.dataReceived(data)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        """Tell the factory that there is one less, and pass it on."""
        self.factory.unregisterProtocol(self)
        try:
            self.wrappedProtocol.connectionLost(reason)
        finally:
            # It has this as its transport: no cycle is to be left.
            self.wrappedProtocol = None

    # From the protocol to the transport

    def write(self, data: bytes) -> None:
        """Pass it on."""
        self._transport.write(data)

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Pass it on."""
        self._transport.writeSequence(data)

    def loseConnection(self) -> None:
        """Pass it on, and remember it in `disconnecting`."""
        self.disconnecting = 1
        self._transport.loseConnection()

    def getPeer(self) -> Any:
        """Tell the transport's peer."""
        return self._transport.getPeer()

    def getHost(self) -> Any:
        """Tell the transport's own address."""
        return self._transport.getHost()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Pass it on."""
        self._transport.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        """Pass it on."""
        self._transport.unregisterProducer()

    def stopConsuming(self) -> None:
        """Pass it on."""
        self._transport.stopConsuming()

    @property
    def _transport(self) -> Any:
        # Typed loosely: a transport that is no ITCPTransport may have what one has.
        return self.transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self.transport, name)


class WrappingFactory(ClientFactory[WP]):
    """
    Stands before a factory, as a server's or a client's, and wraps each protocol that it makes.

    Args:
        wrappedFactory: the factory to stand before.

    Attributes:
        protocol: makes the wrapper: called with this factory and the wrapped protocol.
        protocols: the wrappers that are connected, as keys.
    """

    protocol: Callable[..., WP] = ProtocolWrapper  # type: ignore[assignment]

    def __init__(self, wrappedFactory: Any) -> None:
        self.wrappedFactory = wrappedFactory
        self.protocols: dict[Any, int] = {}

    def logPrefix(self) -> str:
        """Name the wrapped factory and this one."""
        return _wrappedLogPrefix(self, self.wrappedFactory)

    def doStart(self) -> None:
        """Start the wrapped factory, then this one."""
        self.wrappedFactory.doStart()
        super().doStart()

    def doStop(self) -> None:
        """Stop the wrapped factory, then this one."""
        self.wrappedFactory.doStop()
        super().doStop()

    def startedConnecting(self, connector: IConnector) -> None:
        """Pass it on."""
        self.wrappedFactory.startedConnecting(connector)

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:
        """Pass it on."""
        self.wrappedFactory.clientConnectionFailed(connector, reason)

    def clientConnectionLost(self, connector: IConnector, reason: Failure) -> None:
        """Pass it on."""
        self.wrappedFactory.clientConnectionLost(connector, reason)

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """
        Wrap what the wrapped factory makes for a connection.

        Returns:
            The wrapper, or None where the wrapped factory made None: the connection is refused.
        """
        wrapped = self.wrappedFactory.buildProtocol(addr)
        return None if wrapped is None else self.protocol(self, wrapped)

    def registerProtocol(self, p: Any) -> None:
        """Note that a wrapper is connected."""
        self.protocols[p] = 1

    def unregisterProtocol(self, p: Any) -> None:
        """Forget a wrapper whose connection is lost."""
        del self.protocols[p]
