"""
Failure: an exception as a value, with its traceback, that can wait for somebody to handle it.

An exception travels up the stack, and where a result comes later there is no stack to travel.  A `Failure`
carries it from callback to callback instead.  It holds the live traceback until it is cleaned or pickled;
what then remains are the names and lines of its frames.
"""

from __future__ import annotations

import copyreg
import sys
import warnings
from collections.abc import Callable, Generator, Iterable, Sequence
from io import StringIO
from types import TracebackType
from typing import Any, NoReturn

from ._faketraceback import _Code as _Code
from ._faketraceback import _Frame as _Frame
from ._faketraceback import _Traceback
from ._faketraceback import _TracebackFrame as _TracebackFrame
from ._log import Logger

__all__ = [
    "DO_POST_MORTEM",
    "EXCEPTION_CAUGHT_HERE",
    "DefaultException",
    "Failure",
    "NoCurrentExceptionError",
    "count",
    "format_frames",
    "startDebugMode",
    "traceupLength",
]

#: How many failures this process has made.
count = 0

# Names that Twisted still defines, and no longer uses.
traceupLength = 4
EXCEPTION_CAUGHT_HERE = "--- <exception caught here> ---"

#: Whether `startDebugMode` opens the debugger; may be switched while the program runs.
DO_POST_MORTEM = True

_log = Logger(__name__)

_new = BaseException.__new__


class DefaultException(Exception):
    """Kept for programs that import it; nothing raises it."""


class NoCurrentExceptionError(Exception):
    """A `Failure` was to be made of the current exception, and there is none."""


def format_frames(
    frames: Iterable[Sequence[Any]], write: Callable[[str], object], detail: str = "default"
) -> None:
    """
    Write frames as text.

    Args:
        frames: as in `Failure.frames`: name, file, line, local variables, global variables.
        write: takes the text, piece by piece.
        detail: ``"brief"``, ``"default"``, ``"verbose"``, or ``"verbose-vars-not-captured"``, which says in
            place of the variables that there are none.

    Raises:
        ValueError: `detail` is none of the four.
    """
    if detail not in ("default", "brief", "verbose", "verbose-vars-not-captured"):
        raise ValueError(
            f"unknown detail {detail!r}: expected default, brief, verbose or verbose-vars-not-captured"
        )
    for name, file, line, localVars, globalVars in frames:
        if detail == "default":
            write(f'  File "{file}", line {line}, in {name}\n')
            write(f"    {_sourceLine(file, line)}\n")
        elif detail == "brief":
            write(f"{file}:{line}:{name}\n")
        else:
            write(f"{file}:{line}: {name}(...)\n")
        if detail == "verbose":
            for title, variables in ((" [ Locals ]\n", localVars), (" ( Globals )\n", globalVars)):
                write(title)
                for variable, value in variables:
                    write(f"  {variable} : {value!r}\n")
    if detail == "verbose-vars-not-captured":
        write(" [Capture of Locals and Globals disabled (use captureVars=True)]\n")


def _sourceLine(file: str, line: int) -> str:
    # Not at the top: it takes longer to import than all the rest, and most programs never print a failure.
    import linecache

    return linecache.getline(file, line).strip()


def _qual(kind: Any) -> str:
    """Name a class with its module.  A failure that came over a network may know no more than the name."""
    return f"{kind.__module__}.{kind.__name__}" if isinstance(kind, type) else str(kind)


def _safely(convert: Callable[[Any], str], value: object) -> str:
    """Describe a value by `str` or `repr`; where that raises, say so."""
    try:
        return convert(value)
    except BaseException as error:
        kind, problem = _qual(type(value)), _qual(type(error))
        return f"<{kind} instance at 0x{id(value):x} with {convert.__name__} error: {problem}>"


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return _safely(str, value)


class Failure(BaseException):
    """
    An exception and its traceback.

    Attributes:
        value: the exception.
        type: its class.
        tb: its traceback; None if it was never raised, and after `cleanFailure`.
        count: the number of this failure among all of the process.
        captureVars: the variables of its frames are captured with it.
        pickled: it was cleaned, or has come out of a pickle.

    Args:
        exc_value: the exception; by default the one that is being handled.  Another Failure is copied.
        exc_type: its class, where that is not ``type(exc_value)``.
        exc_tb: its traceback; by default ``exc_value.__traceback__``.
        captureVars: keep the variables of each frame, for `printDetailedTraceback`; slow.

    Raises:
        NoCurrentExceptionError: no `exc_value` is given and no exception is being handled.
    """

    pickled = 0
    _parents: list[Any] | None = None

    def __init__(
        self,
        exc_value: Any = None,
        exc_type: Any = None,
        exc_tb: TracebackType | None = None,
        captureVars: bool = False,
    ) -> None:
        global count
        count += 1
        if exc_value is None:
            exc_type, exc_value, exc_tb = sys.exc_info()
            if exc_type is None:
                raise NoCurrentExceptionError()
        if isinstance(exc_value, Failure):
            self.__dict__ = exc_value.__dict__.copy()
            return
        self.count = count
        self.type: Any = exc_value.__class__ if exc_type is None else exc_type
        self.value: Any = exc_value
        self.tb: TracebackType | None = exc_tb or getattr(exc_value, "__traceback__", None)
        self.captureVars = captureVars

    @staticmethod
    def _withoutTraceback(value: BaseException) -> Failure:
        """Make a failure of an exception that was never raised; quicker than the constructor."""
        global count
        count += 1
        made = _new(Failure)
        made.__dict__ = {
            "count": count,
            "type": value.__class__,
            "value": value,
            "tb": None,
            "captureVars": False,
        }
        return made

    @property
    def frames(self) -> list[Any]:
        """The frames, outermost first: name, file, line and, if captured, local and global variables."""
        if "_frames" not in self.__dict__:
            self._frames: list[Any] = []
            tb = self.tb
            while tb is not None:
                code = tb.tb_frame.f_code
                localVars, globalVars = self._capture(tb)
                self._frames.append((code.co_name, code.co_filename, tb.tb_lineno, localVars, globalVars))
                tb = tb.tb_next
        return self._frames

    @frames.setter
    def frames(self, frames: list[Any]) -> None:
        self._frames = frames

    def _capture(self, tb: TracebackType) -> tuple[Sequence[Any], Sequence[Any]]:
        if not self.captureVars:
            return (), ()
        frame = tb.tb_frame
        scopes = [frame.f_locals, {} if frame.f_locals is frame.f_globals else frame.f_globals]
        localVars, globalVars = ([(k, v) for k, v in s.items() if k != "__builtins__"] for s in scopes)
        return localVars, globalVars

    @property
    def parents(self) -> list[Any]:
        """The names of the exception's class and of all its bases."""
        if self._parents is None:
            if isinstance(self.type, type) and issubclass(self.type, Exception):
                self._parents = [_qual(kind) for kind in self.type.__mro__]
            else:
                self._parents = [self.type]
        return self._parents

    @parents.setter
    def parents(self, parents: list[Any]) -> None:
        self._parents = parents

    @property
    def stack(self) -> list[Any]:
        """Deprecated, and always empty: ``traceback.extract_stack(failure.tb)`` has it."""
        _warnOfStack()
        return []

    @stack.setter
    def stack(self, stack: object) -> None:
        _warnOfStack()

    def check(self, *errorTypes: Any) -> Any:
        """
        Tell which of some kinds of exception this is.

        Args:
            errorTypes: exception classes, or their names with the module.  Classes of one name are one kind,
                because a failure may come from another process.

        Returns:
            The first of `errorTypes` that the exception is an instance of, or None.
        """
        kind = self.type
        bases = kind.__mro__ if isinstance(kind, type) and issubclass(kind, Exception) else ()
        for error in errorTypes:
            if error is kind:
                return error
            if isinstance(error, type) and issubclass(error, Exception):
                if error in bases or _qual(error) in self.parents:
                    return error
            elif error in self.parents:
                return error
        return None

    def trap(self, *errorTypes: Any) -> Any:
        """
        Like `check`, but raise the exception if it is none of `errorTypes`.

        Meant for the first line of an errback: what it raises goes on to the next errback.
        """
        found = self.check(*errorTypes)
        try:
            if not found:
                self.raiseException()
            return found
        finally:
            del self

    def raiseException(self) -> NoReturn:
        """Raise the exception, with its traceback."""
        try:
            raise self.value.with_traceback(self.tb)
        finally:
            # The traceback holds this frame from now on, and this failure the traceback.
            del self

    def throwExceptionIntoGenerator(self, g: Generator[Any, Any, Any]) -> Any:
        """
        Raise the exception, with its traceback, where a generator or coroutine waits.

        Returns:
            What it yields next.

        Raises:
            StopIteration: it has ended.
            BaseException: whatever it raises.
        """
        try:
            return g.throw(self.value.with_traceback(self.tb))
        finally:
            del self, g

    def cleanFailure(self) -> None:
        """Let go of the traceback, the exception's own too, and turn captured variables into text."""
        state = self.__getstate__()
        self.__dict__.clear()
        self.__setstate__(state)
        if getattr(self.value, "__traceback__", None):
            self.value.__traceback__ = None

    def getTracebackObject(self) -> Any:
        """Get the traceback; if only its frames are left, what passes for one in `traceback`; or None."""
        if self.tb is not None:
            return self.tb
        return _Traceback(self.frames) if self.frames else None

    def getErrorMessage(self) -> str:
        """Get the exception as text."""
        return self.value.getErrorMessage() if isinstance(self.value, Failure) else _text(self.value)

    def getBriefTraceback(self) -> str:
        """Get what `printBriefTraceback` prints."""
        return self.getTraceback(detail="brief")

    def getTraceback(self, elideFrameworkCode: int = 0, detail: str = "default") -> str:
        """Get what `printTraceback` prints."""
        output = StringIO()
        self.printTraceback(output, elideFrameworkCode, detail)
        return output.getvalue()

    def printTraceback(
        self, file: Any = None, elideFrameworkCode: Any = False, detail: str = "default"
    ) -> None:
        """
        Print the traceback as Python would.

        Args:
            file: where to; by default the log.
            elideFrameworkCode: ignored.
            detail: ``"default"``; ``"brief"`` for one line a frame, without the source; ``"verbose"`` for the
                variables.
        """
        if file is None:
            _log.error(self.getTraceback(detail=detail).rstrip("\n"))
            return
        write = file.write
        if detail == "brief":
            title = "Traceback" if self.frames else "Traceback (failure with no frames)"
            write(f"{title}: {_text(self.type)}: {_text(self.value)}\n")
            format_frames(self.frames, write, detail)
        else:
            verbose = detail == "verbose"
            if verbose:
                write(f"*--- Failure #{self.count}{' (pickled) ' if self.pickled else ' '}---\n")
            else:
                write("Traceback (most recent call last):\n")
            if self.frames:
                shown = "verbose-vars-not-captured" if verbose and not self.captureVars else detail
                format_frames(self.frames, write, shown)
            else:
                write("Failure: ")
            write(f"{_qual(self.type)}: {_text(self.value)}\n")
        if isinstance(self.value, Failure):
            write(" (chained Failure)\n")
            self.value.printTraceback(file, elideFrameworkCode, detail)
        if detail == "verbose":
            write(f"*--- End of Failure #{self.count} ---\n")

    def printBriefTraceback(self, file: Any = None, elideFrameworkCode: Any = 0) -> None:
        """Print the traceback on one line a frame, without the source."""
        self.printTraceback(file, elideFrameworkCode, detail="brief")

    def printDetailedTraceback(self, file: Any = None, elideFrameworkCode: Any = 0) -> None:
        """Print the traceback with the variables of each frame, if they were captured."""
        self.printTraceback(file, elideFrameworkCode, detail="verbose")

    def __repr__(self) -> str:
        return f"<{_qual(self.__class__)} {_qual(self.type)}: {self.getErrorMessage()}>"

    def __str__(self) -> str:
        return f"[Failure instance: {self.getBriefTraceback()}]"

    def __getstate__(self) -> dict[str, Any]:
        # `parents`, `frames` and `stack` are the names that peers of other versions know.
        frames = self.frames
        if self.captureVars:
            frames = [[*frame[:3], _asText(frame[3]), _asText(frame[4])] for frame in frames]
        state = {
            **self.__dict__,
            "parents": self.parents,
            "frames": frames,
            "stack": [],
            "tb": None,
            "pickled": 1,
        }
        state.pop("_parents", None)
        del state["_frames"]
        return state

    def __setstate__(self, state: Any) -> None:
        state = {name: value for name, value in state.items() if name != "stack"}
        self._parents = state.pop("parents")
        self._frames = state.pop("frames")
        self.__dict__.update(state)

    def __reduce__(self) -> tuple[Any, ...]:
        # BaseException's own would call the constructor with the arguments of this one.
        return copyreg.__newobj__, (Failure,), self.__getstate__()  # type: ignore[attr-defined]


def _warnOfStack() -> None:
    text = "twisted_endpoints.failure.Failure.stack was deprecated in Twisted 24.10.0; it is always empty"
    warnings.warn(text, DeprecationWarning, stacklevel=3)


def _asText(variables: Iterable[tuple[str, object]]) -> list[tuple[str, str]]:
    return [(name, _safely(repr, value)) for name, value in variables]


def _debuginit(
    self: Failure,
    exc_value: Any = None,
    exc_type: Any = None,
    exc_tb: TracebackType | None = None,
    captureVars: bool = False,
    Failure__init__: Callable[..., None] = Failure.__init__,
) -> None:
    """Construct a Failure; one of the current exception opens the debugger first."""
    if exc_value is None and exc_type is None and exc_tb is None:
        kind, value, tb = sys.exc_info()
        if kind is not self.__class__ and DO_POST_MORTEM:
            import pdb

            print(f"Post mortem of {_safely(str, value)!r}:")
            pdb.post_mortem(tb)
    Failure__init__(self, exc_value, exc_type, exc_tb, captureVars)


def startDebugMode() -> None:
    """Open the debugger, from now on, where a Failure is made of the exception that is being handled."""
    Failure.__init__ = _debuginit  # type: ignore[method-assign]
