"""
Run a program and get what it wrote, or its exit status; call a function without some warnings.

The twin of `twisted.internet.utils`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from io import BytesIO
from typing import Any, ParamSpec, TypeVar

from ._installed import reactorOr
from .defer import Deferred
from .failure import Failure
from .protocol import ProcessProtocol

__all__ = [
    "getProcessOutput",
    "getProcessOutputAndValue",
    "getProcessValue",
    "runWithWarningsSuppressed",
    "suppressWarnings",
]

_P = ParamSpec("_P")
_T = TypeVar("_T")

#: What `warnings.filterwarnings` is to be called with.
_Filter = tuple[Sequence[Any], Mapping[str, Any]]


class _UnexpectedErrorOutput(OSError):
    """
    A program wrote to its error output, where nobody expected it.

    Args:
        text: what it wrote first.
        processEnded: fires with the program's end, as an error.
    """

    def __init__(self, text: bytes, processEnded: Deferred[Any]) -> None:
        super().__init__(f"got stderr: {text!r}")
        self.processEnded = processEnded


class _BackRelay(ProcessProtocol):
    """
    Collects output.

    Args:
        deferred: fires with all of it, when the program has ended; or fails at the first error output.
        errortoo: true to collect error output as well, where it comes.
    """

    def __init__(self, deferred: Deferred[bytes], errortoo: bool | int = 0) -> None:
        self.deferred: Deferred[bytes] | None = deferred
        self.s = BytesIO()
        self._errorToo = errortoo

    def outReceived(self, data: bytes) -> None:
        self.s.write(data)

    def errReceived(self, data: bytes) -> None:
        if self._errorToo:
            self.s.write(data)
        elif self.deferred is not None:
            deferred, self.deferred = self.deferred, None
            self.onProcessEnded: Deferred[Any] = Deferred()
            deferred.errback(_UnexpectedErrorOutput(data, self.onProcessEnded))
            assert self.transport is not None
            self.transport.loseConnection()

    def processEnded(self, reason: Failure) -> None:
        if self.deferred is not None:
            self.deferred.callback(self.s.getvalue())
        else:
            self.onProcessEnded.errback(reason)


class _ValueGetter(ProcessProtocol):
    """
    Waits for the exit status.

    Args:
        deferred: fires with it.
    """

    def __init__(self, deferred: Deferred[int]) -> None:
        self.deferred = deferred

    def processEnded(self, reason: Failure) -> None:
        self.deferred.callback(reason.value.exitCode)


class _EverythingGetter(ProcessProtocol):
    """
    Collects output, error output and the exit status.

    Args:
        deferred: fires with the three; fails with the signal in the status' place, if one ended the program.
        stdinBytes: what to write to the program; None to leave its input alone.
    """

    def __init__(self, deferred: Deferred[tuple[bytes, bytes, int]], stdinBytes: bytes | None = None) -> None:
        self.deferred = deferred
        self.stdinBytes = stdinBytes
        self._written = {1: BytesIO(), 2: BytesIO()}

    def connectionMade(self) -> None:
        if self.stdinBytes is not None:
            assert self.transport is not None
            self.transport.writeToChild(0, self.stdinBytes)
            self.transport.closeStdin()

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        self._written[childFD].write(data)

    def processEnded(self, reason: Failure) -> None:
        written = [buffer.getvalue() for buffer in self._written.values()]
        ended: Any = reason.value
        if ended.signal:
            # As Twisted has it: three values, and no exception.
            self.deferred.errback((*written, ended.signal))  # type: ignore[arg-type]
        else:
            self.deferred.callback((*written, ended.exitCode))


def _run(
    protocol: Callable[[Deferred[Any]], ProcessProtocol],
    executable: bytes | str,
    args: Sequence[bytes | str],
    env: Mapping[Any, Any] | None,
    path: bytes | str | None,
    reactor: Any,
) -> Deferred[Any]:
    if isinstance(args, (str, bytes)):
        raise TypeError(f"args must be a list of arguments, not {args!r}")
    deferred: Deferred[Any] = Deferred()
    reactorOr(reactor).spawnProcess(protocol(deferred), executable, (executable, *args), env, path)
    return deferred


def getProcessOutput(
    executable: bytes | str,
    args: Sequence[bytes | str] = (),
    env: Mapping[Any, Any] | None = {},
    path: bytes | str | None = None,
    reactor: Any = None,
    errortoo: bool | int = 0,
) -> Deferred[bytes]:
    """
    Run a program, and get what it wrote.

    Args:
        executable: the program's file, best with its full path.
        args: its arguments, without its name.
        env: its whole environment: by default an empty one; None for this process's own.
        path: the folder to run it in; None for this process's own.
        reactor: an `IReactorProcess`; by default the installed reactor.
        errortoo: true to have what it wrote to its error output as well, in the order in which it came.

    Returns:
        A Deferred that fires with the output when the program has ended, whatever its status.  Without
        `errortoo`, it fails with an `OSError` as soon as there is error output, whose attribute
        ``processEnded`` is a Deferred that fails with the program's end; its pipes are closed.

    Raises:
        OSError: the program can't be run.
    """
    return _run(lambda deferred: _BackRelay(deferred, errortoo), executable, args, env, path, reactor)


def getProcessValue(
    executable: bytes | str,
    args: Sequence[bytes | str] = (),
    env: Mapping[Any, Any] | None = {},
    path: bytes | str | None = None,
    reactor: Any = None,
) -> Deferred[int]:
    """
    Run a program, and get its exit status.

    Args:
        executable: as for `getProcessOutput`, and so are the others.
        args: its arguments.
        env: its environment.
        path: the folder to run it in.
        reactor: an `IReactorProcess`.

    Returns:
        A Deferred that fires with the status when the program has ended; with None if a signal ended it.

    Raises:
        OSError: the program can't be run.
    """
    return _run(_ValueGetter, executable, args, env, path, reactor)


def getProcessOutputAndValue(
    executable: bytes | str,
    args: Sequence[bytes | str] = (),
    env: Mapping[Any, Any] | None = {},
    path: bytes | str | None = None,
    reactor: Any = None,
    stdinBytes: bytes | None = None,
) -> Deferred[tuple[bytes, bytes, int]]:
    """
    Run a program, and get what it wrote and its exit status.

    Args:
        executable: as for `getProcessOutput`, and so are the others.
        args: its arguments.
        env: its environment.
        path: the folder to run it in.
        reactor: an `IReactorProcess`.
        stdinBytes: what it shall read, and then the end of its input; None to leave its input open.

    Returns:
        A Deferred that fires with output, error output and status when the program has ended.  If a signal
        ended it, it fails, with a failure whose value is output, error output and the signal's number.

    Raises:
        OSError: the program can't be run.
        TypeError: `stdinBytes` isn't bytes.
    """
    if not isinstance(stdinBytes, (bytes, type(None))):
        # Found out when the program runs, it would wait for its input for ever.
        raise TypeError(f"stdinBytes must be bytes, not {stdinBytes!r}")
    return _run(
        lambda deferred: _EverythingGetter(deferred, stdinBytes), executable, args, env, path, reactor
    )


def _restoreFilters(passedOn: _T, added: Iterable[Any]) -> _T:
    """Take filters for warnings away that are there still, and return what came in."""
    for one in added:
        if one in warnings.filters:
            warnings.filters.remove(one)  # type: ignore[attr-defined]  # a list, whatever typeshed says
    return passedOn


def runWithWarningsSuppressed(
    suppressedWarnings: Sequence[_Filter], f: Callable[_P, _T], *a: _P.args, **kw: _P.kwargs
) -> _T:
    """
    Call a function without some warnings; the filters are the process's, so other threads are affected too.

    Args:
        suppressedWarnings: the warnings, each as a pair of arguments and keyword arguments for
            `warnings.filterwarnings`.
        f: the function; if it returns a Deferred, the warnings are suppressed until that has fired.
        a: its arguments.
        kw: its keyword arguments.

    Returns:
        What the function returns.
    """
    for args, kwargs in suppressedWarnings:
        warnings.filterwarnings(*args, **kwargs)
    added = warnings.filters[: len(suppressedWarnings)]
    waits = False
    try:
        result = f(*a, **kw)
        if isinstance(result, Deferred):
            waits = True
            result.addBoth(_restoreFilters, added)
    finally:
        if not waits:
            _restoreFilters(None, added)
    return result


def suppressWarnings(f: Callable[_P, _T], *suppressedWarnings: _Filter) -> Callable[_P, _T]:
    """
    Wrap a function, so that it is called as `runWithWarningsSuppressed` does.

    Args:
        f: the function.
        suppressedWarnings: the warnings.
    """

    @wraps(f)
    def withoutThem(*a: _P.args, **kw: _P.kwargs) -> _T:
        return runWithWarningsSuppressed(suppressedWarnings, f, *a, **kw)

    return withoutThem
