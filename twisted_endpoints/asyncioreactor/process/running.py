"""
What is the same of each child process, however it is connected: itself, its end, and its standard input.

A process is over when two things have happened, in either order: it has exited, and everything that it was
connected by is closed.  What it has started itself may hold its pipes open for longer than it lives.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Mapping
from typing import Any

from ... import error
from ...address import _ProcessAddress
from ...failure import Failure
from ..core import Core
from ..raised import calledLogged
from .ending import Child
from .pipes import ChildWriter, Reader
from .spawn import Command, spawn


def signalNumber(signalID: str | int) -> int:
    """
    Find the number of a signal.

    Args:
        signalID: its name, as ``"TERM"`` or ``"SIGTERM"``, or its number; 0 is sent to see whether there is
            somebody to get it.

    Raises:
        ValueError: there is no such signal.
    """
    if isinstance(signalID, int) and (signalID == 0 or signalID in signal.valid_signals()):
        return signalID
    found = getattr(signal, f"SIG{str(signalID).removeprefix('SIG')}", None)
    if not isinstance(found, signal.Signals):
        raise ValueError(f"there is no signal {signalID!r}: give a name such as 'TERM', or a number")
    return found


def endReason(status: int | None) -> error.ProcessDone | error.ProcessTerminated:
    """Say how a process ended, by what `os.waitpid` says; by None, that nobody knows."""
    if status is None:
        return error.ProcessTerminated()
    if os.WIFSIGNALED(status):
        return error.ProcessTerminated(None, os.WTERMSIG(status), status)
    code = os.WEXITSTATUS(status)
    return error.ProcessTerminated(code, None, status) if code else error.ProcessDone(status)


class Running:
    """
    What is the same with pipes and with a terminal: the process itself, and its end.

    Attributes:
        pid: the process's number; None once it has exited.
        status: how it ended, as `os.waitpid` says; None before.
        proto: its protocol, None once it has been told of the end.
    """

    def __init__(self, reactor: Core, command: Command, protocol: Any) -> None:
        self.reactor: Any = reactor
        self.proto = protocol
        self.status: int | None = None
        self.pid: int | None = None
        self._command = command
        self._exited = False

    def __repr__(self) -> str:
        state = f"pid={self.pid}" if self.pid is not None else f"status={self.status}"
        return f"<{type(self).__name__} {os.fsdecode(self._command.executable)!r} {state}>"

    def _start(self, fds: Mapping[int, int], terminal: bool) -> None:
        """Start the program; `OSError` says why not."""
        self.pid = spawn(self._command, fds, terminal)

    def _begin(self, descriptors: dict[Any, int]) -> None:
        """
        Connect what leads to the process, tell the protocol, and wait for the end.

        Args:
            descriptors: this process's ends, by what `_connect` knows them by.
        """
        assert self.pid is not None
        try:
            for name in list(descriptors):
                self._connect(name, descriptors[name])
                del descriptors[name]
            self._child = Child(self.reactor._loop, self.pid, self._childEnded)
        except BaseException as e:
            # Nobody will know that it runs.
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.proto = None
            for end in self._connected():
                end.close(Failure(e))
            for descriptor in descriptors.values():
                os.close(descriptor)
            raise
        self.reactor._open[self] = None
        self._tell("makeConnection", self)

    def _connect(self, name: Any, descriptor: int) -> None:
        """Take over one descriptor that leads to the process."""
        raise NotImplementedError

    def _connected(self) -> list[Reader | ChildWriter]:
        """List what it is still connected by."""
        raise NotImplementedError

    def _childEnded(self, status: int | None) -> None:
        self._exited = True
        self.status = status
        self.pid = None
        self._tell("processExited", Failure(endReason(status)))
        self._maybeOver()

    def _maybeOver(self) -> None:
        if self._exited and not self._connected():
            self.reactor._open.pop(self, None)
            self._tell("processEnded", Failure(endReason(self.status)))
            self.proto = None

    def _tell(self, method: str, *args: object) -> None:
        if self.proto is not None:
            calledLogged(f"Unhandled error in {method} of {self.proto!r}", getattr(self.proto, method), *args)

    def signalProcess(self, signalID: str | int) -> None:
        """
        Send a signal.

        Args:
            signalID: its name, such as ``"TERM"``, or its number.

        Raises:
            ProcessExitedAlready: the process has exited.
            ValueError: there is no such signal.
        """
        number = signalNumber(signalID)
        if self.pid is None:
            raise error.ProcessExitedAlready()
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            raise error.ProcessExitedAlready() from None

    # What the reactor asks

    @property
    def _reading(self) -> bool:
        return True

    @property
    def _writing(self) -> bool:
        return any(isinstance(end, ChildWriter) and end._writing for end in self._connected())

    def _shutdown(self) -> None:
        reason = Failure(error.ConnectionLost("The reactor has stopped"))
        for end in self._connected():
            end.close(reason)
        self._child.check()
        if not self._exited:
            self._child.leave()
            # Nobody will tell of its end; a protocol of streams wants to know.
            left = getattr(self.proto, "_processLeft", None)
            if left is not None:
                calledLogged(f"Unhandled error in connectionLost of {self.proto!r}", left, reason)
            self.proto = None

    # ITransport; what both kinds write and read by

    def getHost(self) -> _ProcessAddress:
        """Return an address that says nothing but that this is a process."""
        return _ProcessAddress()

    getPeer = getHost

    def pauseProducing(self) -> None:
        """Read nothing from the process."""
        for end in self._connected():
            if isinstance(end, Reader):
                end.pauseProducing()

    def resumeProducing(self) -> None:
        """Read on."""
        for end in self._connected():
            if isinstance(end, Reader):
                end.resumeProducing()

    def stopProducing(self) -> None:
        """Close what the process is connected by: whoever consumes its output wants no more."""
        self.loseConnection()

    def loseConnection(self) -> None:
        raise NotImplementedError

    def abortConnection(self) -> None:
        """Kill the process, and close all that it is connected by; what is unsent is dropped."""
        try:
            self.signalProcess("KILL")
        except error.ProcessExitedAlready:
            pass
        for end in self._connected():
            end.abortConnection()

    def _input(self) -> ChildWriter | None:
        """Give what leads to the process's standard input, while that is open."""
        raise NotImplementedError

    def write(self, data: bytes) -> None:
        """Write to the process's standard input; if there is none, this does nothing."""
        writer = self._input()
        if writer is not None:
            writer.write(data)

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Write several pieces to the process's standard input; if there is none, this does nothing."""
        writer = self._input()
        if writer is not None:
            writer.writeSequence(data)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Have a producer write to the process's standard input; without one, the producer is stopped."""
        writer = self._input()
        if writer is not None:
            writer.registerProducer(producer, streaming)
        else:
            producer.stopProducing()

    def unregisterProducer(self) -> None:
        """Forget the producer."""
        writer = self._input()
        if writer is not None:
            writer.unregisterProducer()
