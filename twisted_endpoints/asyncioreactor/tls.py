"""
TLS: the reactor's `IReactorSSL`, and TLS that begins in the middle of a stream (`startTLS`).

TLS lies between a stream and its protocol (`_tls.membio`), so listening and connecting need nothing new.  A
stream that begins TLS later is the transport of a protocol that knows it already.  It changes its class:
from then on what the protocol asks of it goes to TLS, and TLS itself speaks with the stream by `_Plain`.
Streams without TLS pay nothing for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from ..interfaces import INegotiated, IReactorSSL, ISSLTransport
from .core import Core
from .tcp import TCPConnector, TCPPort, TCPStream

if TYPE_CHECKING:
    from OpenSSL.crypto import X509

#: Seconds for a handshake, and for a peer's answer to our close_notify.
_HANDSHAKE_TIMEOUT = 10.0
_CLOSE_TIMEOUT = 2.0


def tlsFactory(reactor: Any, contextFactory: Any, isClient: bool, factory: Any) -> Any:
    """
    Put TLS before a factory, with limits of time.

    Args:
        reactor: calls later.
        contextFactory: makes OpenSSL's connections.
        isClient: this end says hello.
        factory: makes the protocols inside of TLS.
    """
    # Imported here: OpenSSL takes its time, and most programs never get here.
    from .._tls.factory import TLSMemoryBIOFactory

    made = TLSMemoryBIOFactory(contextFactory, isClient, factory, clock=reactor)
    made.handshakeTimeout = _HANDSHAKE_TIMEOUT
    made.closeTimeout = _CLOSE_TIMEOUT
    return made


def startTLS(stream: TCPStream, contextFactory: Any, isClient: bool) -> None:
    """
    Begin TLS on a stream that is connected to its protocol.

    Args:
        stream: the stream; what was written to it goes out as it is.
        contextFactory: makes OpenSSL's connection.
        isClient: this end says hello.
    """
    producer, streaming = stream.producer, stream.streamingProducer
    if producer is not None:
        stream.unregisterProducer()
    factory = tlsFactory(stream.reactor, contextFactory, isClient, None)
    layer = factory.protocol(factory, stream.protocol, False)
    stream.protocol = layer
    stream.__class__ = SecuredStream
    layer.makeConnection(_Plain(stream))
    if producer is not None:
        stream.registerProducer(producer, streaming)


@implementer(ISSLTransport, INegotiated)
class SecuredStream(TCPStream):
    """A stream that has begun TLS: its `protocol` is the layer of TLS before the user's."""

    TLS = True

    def write(self, data: bytes) -> None:
        if self.protocol is not None:
            self.protocol.write(data)

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        if self.protocol is not None:
            self.protocol.writeSequence(iovec)

    def loseConnection(self) -> None:
        if self.protocol is not None:
            self.protocol.loseConnection()

    def loseWriteConnection(self) -> None:
        if self.protocol is not None:
            self.protocol.loseWriteConnection()

    def abortConnection(self) -> None:
        if self.protocol is not None:
            self.protocol.abortConnection()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        if self.protocol is None:
            producer.stopProducing()
        else:
            self.protocol.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        if self.protocol is not None:
            self.protocol.unregisterProducer()

    def pauseProducing(self) -> None:
        if self.protocol is not None:
            self.protocol.pauseProducing()

    def resumeProducing(self) -> None:
        if self.protocol is not None:
            self.protocol.resumeProducing()

    def getHandle(self) -> Any:
        """Return OpenSSL's connection, None once the connection is lost."""
        return None if self.protocol is None else self.protocol.getHandle()

    def getPeerCertificate(self) -> X509 | None:
        """Return the peer's certificate, None if it showed none."""
        return None if self.protocol is None else self.protocol.getPeerCertificate()

    @property
    def negotiatedProtocol(self) -> bytes | None:
        """The protocol that both ends agreed on (ALPN), None if they did not, or have not yet."""
        return None if self.protocol is None else self.protocol.negotiatedProtocol


class _Plain:
    """A stream as TLS needs it, after the stream has changed its class."""

    def __init__(self, stream: TCPStream) -> None:
        self._stream = stream

    def write(self, data: bytes) -> None:
        TCPStream.write(self._stream, data)

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        TCPStream.writeSequence(self._stream, iovec)

    def loseConnection(self) -> None:
        TCPStream.loseConnection(self._stream)

    def loseWriteConnection(self) -> None:
        TCPStream.loseWriteConnection(self._stream)

    def abortConnection(self) -> None:
        TCPStream.abortConnection(self._stream)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        TCPStream.registerProducer(self._stream, producer, streaming)

    def unregisterProducer(self) -> None:
        TCPStream.unregisterProducer(self._stream)

    def pauseProducing(self) -> None:
        TCPStream.pauseProducing(self._stream)

    def resumeProducing(self) -> None:
        TCPStream.resumeProducing(self._stream)

    def getHandle(self) -> Any:
        return TCPStream.getHandle(self._stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class TLSPort(TCPPort):
    """Listens for TLS on a TCP port."""

    _type = "TLS"


@implementer(IReactorSSL)
class TLS(Core):
    """The part of the reactor that listens and connects for TLS over TCP."""

    def listenSSL(
        self, port: int, factory: Any, contextFactory: Any, backlog: int = 50, interface: str = ""
    ) -> TLSPort:
        """
        Listen for TLS on a TCP port.

        Args:
            port: the number, 0 for any that is free.
            factory: makes a protocol for each connection, as Twisted's does before the handshake.
            contextFactory: `ssl.CertificateOptions`, or another `IOpenSSLContextFactory`.
            backlog: how many connections may wait in the kernel.
            interface: the address to listen on, of IPv4 or IPv6; by default all of IPv4's.

        Returns:
            The listening port.

        Raises:
            CannotListenError: the address is in use, forbidden or not one of this machine's.
        """
        listening = TLSPort(self, port, tlsFactory(self, contextFactory, False, factory), backlog, interface)
        listening.startListening()
        return listening

    def connectSSL(
        self,
        host: str,
        port: int | str,
        factory: Any,
        contextFactory: Any,
        timeout: float | None = 30,
        bindAddress: Any = None,
    ) -> TCPConnector:
        """
        Connect over TCP, and do TLS.

        Args:
            host: a name or an IP address.
            port: the number, or the name of a service.
            factory: makes the protocol, and hears how the attempt ended, as Twisted's does before the
                handshake.
            contextFactory: what `ssl.optionsForClientTLS` returns: anything else lets every server be the
                host.
            timeout: seconds for the attempt, None for no limit.
            bindAddress: a pair of host and port to connect from.

        Returns:
            The connector, which has begun its first attempt.

        Raises:
            ServiceNameUnknownError: there is no service of this name.
        """
        secured = tlsFactory(self, contextFactory, True, factory)
        connector = TCPConnector(self, host, port, secured, timeout, bindAddress)
        connector.connect()
        return connector
