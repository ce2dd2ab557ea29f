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

from typing import TYPE_CHECKING, Any, cast

from OpenSSL.SSL import Connection, Error, SysCallError, WantReadError, ZeroReturnError
from zope.interface import implementer, providedBy

from .. import error
from .._provided import adapted, provide
from ..failure import Failure
from ..interfaces import (
    IHalfCloseableProtocol,
    IHandshakeListener,
    INegotiated,
    ISystemHandle,
    ITransport,
)
from ..protocol import Protocol
from .hello import UNRECOGNIZED_NAME
from .writing import CHUNK, RECORD, Writer

if TYPE_CHECKING:
    from OpenSSL.crypto import X509


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


@implementer(ISystemHandle, INegotiated, ITransport, IHalfCloseableProtocol)
class TLSMemoryBIOProtocol(Writer):
    """
    A protocol to its transport, and the TLS transport of the protocol that it wraps.

    It can be half-closed for its transport's sake: what the end of the input means depends on whether a
    close_notify came before it.

    Args:
        factory: the `TLSMemoryBIOFactory`.
        wrappedProtocol: who reads and writes what is inside of TLS.
        _connectWrapped: false for a protocol that is connected already, when TLS begins in mid-stream.
    """

    _aborted = False

    #: What there is of the client's first record; None once it is whole, and for a client.
    _hello: bytes | None = b""

    #: OpenSSL may have something that the protocol doesn't want to read for now.
    _held = False
    _delivering = False
    #: The peer's close_notify is here.
    _readEnded = False

    def __init__(self, factory: Any, wrappedProtocol: Any, _connectWrapped: bool = True) -> None:
        super().__init__(factory, wrappedProtocol)
        self._connectWrapped = _connectWrapped

    # Begin

    def makeConnection(self, transport: Any) -> None:
        """Connect the wrapped protocol, and begin the handshake."""
        if self.factory._refuses is None:
            self._tlsConnection = self.factory._creatorCallable(self)
        provide(self, providedBy(transport))
        Protocol.makeConnection(self, transport)
        self.factory.registerProtocol(self)
        timeout = self.factory.handshakeTimeout
        if timeout is not None:
            self._limit = self.factory._clock.callLater(timeout, self._handshakeTimedOut, timeout)
        if self._connectWrapped:
            self.wrappedProtocol.makeConnection(self)
        if self.factory._isClient:
            self._hello = None
            self._checkHandshakeStatus()

    def _checkHandshakeStatus(self) -> None:
        if not self._aborted and self._shakeHands():
            self._handshakeCompleted()

    def _shakeHands(self) -> bool:
        """Have OpenSSL do what it can of the handshake; tell whether that was the rest of it."""
        try:
            self._tlsConnection.do_handshake()
        except WantReadError:
            self._flushSendBIO()
        except Exception:
            # Not only OpenSSL's: what a callback raised ends it too.
            self._tlsShutdownFinished(Failure())
        else:
            # A callback may have found fault with the peer.
            return not self._aborted
        return False

    def _handshakeCompleted(self) -> None:
        self._handshakeDone = True
        self._stopLimit()
        # The end of our handshake is sent later, with what is written first.
        if IHandshakeListener.providedBy(self.wrappedProtocol):
            self.wrappedProtocol.handshakeCompleted()
        if self._writeEnding and not (self._appSendBuffer or self._producer or self._aborted):
            self._endOutput()

    def _handshakeTimedOut(self, seconds: float) -> None:
        self._limit = None
        self.failVerification(
            Failure(error.TimeoutError(string=f"the TLS handshake has not ended in {seconds:g} seconds"))
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
        if self._hello is not None:
            if self._aborted or self._lostTLSConnection:
                return
            data = self._hello + data
            if not self._canBegin(data):
                return
        if self._tlsConnection is None:
            return
        self._tlsConnection.bio_write(data)
        if not self._handshakeDone:
            self._checkHandshakeStatus()
        if self._handshakeDone:
            if self._appSendBuffer:
                self._unbufferPendingWrites()
            self._flushReceiveBIO()

    def _canBegin(self, data: bytes) -> bool:
        """
        Tell a server whether it can begin: the client's first record is whole, or is none.

        A handshake that has begun takes 30 KiB, and many a peer never gets that far; others ask for what is
        refused.
        """
        # RFC 8446, section 5.1: the type, which is "handshake", two bytes of a version, and the length.
        if data[:1] == b"\x16":
            length = int.from_bytes(data[3:5], "big")
            if len(data) < 5 or (length <= RECORD and len(data) < 5 + length):
                self._hello = data
                return False
        self._hello = None
        refuses = self.factory._refuses
        if refuses is None or not refuses(data):
            return True
        self._refuseName()
        return False

    def _refuseName(self) -> None:
        """Send a client away that asks for a name which nothing is there for, as OpenSSL would."""
        self._tlsConnection = None
        self._lostTLSConnection = True
        self._reason = Failure(Error([("SSL routines", "", "unrecognized name")]))
        self.transport.write(UNRECOGNIZED_NAME)
        self._closeTransport()

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
            self._flushWritten()

    def _deliver(self) -> bool:
        """Decrypt a chunk and pass it on; tell whether there may be more."""
        pieces: list[bytes] = []
        more, ended = True, False
        failure: Failure | None = None
        try:
            for _ in range(CHUNK // RECORD):
                pieces.append(self._tlsConnection.recv(RECORD))
        except WantReadError:
            more = False
        except ZeroReturnError:
            ended = True
        except Exception:
            failure = Failure()
        try:
            if pieces and not self._aborted:
                self.wrappedProtocol.dataReceived(b"".join(pieces) if len(pieces) > 1 else pieces[0])
            if self._lostTLSConnection:
                return False
            if ended:
                self._peerEnded()
            elif failure is not None:
                self._tlsShutdownFinished(failure)
            return more
        finally:
            # A circle otherwise: its traceback holds this frame.
            failure = None

    def _peerEnded(self) -> None:
        """Do what the peer's close_notify asks for."""
        self._readEnded = True
        halfCloseable: Any = adapted(IHalfCloseableProtocol, self.wrappedProtocol)
        if halfCloseable is not None and not self.disconnecting:
            halfCloseable.readConnectionLost()
            if not self._writeEnded:
                return
        if self._lostTLSConnection:
            return
        self._shutdownTLS()
        self._tlsShutdownFinished(None)

    def readConnectionLost(self) -> None:
        """Judge the end of the transport's input by whether there was a close_notify."""
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
            known = self._reason
            self._tlsConnection.bio_shutdown()
            self._readPaused = False
            self._flushReceiveBIO()
            self._lostTLSConnection = True
            if not reason.check(error.ConnectionDone):
                # What TLS says of the end is news only if the transport's own end was a clean one.
                self._reason = known
        reason = self._reason or reason
        self._reason = None
        self.connected = False
        super().connectionLost(reason)
        # It has this as its app data.
        self._tlsConnection = None

    # Flow control

    def pauseProducing(self) -> None:
        """Read no more: the protocol's `dataReceived` isn't called again before `resumeProducing`."""
        self._readPaused = True
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Read again; what was read already comes in the reactor's next round."""
        self._readPaused = False
        if self._delivering:
            self.transport.resumeProducing()
        elif self._held:
            self.factory._clock.callLater(0, self._deliverHeld)
        elif self._tlsConnection is not None:
            self.transport.resumeProducing()

    def _deliverHeld(self) -> None:
        if self._tlsConnection is None or self._readPaused:
            return
        self._flushReceiveBIO()
        if not (self._held or self._lostTLSConnection):
            self.transport.resumeProducing()

    def stopProducing(self) -> None:
        """Close the connection: whoever consumes what it receives wants no more."""
        self.loseConnection()

    # End

    def abortConnection(self) -> None:
        """Close the connection at once; what is unsent is dropped, and nothing more is received."""
        if self._tlsConnection is None or self._aborted:
            return
        self._aborted = True
        self.disconnecting = True
        self._shutdownTLS()
        self.transport.abortConnection()

    def _tlsShutdownFinished(self, reason: Failure | None) -> None:
        """
        Close the transport: TLS has come to its end.

        Args:
            reason: what the protocol is to be told; None for the transport's own reason.
        """
        if reason is not None and isinstance(reason.value, Error) and _representsEOF(reason.value):
            # Whatever carries the stream, programs know this error.  Who has closed the connection wants to
            # hear no more, and so nothing was cut off.
            ours = self.disconnecting and not self._aborted
            reason = None if ours else Failure(error.ConnectionLost())
        if self._reason is None:
            self._reason = reason
        self._lostTLSConnection = True
        # An alert that tells the peer what was wrong, for one.
        self._flushSendBIO()
        self._closeTransport()

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
