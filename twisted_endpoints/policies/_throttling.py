"""How much may pass in a second, all connections taken together."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from .._log import Logger
from ._timeouts import callLater, cancel
from ._wrapping import ProtocolWrapper, WrappingFactory

if TYPE_CHECKING:
    from ..interfaces import IAddress

_log = Logger("twisted_endpoints.policies")


class ThrottlingProtocol(ProtocolWrapper):
    """Counts for its `ThrottlingFactory`, and pauses when that says so."""

    producer: Any = None

    def write(self, data: bytes) -> None:
        self.factory.registerWritten(len(data))
        super().write(data)

    def writeSequence(self, seq: Iterable[bytes]) -> None:
        pieces = list(seq)
        self.factory.registerWritten(sum(map(len, pieces)))
        super().writeSequence(pieces)

    def dataReceived(self, data: bytes) -> None:
        self.factory.registerRead(len(data))
        super().dataReceived(data)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self.producer = producer
        super().registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        self.producer = None
        super().unregisterProducer()

    def throttleReads(self) -> None:
        """Read no more for now."""
        self._transport.pauseProducing()

    def unthrottleReads(self) -> None:
        """Read again."""
        self._transport.resumeProducing()

    def throttleWrites(self) -> None:
        """Have the producer pause, if there is one."""
        if self.producer is not None:
            self.producer.pauseProducing()

    def unthrottleWrites(self) -> None:
        """Have the producer go on, if there is one."""
        if self.producer is not None:
            self.producer.resumeProducing()


class ThrottlingFactory(WrappingFactory):
    """
    Limits how many connections there are, and what they read and write, taken together.

    What was too much in one second is waited for in the next.  Only what producers write can wait.

    Args:
        wrappedFactory: the factory to stand before.
        maxConnectionCount: connections above this are closed at once.
        readLimit: bytes a second; None for no limit.
        writeLimit: bytes a second; None for no limit.
    """

    protocol = ThrottlingProtocol

    def __init__(
        self,
        wrappedFactory: Any,
        maxConnectionCount: int = sys.maxsize,
        readLimit: float | None = None,
        writeLimit: float | None = None,
    ) -> None:
        super().__init__(wrappedFactory)
        self.connectionCount = 0
        self.maxConnectionCount = maxConnectionCount
        self.readLimit = readLimit
        self.writeLimit = writeLimit
        self.readThisSecond = 0
        self.writtenThisSecond = 0
        self.unthrottleReadsID: Any = None
        self.checkReadBandwidthID: Any = None
        self.unthrottleWritesID: Any = None
        self.checkWriteBandwidthID: Any = None

    def callLater(self, period: float, func: Callable[[], object]) -> Any:
        """Call a function later; override it to have another clock."""
        return callLater(period, func)

    def registerWritten(self, length: int) -> None:
        """Count bytes that were written."""
        self.writtenThisSecond += length

    def registerRead(self, length: int) -> None:
        """Count bytes that were received."""
        self.readThisSecond += length

    def checkReadBandwidth(self) -> None:
        """Each second: pause all connections if they received too much."""
        assert self.readLimit is not None
        excess = self.readThisSecond / self.readLimit - 1.0
        if excess > 0:
            self.throttleReads()
            self.unthrottleReadsID = self.callLater(excess, self.unthrottleReads)
        self.readThisSecond = 0
        self.checkReadBandwidthID = self.callLater(1, self.checkReadBandwidth)

    def checkWriteBandwidth(self) -> None:
        """Each second: pause all producers if too much was written."""
        assert self.writeLimit is not None
        excess = self.writtenThisSecond / self.writeLimit - 1.0
        if excess > 0:
            self.throttleWrites()
            self.unthrottleWritesID = self.callLater(excess, self.unthrottleWrites)
        self.writtenThisSecond = 0
        self.checkWriteBandwidthID = self.callLater(1, self.checkWriteBandwidth)

    def throttleReads(self) -> None:
        """Have all connections read no more for now."""
        _log.info(f"{self}: too much was read, reading pauses")
        for connection in list(self.protocols):
            connection.throttleReads()

    def unthrottleReads(self) -> None:
        """Have all connections read again."""
        self.unthrottleReadsID = None
        _log.info(f"{self}: reading goes on")
        for connection in list(self.protocols):
            connection.unthrottleReads()

    def throttleWrites(self) -> None:
        """Have all producers pause."""
        _log.info(f"{self}: too much was written, producers pause")
        for connection in list(self.protocols):
            connection.throttleWrites()

    def unthrottleWrites(self) -> None:
        """Have all producers go on."""
        self.unthrottleWritesID = None
        _log.info(f"{self}: producers go on")
        for connection in list(self.protocols):
            connection.unthrottleWrites()

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """
        Wrap what the wrapped factory makes.

        Returns:
            The wrapper; None, by which the connection is refused, when there are too many.
        """
        if self.connectionCount >= self.maxConnectionCount:
            _log.info(f"{self}: more than {self.maxConnectionCount} connections, this one is closed")
            return None
        wrapper = super().buildProtocol(addr)
        if wrapper is not None:
            if self.connectionCount == 0:
                self._startCounting()
            self.connectionCount += 1
        return wrapper

    def _startCounting(self) -> None:
        if self.readLimit is not None:
            self.checkReadBandwidth()
        if self.writeLimit is not None:
            self.checkWriteBandwidth()

    def unregisterProtocol(self, p: Any) -> None:
        """Forget a connection; nothing is counted while there is none."""
        super().unregisterProtocol(p)
        self.connectionCount -= 1
        if self.connectionCount:
            return
        for call in (
            self.unthrottleReadsID,
            self.checkReadBandwidthID,
            self.unthrottleWritesID,
            self.checkWriteBandwidthID,
        ):
            if call is not None:
                cancel(call)
