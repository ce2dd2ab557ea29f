"""Standard input."""

from __future__ import annotations

import os
import select
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from .._log import Logger
from .._reasons import lostReason
from ..failure import Failure
from ..interfaces import IReadDescriptor
from .watching import Half

if TYPE_CHECKING:
    from ..stdio import StandardIO

_log = Logger(__name__)

#: How many bytes to read at once: what a pipe holds.
SIZE = 64 * 1024


@implementer(IReadDescriptor)
class Reader(Half):
    """
    Reads, and hands what it reads to the owner's protocol.

    Args:
        reactor: an `IReactorFDSet`.
        owner: told of the end of the input.
        number: the descriptor.
    """

    def __init__(self, reactor: Any, owner: StandardIO, number: int) -> None:
        super().__init__(reactor, owner, number, os.O_RDONLY)
        if self._epoll is not None:
            self._epoll.modify(self._file.number, select.EPOLLIN)

    def startReading(self) -> None:
        """Read when there is something to read."""
        if not self._closed:
            self._reactor.addReader(self)

    def stopReading(self) -> None:
        """Leave what comes where it is."""
        self._reactor.removeReader(self)

    def doRead(self) -> None:
        if self._closed:
            return  # by something else, in the same round of the reactor
        try:
            data = self._file.read(SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            self._owner.readConnectionLost(lostReason(error))
            return
        if not data:
            self._owner.readConnectionLost(lostReason(None))
            return
        try:
            self._owner.protocol.dataReceived(data)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException:
            _log.failure("Unhandled error in dataReceived: standard input and output are done with")
            self.connectionLost(Failure())
