"""Standard output: what waits to be written, who produces it, and what happens when all is written."""

from __future__ import annotations

import os
import select
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from .._log import Logger
from .._producing import producesNoMore
from .._reasons import lostReason
from ..failure import Failure
from ..interfaces import IWriteDescriptor
from .watching import Half

if TYPE_CHECKING:
    from ..stdio import StandardIO

_log = Logger(__name__)

#: Unwritten bytes above which a producer is paused.
BUFFER_SIZE = 64 * 1024

#: How many bytes one call writes at most: a slow disk is not to hold up all else for long.
PIECE = 1 << 20


@implementer(IWriteDescriptor)
class Writer(Half):
    """
    Writes what it is given when there is room.

    Args:
        reactor: an `IReactorFDSet`.
        owner: told when all is written after `finish`, and when writing fails.
        number: the descriptor.

    Attributes:
        producer: who was registered to write.
        streamingProducer: it pushes.
        producerPaused: it has been told to pause.
    """

    def __init__(self, reactor: Any, owner: StandardIO, number: int) -> None:
        super().__init__(reactor, owner, number, os.O_WRONLY)
        self._unwritten = bytearray()
        self._finishing = False
        self._idleCall: Any = None
        self.producer: Any = None
        self.streamingProducer = self.producerPaused = False
        #: A pipe can tell that nobody reads it before anything is written.
        self._tellsOfReader = self._epoll is not None and self._file.isPipe
        if self._tellsOfReader:
            self._reactor.addReader(self)

    # What the owner asks for

    def write(self, data: bytes) -> None:
        """Write when there is room."""
        if data and not self._closed:
            self._unwritten += data
            pushes = self.streamingProducer and not self.producerPaused
            if pushes and len(self._unwritten) > BUFFER_SIZE:
                self.producerPaused = True
                self.producer.pauseProducing()
            self.startWriting()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """
        Have a producer paused and resumed, or asked for more.

        Raises:
            RuntimeError: there is one already.
        """
        if self.producer is not None:
            raise RuntimeError(f"unregister {self.producer} before registering {producer}")
        self.producer, self.streamingProducer, self.producerPaused = producer, streaming, False
        if not streaming:
            producer.resumeProducing()

    def unregisterProducer(self) -> None:
        """Forget the producer; a `finish` that waited for it goes on."""
        self.producer, self.streamingProducer = None, False
        if self._finishing:
            self.finish()

    def finish(self) -> None:
        """Tell the owner when all is written, and no producer waits for its turn."""
        self._finishing = True
        if self._unwritten:
            self.startWriting()  # somebody may have stopped it
        elif self._idleCall is None and not self._closed:
            self._idleCall = self._reactor.callLater(0, self._idle)

    def drop(self) -> None:
        """Forget what is unwritten."""
        self._unwritten.clear()

    def endOutput(self) -> None:
        """Tell who reads that no more comes."""
        self._file.endOutput()

    def close(self) -> None:
        """Write what there is room for now, and no more."""
        if self._closed:
            return
        try:
            while self._unwritten:
                self._writePiece()
        except OSError:
            pass
        self.drop()
        if self._idleCall is not None:
            self._idleCall.cancel()
            self._idleCall = None
        super().close()

    # What the reactor tells

    def startWriting(self) -> None:
        """Wait for room."""
        if self._epoll is None:
            self._reactor.addWriter(self)
        else:
            self._epoll.modify(self._file.number, select.EPOLLOUT)
            self._reactor.addReader(self)

    def stopWriting(self) -> None:
        """Wait no longer for room."""
        if self._epoll is None:
            self._reactor.removeWriter(self)
        else:
            self._epoll.modify(self._file.number, 0)
            if not self._tellsOfReader:
                self._reactor.removeReader(self)

    def doRead(self) -> None:
        """Hear from the epoll: there is room, or nobody reads any more."""
        if self._closed:
            return
        if self._unwritten:
            self.doWrite()
            return
        # Told once, and again by the next write.
        self._tellsOfReader = False
        self.stopWriting()
        self._owner._readerGone()

    def doWrite(self) -> None:
        if self._closed:
            return
        try:
            if self._unwritten:
                self._writePiece()
        except BlockingIOError:
            return
        except OSError as error:
            self.drop()
            self._owner.writeConnectionLost(lostReason(error))
            return
        if not self._unwritten:
            self.stopWriting()
            self._drained()

    def _writePiece(self) -> None:
        with memoryview(self._unwritten) as whole, whole[:PIECE] as piece:
            written = self._file.write(piece)
        del self._unwritten[:written]

    def _idle(self) -> None:
        self._idleCall = None
        if not self._unwritten:
            self._drained()

    def _drained(self) -> None:
        if self.producer is not None and (self.producerPaused or not self.streamingProducer):
            producer, self.producerPaused = self.producer, False
            try:
                producer.resumeProducing()
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException:
                _log.failure("Unhandled error in resumeProducing: standard input and output are done with")
                self.connectionLost(Failure())
                return
            if self._finishing and self.streamingProducer and producesNoMore(producer):
                self.finish()
        elif self._finishing:
            self._owner._allWritten()
