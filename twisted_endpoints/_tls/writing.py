"""
The writing half of a TLS transport: what is encrypted when, and what waits until everything is sent.

Bytes wait here for the end of the handshake, and while OpenSSL has to hear from the peer first.  Behind them
wait, in this order: the producer, the end of the output, the end of the connection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from OpenSSL.SSL import Error, WantReadError
from zope.interface import implementer

from .._log import Logger
from .._provided import adapted
from ..failure import Failure
from ..interfaces import IHalfCloseableProtocol, IPullProducer
from ..policies import ProtocolWrapper
from .producers import _ProducerMembrane, _PullToPush

if TYPE_CHECKING:
    from ..interfaces import IDelayedCall

_log = Logger("twisted_endpoints.tls")

#: The most that a TLS record holds: RFC 8446, section 5.1.
RECORD = 2**14

#: How much is encrypted before it is handed to the transport, and decrypted before the protocol has it.
CHUNK = 4 * RECORD

#: What is read at once from the buffer of what OpenSSL wants sent: a chunk and its records' headers.
_SENDING = CHUNK + 2**10


class _Made:
    """OpenSSL's connection of a `Writer` whose `makeConnection` made none: made when it is first needed."""

    def __get__(self, layer: Writer | None, owner: type[Writer]) -> Any:
        if layer is None or layer.transport is None:
            return None
        # From now on that is what is found, and not this.
        made = layer._tlsConnection = layer.factory._creatorCallable(layer)
        return made


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


class Writer(ProtocolWrapper):
    """The part of a `TLSMemoryBIOProtocol` that writes, and that ends what is written."""

    disconnecting = False
    #: Whatever carries the connection.
    transport: Any = None

    _reason: Failure | None = None
    _handshakeDone = False
    _lostTLSConnection = False
    _producer: _ProducerMembrane | None = None
    #: None before there is a transport, and once the connection is lost.
    _tlsConnection: Any = _Made()
    _readPaused = False

    #: Our close_notify is to be sent; it is sent.
    _writeEnding = False
    _writeEnded = False
    #: The handshake's limit of time, and then that of the peer's answer to our close_notify.
    _limit: IDelayedCall | None = None
    _drain: _Drain | None = None

    def __init__(self, factory: Any, wrappedProtocol: Any) -> None:
        super().__init__(factory, wrappedProtocol)
        self._appSendBuffer: list[bytes] = []

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
                sent = self._tlsConnection.send(rest[:RECORD])
                rest = rest[sent:]
                unflushed += sent
                if unflushed >= CHUNK:
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

    def _flushWritten(self) -> None:
        """Send what was written meanwhile, and what OpenSSL has to say itself."""
        self._flushSendBIO()

    def _flushSendBIO(self) -> None:
        """Hand the transport what OpenSSL wants sent."""
        try:
            while True:
                data = self._tlsConnection.bio_read(_SENDING)
                self.transport.write(data)
                if len(data) < _SENDING:
                    return
        except WantReadError:
            pass

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
        pulled = None if streaming else _PullToPush(producer, self, self.factory._clock)
        membrane = _ProducerMembrane(pulled or producer)
        self.transport.registerProducer(membrane, True)
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
        self.transport.unregisterProducer()
        if not self._appSendBuffer:
            if self.disconnecting:
                self._close()
            elif self._writeEnding:
                self._endOutput()

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
        halfCloseable: Any = adapted(IHalfCloseableProtocol, self.wrappedProtocol)
        if halfCloseable is not None:
            try:
                halfCloseable.writeConnectionLost()
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException:
                # Whoever ends the output isn't to blame.
                self._failed("writeConnectionLost")

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
            self.transport.registerProducer(self._drain, False)
        self._shutdownTLS()
        if self._readPaused and not self._lostTLSConnection:
            # The answer is behind what nobody wants any more.
            self._readPaused = False
            self.transport.resumeProducing()

    def _closeSent(self) -> None:
        self._limit = self.factory._clock.callLater(self.factory.closeTimeout, self._closeTransport)

    def _closeTransport(self) -> None:
        """Close the transport when all is sent."""
        self._stopLimit()
        if self._drain is not None:
            self._drain = None
            self.transport.unregisterProducer()
        self.transport.loseConnection()

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

    def _failed(self, where: str) -> None:
        """Log what the protocol raises, as its transport would; and end the connection because of it."""
        reason = Failure()
        _log.failure(f"Unhandled error in {type(self.wrappedProtocol).__name__}.{where}", reason)
        self.failVerification(reason)

    def failVerification(self, reason: Failure) -> None:
        """End the connection at once, and give the protocol a reason."""
        raise NotImplementedError

    def abortConnection(self) -> None:
        """Close the connection at once; what is unsent is dropped."""
        raise NotImplementedError

    def _tlsShutdownFinished(self, reason: Failure | None) -> None:
        """Close the transport: TLS has come to its end."""
        raise NotImplementedError

    def _stopLimit(self) -> None:
        limit, self._limit = self._limit, None
        if limit is not None and limit.active():
            limit.cancel()
