"""Deferreds that have their result from the start."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from types import CoroutineType
from typing import Any, ParamSpec, TypeVar, overload

from ..failure import Failure
from ._deferred import Deferred

_T = TypeVar("_T")
_P = ParamSpec("_P")


def succeed(result: _T) -> Deferred[_T]:
    """Make a Deferred that has fired with a result."""
    made: Deferred[_T] = Deferred()
    made.result = result
    made.called = True
    made._settled = not isinstance(result, Failure)
    return made


def fail(result: Failure | BaseException | None = None) -> Deferred[Any]:
    """
    Make a Deferred that has fired with a failure.

    Args:
        result: as for `Deferred.errback`.

    Raises:
        NoCurrentExceptionError: no `result` is given and no exception is being handled.
    """
    made: Deferred[Any] = Deferred()
    made.errback(result)
    return made


def execute(callable: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> Deferred[_T]:
    """Call a function; return a Deferred that has fired with what it returned or raised."""
    try:
        return succeed(callable(*args, **kwargs))
    except BaseException:
        return fail()


@overload
def maybeDeferred(f: Callable[_P, Deferred[_T]], *args: _P.args, **kwargs: _P.kwargs) -> Deferred[_T]: ...


@overload
def maybeDeferred(
    f: Callable[_P, Coroutine[Any, Any, _T]], *args: _P.args, **kwargs: _P.kwargs
) -> Deferred[_T]: ...


@overload
def maybeDeferred(f: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> Deferred[_T]: ...


def maybeDeferred(f: Callable[..., Any], *args: Any, **kwargs: Any) -> Deferred[Any]:
    """
    Call a function that may be synchronous or not, and return a Deferred in any case.

    Args:
        f: may return a Deferred, a coroutine, a `Failure`, or a plain value; what it raises is a failure too.
        args: its arguments.
        kwargs: its keyword arguments.
    """
    try:
        result = f(*args, **kwargs)
    except BaseException:
        return fail(Failure(captureVars=Deferred.debug))
    if isinstance(result, Deferred):
        return result
    if isinstance(result, Failure):
        return fail(result)
    # Not what else can be awaited: only what an `async def` returns is certainly meant to be run.
    if type(result) is CoroutineType:
        return Deferred.fromCoroutine(result)
    return succeed(result)
