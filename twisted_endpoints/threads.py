"""From the reactor's thread to others and back; the twin of `twisted.internet.threads`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar, cast

from .defer import Deferred, maybeDeferred
from .failure import Failure

if TYPE_CHECKING:
    from .interfaces import IReactorFromThreads, IReactorThreads

__all__ = ["blockingCallFromThread", "callMultipleInThread", "deferToThread", "deferToThreadPool"]

_P = ParamSpec("_P")
_R = TypeVar("_R")


class _ThreadPool(Protocol):
    """What `deferToThreadPool` needs of a pool; Twisted's ThreadPool has it."""

    def callInThreadWithCallback(
        self, onResult: Callable[[bool, Any], object], func: Callable[..., Any], *args: Any, **kw: Any
    ) -> object:
        """In a thread, call `func`, then `onResult` with whether it succeeded and its result or Failure."""


def deferToThreadPool(
    reactor: IReactorFromThreads,
    threadpool: _ThreadPool,
    f: Callable[_P, _R],
    *args: _P.args,
    **kwargs: _P.kwargs,
) -> Deferred[_R]:
    """
    Call a function in a thread of a pool of one's own; for the reactor's pool there is `deferToThread`.

    Args:
        reactor: the reactor in whose thread the Deferred is to fire.
        threadpool: the pool; it must run.
        f: what to call.
        *args: its arguments.
        **kwargs: its keyword arguments.

    Returns:
        A Deferred that fires with what the function gives, or fails with what it raises.  A cancel is not
        passed on: a thread can't be interrupted.
    """
    result: Deferred[_R] = Deferred()

    def onResult(success: bool, outcome: Any) -> None:
        reactor.callFromThread(result.callback if success else result.errback, outcome)

    threadpool.callInThreadWithCallback(onResult, f, *args, **kwargs)
    return result


def deferToThread(f: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> Deferred[_R]:
    """
    Call a function in a thread of the installed reactor's pool.

    Args:
        f: what to call.
        *args: its arguments.
        **kwargs: its keyword arguments.

    Returns:
        A Deferred as that of `deferToThreadPool`.
    """
    reactor = _installedReactor()
    return deferToThreadPool(reactor, reactor.getThreadPool(), f, *args, **kwargs)


def callMultipleInThread(
    tupleList: Iterable[tuple[Callable[..., object], Sequence[Any], Mapping[str, Any]]],
) -> None:
    """
    Call several functions, one after the other, in one thread of the installed reactor's pool.

    Args:
        tupleList: for each call the function, its positional and its keyword arguments.  The first one that
            raises ends the list; its error is logged.
    """
    _installedReactor().callInThread(_runMultiple, tupleList)


def blockingCallFromThread(
    reactor: IReactorFromThreads,
    f: Callable[_P, _R] | Callable[_P, Deferred[_R]],
    *a: _P.args,
    **kw: _P.kwargs,
) -> _R:
    """
    Call a function in the reactor's thread, from another thread, and wait for its result.

    Never call this in the reactor's own thread: it would wait for itself.

    Args:
        reactor: the reactor, which must run.
        f: what to call.
        *a: its arguments.
        **kw: its keyword arguments.

    Returns:
        What the function gives; the result of the Deferred or coroutine, if it gives one.

    Raises:
        Exception: what the function raises, or what its Deferred fails with.
    """
    answer: SimpleQueue[_R | Failure] = SimpleQueue()

    def inReactorThread() -> None:
        maybeDeferred(f, *a, **kw).addBoth(answer.put)

    reactor.callFromThread(inReactorThread)
    result = answer.get()
    if isinstance(result, Failure):
        result.raiseException()
    return result


def _runMultiple(
    tupleList: Iterable[tuple[Callable[..., object], Sequence[Any], Mapping[str, Any]]],
) -> None:
    for function, args, kwargs in tupleList:
        function(*args, **kwargs)


def _installedReactor() -> IReactorThreads:
    # Late: to import this module must not install a reactor.
    from . import reactor

    return cast("IReactorThreads", reactor)
