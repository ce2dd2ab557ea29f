"""
Child processes as streams: what the process reads is written, and what it writes is received.

The connection lasts as long as the process, not as long as its output: a process may close that and go on
reading.  A protocol that can be half closed (`IHalfCloseableProtocol`) is told of either end.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from constantly import NamedConstant, Names
from zope.interface import classImplements, implementer

from .._log import Logger
from .._provided import adapted
from ..address import _ProcessAddress
from ..defer import Deferred, fail, succeed
from ..error import ConnectionDone, NoProtocol, ProcessDone, ProcessExitedAlready
from ..failure import Failure
from ..interfaces import (
    IConsumer,
    IHalfCloseableProtocol,
    IProcessTransport,
    IProtocol,
    IProtocolFactory,
    IPushProducer,
    IStreamClientEndpoint,
)
from ..protocol import ProcessProtocol
from .wrapping import answered

_log = Logger(__name__)

#: Of one piece of error output, so much is logged.
_LOGGED = 2000


class StandardErrorBehavior(Names):  # type: ignore[misc]  # constantly has no types
    """
    What becomes of a process's error output.

    Attributes:
        LOG: it is logged, as a warning; of a large piece, the beginning.
        DROP: it is read, and dropped.
    """

    LOG = NamedConstant()
    DROP = NamedConstant()


class _IProcessTransportWithConsumerAndProducer(IProcessTransport, IConsumer, IPushProducer):
    """What `_ProcessEndpointTransport` passes on."""


class _ProcessEndpointTransport:
    """
    The transport that an endpoint's protocol gets.

    It has the names of `_IProcessTransportWithConsumerAndProducer`, and two that streams have; whatever else
    a reactor's process transport has is not for programs that are to run on any reactor.

    Args:
        original: the reactor's transport.
    """

    if TYPE_CHECKING:
        closeStdin: Any
        closeStdout: Any
        loseConnection: Any
        signalProcess: Any

    def __init__(self, original: Any) -> None:
        self._process = original

    def __getattr__(self, name: str) -> Any:
        if name not in _IProcessTransportWithConsumerAndProducer:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self._process, name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._process!r}>"

    def loseWriteConnection(self) -> None:
        """Close the process's input, when all that was written is sent; its output is read on."""
        self._process.closeStdin()

    def abortConnection(self) -> None:
        """Kill the process, and close all that it is connected by; what is unsent is dropped."""
        abort = getattr(self._process, "abortConnection", None)
        if abort is not None:
            abort()
            return
        # A reactor of Twisted's, which closes the process's input when what was written is sent.
        try:
            self._process.signalProcess("KILL")
        except ProcessExitedAlready:
            pass
        self._process.loseConnection()


classImplements(_ProcessEndpointTransport, _IProcessTransportWithConsumerAndProducer)


class _WrapIProtocol(ProcessProtocol):
    """
    Makes the events of a process those of a stream.

    Args:
        proto: the stream's protocol.
        executable: the program's file, for the log.
        errFlag: what becomes of the error output, a constant of `StandardErrorBehavior`.

    Attributes:
        failure: what the protocol raised; the process is killed because of it.
    """

    transport: Any = None

    def __init__(self, proto: Any, executable: bytes | str, errFlag: NamedConstant) -> None:
        self.protocol = proto
        self.executable = executable
        self.errFlag = errFlag
        self.failure: Failure | None = None
        self._exited = self._outputEnded = False

    def makeConnection(self, process: Any) -> None:
        """
        Connect the protocol.

        Args:
            process: the reactor's transport of the process.
        """
        self.transport = _ProcessEndpointTransport(process)
        try:
            self.protocol.makeConnection(self.transport)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException:
            self._abort()

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        """Give output to the protocol, and log or drop error output; other descriptors are nobody's."""
        if childFD == 1:
            try:
                self.protocol.dataReceived(data)
            except BaseException:
                self._abort()
                raise
        elif childFD == 2 and self.errFlag == StandardErrorBehavior.LOG:
            shown = f"{data[:_LOGGED]!r}" + (f" and {len(data) - _LOGGED} bytes" if data[_LOGGED:] else "")
            _log.warning(
                f"Process {self.executable!r} wrote stderr unhandled by {self.protocol}: {shown}",
                executable=self.executable,
                protocol=self.protocol,
                data=data,
            )

    def childConnectionLost(self, childFD: int) -> None:
        """Tell a protocol that can be half closed, and end the connection if the process has exited."""
        if childFD == 1:
            self._outputEnded = True
        method = {0: "writeConnectionLost", 1: "readConnectionLost"}.get(childFD)
        halfCloseable = adapted(IHalfCloseableProtocol, self.protocol)
        if method is not None and halfCloseable is not None:
            try:
                getattr(halfCloseable, method)()
            except BaseException:
                self._abort()
                raise
        self._maybeOver()

    def processExited(self, reason: Failure) -> None:
        self._exited = True
        self._maybeOver()

    def _maybeOver(self) -> None:
        if self._exited and self._outputEnded:
            # Something that the process has left behind may hold its input or error output for ever.
            self.transport.loseConnection()

    def processEnded(self, reason: Failure) -> None:
        """Tell the protocol: of an exit with status 0 by `ConnectionDone`, else by `ProcessTerminated`."""
        if reason.check(ProcessDone) and reason.value.status == 0:
            reason = Failure(ConnectionDone())
        # Let go of: its traceback holds this object.
        failure, self.failure = self.failure, None
        self.protocol.connectionLost(failure or reason)

    def _processLeft(self, reason: Failure) -> None:
        """Tell the protocol that the reactor has stopped before the process did."""
        self.protocol.connectionLost(reason)

    def _abort(self) -> None:
        self.failure = Failure()
        self.transport.abortConnection()


@implementer(IStreamClientEndpoint)
class ProcessEndpoint:
    """
    Starts a program, and connects to its standard input and output.

    Args:
        reactor: an `IReactorProcess`.
        executable: the program's file.  On `AsyncioReactor`, one without a slash is looked for in the
            ``PATH`` that `env` has.
        args: the command line, where the first is the program's name; by default the executable alone.
        env: the whole environment of the process: by default an empty one; None for this process's own.
        path: the folder to run it in; None for this process's own.
        uid: the user to run it as; None for this process's own.
        gid: the group to run it as; None for this process's own.
        usePTY: give it a terminal, whose output has the error output in it; a tuple of two descriptors and a
            name gives it that one.
        childFDs: what each descriptor of the process shall be, as `IReactorProcess.spawnProcess` has it; the
            stream is what 0 and 1 are.  None for three pipes.
        errFlag: what becomes of the error output, a constant of `StandardErrorBehavior`.
    """

    def __init__(
        self,
        reactor: Any,
        executable: bytes | str,
        args: Sequence[bytes | str] = (),
        env: Mapping[Any, Any] | None = {},
        path: bytes | str | None = None,
        uid: int | None = None,
        gid: int | None = None,
        usePTY: bool | int | tuple[int, int, str] = 0,
        childFDs: Mapping[int, int | str] | None = None,
        errFlag: NamedConstant = StandardErrorBehavior.LOG,
    ) -> None:
        self._reactor = reactor
        self._executable = executable
        self._args = args
        self._env = env
        self._path = path
        self._uid = uid
        self._gid = gid
        self._usePTY = usePTY
        self._childFDs = childFDs
        self._errFlag = errFlag
        #: What starts the process, if not the reactor; for tests.
        self._spawnProcess: Any = None

    def __repr__(self) -> str:
        # A word may be what `connect` will refuse.
        words = (self._executable, *self._args[1:])
        shown = [os.fsdecode(word) if isinstance(word, bytes) else str(word) for word in words]
        return f"<{type(self).__name__} {shlex.join(shown)}>"

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """
        Start the program.

        The protocol's connection is lost when the process has exited and nothing more can be read.  Its
        reason is `error.ConnectionDone` for the exit status 0, and `error.ProcessTerminated` for others and
        for signals.

        Returns:
            A Deferred that has fired with the protocol, or failed: with the system's `OSError` if the program
            can't be run, with `error.NoProtocol` if the factory made no protocol, or with what the factory or
            `connectionMade` raised; the process is killed then.  There is nothing to cancel.
        """
        return answered(lambda: self._start(protocolFactory))

    def _start(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        protocol: Any = protocolFactory.buildProtocol(_ProcessAddress())
        if protocol is None:
            raise NoProtocol()
        wrapping = _WrapIProtocol(protocol, self._executable, self._errFlag)
        spawn = self._spawnProcess or self._reactor.spawnProcess
        spawn(
            wrapping,
            self._executable,
            # Not every reactor takes an empty command line, and no program counts on it.
            self._args or (self._executable,),
            env=self._env,
            path=self._path,
            uid=self._uid,
            gid=self._gid,
            usePTY=self._usePTY,
            childFDs=self._childFDs,
        )
        failure = wrapping.failure
        return succeed(protocol) if failure is None else fail(failure)
