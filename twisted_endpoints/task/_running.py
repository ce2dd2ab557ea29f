"""One call later, and one whole program."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, NoReturn, TypeVar, cast

from .._log import Logger
from ..defer import Deferred, ensureDeferred
from ..error import ReactorNotRunning
from ..failure import Failure
from ..interfaces import IDelayedCall, IReactorCore, IReactorTime

_T = TypeVar("_T")

_log = Logger(__name__)


def deferLater(
    clock: IReactorTime, delay: float, callable: Callable[..., _T] | None = None, *args: object, **kw: object
) -> Deferred[_T]:
    """
    Call a function after a while.

    Args:
        clock: what times the call, usually the reactor.
        delay: seconds.
        callable: what to call; by default nothing, which makes this a pause.
        *args: its arguments.
        **kw: its keyword arguments.

    Returns:
        A Deferred that fires with what the function gives (None without one) and fails with what it raises.
        A cancel takes the call back.
    """
    later: Deferred[Any] = Deferred(lambda ignored: call.cancel())
    call: IDelayedCall = clock.callLater(delay, later.callback, None)
    if callable is not None:
        later.addCallback(lambda ignored: callable(*args, **kw))
    return later


class _Program:
    """What `react` runs: it stops the reactor when the main function has ended, and keeps the exit status."""

    def __init__(self, reactor: IReactorCore) -> None:
        self.status: Any = 0
        self._reactor = reactor
        self._stopping = False

    def shutDown(self) -> None:
        """The reactor is about to stop, for whatever reason."""
        self._stopping = True

    def ended(self, result: object) -> None:
        """The main function's Deferred has fired."""
        if self._stopping:
            self._conclude(result)
        else:
            # It may have fired before the reactor was run, and a reactor can't be stopped before that.
            self._reactor.callWhenRunning(self._stop, result)

    def _stop(self, result: object) -> None:
        try:
            self._reactor.stop()
        except ReactorNotRunning:
            # Somebody stopped it in the same turn, before its triggers told us.
            pass
        self._conclude(result)

    def _conclude(self, result: object) -> None:
        if not isinstance(result, Failure):
            return
        if result.check(SystemExit):
            self.status = cast(SystemExit, result.value).code
        else:
            _log.failure("main function encountered error", result)
            self.status = 1


def react(
    main: Callable[..., Deferred[_T] | Coroutine[Deferred[_T], object, _T]],
    argv: Iterable[object] = (),
    _reactor: IReactorCore | None = None,
) -> NoReturn:
    """
    Run a program: start the reactor, call the main function, and exit when what it gives has ended.

    The exit status is 0 if the Deferred or coroutine succeeds, and 1 if it fails, after the failure was
    logged; a SystemExit that it fails with gives the status itself.

    Args:
        main: is called with the reactor and then `argv`; it gives a Deferred or a coroutine.
        argv: more arguments for it.
        _reactor: for tests; by default the installed reactor.

    Raises:
        SystemExit: always, at the end.
    """
    if _reactor is None:
        from .. import reactor

        _reactor = cast(IReactorCore, reactor)
    program = _Program(_reactor)
    ended = ensureDeferred(main(_reactor, *argv))
    _reactor.addSystemEventTrigger("before", "shutdown", program.shutDown)
    ended.addBoth(program.ended)
    _reactor.run()
    sys.exit(program.status)
