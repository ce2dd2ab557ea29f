"""
TLS as a protocol: between any transport and any protocol, by OpenSSL and two buffers in memory.

Theory.  OpenSSL's connection has no socket here.  Bytes from the transport are put into one buffer, and what
OpenSSL wants sent is taken from another and written to the transport.  So there are two streams to keep
apart, and two ends of each:

- *The handshake* comes first.  What the protocol writes before it is done is kept.
- *Reading* ends with the peer's close_notify.  A stream that ends without one may have been cut off by
  somebody between the two, and is never reported as `ConnectionDone`.
- *Writing* ends with our close_notify, behind everything that was written.
- *The connection* is closed when both have ended; or, after `loseConnection`, when our close_notify is sent
  and the peer hasn't answered it in time: RFC 8446, section 6.1, doesn't ask to wait, but who closes while
  the peer still sends has the kernel reset the connection, and the peer may lose what it has not yet read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, cast

from OpenSSL.SSL import Connection, Error, SysCallError, WantReadError, ZeroReturnError
from zope.interface import alsoProvides, directlyProvides, implementer, providedBy

from ..error import ConnectionLost
from ..error import TimeoutError as TLSTimeoutError
from ..failure import Failure
from ..interfaces import (
    IHalfCloseableProtocol,
    IHandshakeListener,
    ILoggingContext,
    INegotiated,
    IPullProducer,
    ISystemHandle,
    ITransport,
)
from ..policies import ProtocolWrapper, WrappingFactory
from ..protocol import Protocol
from .creators import _convertToAppropriateFactory
from .producers import _ProducerMembrane, _PullToPush

if TYPE_CHECKING:
    from OpenSSL.crypto import X509

    from ..interfaces import IDelayedCall, IReactorTime

#: The most that a TLS record holds: RFC 8446, section 5.1.
_RECORD = 2**14

#: How much is encrypted before it is handed to the transport, and decrypted before the protocol has it.
_CHUNK = 4 * _RECORD

#: What is read at once from the buffer of what OpenSSL wants sent: a chunk and its records' headers.
_SENDING = _CHUNK + 2**10


def _representsEOF(exceptionObject: Error) -> bool:
    """Tell whether OpenSSL means that the stream ended with no close_notify."""
    if isinstance(exceptionObject, SysCallError):
        text = str(exceptionObject.args[1])
    else:
        errors = exceptionObject.args[0] if exceptionObject.args else None
        if not errors:
            # OpenSSL 4 leaves its list of errors empty.
            return True
        text = str(errors[-1][2])
    return text.lower().startswith("unexpected eof")


@implementer(IPullProducer)
class _Drain:
    """
    Learns, as a producer that writes nothing, when a transport has sent all that it has.

    Args:
        drained: called once, then.
    """

    def __init__(self, drained: Callable[[], None]) -> None:
        self._drained: Callable[[], None] | None = drained
        self._registered = False

    def resumeProducing(self) -> None:
        """Call the function; but the first call of this is for having been registered."""
        drained = self._drained
        if not self._registered:
            self._registered = True
        elif drained is not None:
            self._drained = None
            drained()

    def stopProducing(self) -> None:
        """Nothing: the connection is lost."""


@implementer(ISystemHandle, INegotiated, ITransport)
class TLSMemoryBIOProtocol(ProtocolWrapper):
    """
    A protocol to its transport, and the TLS transport of the protocol that it wraps.

    Args:
        factory: the `TLSMemoryBIOFactory`.
        wrappedProtocol: who reads and writes what is inside of TLS.
        _connectWrapped: false for a protocol that is connected already, when TLS begins in mid-stream.
    """

    factory: TLSMemoryBIOFactory
    disconnecting = False

    _reason: Failure | None = None
    _handshakeDone = False
    _lostTLSConnection = False
    _aborted = False
    _producer: _ProducerMembrane | None = None
    _tlsConnection: Any = None

    #: The protocol wants to read nothing for now, and OpenSSL may have something for it.
    _readPaused = False
    _held = False
    _delivering = False
    #: The peer's close_notify is here; ours is to be sent; ours is sent.
    _readEnded = False
    _writeEnding = False
    _writeEnded = False
    #: The handshake's limit of time, and then that of the peer's answer to our close_notify.
    _limit: IDelayedCall | None = None
    _drain: _Drain | None = None

    def __init__(self, factory: Any, wrappedProtocol: Any, _connectWrapped: bool = True) -> None:
        super().__init__(factory, wrappedProtocol)
        self._connectWrapped = _connectWrapped
        self._appSendBuffer: list[bytes] = []

    # Begin

    def makeConnection(self, transport: Any) -> None:
        """Connect the wrapped protocol, and begin the handshake."""
        self._tlsConnection = self.factory._creatorCallable(self)
        directlyProvides(self, providedBy(transport))
        # For the transport: what its end of input means depends on whether a close_notify came before it.
        alsoProvides(self, IHalfCloseableProtocol)
        Protocol.makeConnection(self, transport)
        self.factory.registerProtocol(self)
        timeout = self.factory.handshakeTimeout
        if timeout is not None:
            self._limit = self.factory._clock.callLater(timeout, self._handshakeTimedOut, timeout)
        if self._connectWrapped:
            self.wrappedProtocol.makeConnection(self)
        self._checkHandshakeStatus()

    def _checkHandshakeStatus(self) -> None:
        """Have OpenSSL do what it can of the handshake."""
        if self._aborted:
            return
        try:
            self._tlsConnection.do_handshake()
        except WantReadError:
            self._flushSendBIO()
        except Exception:
            # Not only OpenSSL's: what a callback raised ends it too.
            self._tlsShutdownFinished(Failure())
        else:
            if self._aborted:
                # By a callback, which found fault with the peer.
                return
            self._handshakeDone = True
            self._stopLimit()
            self._flushSendBIO()
            if IHandshakeListener.providedBy(self.wrappedProtocol):
                self.wrappedProtocol.handshakeCompleted()

    def _handshakeTimedOut(self, seconds: float) -> None:
        self._limit = None
        self.failVerification(
            Failure(TLSTimeoutError(string=f"the TLS handshake has not ended in {seconds:g} seconds"))
        )

    def failVerification(self, reason: Failure) -> None:
        """
        End the connection because of what the peer is, or isn't.

        Args:
            reason: what the protocol's `connectionLost` is told.
        """
        self._reason = reason
        self.abortConnection()

    # From the transport to the protocol

    def dataReceived(self, data: bytes) -> None:
        """Decrypt, and give the protocol what there is for it."""
        if self._tlsConnection is None:
            return
        self._tlsConnection.bio_write(data)
        if not self._handshakeDone:
            self._checkHandshakeStatus()
            if not self._handshakeDone:
                return
        if self._appSendBuffer:
            self._unbufferPendingWrites()
        self._flushReceiveBIO()

    def _flushReceiveBIO(self) -> None:
        """Give the protocol what OpenSSL has for it, as long as it wants to have it."""
        if self._delivering:
            return
        self._delivering = True
        self._held = False
        try:
            more = True
            while more and not (self._lostTLSConnection or self._readEnded):
                if self._readPaused:
                    self._held = True
                    break
                more = self._deliver()
        finally:
            self._delivering = False
        if not self._lostTLSConnection:
            # Reading may have made something to send: an answer to a key update, for one.
            self._flushSendBIO()

    def _deliver(self) -> bool:
        """Decrypt a chunk and pass it on; tell whether there may be more."""
        pieces: list[bytes] = []
        more, ended = True, False
        failure: Failure | None = None
        try:
            for _ in range(_CHUNK // _RECORD):
                pieces.append(self._tlsConnection.recv(_RECORD))
        except WantReadError:
            more = False
        except ZeroReturnError:
            ended = True
        except Exception:
            failure = Failure()
        if pieces and not self._aborted:
            self.wrappedProtocol.dataReceived(b"".join(pieces) if len(pieces) > 1 else pieces[0])
        if self._lostTLSConnection:
            return False
        if ended:
            self._peerEnded()
        elif failure is not None:
            self._tlsShutdownFinished(failure)
        return more

    def _peerEnded(self) -> None:
        """Do what the peer's close_notify asks for."""
        self._readEnded = True
        halfCloseable: Any = IHalfCloseableProtocol(self.wrappedProtocol, None)
        if halfCloseable is not None and not self.disconnecting:
            halfCloseable.readConnectionLost()
            if not self._writeEnded:
                return
        if self._lostTLSConnection:
            return
        self._shutdownTLS()
        self._tlsShutdownFinished(None)

    def readConnectionLost(self) -> None:
        """Judge the end of the transport's input: without a close_notify, the stream may have been cut off."""
        if self._tlsConnection is None or self._lostTLSConnection:
            return
        self._tlsConnection.bio_shutdown()
        self._readPaused = False
        if self._handshakeDone:
            self._flushReceiveBIO()
        else:
            self._checkHandshakeStatus()

    def writeConnectionLost(self) -> None:
        """Nothing: only this object could have closed the transport's output."""

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        """Tell the protocol, with a better reason if there is one."""
        self._stopLimit()
        if not self._lostTLSConnection:
            self._tlsConnection.bio_shutdown()
            self._readPaused = False
            self._flushReceiveBIO()
            self._lostTLSConnection = True
        reason = self._reason or reason
        self._reason = None
        self.connected = False  # type: ignore[assignment]  # Twisted's is an int
        super().connectionLost(reason)
        # It has this as its app data.
        self._tlsConnection = None

    # From the protocol to the transport

    def write(self, data: bytes) -> None:
        """
        Encrypt and send bytes; before the handshake is done they are kept.

        After `loseConnection` this does nothing, but for a registered producer.
        """
        if not self.disconnecting or self._producer is not None:
            self._write(data)

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        """Encrypt and send the bytes of several objects in order."""
        self.write(b"".join(iovec))

    def _write(self, data: bytes) -> None:
        if self._lostTLSConnection or self._writeEnded or not self.connected:
            return
        if not self._handshakeDone:
            self._bufferedWrite(data)
            return
        rest = memoryview(data)
        unflushed = 0
        try:
            while rest:
                sent = self._tlsConnection.send(rest[:_RECORD])
                rest = rest[sent:]
                unflushed += sent
                if unflushed >= _CHUNK:
                    unflushed = 0
                    self._flushSendBIO()
        except WantReadError:
            # The peer has to answer something before more can be sent.
            self._bufferedWrite(bytes(rest))
        except Error:
            self._tlsShutdownFinished(Failure())
            return
        self._flushSendBIO()

    def _bufferedWrite(self, octets: bytes) -> None:
        if octets:
            self._appSendBuffer.append(octets)
            if self._producer is not None:
                self._producer.pauseProducing()

    def _unbufferPendingWrites(self) -> None:
        """Send what was kept, and then do what waited for it."""
        pending, self._appSendBuffer = self._appSendBuffer, []
        self._write(b"".join(pending))
        if self._appSendBuffer:
            return
        if self._producer is not None:
            self._producer.resumeProducing()
        elif self.disconnecting:
            self._close()
        elif self._writeEnding:
            self._endOutput()

    def _flushSendBIO(self) -> None:
        """Hand the transport what OpenSSL wants sent."""
        try:
            while True:
                data = self._tlsConnection.bio_read(_SENDING)
                self.transport.write(data)  # type: ignore[union-attr]
                if len(data) < _SENDING:
                    return
        except WantReadError:
            pass

    # Flow control

    def pauseProducing(self) -> None:
        """Read no more: the protocol's `dataReceived` isn't called again before `resumeProducing`."""
        self._readPaused = True
        self._transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Read again; what was read already comes in the reactor's next round."""
        self._readPaused = False
        if self._delivering:
            self._transport.resumeProducing()
        elif self._held:
            self.factory._clock.callLater(0, self._deliverHeld)
        elif self._tlsConnection is not None:
            self._transport.resumeProducing()

    def _deliverHeld(self) -> None:
        if self._tlsConnection is None or self._readPaused:
            return
        self._flushReceiveBIO()
        if not (self._held or self._lostTLSConnection):
            self._transport.resumeProducing()

    def stopProducing(self) -> None:
        """Close the connection: whoever consumes what it receives wants no more."""
        self.loseConnection()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """
        Have a producer paused while the transport is busy, or TLS waits for the peer.

        Args:
            producer: an `IPushProducer` or an `IPullProducer`.
            streaming: true for a push producer.

        Raises:
            RuntimeError: another producer is registered.
        """
        if self._lostTLSConnection:
            producer.stopProducing()
            return
        pulled = None if streaming else _PullToPush(producer, self)
        membrane = _ProducerMembrane(pulled or producer)
        self._transport.registerProducer(membrane, True)
        self._producer = membrane
        if pulled is not None:
            pulled.startStreaming()

    def unregisterProducer(self) -> None:
        """Forget the producer; a `loseConnection` that waited for it goes on."""
        membrane, self._producer = self._producer, None
        if membrane is None:
            return
        if isinstance(membrane._producer, _PullToPush):
            membrane._producer.stopStreaming()
        self._transport.unregisterProducer()
        if not self._appSendBuffer:
            if self.disconnecting:
                self._close()
            elif self._writeEnding:
                self._endOutput()

    # End

    def loseWriteConnection(self) -> None:
        """End what is written with a close_notify, behind everything that was written; reading goes on."""
        if self._writeEnding or self.disconnecting or not self.connected:
            return
        self._writeEnding = True
        if not self._appSendBuffer and self._producer is None and self._handshakeDone:
            self._endOutput()

    def _endOutput(self) -> None:
        if self._writeEnded:
            return
        self._shutdownTLS()
        halfCloseable: Any = IHalfCloseableProtocol(self.wrappedProtocol, None)
        if halfCloseable is not None:
            halfCloseable.writeConnectionLost()

    def loseConnection(self) -> None:
        """
        Close the connection when all that was written is sent, with a close_notify behind it.

        Before the handshake is done, with nothing written, it is closed at once.
        """
        if self.disconnecting or not self.connected:
            return
        if not self._handshakeDone and not self._appSendBuffer:
            self.abortConnection()
            return
        self.disconnecting = True
        if not self._appSendBuffer and self._producer is None:
            self._close()

    def _close(self) -> None:
        """Send our close_notify; when it is sent, the time begins that the peer has to answer it."""
        if self.factory.closeTimeout is not None:
            self._drain = _Drain(self._closeSent)
            self._transport.registerProducer(self._drain, False)
        self._shutdownTLS()
        if self._readPaused and not self._lostTLSConnection:
            # The answer is behind what nobody wants any more.
            self._readPaused = False
            self._transport.resumeProducing()

    def _closeSent(self) -> None:
        self._limit = self.factory._clock.callLater(self.factory.closeTimeout, self._closeTransport)

    def _closeTransport(self) -> None:
        """Close the transport when all is sent."""
        self._stopLimit()
        if self._drain is not None:
            self._drain = None
            self._transport.unregisterProducer()
        self._transport.loseConnection()

    def _shutdownTLS(self) -> None:
        """Send our close_notify; when the peer's is here, nothing is left but to close the transport."""
        self._writeEnded = True
        try:
            both = self._tlsConnection.shutdown()
        except Error:
            # In mid-handshake there is nothing to end.
            both = False
        self._flushSendBIO()
        if both:
            self._closeTransport()

    def abortConnection(self) -> None:
        """Close the connection at once; what is unsent is dropped, and nothing more is received."""
        if self._tlsConnection is None or self._aborted:
            return
        self._aborted = True
        self.disconnecting = True
        self._shutdownTLS()
        self._transport.abortConnection()

    def _tlsShutdownFinished(self, reason: Failure | None) -> None:
        """
        Close the transport: TLS has come to its end.

        Args:
            reason: what the protocol is to be told; None for the transport's own reason.
        """
        if reason is not None and isinstance(reason.value, Error) and _representsEOF(reason.value):
            # Whatever carries the stream, programs know this error.
            reason = Failure(ConnectionLost())
        if self._reason is None:
            self._reason = reason
        self._lostTLSConnection = True
        # An alert that tells the peer what was wrong, for one.
        self._flushSendBIO()
        self._closeTransport()

    def _stopLimit(self) -> None:
        limit, self._limit = self._limit, None
        if limit is not None and limit.active():
            limit.cancel()

    # About the connection

    def getHandle(self) -> Connection | None:
        """Return OpenSSL's connection, None once it is lost."""
        return cast("Connection | None", self._tlsConnection)

    def getPeerCertificate(self) -> X509 | None:
        """Return the peer's certificate, None if it showed none."""
        return cast("X509 | None", self._tlsConnection.get_peer_certificate())

    @property
    def negotiatedProtocol(self) -> bytes | None:
        """The protocol that both ends agreed on (ALPN), None if they did not, or have not yet."""
        if self._tlsConnection is None:
            return None
        return self._tlsConnection.get_alpn_proto_negotiated() or None


def _get_default_clock() -> IReactorTime:
    """Return the reactor of the process."""
    from .. import reactor

    return cast("IReactorTime", reactor)


class TLSMemoryBIOFactory(WrappingFactory[Any]):
    """
    Puts TLS before the connections of a factory.

    Args:
        contextFactory: what makes OpenSSL's connections: for a server `ssl.CertificateOptions`, for a client
            what `ssl.optionsForClientTLS` returns, or another provider of `IOpenSSLServerConnectionCreator`
            or `IOpenSSLClientConnectionCreator`.
        isClient: this end says hello.
        wrappedFactory: makes the protocols inside of TLS.
        clock: None for the reactor of the process.

    Attributes:
        handshakeTimeout: seconds for the handshake; None for no limit.
        closeTimeout: seconds for the peer to answer our close_notify; None for no limit.
    """

    noisy = False

    handshakeTimeout: float | None = None
    closeTimeout: float | None = None

    def __init__(
        self, contextFactory: Any, isClient: bool, wrappedFactory: Any, clock: IReactorTime | None = None
    ) -> None:
        super().__init__(wrappedFactory)
        self._creatorCallable = _convertToAppropriateFactory(isClient, contextFactory)
        self._clock = _get_default_clock() if clock is None else clock

    def logPrefix(self) -> str:
        """Name the wrapped factory, and TLS."""
        wrapped = self.wrappedFactory
        name = wrapped.logPrefix() if ILoggingContext.providedBy(wrapped) else type(wrapped).__name__
        return f"{name} (TLS)"
