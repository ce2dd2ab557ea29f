"""
The engine of a Deferred: how results go through its callbacks, and from one Deferred to the next.

Theory.  A Deferred holds a list of entries ``(callback, errback, arguments)`` and, once fired, a result.
It takes the first entry off the list, calls the one of the two functions that fits the result, and what
that returns or raises is the result for the next entry.  Where a function returns another Deferred that has
a result, the result is taken out of it.  If it has none, the first Deferred pauses, and an entry `CONTINUE`
in the other's list says who waits.  When the other comes to that entry, it hands its result over.

Nothing of this recurses: `_runCallbacks` works through a stack of its own, so a chain of Deferreds that
wait for each other may be as long as memory allows.  What fires another Deferred as the last thing that it
does, as a coroutine does at its end, stands behind the mark `TAIL`: it returns that Deferred, and the stack
goes on from there.

The functions that run callbacks forget their local variables at the end.  A traceback keeps the frames
alive through which an exception came, and those below them: a frame that still knew the Deferred, whose
result is the failure that holds the traceback, would be a reference cycle, and an error that nobody handles
would be logged late.
"""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Iterator
from enum import Enum
from typing import Any, Generic, TypeVar

from ..failure import Failure
from ._debug import DebugInfo

_T = TypeVar("_T")
_ResultT = TypeVar("_ResultT")


class Mark(Enum):
    """What is no result and no callback, and stands in the place of one."""

    NO_RESULT = "a Deferred has nothing to hand over"
    CONTINUE = "no callback: hand the result over to the Deferred that stands in place of the arguments"
    TAIL = "no callback: call what stands in place of the arguments, then run the Deferred that it returns"


NO_RESULT = Mark.NO_RESULT
CONTINUE = Mark.CONTINUE
TAIL = Mark.TAIL


def passthru(arg: _T) -> _T:
    """Return the argument: the callback of an entry that has only an errback, and the other way round."""
    return arg


class _CallbackChain(Generic[_ResultT]):
    """
    The part of `Deferred` that runs callbacks.

    Attributes:
        called: it has fired.
        result: the result so far; there only once it has fired.
        paused: how many calls of `pause` have no `unpause` yet.
        debug: captured failures keep the variables of their frames.
    """

    # In slots, because CPython finds them faster than what has its default in the class.  `Deferred` has a
    # __dict__ as well, for what its users and subclasses want to add.
    __slots__ = (
        "_callbacks",
        "_chainedTo",
        "_debugInfo",
        "_left",
        "_runningCallbacks",
        "_settled",
        "called",
        "paused",
        "result",
    )

    debug = False

    called: bool
    paused: int
    result: Any
    #: Callback, errback, and None or ``(args, keywords, args of the errback, its keywords)``.
    _callbacks: list[tuple[Any, Any, Any]]
    #: What comes before these: left in the middle of a batch, when the result was handed over or waited for.
    _left: deque[tuple[Any, Any, Any]] | None
    _debugInfo: DebugInfo | None
    _runningCallbacks: bool
    #: The Deferred that this one waits for.
    _chainedTo: _CallbackChain[Any] | None
    #: Fired, not paused, not in the middle of its callbacks, and no failure: `await` just takes the result.
    _settled: bool

    def _runCallbacks(self) -> None:
        """Run all callbacks that can be run, of this Deferred and of those that wait for it."""
        if self._runningCallbacks or self.paused:
            return
        waiting: Any = None
        stack: Any = None
        current: Any = None
        try:
            waiting = self._runOwnCallbacks()
            if waiting is None:
                return
            stack = [self, waiting]
            while stack:
                current = stack[-1]
                waiting = None if current.paused else current._runOwnCallbacks()
                if waiting is None:
                    stack.pop()
                else:
                    # What `current` has left to do, it does afterwards, with None for its result.
                    stack.append(waiting)
        finally:
            del self, stack, current, waiting

    def _runOwnCallbacks(self) -> _CallbackChain[Any] | None:
        """
        Run callbacks until there are none left or the result of another Deferred is needed.

        Returns:
            A Deferred that waited for this one, has got its result and is to be run now; or None.
        """
        self._chainedTo = None
        result: Any = self.result
        failed = isinstance(result, Failure)
        callback: Any
        errback: Any
        extra: Any
        batch: Any = None
        rest: Any
        left = self._left
        try:
            while left or self._callbacks:
                self._runningCallbacks = True
                self._settled = False
                if left:
                    self._left = None
                    batch = _taken(left)
                else:
                    # Entries are taken off in batches: to take the first one of a list moves all the others.
                    left = None
                    batch = iter(self._callbacks)
                    self._callbacks = []
                for callback, errback, extra in batch:
                    if failed:
                        callback = errback
                    if callback is passthru:
                        continue
                    try:
                        if extra is None:
                            result = callback(result)
                        elif callback is CONTINUE:
                            self.result, failed = None, False
                            extra.result = result
                            extra.paused -= 1
                            if left or (rest := [*batch]):
                                self._left = left or deque(rest)
                            return extra  # type: ignore[no-any-return]
                        elif callback is TAIL:
                            extra, result = extra(result), None
                            if extra is not None:
                                self.result, failed = None, False
                                if left or (rest := [*batch]):
                                    self._left = left or deque(rest)
                                return extra  # type: ignore[no-any-return]
                        elif failed:
                            result = callback(result, *extra[2], **extra[3])
                        else:
                            result = callback(result, *extra[0], **extra[1])
                        if result is self:
                            _warnOfCircle(callback)
                    except BaseException:
                        result = self.result = Failure(captureVars=self.debug)
                        failed = True
                        continue
                    self.result = result
                    if result is None:
                        failed = False
                    elif isinstance(result, _CallbackChain):
                        taken = result._take() if result.called else NO_RESULT
                        if taken is NO_RESULT:
                            failed = False
                            self.paused += 1
                            self._chainedTo = result
                            result._callbacks.append((CONTINUE, CONTINUE, self))
                            if left or (rest := [*batch]):
                                self._left = left or deque(rest)
                            return None
                        self.result = result = taken
                        failed = isinstance(result, Failure)
                    else:
                        failed = isinstance(result, Failure)
            return None
        finally:
            self._runningCallbacks = False
            if failed:
                self._settled = False
                if self._debugInfo is None:
                    self._debugInfo = DebugInfo()
                self._debugInfo.failResult = self.result
            else:
                self._settled = not self.paused
                if self._debugInfo is not None:
                    self._debugInfo.failResult = None
            result = callback = errback = extra = batch = left = rest = taken = None
            del self

    def _take(self) -> Any:
        """Hand the result over, as to a callback that returns None; `NO_RESULT` if there is none yet."""
        if not self.called or self.paused or isinstance(self.result, _CallbackChain):
            return NO_RESULT
        result, self.result = self.result, None
        if self._debugInfo is not None:
            self._debugInfo.failResult = None
        return result


def _taken(entries: deque[Any]) -> Iterator[Any]:
    """Take entries off one by one: what is left can be left again, in no time."""
    while entries:
        yield entries.popleft()


def _warnOfCircle(callback: Any) -> None:
    """Warn, at the place of a callback, that it returned the Deferred that it was called by."""
    code = getattr(callback, "__code__", None)
    warnings.warn_explicit(
        "Callback returned the Deferred it was attached to; nothing that comes after it will ever be called",
        DeprecationWarning,
        code.co_filename if code else __file__,
        code.co_firstlineno if code else 0,
    )
