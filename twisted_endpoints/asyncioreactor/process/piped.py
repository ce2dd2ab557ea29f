"""A child process whose descriptors are pipes, or descriptors of this process."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from typing import Any

from zope.interface import implementer

from ...failure import Failure
from ...interfaces import IConsumer, IProcessTransport, IPushProducer
from ..core import Core
from .pipes import ChildWriter, Reader
from .running import Running
from .spawn import Command

#: What the descriptors of a process are by default: input, output, error output.
STANDARD: Mapping[int, int | str] = {0: "w", 1: "r", 2: "r"}


@implementer(IProcessTransport, IConsumer, IPushProducer)
class Process(Running):
    """
    A process with pipes.

    Args:
        reactor: the reactor.
        command: what to run.
        protocol: its protocol; None for a process without pipes.
        childFDs: what each of its descriptors is, as for `spawnProcess`.

    Raises:
        OSError: the system says why it can't be run.
        ValueError: these are no descriptors, or they are pipes and nobody is to use them.

    Attributes:
        pipes: what is open, by the process's own count of descriptors.
    """

    def __init__(
        self, reactor: Core, command: Command, protocol: Any, childFDs: Mapping[int, int | str] = STANDARD
    ) -> None:
        super().__init__(reactor, command, protocol)
        self.pipes: dict[int, Reader | ChildWriter] = {}
        if protocol is None and not all(isinstance(target, int) for target in childFDs.values()):
            raise ValueError("a process with pipes needs a protocol")
        fds: dict[int, int] = {}
        ours: dict[int, int] = {}
        try:
            for number, target in childFDs.items():
                if not isinstance(number, int) or number < 0:
                    raise ValueError(f"a descriptor's number is from 0 on, not {number!r}")
                match target:
                    case "r":
                        ours[number], fds[number] = os.pipe()
                    case "w":
                        fds[number], ours[number] = os.pipe()
                    case int():
                        fds[number] = target
                    case _:
                        raise ValueError(f"descriptor {number} can be 'r', 'w' or a number, not {target!r}")
            self._start(fds, terminal=False)
        except BaseException:
            for descriptor in ours.values():
                os.close(descriptor)
            raise
        finally:
            for number in ours:
                os.close(fds[number])
        self._begin({(number, childFDs[number]): descriptor for number, descriptor in ours.items()})

    def _connect(self, name: tuple[int, str], descriptor: int) -> None:
        number, direction = name
        lost = partial(self._pipeLost, number)
        if direction == "r":
            self.pipes[number] = Reader(self.reactor, descriptor, partial(self._received, number), lost)
        else:
            self.pipes[number] = ChildWriter(self.reactor, descriptor, self.proto, lost)

    def _connected(self) -> list[Reader | ChildWriter]:
        return list(self.pipes.values())

    def _received(self, number: int, data: bytes) -> None:
        self.proto.childDataReceived(number, data)

    def _pipeLost(self, number: int, reason: Failure) -> None:
        del self.pipes[number]
        self._tell("childConnectionLost", number)
        self._maybeOver()

    def _input(self) -> ChildWriter | None:
        found = self.pipes.get(0)
        return found if isinstance(found, ChildWriter) else None

    def writeToChild(self, childFD: int, data: bytes) -> None:
        """
        Write to one of the pipes.

        Raises:
            KeyError: there is no such pipe to write to, or it is closed.
        """
        found = self.pipes[childFD]
        if not isinstance(found, ChildWriter):
            raise KeyError(childFD)
        found.write(data)

    def closeChildFD(self, descriptor: int) -> None:
        """Close one of the pipes, once what was written is sent; one that is closed already is no error."""
        if descriptor in self.pipes:
            self.pipes[descriptor].loseConnection()

    def closeStdin(self) -> None:
        """Close the process's input once what was written is sent."""
        self.closeChildFD(0)

    def closeStdout(self) -> None:
        """Read no more of the process's output."""
        self.closeChildFD(1)

    def closeStderr(self) -> None:
        """Read no more of the process's error output."""
        self.closeChildFD(2)

    def loseConnection(self) -> None:
        """Close the process's input, output and error output."""
        for descriptor in STANDARD:
            self.closeChildFD(descriptor)
