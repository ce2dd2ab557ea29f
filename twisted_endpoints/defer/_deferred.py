"""Deferred: a result that isn't there yet, and what is to be done with it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Coroutine, Generator, Mapping
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, overload

from ..failure import Failure
from ._chain import TAIL, _CallbackChain, passthru
from ._debug import DebugInfo, stackOfCaller
from ._errors import AlreadyCalledError, CancelledError, NotACoroutineError
from ._timeouts import Timeout, _cancelledToTimedOutError

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future

    from ..interfaces import IReactorTime

_T = TypeVar("_T")
_P = ParamSpec("_P")
_ResultT = TypeVar("_ResultT")
_NextT = TypeVar("_NextT")

DeferredCallback = Callable[..., object]
DeferredErrback = Callable[..., object]


class Deferred(_CallbackChain[_ResultT]):
    """
    A result that isn't there yet.

    Whoever returns a Deferred calls `callback` or `errback` on it, once, when the result is there; whoever
    gets it adds callbacks, or awaits it.

    Attributes:
        called: it has fired.
        result: the result so far; there only once it has fired.
        paused: how many calls of `pause` have no `unpause` yet.
        debug: keep the stacks that made and fired it; set for all by `setDebugging`.

    Args:
        canceller: called with the Deferred by `cancel`, if it hasn't fired.  Stops what would have fired it,
            and may fire it.  Without a canceller the late result is dropped silently.
    """

    __slots__ = ("__dict__", "__weakref__", "_canceller")

    debug = False

    # Cancelled, and there was no canceller: one more `callback` or `errback` may come, and means nothing.
    _suppressAlreadyCalled = False

    def __init__(self, canceller: Callable[[Deferred[Any]], object] | None = None) -> None:
        self._callbacks = []
        self._debugInfo = self._chainedTo = self._left = None
        self._runningCallbacks = self._settled = self.called = False
        self.paused = 0
        self._canceller = canceller
        if self.debug:
            self._debugInfo = DebugInfo()
            self._debugInfo.creator = stackOfCaller()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _DEFERRED_SUBCLASSES.append(cls)

    @property
    def callbacks(self) -> list[Any]:
        """Deprecated: the entries that wait for the result."""
        warnings.warn(
            "twisted_endpoints.defer.Deferred.callbacks was deprecated in Twisted 25.5.0",
            DeprecationWarning,
            stacklevel=2,
        )
        if self._left:
            self._callbacks[:0] = self._left
            self._left = None
        return self._callbacks

    def addCallbacks(
        self,
        callback: Callable[..., Deferred[_NextT] | Failure | _NextT],
        errback: Callable[..., Deferred[_NextT] | Failure | _NextT] | None = None,
        callbackArgs: tuple[Any, ...] | None = (),
        callbackKeywords: Mapping[str, Any] | None = None,
        errbackArgs: tuple[Any, ...] | None = (),
        errbackKeywords: Mapping[str, Any] | None = None,
    ) -> Deferred[_NextT]:
        """
        Add a function for the result and one for the failure; one of the two is called.

        What it returns is the result for the next entry, what it raises is a failure for the next entry,
        and if it returns a Deferred then the next entry waits for that one's result.

        Args:
            callback: called with the result.
            errback: called with the `Failure`; by default the failure goes on to the next entry.
            callbackArgs: more arguments for `callback`, behind the result.
            callbackKeywords: keyword arguments for it.
            errbackArgs: more arguments for `errback`, behind the failure.
            errbackKeywords: keyword arguments for it.

        Returns:
            This Deferred.
        """
        extra = None
        if callbackArgs or callbackKeywords or errbackArgs or errbackKeywords:
            extra = (callbackArgs or (), callbackKeywords or {}, errbackArgs or (), errbackKeywords or {})
        self._callbacks.append((callback, passthru if errback is None else errback, extra))
        if self.called:
            self._runCallbacks()
        try:
            return self  # type: ignore[return-value]
        finally:
            del self

    @overload
    def addCallback(
        self,
        callback: Callable[Concatenate[_ResultT, _P], Deferred[_NextT]],
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> Deferred[_NextT]: ...

    @overload
    def addCallback(
        self,
        callback: Callable[Concatenate[_ResultT, _P], Deferred[_NextT] | Failure | _NextT],
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> Deferred[_NextT]: ...

    def addCallback(self, callback: Any, *args: Any, **kwargs: Any) -> Any:
        """Add a function for the result; a failure goes on to the next entry.  See `addCallbacks`."""
        extra: Any = (args, kwargs, (), {}) if args or kwargs else None
        self._callbacks.append((callback, passthru, extra))
        if self.called:
            self._runCallbacks()
        try:
            return self
        finally:
            del self

    @overload
    def addErrback(
        self,
        errback: Callable[Concatenate[Failure, _P], Deferred[_NextT]],
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> Deferred[_ResultT | _NextT]: ...

    @overload
    def addErrback(
        self,
        errback: Callable[Concatenate[Failure, _P], Deferred[_NextT] | Failure | _NextT],
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> Deferred[_ResultT | _NextT]: ...

    def addErrback(self, errback: Any, *args: Any, **kwargs: Any) -> Any:
        """Add a function for the failure; a result goes on to the next entry.  See `addCallbacks`."""
        extra: Any = ((), {}, args, kwargs) if args or kwargs else None
        self._callbacks.append((passthru, errback, extra))
        if self.called:
            self._runCallbacks()
        try:
            return self
        finally:
            del self

    @overload
    def addBoth(
        self,
        callback: Callable[Concatenate[Any, _P], Deferred[_NextT]],
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> Deferred[_NextT]: ...

    @overload
    def addBoth(
        self,
        callback: Callable[Concatenate[Any, _P], Deferred[_NextT] | Failure | _NextT],
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> Deferred[_NextT]: ...

    def addBoth(self, callback: Any, *args: Any, **kwargs: Any) -> Any:
        """Add a function for the result or the failure, whichever comes.  See `addCallbacks`."""
        extra = (args, kwargs, args, kwargs) if args or kwargs else None
        self._callbacks.append((callback, callback, extra))
        if self.called:
            self._runCallbacks()
        try:
            return self
        finally:
            del self

    def addTimeout(
        self,
        timeout: float,
        clock: IReactorTime,
        onTimeoutCancel: Callable[[Any, float], Any] | None = None,
    ) -> Deferred[Any]:
        """
        Cancel this Deferred if what was added to it up to now hasn't got its result in time.

        Args:
            timeout: seconds from now.
            clock: counts them; the reactor, or in tests a `task.Clock`.
            onTimeoutCancel: called with the result and `timeout` where time was up; its value is the new
            result.  By
                default a `CancelledError` becomes a `TimeoutError` and anything else stays.

        Returns:
            This Deferred.
        """
        limit = Timeout(self, timeout, clock, onTimeoutCancel or _cancelledToTimedOutError)
        self.addBoth(limit.translate)
        return self.addBoth(limit.stop)

    def chainDeferred(self, d: Deferred[_ResultT]) -> Deferred[None]:
        """
        Fire another Deferred with the result of this one, whose own result is then None.

        Returns:
            This Deferred.
        """
        d._chainedTo = self
        if type(d).callback is not Deferred.callback or type(d).errback is not Deferred.errback:
            return self.addCallbacks(d.callback, d.errback)
        self._callbacks.append((TAIL, TAIL, d._accept))
        if self.called:
            self._runCallbacks()
        try:
            return self  # type: ignore[return-value]
        finally:
            del self

    def callback(self, result: _ResultT | Failure) -> None:
        """
        Fire with a result; a `Failure` as with `errback`.

        Raises:
            AlreadyCalledError: it has fired before.
        """
        try:
            if (self.called or self.debug) and not self._mayFire():
                return
            self.called = True
            self._canceller = None
            self.result = result
            self._runCallbacks()
        finally:
            del self, result

    def _accept(self, result: Any) -> Deferred[_ResultT] | None:
        """Fire, but leave it to the caller to run the callbacks of the Deferred that is returned."""
        try:
            if (self.called or self.debug) and not self._mayFire():
                return None
            self.called = True
            self._canceller = None
            self.result = result
            return self
        finally:
            del self, result

    def errback(self, fail: Failure | BaseException | None = None) -> None:
        """
        Fire with a failure.

        Args:
            fail: the failure, or the exception to make one of; by default the exception that is being
            handled.

        Raises:
            AlreadyCalledError: it has fired before.
            NoCurrentExceptionError: no `fail` is given and no exception is being handled.
        """
        try:
            if fail is None:
                fail = Failure(captureVars=self.debug)
            elif not isinstance(fail, Failure):
                fail = Failure(fail)
            # Not self.callback: a subclass may have its own.
            Deferred.callback(self, fail)
        finally:
            del self, fail

    def _mayFire(self) -> bool:
        """Tell whether `callback` or `errback` is called for the first time; in debug mode note by whom."""
        info = self._debugInfo
        if self.called:
            if self._suppressAlreadyCalled:
                self._suppressAlreadyCalled = False
                return False
            if self.debug and info is not None:
                raise AlreadyCalledError("\n" + info._getDebugTracebacks())
            raise AlreadyCalledError()
        if info is None:
            info = self._debugInfo = DebugInfo()
        info.invoker = stackOfCaller()
        return True

    def pause(self) -> None:
        """Run no more callbacks until `unpause` was called as many times."""
        self.paused += 1
        self._settled = False

    def unpause(self) -> None:
        """Undo one `pause`; run what was held back, if that was the last one."""
        self.paused -= 1
        if not self.paused and self.called:
            self._runCallbacks()

    def cancel(self) -> None:
        """
        Say that the result is no longer needed.

        If it hasn't fired, its canceller is called, and where that doesn't fire it, it fails with
        `CancelledError`. If it waits for another Deferred, that one is cancelled.  Otherwise nothing
        happens.
        """
        awaited = self._innermost()
        try:
            if awaited is not self:
                awaited.cancel()
                return
            if self.called:
                return
            if self._canceller:
                self._canceller(self)
            else:
                self._suppressAlreadyCalled = True
            if not self.called:
                self.errback(Failure._withoutTraceback(CancelledError()))
        finally:
            del self, awaited

    def _innermost(self) -> Deferred[Any]:
        """Follow the Deferreds that wait for each other's results, from this one to the last one."""
        last: Deferred[Any] = self
        while last.called and isinstance(last.result, Deferred):
            last = last.result
            if type(last).cancel is not Deferred.cancel:
                break
        return last

    def _goOnWith(self, other: Deferred[Any]) -> None:
        """Fire, but with the result that another Deferred will have."""
        self._callbacks.insert(0, (lambda _: other, passthru, None))
        self.callback(None)  # type: ignore[arg-type]

    def __repr__(self) -> str:
        if self._chainedTo is not None:
            state = f" waiting on Deferred at 0x{id(self._chainedTo):x}"
        elif self.called:
            state = f" current result: {self.result!r}"
        else:
            state = ""
        return f"<{self.__class__.__name__} at 0x{id(self):x}{state}>"

    def __await__(self) -> Generator[Any, None, _ResultT]:
        if self._settled:
            return self.result  # type: ignore[no-any-return]
        while not self.called or self.paused:
            yield self
        if isinstance(self.result, Failure):
            if self._debugInfo is not None:
                self._debugInfo.failResult = None
            try:
                self.result.raiseException()
            finally:
                # The traceback holds this frame from now on.
                del self
        return self.result  # type: ignore[no-any-return]

    __iter__ = __await__

    def asFuture(self, loop: AbstractEventLoop) -> Future[_ResultT]:
        """
        Make an asyncio Future that gets the result of this Deferred, whose own result is then None.

        Cancelling the Future cancels this Deferred.

        Args:
            loop: the event loop that the Future belongs to.
        """
        from ._futures import asFuture

        return asFuture(self, loop)

    @classmethod
    def fromFuture(cls, future: Future[_ResultT]) -> Deferred[_ResultT]:
        """
        Make a Deferred that gets the result of an asyncio Future.

        Cancelling the Deferred cancels the Future, and it fires when the Future has come to its end.
        """
        from ._futures import fromFuture

        return fromFuture(cls, future)

    @classmethod
    def fromCoroutine(cls, coro: Coroutine[Any, Any, _T] | Generator[Any, Any, _T]) -> Deferred[_T]:
        """
        Run a coroutine that awaits Deferreds, up to the first one that hasn't fired, and later on to its end.

        Args:
            coro: the coroutine, or a generator that uses ``yield from`` in place of ``await``.

        Returns:
            A Deferred for what it returns or raises.  Cancelling it cancels the Deferred that the coroutine
            awaits.

        Raises:
            NotACoroutineError: it is neither.
        """
        # Here, not at the top: that module is built on this class.
        from ._coroutines import _cancellableInlineCallbacks, isCoroutine

        if isCoroutine(coro):
            return _cancellableInlineCallbacks(coro)
        raise NotACoroutineError(f"{coro!r} is not a coroutine")


_DEFERRED_SUBCLASSES: list[type[Deferred[Any]]] = [Deferred]


def setDebugging(on: bool) -> None:
    """Let all Deferreds keep the stacks that made and fired them, to show with errors; or not."""
    Deferred.debug = bool(on)


def getDebugging() -> bool:
    """Tell whether `setDebugging` is on."""
    return Deferred.debug
