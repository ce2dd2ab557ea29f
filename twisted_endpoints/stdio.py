"""
Standard input and output as one connection, the twin of `twisted.internet.stdio`.

    StandardIO(protocol)

It is this package's own in either vocabulary, as `endpoints` is: it works on any reactor that is an
`IReactorFDSet`, Twisted's among them.  How it gets by without a change to what the process shares with
others is told in `_stdio`.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import Any

from zope.interface import implementer

from . import error
from ._installed import reactorOr
from ._log import Logger
from ._provided import adapted
from ._stdio.reading import Reader
from ._stdio.writing import Writer
from .defer import Deferred, succeed
from .failure import Failure
from .interfaces import (
    IAddress,
    IConsumer,
    IHalfCloseableDescriptor,
    IHalfCloseableProtocol,
    IListeningPort,
    IProtocol,
    IPushProducer,
    ITransport,
)

__all__ = ["PipeAddress", "StandardIO"]

_log = Logger(__name__)

#: Those that are connected: a descriptor has one at a time.
_connected: weakref.WeakSet[StandardIO] = weakref.WeakSet()


@implementer(IAddress)
class PipeAddress:
    """The address of either end of a `StandardIO`: there is none to tell."""

    def __repr__(self) -> str:
        return "PipeAddress()"

    def __str__(self) -> str:
        return "stdio"


@implementer(ITransport, IPushProducer, IConsumer, IHalfCloseableDescriptor, IListeningPort)
class StandardIO:
    """
    Connects a protocol to standard input and output, at once.

    The end of the input is the end of the connection, as soon as all that was written has been taken; a
    protocol that is an `IHalfCloseableProtocol` is told instead.  If something can't be written, because
    nobody reads or the disk is full, the connection ends with that reason; of a pipe, a protocol that can be
    half closed is told before it tries.  The descriptors stay open at the end.

    It is a listening port too, one that has had its only connection, for whoever gets it from an endpoint.

    Args:
        proto: the protocol.
        stdin: the descriptor to read from; it may be a terminal, a pipe, a file, a socket or closed.
        stdout: the descriptor to write to, likewise; it may be the same.
        reactor: an `IReactorFDSet`; by default the installed one.

    Attributes:
        protocol: the protocol, which may be exchanged; None when the connection is lost.
        disconnecting: it is to end when all is written.
        disconnected: the connection is lost.

    Raises:
        AlreadyListened: one of the descriptors has a protocol.
        OSError: this process can have no more descriptors.
        Exception: what ``connectionMade`` raises; the connection is none then.
    """

    disconnecting = False
    disconnected = False

    def __init__(self, proto: IProtocol, stdin: int = 0, stdout: int = 1, reactor: Any = None) -> None:
        for other in list(_connected):
            if other._isOn(stdin, stdout):
                raise error.AlreadyListened(
                    f"standard input and output have a protocol, {other.protocol!r}, until that is lost"
                )
        self._reactor = reactorOr(reactor)
        self.protocol: Any = proto
        #: Why nothing can be written any more, where the protocol knows and hasn't tried since.
        self._trouble: Failure | None = None
        self._reason: Failure | None = None
        self._endCall: Any = None
        self._waiting: list[Deferred[None]] = []
        self._writer: Writer | None = None
        self._reader: Reader | None = None
        self._stopTrigger = self._reactor.addSystemEventTrigger("during", "shutdown", self._reactorStops)
        try:
            self._writer = Writer(self._reactor, self, stdout)
            self._reader = Reader(self._reactor, self, stdin)
            _connected.add(self)
            self._reader.startReading()
            proto.makeConnection(self)
        except BaseException:
            self._release()
            raise

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.protocol!r}>"

    # The port that it is for an endpoint's user

    def startListening(self) -> None:
        """Do nothing: the only connection there is has been made."""

    def stopListening(self) -> Deferred[None]:
        """Do nothing: no other connection would come.  The Deferred has fired."""
        return succeed(None)

    def whenLost(self) -> Deferred[None]:
        """
        Wait for the end, in a program that ends with it.

        Returns:
            A Deferred that fires with None when the connection is lost and the protocol knows; a cancel stops
            the waiting and nothing else.
        """
        if self.disconnected:
            return succeed(None)
        waiting: Deferred[None] = Deferred(self._waiting.remove)
        self._waiting.append(waiting)
        return waiting

    def getHost(self) -> PipeAddress:
        """Tell that there is no address."""
        return PipeAddress()

    def getPeer(self) -> PipeAddress:
        """Tell that there is no address."""
        return PipeAddress()

    # Writing

    def write(self, data: bytes) -> None:
        """
        Write bytes to standard output; after the connection is lost or half closed, do nothing.

        Raises:
            TypeError: these are no bytes.
        """
        if not isinstance(data, bytes):
            raise TypeError("Data must be bytes")
        if self._writer is not None:
            self._writer.write(data)

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """
        Write the bytes of several objects in order.

        Raises:
            TypeError: one of them is no bytes.
        """
        self.write(b"".join(data))

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """
        Let a producer write, as every `IConsumer` does: 64 KiB unwritten are the most before it is paused.

        Raises:
            RuntimeError: another producer is registered.
        """
        if self._writer is not None:
            self._writer.registerProducer(producer, streaming)
        else:
            producer.stopProducing()

    def unregisterProducer(self) -> None:
        """Forget the producer."""
        if self._writer is not None:
            self._writer.unregisterProducer()

    # Reading

    def pauseProducing(self) -> None:
        """Read nothing until `resumeProducing`."""
        if self._reader is not None:
            self._reader.stopReading()

    def resumeProducing(self) -> None:
        """Read again."""
        if self._reader is not None and not self.disconnecting:
            self._reader.startReading()

    def stopProducing(self) -> None:
        """End the connection: whoever takes what is read wants no more."""
        self.loseConnection()

    startReading = resumeProducing
    stopReading = pauseProducing

    # Ending

    def loseConnection(self) -> None:
        """
        End the connection when all that was written is taken, and no producer waits for its turn.

        Nothing is read any more: what still comes is for the program that reads standard input after this
        one.
        """
        if not (self.disconnected or self.disconnecting):
            self._endWith(Failure(error.ConnectionDone()))

    def loseWriteConnection(self) -> None:
        """
        Tell who reads standard output that no more comes, when all that was written is taken.

        A socket is shut down for writing, and in place of a pipe standard output is the null device from then
        on.  There is no way to tell it by a terminal or a file.
        """
        if self._writer is not None:
            self._writer.finish()

    def abortConnection(self) -> None:
        """End the connection in the reactor's next round; what is unwritten is dropped."""
        if not self.disconnected:
            if self._writer is not None:
                self._writer.drop()
            self.pauseProducing()
            self.disconnecting = True
            self._endSoon(self._trouble or Failure(error.ConnectionAborted()))

    def connectionLost(self, reason: Failure) -> None:
        """End the connection now; what is unwritten goes out as far as there is room for it."""
        if self.disconnected:
            return
        producer = None if self._writer is None else self._writer.producer
        protocol = self.protocol
        self._release()
        if producer is not None:
            self._tell(producer.stopProducing)
        self._tell(protocol.connectionLost, reason)
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.callback(None)

    def readConnectionLost(self, reason: Failure) -> None:
        """Learn from the reader that nothing more comes."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        halfCloseable = self._halfCloseable()
        if halfCloseable is None:
            self._endWith(reason)
        elif self._tell(halfCloseable.readConnectionLost):
            self._endIfNothingIsLeft()

    def writeConnectionLost(self, reason: Failure) -> None:
        """Learn from the writer that what was written is lost."""
        self.connectionLost(reason)

    def _readerGone(self) -> None:
        """
        Learn from the writer that nobody reads what it will write.

        Only a protocol that can be half closed is told; others may have nothing to write.
        """
        halfCloseable = self._halfCloseable()
        if halfCloseable is not None:
            self._trouble = Failure(error.ConnectionLost("nobody reads standard output any more"))
            self._tell(halfCloseable.writeConnectionLost)

    def _allWritten(self) -> None:
        """Learn from the writer, after its `finish`, that nothing is left."""
        if self.disconnecting:
            self.connectionLost(self._reason or Failure(error.ConnectionDone()))
            return
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.endOutput()
            writer.close()
        halfCloseable = self._halfCloseable()
        if halfCloseable is None or self._tell(halfCloseable.writeConnectionLost):
            self._endIfNothingIsLeft()

    def _halfCloseable(self) -> Any:
        """Give the protocol if it can be half closed, else None."""
        return adapted(IHalfCloseableProtocol, self.protocol)

    def _endIfNothingIsLeft(self) -> None:
        if self._reader is None and self._writer is None:
            self.loseConnection()

    def _endWith(self, reason: Failure) -> None:
        """End for a reason when all is written."""
        self.disconnecting = True
        self._reason = reason
        self.pauseProducing()
        if self._writer is not None:
            self._writer.finish()
        else:
            self._endSoon(reason)

    def _endSoon(self, reason: Failure) -> None:
        if self._endCall is None:
            self._endCall = self._reactor.callLater(0, self._end, reason)

    def _end(self, reason: Failure) -> None:
        self._endCall = None
        self.connectionLost(reason)

    def _reactorStops(self) -> None:
        self._stopTrigger = None
        self.connectionLost(Failure(error.ConnectionLost("The reactor has stopped")))

    def _release(self) -> None:
        self.disconnected = True
        _connected.discard(self)
        halves, self._reader, self._writer, self.protocol = (self._reader, self._writer), None, None, None
        for half in halves:
            if half is not None:
                half.close()
        call, self._endCall = self._endCall, None
        if call is not None:
            call.cancel()
        trigger, self._stopTrigger = self._stopTrigger, None
        if trigger is not None:
            self._reactor.removeSystemEventTrigger(trigger)

    def _isOn(self, *numbers: int) -> bool:
        halves = (self._reader, self._writer)
        return any(half is not None and half.isOn(number) for half in halves for number in numbers)

    def _tell(self, function: Callable[..., Any], *args: Any) -> bool:
        """Call what a user wrote; if it raises, log that and end the connection, and return False."""
        try:
            function(*args)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException:
            _log.failure(f"Unhandled error in {getattr(function, '__qualname__', function)!s}")
            self.connectionLost(Failure())
            return False
        return True
