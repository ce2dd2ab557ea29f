"""Child processes on a terminal."""

from __future__ import annotations

import os
from typing import Any

from zope.interface import implementer

from ...failure import Failure
from ...interfaces import IConsumer, IProcessTransport, IPushProducer
from ..core import Core
from .pipes import ChildWriter, Reader
from .running import Running
from .spawn import Command


@implementer(IProcessTransport, IConsumer, IPushProducer)
class PTYProcess(Running):
    """
    A process on a terminal, which is its input, output and error output in one.

    Args:
        reactor: the reactor.
        command: what to run.
        protocol: its protocol.
        usePTY: True for a new terminal; or a tuple of the descriptors of one, ours and the process's, and its
            name.

    Raises:
        OSError: the system says why it can't be run; descriptors that were given are open then.
    """

    def __init__(
        self, reactor: Core, command: Command, protocol: Any, usePTY: bool | int | tuple[int, int, str]
    ) -> None:
        super().__init__(reactor, command, protocol)
        given = isinstance(usePTY, (tuple, list))
        ours, theirs = usePTY[:2] if isinstance(usePTY, (tuple, list)) else os.openpty()
        try:
            self._start(dict.fromkeys(range(3), theirs), terminal=True)
        except BaseException:
            if not given:
                os.close(ours)
                os.close(theirs)
            raise
        os.close(theirs)
        self._writer: ChildWriter | None = None
        self._reader: Reader | None = None
        self._begin({"terminal": ours})

    def _connect(self, name: str, descriptor: int) -> None:
        # Two descriptors of one terminal, each closed by its owner.
        self._writer = ChildWriter(self.reactor, os.dup(descriptor), self.proto, self._hungUp)
        self._reader = Reader(self.reactor, descriptor, self._received, self._hungUp)

    def _connected(self) -> list[Reader | ChildWriter]:
        return [end for end in (self._reader, self._writer) if end is not None]

    def _received(self, data: bytes) -> None:
        self.proto.childDataReceived(1, data)

    def _hungUp(self, reason: Failure) -> None:
        ends = self._connected()
        self._reader = self._writer = None
        for end in ends:
            end.close(reason)
        if ends:
            self._maybeOver()

    def _input(self) -> ChildWriter | None:
        return self._writer

    def fileno(self) -> int:
        """Return the descriptor of this end of the terminal, -1 once it is closed."""
        return -1 if self._reader is None else self._reader.fileno()

    def loseConnection(self) -> None:
        """Hang up, once what was written is sent."""
        if self._writer is not None:
            self._writer.loseConnection()

    def closeStdin(self) -> None:
        """Do nothing: a terminal is closed as a whole."""

    closeStdout = closeStderr = closeStdin

    def closeChildFD(self, descriptor: int) -> None:
        """Refuse: a terminal is closed as a whole."""
        raise NotImplementedError("a process on a terminal has no single descriptors: use loseConnection")

    def writeToChild(self, childFD: int, data: bytes) -> None:
        """Refuse: a terminal has one input."""
        raise NotImplementedError("a process on a terminal has no single descriptors: use write")
