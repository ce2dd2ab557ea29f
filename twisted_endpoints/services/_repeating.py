"""Services that do something again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .._installed import reactorOr
from .._log import Logger
from ..defer import Deferred, succeed
from ..failure import Failure
from ..service import Service
from ..task import Cooperator, LoopingCall
from ._passing import _PassingService

_log = Logger(__name__)


class TimerService(_PassingService):
    """
    Calls a function at once and then every so many seconds, as long as it runs.

    A call that fails is logged, and is the last one until the service is started again.

    Args:
        step: seconds from one call to the next; fractions are welcome.
        callable: what to call; if it returns a Deferred, the next call waits for that.
        *args: for the function.
        **kwargs: for the function.

    Attributes:
        call: the function, its arguments and its keywords.
        clock: what tells the time; None, the default, for the reactor of the process.
    """

    volatile = ["_loop", "_loopFinished"]

    def __init__(self, step: float, callable: Callable[..., object], *args: object, **kwargs: object) -> None:
        self.step = step
        self.call = (callable, args, kwargs)
        self.clock: Any = None

    def startService(self) -> None:
        super().startService()
        function, args, kwargs = self.call
        self._loop = LoopingCall(function, *args, **kwargs)
        self._loop.clock = reactorOr(self.clock)
        finished: Deferred[Any] = self._loop.start(self.step, now=True)
        self._loopFinished = finished.addErrback(self._failed)

    def _failed(self, reason: Failure) -> None:
        _log.failure("what a TimerService calls has failed, and is called no more", reason)

    def stopService(self) -> Deferred[Any]:
        """
        Call no more.

        Returns:
            A Deferred that fires with None when the last call has ended.
        """
        if not hasattr(self, "_loop"):
            return succeed(super().stopService())
        if self._loop.running:
            self._loop.stop()
        return self._loopFinished.addCallback(lambda _: Service.stopService(self))


class CooperatorService(Service):
    """
    Shares the reactor's time between iterators, as long as it runs.

    Attributes:
        coop: the `task.Cooperator`.
    """

    def __init__(self) -> None:
        self.coop = Cooperator(started=False)

    def coiterate(self, iterator: Iterator[Any]) -> Deferred[Any]:
        """
        Go through an iterator; it waits while the service doesn't run.

        Args:
            iterator: as for `task.Cooperator.coiterate`.

        Returns:
            A Deferred that fires with the iterator at its end.
        """
        return self.coop.coiterate(iterator)

    def startService(self) -> None:
        super().startService()
        self.coop.start()

    def stopService(self) -> None:
        super().stopService()
        self.coop.stop()
