"""
The two ends of a stream, and the stream.

Theory.  A `Stream` has two ends: `accepted`, which somebody connected to us, and `outgoing`, which we
connected for it.

- Both ends are paused from the first instant until both are there, so that nothing is held for a far side
  that may never come.  A transport may still deliver what it had read before the pause; that little is kept
  and sent first.
- Each end is the push producer of the other's transport.  A transport whose write buffer is full pauses the
  end that fills it, the kernel's window closes, and the sender waits: one buffer's worth is all that is ever
  held.
- An end of file is passed on as one (`loseWriteConnection`) while the other direction goes on.  When both
  directions have ended, both connections are closed after what is buffered has been written.
- An end that is lost in any other way than by a clean close aborts the other.  A receiver must be able to
  tell a stream that was cut from one that ended.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from ..defer import Deferred, maybeDeferred
from ..endpoints.wrapping import closeNow
from ..error import ConnectionDone, ProcessTerminated
from ..failure import Failure
from ..interfaces import IHalfCloseableProtocol, IPushProducer
from ..protocol import Factory, Protocol, connectionDone

if TYPE_CHECKING:
    from ..interfaces import IAddress, IStreamClientEndpoint
    from ._factory import RelayFactory


def _discard(data: bytes) -> None:
    """Take the place of a write where nobody is left to write to."""


@implementer(IHalfCloseableProtocol, IPushProducer)
class End(Protocol):
    """
    One of the two connections of a stream.

    Attributes:
        received: how many bytes its peer has sent.
        ended: whether its peer has sent all that it will send.
        reason: why the connection is lost; None while it isn't.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream: Stream | None = stream
        self.received = 0
        self.ended = False
        self.reason: Failure | None = None
        self._held = False
        self._writeEnded = False
        self._early: list[bytes] = []
        self._write: Callable[[bytes], Any] = self._early.append

    @property
    def gone(self) -> bool:
        """Whether the connection is lost."""
        return self.reason is not None

    def connectionMade(self) -> None:
        self._transport().pauseProducing()
        if self._stream is not None:
            self._stream._made(self)

    def dataReceived(self, data: bytes) -> None:
        # The hot path.  No state is asked here: `_write` is what is right at the time.
        self.received += len(data)
        self._write(data)

    def readConnectionLost(self) -> None:
        self.ended = True
        if self._stream is not None:
            self._stream._ended(self)

    def writeConnectionLost(self) -> None:
        # Twisted's TCP reports the half-close that we asked for in the same way.
        if not self._writeEnded and self._stream is not None:
            self._stream._deafened(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.reason = reason
        self._write = _discard
        # Our transport knows who asked for it, that is our stream, which knows us: circles wait for the
        # garbage collector, and their memory with them.
        self.transport = None
        stream, self._stream = self._stream, None
        if stream is not None:
            stream._gone(self, reason)

    def pauseProducing(self) -> None:
        self._held = True
        if not self.gone:
            self._transport().pauseProducing()

    def resumeProducing(self) -> None:
        self._held = False
        if not (self.ended or self.gone):
            self._transport().resumeProducing()

    def stopProducing(self) -> None:
        # The transport that says so is lost, and `connectionLost` follows: only its reason tells whether this
        # end is to be closed or aborted.
        pass

    def _transport(self) -> Any:
        return self.transport

    def _joinTo(self, other: End) -> None:
        """From now on send what is received to `other`, beginning with what came too early."""
        target = other._transport()
        target.registerProducer(self, True)
        self._write = target.write
        early, self._early = self._early, []
        for data in early:
            target.write(data)

    def _start(self) -> None:
        if not self._held:
            self._transport().resumeProducing()

    def _endWriting(self) -> None:
        """Half-close after what is buffered; a transport that can't is closed: its peer waits for the end."""
        transport = self._transport()
        self._unregister()
        getattr(transport, "loseWriteConnection", transport.loseConnection)()

    def _refuse(self, data: bytes) -> None:
        """Take the place of a write where nothing can be written any more."""
        closeNow(self._transport())

    def _close(self) -> None:
        """Close after what is buffered."""
        self._unregister()
        self._transport().loseConnection()

    def _unregister(self) -> None:
        if not self._writeEnded:
            self._writeEnded = True
            self._transport().unregisterProducer()


class _OutgoingFactory(Factory):
    """Builds an end for each attempt to connect; an endpoint may make several and keep one."""

    noisy = False

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def buildProtocol(self, addr: IAddress | None) -> End:
        return End(self._stream)


class Stream:
    """
    An accepted connection, and the one that was made for it.

    Attributes:
        peer: the address of who connected to us; None until it has.
        host: the address that it has connected to.
        started: when it was accepted, by the relay's clock.
        accepted: the end that was accepted.
        outgoing: the end that was connected; None while there is none.
        reason: why it didn't end well; None while it does.
    """

    def __init__(self, relay: RelayFactory) -> None:
        self._relay = relay
        self._connecting: Deferred[Any] | None = None
        self._finished = False
        self.peer: Any = None
        self.host: Any = None
        self.started = 0.0
        self.accepted = End(self)
        self.outgoing: End | None = None
        self.reason: Failure | None = None

    @property
    def sent(self) -> int:
        """How many bytes went from the accepted connection to the outgoing one."""
        return self.accepted.received

    @property
    def returned(self) -> int:
        """How many bytes came back."""
        return self.outgoing.received if self.outgoing is not None else 0

    def close(self) -> None:
        """Close both connections, each after what is buffered."""
        for end in (self.accepted, self.outgoing):
            if end is not None and not end.gone:
                end._close()

    def abort(self) -> None:
        """Cut both connections, or give up connecting, at once."""
        if self._connecting is not None:
            self._connecting.cancel()
        for end in (self.accepted, self.outgoing):
            if end is not None and not end.gone and end.transport is not None:
                closeNow(end.transport)

    def _connect(self, endpoint: IStreamClientEndpoint) -> None:
        # maybeDeferred: an endpoint of a third party may raise where it should fail.
        self._connecting = maybeDeferred(endpoint.connect, _OutgoingFactory(self))
        self._connecting.addCallbacks(self._connected, self._notConnected)

    def _connectingIsOver(self) -> None:
        self._connecting = None
        self._relay._waiting.discard(self)

    def _connected(self, outgoing: Any) -> None:
        if not isinstance(outgoing, End):
            wrong = f"{self._relay.endpoint!r} fired with {outgoing!r}, which its factory hasn't made"
            self._notConnected(Failure(TypeError(wrong)))
            return
        self._connectingIsOver()
        accepted, self.outgoing = self.accepted, outgoing
        if accepted.gone or outgoing.gone:
            self.reason = self.reason or outgoing.reason
            self.abort()
            self._finishIfOver()
            return
        outgoing._joinTo(accepted)
        accepted._joinTo(outgoing)
        self._relay._tell("opened", self)
        for end in (outgoing, accepted):
            if end.ended:
                self._ended(end)
            elif not end.gone:
                end._start()

    def _notConnected(self, reason: Failure) -> None:
        self._connectingIsOver()
        if self.accepted.gone:
            self._finishIfOver()
            return
        self.reason = reason
        self._relay._tell("failed", self)
        self.abort()

    def _made(self, end: End) -> None:
        if end is self.accepted:
            self.peer, self.host = end._transport().getPeer(), end._transport().getHost()
            self._relay._admit(self)
        elif self.accepted.gone:
            closeNow(end.transport)  # its endpoint didn't heed our cancel

    def _ended(self, end: End) -> None:
        other = self._otherOf(end)
        if other is None:
            return
        if not other.ended:
            if not other.gone:
                other._endWriting()
                self._relay._tell("halfEnded", self)
            return
        self.close()

    def _deafened(self, end: End) -> None:
        """Go on until there is something to write to an end that takes no more: that cuts the stream."""
        other = self._otherOf(end)
        if other is not None:
            other._write = end._refuse
            # It may have been paused for this end, which won't say that it can take more.
            other.resumeProducing()

    def _gone(self, end: End, reason: Failure) -> None:
        clean = reason.check(ConnectionDone) is not None
        if end is self.accepted and self._connecting is not None:
            if not clean:
                self.reason = reason
            self._connecting.cancel()
            return
        if end is not self.accepted and end is not self.outgoing:
            return  # an attempt that its endpoint gave up
        if not clean and self.reason is None:
            self.reason = reason
        other = self._otherOf(end)
        if other is not None and not other.gone:
            other._write = _discard
            # What a process has written is whole once its output has ended, whatever its exit status.
            if clean or (end.ended and reason.check(ProcessTerminated)):
                other._close()
            else:
                closeNow(other.transport)
        self._finishIfOver()

    def _otherOf(self, end: End) -> End | None:
        return self.outgoing if end is self.accepted else self.accepted

    def _finishIfOver(self) -> None:
        over = self.accepted.gone and (self.outgoing is None or self.outgoing.gone)
        if over and not self._finished:
            self._finished = True
            self._relay._finish(self)
