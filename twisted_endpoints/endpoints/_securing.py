"""
What stands between TLS and a user's protocol until the handshake is done.

A peer is nobody until it has proved who it is.  So neither a server's factory nor a client's Deferred hears
of a connection before: the server's factory is asked for a protocol then, and the client's Deferred fires
then, or fails with the reason that the handshake failed.
"""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from .._log import Logger
from .._tls.explaining import explained
from ..failure import Failure
from ..interfaces import (
    IHandshakeListener,
    ILoggingContext,
    IProtocolFactory,
)
from ..protocol import Factory, Protocol
from .wrapping import _WrappingFactory, _WrappingProtocol, negotiateFor

_log = Logger(__name__)


@implementer(IHandshakeListener)
class SecuringProtocol(_WrappingProtocol):
    """A client's: fires its Deferred when the server has proved who it is, or fails it with the reason."""

    _secured = False

    def connectionMade(self) -> None:
        """Wait: nothing is known of the peer yet."""

    def handshakeCompleted(self) -> None:
        self._secured = True
        super().connectionMade()
        if self._unwanted or self.transport is None or getattr(self.transport, "_aborted", False):
            return
        transport: Any = self.transport
        if getattr(transport, "wrappedProtocol", None) is self:
            # From now on directly.
            transport.wrappedProtocol = self._wrappedProtocol
        if IHandshakeListener.providedBy(self._wrappedProtocol):
            self._wrappedProtocol.handshakeCompleted()

    def readConnectionLost(self) -> None:
        if self._secured:
            super().readConnectionLost()

    def writeConnectionLost(self) -> None:
        if self._secured:
            super().writeConnectionLost()

    def connectionLost(self, reason: Failure | None = None) -> None:
        if self._secured:
            super().connectionLost(reason)
            return
        connected, self._connectedDeferred = self._connectedDeferred, None
        if connected is not None and not connected.called:
            connected.errback(explained(reason or Failure()))


class SecuringFactory(_WrappingFactory):
    """A client's: its Deferred, `_onConnection`, fires when the handshake is done."""

    protocol: Any = SecuringProtocol

    def __init__(self, wrappedFactory: IProtocolFactory) -> None:
        super().__init__(wrappedFactory)
        negotiateFor(self, wrappedFactory)


@implementer(IHandshakeListener)
class _Awaiting(Protocol):
    """A server's, until the handshake is done."""

    def __init__(self, protocolFactory: IProtocolFactory, address: Any) -> None:
        self._factory = protocolFactory
        self._address = address

    def handshakeCompleted(self) -> None:
        transport: Any = self.transport
        try:
            protocol: Any = self._factory.buildProtocol(self._address)
            if protocol is None:
                transport.loseConnection()
                return
            transport.wrappedProtocol = protocol
            protocol.makeConnection(transport)
            if IHandshakeListener.providedBy(protocol):
                protocol.handshakeCompleted()
        except Exception:
            reason = Failure()
            _log.failure(f"after the handshake with {self._address}, the connection is closed", reason)
            transport.failVerification(reason)

    def connectionLost(self, reason: Failure | None = None) -> None:
        # Anybody can make this happen as often as they like.
        if _log.wantsInfo():
            text = str(explained(reason or Failure()).value)
            _log.info(f"no TLS connection from {self._address}: {text}")


class AwaitingFactory(Factory):
    """
    A server's: asks another factory for a protocol when the handshake is done.

    Args:
        protocolFactory: the user's factory.
    """

    noisy = False

    def __init__(self, protocolFactory: IProtocolFactory) -> None:
        self._protocolFactory = protocolFactory
        negotiateFor(self, protocolFactory)

    def doStart(self) -> None:
        self._protocolFactory.doStart()

    def doStop(self) -> None:
        self._protocolFactory.doStop()

    def logPrefix(self) -> str:
        """Name the user's factory in log entries."""
        wrapped: Any = self._protocolFactory
        return str(wrapped.logPrefix()) if ILoggingContext.providedBy(wrapped) else type(wrapped).__name__

    def buildProtocol(self, addr: Any) -> Any:
        return _Awaiting(self._protocolFactory, addr)
