"""
The writing half of a connection: flow control, and what waits until everything is sent.

The loop's transport sends what the kernel takes at once and keeps the rest.  Two things are ours:

- Producers are resumed when nothing is unsent; one that pulls is asked once each time.
- What closes the connection, or its writing side, waits for the same moment.  A loop's own ``close()``
  would wait too, but it stops reading at once, and then a peer that won't read before it has written waits
  for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .._producing import producesNoMore
from .._provided import adapted
from ..failure import Failure
from ..interfaces import IHalfCloseableProtocol
from .raised import logRaised

if TYPE_CHECKING:
    from .core import Core

#: Unsent bytes above which a producer is paused.
BUFFER_SIZE = 64 * 1024

# `Writer._drain`: whether `_drained` is to be called, in the loop's next round or, while it is held, at once
# afterwards.
NOT_DUE, HELD, DUE = range(3)


class Writer(asyncio.Protocol):
    """
    The part of a `Stream` that writes.

    Attributes:
        reactor: the reactor.
        protocol: the user's protocol, None once the connection is lost.
        connected: from just before ``connectionMade`` until just before ``connectionLost``.
        disconnecting: `loseConnection` has been called.
        producer: who was registered to write.
        streamingProducer: it pushes.
        producerPaused: it has been told to pause.
    """

    # A connection is what there are many of.  Those that need more than these get a dictionary.
    __slots__ = (
        "__dict__",
        "_drain",
        "_reason",
        "_transport",
        "_writable",
        "connected",
        "disconnecting",
        "producer",
        "protocol",
        "reactor",
    )

    producerPaused = streamingProducer = False
    #: The loop's buffer is above its limit.
    _full = False
    _writeDisconnecting = _writeDisconnected = False

    def __init__(self, reactor: Core) -> None:
        self.reactor: Any = reactor
        self.protocol: Any = None
        self.connected = self.disconnecting = False
        self.producer: Any = None
        #: The loop's transport.
        self._transport: Any = None
        #: Why the connection ends, where we know better than the loop.
        self._reason: Failure | None = None
        #: What is written now can still be sent.
        self._writable = False
        self._drain = NOT_DUE

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self._scheduleDrained()

    @property
    def _writing(self) -> bool:
        return self.connected and self._transport.get_write_buffer_size() > 0

    def write(self, data: bytes) -> None:
        """
        Send bytes; those that can't be sent at once are kept until they can.

        After the connection is lost, or its writing side is closed, this does nothing.

        Raises:
            TypeError: these are no bytes.
        """
        if not isinstance(data, bytes):
            raise TypeError("Data must be bytes")
        # Closing, and still writable: a write of this round has failed.  asyncio would log each further one.
        if self._writable and not self._transport.is_closing():
            self._transport.write(data)
            if self.producer is not None:
                self._produced()

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        """
        Send the bytes of several objects in order.

        Raises:
            TypeError: one of them is no bytes.
        """
        try:
            data = b"".join(iovec)
        except TypeError:
            raise TypeError("Data must be bytes") from None
        self.write(data)

    def _produced(self) -> None:
        """Throttle whoever may have written just now."""
        ending = self.disconnecting or self._writeDisconnecting
        if not self.streamingProducer:
            if not self._full:
                self._scheduleDrained()
        elif ending and self._transport.get_write_buffer_size() <= BUFFER_SIZE:
            # The end has waited for this producer's turn, and that was it.  `_full` may now mean: not empty.
            self._scheduleDrained()
        elif self._full and not self.producerPaused:
            self.producerPaused = True
            self.producer.pauseProducing()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """
        Have a producer paused while more than 64 KiB are unsent, and resumed when all is sent.

        Args:
            producer: an `IPushProducer` or an `IPullProducer`.
            streaming: true for a push producer; a pull producer is asked for more whenever all is sent.

        Raises:
            RuntimeError: another producer is registered.
        """
        if self.producer is not None:
            raise RuntimeError(
                f"Cannot register producer {producer}: {self.producer} is registered; unregister it first."
            )
        if not self.connected:
            producer.stopProducing()
            return
        self.producer, self.streamingProducer, self.producerPaused = producer, streaming, False
        self._transport.set_write_buffer_limits(BUFFER_SIZE if streaming else 0, 0)
        if not streaming:
            producer.resumeProducing()

    def unregisterProducer(self) -> None:
        """Forget the producer; a `loseConnection` that waited for it goes on."""
        self.producer = None
        if self.connected:
            self._transport.set_write_buffer_limits(BUFFER_SIZE, 0)
            if self.disconnecting or self._writeDisconnecting:
                self._scheduleDrained()

    def _scheduleDrained(self) -> None:
        # In a callback of its own: a close() within resume_writing makes asyncio call connection_lost twice.
        if self._drain == NOT_DUE:
            self.reactor._loop.call_soon(self._drained)
        self._drain = DUE

    def _drained(self) -> None:
        """Do what waits for an empty buffer, if it is empty."""
        self._drain = NOT_DUE
        if not self.connected or self._reason is not None:
            return
        if self._transport.get_write_buffer_size():
            if self.disconnecting or self._writeDisconnecting:
                # From now on `resume_writing` means: empty.
                self._transport.set_write_buffer_limits(0)
            return
        if self.producer is not None and (self.producerPaused or not self.streamingProducer):
            producer, self.producerPaused = self.producer, False
            try:
                producer.resumeProducing()
            except BaseException:
                self._fail("resumeProducing")
            if self.streamingProducer and producesNoMore(producer):
                # Its turn is over.  It may have unsent what it had read before, so in a round of its own.
                self._scheduleDrained()
        elif self.disconnecting:
            self._writable = False
            self._transport.close()
        elif self._writeDisconnecting and not self._writeDisconnected:
            self._endOutput()

    def _endOutput(self) -> None:
        self._writeDisconnected = True
        self._writable = False
        try:
            self._transport.write_eof()
        except OSError:
            # The peer is gone already; reading will tell.
            pass
        halfCloseable = adapted(IHalfCloseableProtocol, self.protocol)
        if halfCloseable is not None:
            try:
                halfCloseable.writeConnectionLost()
            except BaseException:
                self._fail("writeConnectionLost")

    def _abort(self, reason: Failure) -> None:
        self._reason = reason
        self._writable = False
        self._transport.abort()

    def _fail(self, method: str) -> None:
        """Log the exception that is being handled, and close the connection because of it."""
        text = f"Unhandled error in {method} of {self.protocol!r}: its connection is closed"
        logRaised(self.reactor._loop, text)
        if self.connected and self._reason is None:
            self._abort(Failure())
