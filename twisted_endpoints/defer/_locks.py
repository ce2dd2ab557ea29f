"""Locks for programs that take turns on one thread."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, ParamSpec, TypeVar, overload

from ._deferred import Deferred
from ._results import maybeDeferred, succeed

_T = TypeVar("_T")
_P = ParamSpec("_P")
_LockT = TypeVar("_LockT", bound="_ConcurrencyPrimitive")


class _ConcurrencyPrimitive(ABC):
    """
    Something that is acquired, used, and released; also as ``async with lock:``.

    Attributes:
        waiting: the Deferreds of those who wait, first come first served.
    """

    def __init__(self) -> None:
        self.waiting: list[Deferred[Any]] = []
        # Those who have it and weren't told yet: whoever releases it while he is told is within `_handOver`
        # already, and a call within a call for each of thousands who wait would exceed the stack.
        self._next: deque[Deferred[Any]] = deque()
        self._handingOver = False

    @abstractmethod
    def acquire(self: _LockT) -> Deferred[_LockT]:
        """Return a Deferred that fires with this object once it is acquired; a cancel leaves the queue."""

    @abstractmethod
    def release(self) -> None:
        """Let the next one have it."""

    @overload
    def run(self, /, f: Callable[_P, Deferred[_T]], *args: _P.args, **kwargs: _P.kwargs) -> Deferred[_T]: ...

    @overload
    def run(
        self, /, f: Callable[_P, Coroutine[Any, Any, _T]], *args: _P.args, **kwargs: _P.kwargs
    ) -> Deferred[_T]: ...

    @overload
    def run(self, /, f: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> Deferred[_T]: ...

    def run(self, /, f: Callable[..., Any], *args: Any, **kwargs: Any) -> Deferred[Any]:
        """
        Acquire, call a function, and release when it is done.

        Args:
            f: may return a Deferred or a coroutine; then it is done when that is.
            args: its arguments.
            kwargs: its keyword arguments.

        Returns:
            A Deferred for its result.
        """
        return self.acquire().addCallback(self._call, f, args, kwargs)

    def _call(self, _: object, f: Callable[..., Any], args: Any, kwargs: Any) -> Deferred[Any]:
        return maybeDeferred(f, *args, **kwargs).addBoth(self._releaseAndReturn)

    def _releaseAndReturn(self, r: _T) -> _T:
        self.release()
        return r

    def _handOver(self) -> None:
        """Give it, as it is released, to the first of those who wait."""
        self._next.append(self.waiting.pop(0))
        if self._handingOver:
            return
        self._handingOver = True
        try:
            while self._next:
                self._next.popleft().callback(self)
        finally:
            self._handingOver = False

    def _cancelAcquire(self, d: Deferred[Any]) -> None:
        if d in self._next:
            self._next.remove(d)
            self.release()
        else:
            self.waiting.remove(d)

    def __aenter__(self: _LockT) -> Deferred[_LockT]:
        return self.acquire()

    def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> Deferred[bool]:
        self.release()
        return succeed(False)


class DeferredLock(_ConcurrencyPrimitive):
    """
    A lock that one can hold at a time.

    Attributes:
        locked: somebody holds it.
    """

    locked = False

    def acquire(self: _LockT) -> Deferred[_LockT]:
        d: Deferred[Any] = Deferred(self._cancelAcquire)
        if self.locked:  # type: ignore[attr-defined]
            self.waiting.append(d)
        else:
            self.locked = True  # type: ignore[attr-defined]
            d.callback(self)
        return d

    def release(self) -> None:
        """
        Let the next one have it.

        Raises:
            AssertionError: nobody holds it.
        """
        assert self.locked, "Tried to release an unlocked lock"
        self.locked = bool(self.waiting)
        if self.waiting:
            self._handOver()


class DeferredSemaphore(_ConcurrencyPrimitive):
    """
    A lock that a number of users can hold at a time.

    Attributes:
        limit: how many.
        tokens: how many more, at present.

    Args:
        tokens: how many, at least 1.

    Raises:
        ValueError: `tokens` is less.
    """

    def __init__(self, tokens: int) -> None:
        super().__init__()
        if tokens < 1:
            raise ValueError("DeferredSemaphore requires tokens >= 1")
        self.tokens = self.limit = tokens

    def acquire(self: _LockT) -> Deferred[_LockT]:
        d: Deferred[Any] = Deferred(self._cancelAcquire)
        if self.tokens:  # type: ignore[attr-defined]
            self.tokens -= 1  # type: ignore[attr-defined]
            d.callback(self)
        else:
            self.waiting.append(d)
        return d

    def release(self) -> None:
        """
        Let the next one have it.

        Raises:
            AssertionError: nobody holds it.
        """
        assert self.tokens < self.limit, "Released more often than acquired"
        if self.waiting:
            self._handOver()
        else:
            self.tokens += 1
