"""Child processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, AnyStr

from zope.interface import Attribute, Interface

from ._transports import ITransport

if TYPE_CHECKING:
    from ..failure import Failure


class IReactorProcess(Interface):
    """A reactor that starts processes."""

    def spawnProcess(
        processProtocol: IProcessProtocol,
        executable: bytes | str,
        args: Sequence[bytes | str],
        env: Mapping[AnyStr, AnyStr] | None = None,
        path: bytes | str | None = None,
        uid: int | None = None,
        gid: int | None = None,
        usePTY: bool = False,
        childFDs: Mapping[int, int | str] | None = None,
    ) -> IProcessTransport:
        """
        Start a program.  Text is encoded as the file system's names are.

        Args:
            processProtocol: told of what the process writes, and of its end.
            executable: the program's file, best with its full path.
            args: the command line, where the first is the program's name.
            env: the whole environment of the process; None for this process's own.
            path: the working directory; None for this process's own.
            uid: the user to run as; None for this process's own.
            gid: the group to run as; None for this process's own.
            usePTY: give it a pseudo-terminal; a tuple of two descriptors and a name gives it that one.
            childFDs: what each descriptor of the process shall be: ``"r"`` for a pipe that is read here,
                ``"w"`` for one that is written here, a number for that descriptor of this process.  None for
                the usual three pipes.

        Raises:
            OSError: the system has no room for another process (``EAGAIN``, ``ENOMEM``).
        """


class IProcessProtocol(Interface):
    """Handles the events of one process."""

    def makeConnection(process: IProcessTransport) -> None:
        """
        Learn that the process has started.

        Args:
            process: the way to it.
        """

    def childDataReceived(childFD: int, data: bytes) -> None:
        """
        Take what the process has written.

        Args:
            childFD: to which descriptor, by the process's own count.
            data: the bytes.
        """

    def childConnectionLost(childFD: int) -> None:
        """
        Learn that one of the pipes is closed.

        Args:
            childFD: which, by the process's own count.
        """

    def processExited(reason: Failure) -> None:
        """
        Learn that the process has ended; what it wrote may still be on its way.

        Args:
            reason: wraps `error.ProcessDone` or `error.ProcessTerminated`.
        """

    def processEnded(reason: Failure) -> None:
        """
        Learn that the process has ended and all its pipes are closed: nothing comes after this.

        Args:
            reason: wraps `error.ProcessDone` or `error.ProcessTerminated`.
        """


class IProcessTransport(ITransport):
    """The way to a process."""

    pid: int | None = Attribute(
        "The process's number, from before its protocol is connected until it has ended; else None."
    )

    def closeStdin() -> None:
        """Close the process's input once what was written is sent."""

    def closeStdout() -> None:
        """Read no more of the process's output."""

    def closeStderr() -> None:
        """Read no more of the process's error output."""

    def closeChildFD(descriptor: int) -> None:
        """
        Close one of the pipes.

        Args:
            descriptor: which, by the process's own count.
        """

    def writeToChild(childFD: int, data: bytes) -> None:
        """
        Write to one of the pipes.

        Args:
            childFD: which, by the process's own count.
            data: the bytes.

        Raises:
            KeyError: there is no such pipe.
        """

    def loseConnection() -> None:
        """Close the process's input, output and error output."""

    def signalProcess(signalID: str | int) -> None:
        """
        Send a signal.

        Args:
            signalID: ``"KILL"``, ``"TERM"`` or ``"INT"`` (these work everywhere), or a number.

        Raises:
            error.ProcessExitedAlready: the process has ended.
            OSError: the system refuses.
        """
