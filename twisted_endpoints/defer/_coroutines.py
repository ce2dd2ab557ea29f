"""
Functions that wait for Deferreds: coroutines, and generators under `inlineCallbacks`.

A `_Run` drives one of them.  Each Deferred that it yields is waited for; `_Run.step` is its callback, and
sends the result back in.  A Deferred that has fired already is simply taken, in a loop, so that thousands
of them in a row need no stack.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Coroutine, Generator
from contextvars import copy_context
from functools import wraps
from types import CoroutineType, GeneratorType, TracebackType
from typing import Any, NoReturn, ParamSpec, TypeGuard, TypeVar

from ..failure import Failure
from ._chain import TAIL
from ._deferred import Deferred
from ._errors import NotACoroutineError

_T = TypeVar("_T")
_P = ParamSpec("_P")


class _DefGen_Return(BaseException):
    """Carries the value of `returnValue` out of the generator."""

    def __init__(self, value: object) -> None:
        self.value = value


def returnValue(val: object) -> NoReturn:
    """
    Leave a generator under `inlineCallbacks` with a value.  Deprecated: a ``return`` statement does the same.

    It raises a `BaseException`, so an ``except Exception:`` on its way does no harm.
    """
    warnings.warn(
        "twisted_endpoints.defer.returnValue was deprecated in Twisted 24.7.0; "
        "please use standard return statement instead",
        DeprecationWarning,
        stacklevel=2,
    )
    raise _DefGen_Return(val)


class _Run:
    """
    A generator or coroutine that is being run.

    Attributes:
        deferred: gets the result.  Once it was cancelled, a new one takes its place, and the old one waits
        for that.
        waitingOn: the Deferred that was yielded last and hadn't fired.
    """

    __slots__ = ("_generator", "_inContext", "deferred", "waitingOn")

    def __init__(self, generator: Any) -> None:
        self._generator = generator
        self._inContext = copy_context().run
        self.deferred: Deferred[Any] = Deferred(self._cancel)
        self.waitingOn: Deferred[Any] | None = None

    def step(self, result: Any) -> Deferred[Any] | None:
        """
        Send a result in, or throw a failure, and go on until a Deferred comes out that hasn't fired.

        Returns:
            At the end, the Deferred for the result: it has fired, and its callbacks are to be run.
        """
        try:
            while True:
                failed = isinstance(result, Failure)
                try:
                    if failed:
                        result = self._inContext(result.throwExceptionIntoGenerator, self._generator)
                    else:
                        result = self._inContext(self._generator.send, result)
                except StopIteration as stop:
                    result = stop.value
                    break
                except _DefGen_Return as returned:
                    _warnIfNotLocal(returned.__traceback__, failed)
                    result = returned.value
                    break
                except BaseException:
                    result = Failure(captureVars=self.deferred.debug)
                    break
                if not isinstance(result, Deferred):
                    if not isCoroutine(result):
                        continue
                    result = _cancellableInlineCallbacks(result)
                if result._runningCallbacks or not result.called or result.paused:
                    self.waitingOn = result
                    result._callbacks.append((TAIL, TAIL, self.step))
                    return None
                result = result._take()
            return self.deferred._accept(result)
        finally:
            del self, result

    def _cancel(self, deferred: Deferred[Any]) -> None:
        # It is up to the generator what a cancellation means: it may catch the error and go on.
        run: _Run | None = self
        outcome: Any = None
        awaited: Any = None
        try:
            # What it waits for may be another run: in a loop, as there may be thousands.
            while run is not None:
                outcome = Deferred(run._cancel)
                run.deferred, deferred = outcome, run.deferred
                deferred._goOnWith(outcome)
                awaited = None if run.waitingOn is None else run.waitingOn._innermost()
                run = _runThatFires(awaited)
            if awaited is not None:
                awaited.cancel()
        except BaseException:
            if outcome.called:
                raise
            outcome.errback()
        finally:
            del self, run, deferred, outcome, awaited


def _runThatFires(deferred: Deferred[Any] | None) -> _Run | None:
    """Find the run at whose end a Deferred fires; None if it fires by other means, or has fired."""
    if deferred is None or deferred.called:
        return None
    canceller: Any = deferred._canceller
    return canceller.__self__ if getattr(canceller, "__func__", None) is _Run._cancel else None


def _warnIfNotLocal(tb: TracebackType | None, thrown: bool) -> None:
    """
    Warn if `returnValue` was called by another function than the generator that it ended.

    Args:
        tb: the traceback of the exception, from `_Run.step` on.
        thrown: there is a frame of `Failure.throwExceptionIntoGenerator` in between.
    """
    entries = []
    while tb is not None:
        entries.append(tb)
        tb = tb.tb_next
    generator, caller = entries[2 if thrown else 1], entries[-2]
    if generator is not caller:
        warnings.warn_explicit(
            f"returnValue() in {caller.tb_frame.f_code.co_name!r} causing "
            f"{generator.tb_frame.f_code.co_name!r} to exit: returnValue should only be invoked by functions "
            "decorated with inlineCallbacks",
            DeprecationWarning,
            caller.tb_frame.f_code.co_filename,
            caller.tb_lineno,
        )


def isCoroutine(value: object) -> TypeGuard[Coroutine[Any, Any, Any] | Generator[Any, Any, Any]]:
    """Tell whether a value can be run as a coroutine; a generator can, too."""
    return isinstance(value, (CoroutineType, GeneratorType, Coroutine))


def _cancellableInlineCallbacks(generator: Any) -> Deferred[Any]:
    """Run a generator or coroutine; return a Deferred for its result."""
    run = _Run(generator)
    deferred = run.deferred
    fired = None
    try:
        fired = run.step(None)
        if fired is not None:
            fired._runCallbacks()
        return deferred
    finally:
        del run, deferred, fired


def inlineCallbacks(f: Callable[_P, Generator[Any, Any, _T]]) -> Callable[_P, Deferred[_T]]:
    """
    Make of a generator function one that returns a Deferred.

    ``result = yield deferred`` in the function waits for a Deferred, and raises its failure.  A coroutine
    can be yielded like a Deferred; any other value comes straight back.  What the function returns or
    raises, its Deferred fires with.

    Cancelling that Deferred cancels the one that the function waits for; unless the function catches the
    `CancelledError`, it is the outcome.

    Raises:
        TypeError: on a call: `f` returned no generator.
    """

    @wraps(f)
    def unwindGenerator(*args: _P.args, **kwargs: _P.kwargs) -> Deferred[_T]:
        try:
            generator = f(*args, **kwargs)
        except _DefGen_Return:
            raise TypeError(
                f"inlineCallbacks needs {f!r} to make a generator; it called returnValue"
            ) from None
        if not isinstance(generator, GeneratorType):
            raise TypeError(f"inlineCallbacks needs {f!r} to make a generator; it returned {generator!r}")
        return _cancellableInlineCallbacks(generator)

    return unwindGenerator


def ensureDeferred(
    coro: Coroutine[Any, Any, _T] | Generator[Any, Any, _T] | Deferred[_T],
) -> Deferred[_T]:
    """
    Run a coroutine, as `Deferred.fromCoroutine` does; return a Deferred as it is.

    Raises:
        NotACoroutineError: it is neither.
    """
    if isinstance(coro, Deferred):
        return coro
    if isCoroutine(coro):
        return _cancellableInlineCallbacks(coro)
    raise NotACoroutineError(f"{coro!r} is not a coroutine or a Deferred")
