"""Tracebacks made of what `Failure.frames` still knows once the real one is gone."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any


class _Code:
    """What debuggers and the `traceback` module ask of a code object; only its name and file are known."""

    def __init__(self, name: str, filename: str) -> None:
        self.co_name = name
        self.co_filename = filename
        self.co_firstlineno = self.co_flags = self.co_nlocals = self.co_stacksize = 0
        self.co_argcount = self.co_posonlyargcount = self.co_kwonlyargcount = 0
        self.co_cellvars = self.co_consts = self.co_freevars = self.co_names = ()
        self.co_code = self.co_lnotab = b""
        self.co_varnames: list[str] = []

    def co_positions(self) -> tuple[tuple[None, None, None, None], ...]:
        """Tell that no columns are known."""
        return ((None,) * 4,)


class _Frame:
    """
    What debuggers and the `traceback` module ask of a frame.

    Args:
        frameinfo: an entry of `Failure.frames`.
        back: the frame that called this one.
    """

    def __init__(self, frameinfo: Sequence[Any], back: _Frame | None) -> None:
        name, filename, self.f_lineno, localVars, globalVars = frameinfo
        self.f_back = back
        self.f_code = _Code(name, filename)
        self.f_locals = dict(localVars or ())
        self.f_globals = dict(globalVars or ())
        self.f_builtins = dict(vars(builtins))
        self.f_lasti = 0
        self.f_trace = None


class _TracebackFrame:
    """What debuggers and the `traceback` module ask of a traceback."""

    def __init__(self, frame: _Frame) -> None:
        self.tb_frame = frame
        self.tb_lineno = frame.f_lineno
        self.tb_lasti = frame.f_lasti
        self.tb_next: _TracebackFrame | None = None


def _Traceback(tbFrames: Sequence[Sequence[Any]]) -> _TracebackFrame:
    """Make of `Failure.frames`, outermost first and not empty, something that passes for a traceback."""
    assert tbFrames, "a traceback has at least one frame"
    first = last = _TracebackFrame(_Frame(tbFrames[0], None))
    for frame in tbFrames[1:]:
        last.tb_next = _TracebackFrame(_Frame(frame, last.tb_frame))
        last = last.tb_next
    return first
