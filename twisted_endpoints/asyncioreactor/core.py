"""
Starting, stopping and the events in between: the part of the reactor that all others are built on.

A reactor has one event loop, and lives with it in one of two ways:

- It runs the loop: the program calls `run`, which returns after `stop`.
- It lives in a loop that somebody else runs: it was made while the loop ran, or `startRunning` was called in
  it.  It is running from then on; `stop` fires the shutdown triggers and closes what the reactor opened, and
  the loop runs on.  If `asyncio.run` ends the loop first, the reactor stops with it; so it does at SIGINT,
  which asyncio looks after, and at SIGTERM, which the reactor does unless the program does.
"""

from __future__ import annotations

import asyncio
import contextvars
import weakref
from collections.abc import AsyncGenerator
from types import FrameType
from typing import Any, Protocol

from .. import error
from .._log import Logger
from .loops import closeEventLoop, newEventLoop
from .raised import calledLogged
from .signals import ExitSignal, StopSignals
from .triggers import Events

_log = Logger(__name__)


class Open(Protocol):
    """What a reactor keeps account of: a connection, a listening port or an attempt to connect."""

    @property
    def _reading(self) -> bool:
        """Whether the loop watches it for input; `getReaders` asks."""

    @property
    def _writing(self) -> bool:
        """Whether output waits for room; `getWriters` asks."""

    def _shutdown(self) -> None:
        """Close at once, and tell the protocol or factory so, because the reactor stops."""


def _step(awaitable: Any) -> None:
    """Run what has nothing to wait for, without a task."""
    try:
        awaitable.send(None)
    except StopIteration:
        pass


class Core(Events):
    """
    Implements `IReactorCore` but for `resolve`, and keeps account of what is open.

    Making one touches nothing outside of it: no current event loop, and no signal handler, unless the loop
    runs and SIGTERM is nobody's (`ExitSignal`).

    Args:
        eventloop: the loop; by default the one that runs in this thread, else a new one.
    """

    #: True after `startRunning` and until the reactor has stopped or crashed.
    _started = False
    #: True before the reactor is started and from `stop` on.
    _stopped = True
    #: True once `stop` has been called: a reactor runs once.
    _startedBefore = False
    #: True between `stop` and the shutdown event.
    _justStopped = False
    #: True while `mainLoop` runs the loop, so that stopping the loop is up to this reactor.
    _looping = False
    #: True once `startRunning` was called in a loop that somebody else runs.
    _embedded = False
    #: In such a loop, what is told when that ends.
    _lifeline: AsyncGenerator[None, None] | None = None
    #: The signal that stopped this reactor, for programs that want to end by the same one.
    _exitSignal: int | None = None

    def __init__(self, eventloop: asyncio.AbstractEventLoop | None = None) -> None:
        super().__init__()
        if eventloop is None:
            # A second loop could never be run in this thread.
            eventloop = asyncio._get_running_loop()
        if eventloop is None:
            eventloop = newEventLoop()
            # Not at the end of `run`: programs tidy up after that, with calls that need a loop.
            weakref.finalize(self, closeEventLoop, eventloop)
        self._loop: asyncio.AbstractEventLoop = eventloop
        #: The loop is asyncio's own, whose transports are Python's; uvloop's are not, and need other ways.
        self._onAsyncio = isinstance(eventloop, asyncio.SelectorEventLoop)
        #: The context of delayed calls and calls from threads, as one callback of the loop makes many of
        #: them.
        self._context = contextvars.copy_context()
        #: What is open.  Whoever opens something enters it here, and removes it when it has ended: directly,
        #: as two calls of methods would be a cost of every connection.
        self._open: dict[Open, None] = {}
        self._signals: StopSignals | ExitSignal = StopSignals({})
        # Twisted's test builder empties this; loops bring their own way to be woken.
        self._internalReaders: set[Any] = set()
        self.addSystemEventTrigger("during", "startup", self._reallyStartRunning)
        self.addSystemEventTrigger("during", "shutdown", self.crash)
        self.addSystemEventTrigger("during", "shutdown", self.disconnectAll)

    # Accounts

    def removeAll(self) -> list[Any]:
        """Forget all that is open, and return it; it stays open."""
        left = list(self._open)
        self._open.clear()
        return left

    def disconnectAll(self) -> None:
        """Close all that is open, and tell each protocol and factory that its connection is lost."""
        for stream in list(self._open):
            self._open.pop(stream, None)
            calledLogged("while closing at shutdown", stream._shutdown)

    # Running

    def run(self, installSignalHandlers: bool = True) -> None:
        """
        Start, and run the event loop until `stop` or `crash`.

        asyncio's own ``loop.stop()``, and SystemExit or KeyboardInterrupt in a callback, end it as `crash`
        does.

        Args:
            installSignalHandlers: stop at SIGINT, SIGTERM and SIGBREAK; the previous handlers are
                back when this returns.  Only in the main thread.

        Raises:
            ReactorAlreadyRunning: it runs.
            ReactorNotRestartable: it ran, and was stopped.
        """
        self.startRunning(installSignalHandlers)
        try:
            self.mainLoop()
        finally:
            self._uninstallHandler()

    def startRunning(self, installSignalHandlers: bool = True) -> None:
        """
        Fire the startup event, for somebody who then runs the event loop himself.

        Args:
            installSignalHandlers: as for `run`; the previous handlers are back when the reactor has stopped.

        Raises:
            ReactorAlreadyRunning: it runs.
            ReactorNotRestartable: it ran, and was stopped.
        """
        if self._started:
            raise error.ReactorAlreadyRunning()
        if self._startedBefore:
            raise error.ReactorNotRestartable()
        self._uninstallHandler()
        handlers = {"SIGINT": self.sigInt, "SIGTERM": self.sigTerm, "SIGBREAK": self.sigBreak}
        self._signals = StopSignals(handlers if installSignalHandlers else {})
        self._started = True
        self._stopped = False
        self._context = contextvars.copy_context()
        # At once, not as the loop's first callback: what waits in the loop may count on a started reactor.
        # The triggers may in turn count on a running loop, for asyncio.create_task and the like.
        running = asyncio._get_running_loop()
        asyncio._set_running_loop(self._loop)
        try:
            self._context.run(self.fireSystemEvent, "startup")
        finally:
            asyncio._set_running_loop(running)
        self._embedded = running is self._loop
        if self._embedded and self._started:
            self._lifeline = self._untilLoopEnds()
            _step(self._lifeline.__anext__())

    def _startInRunningLoop(self) -> None:
        """Start in a loop that somebody else runs, and whose signals are up to him."""
        self.startRunning(installSignalHandlers=False)
        self._signals = ExitSignal(self._loop)
        self._signals.install()

    async def _untilLoopEnds(self) -> AsyncGenerator[None, None]:
        """
        Stop the reactor when the loop ends, and wait until that is done.

        A generator, and no task: `asyncio.run` closes those that are left at its very end, and no program
        waits for them.
        """
        try:
            yield
        finally:
            self._lifeline = None
            if self.running:
                down = self._loop.create_future()
                self.addSystemEventTrigger("after", "shutdown", down.set_result, None)
                if not self._stopped:
                    self.stop()
                await down
                # Connections that were closed get the loop's last word in the next round.
                await asyncio.sleep(0)

    def _reallyStartRunning(self) -> None:
        self.running = True
        self._signals.install()

    def _uninstallHandler(self) -> None:
        """Put back the signal handlers from before `startRunning`."""
        self._signals.restore()

    def mainLoop(self) -> None:
        """Run the event loop of a reactor that was started."""
        if not self._started:
            return
        self._looping = True
        try:
            self._loop.run_forever()
        finally:
            self._looping = False
            if self._started:
                self.crash()

    @property
    def _ending(self) -> bool:
        """
        True from `crash` until `run` returns.

        The loop goes round once more then, for connections that were closed; delayed calls and calls from
        threads wait, for ever or until somebody runs the reactor again.
        """
        return self._looping and not self._started

    @property
    def _over(self) -> bool:
        """True once it was stopped in a loop that runs on: as after `run`, delayed calls wait for ever."""
        return self._embedded and self._startedBefore and not self._started

    def iterate(self, delay: float = 0.0) -> None:
        """
        Run the event loop for a while, in a program that doesn't call `run`.

        Args:
            delay: for how many seconds.

        Raises:
            RuntimeError: the event loop runs already.
        """
        if delay > 0:
            stop: asyncio.Handle = self._loop.call_later(delay, self._loop.stop)
        else:
            stop = self._loop.call_soon(self._loop.stop)
        try:
            self._loop.run_forever()
        finally:
            stop.cancel()

    def wakeUp(self) -> None:
        """Make the event loop go round once; for any thread and for signal handlers."""
        self._loop.call_soon_threadsafe(int)

    # Stopping

    def stop(self) -> None:
        """
        Stop: fire the shutdown event soon, close what is open, and let `run` return.

        Raises:
            ReactorNotRunning: it doesn't run, or was stopped before.
        """
        if self._stopped:
            raise error.ReactorNotRunning("Can't stop reactor that isn't running.")
        self._stopped = True
        self._justStopped = True
        self._startedBefore = True
        # Thread-safe, as it may be called from a signal handler, where plain call_soon doesn't wake the loop.
        self._loop.call_soon_threadsafe(self._shutDown)

    def _shutDown(self) -> None:
        if self._justStopped:
            self._justStopped = False
            self.fireSystemEvent("shutdown")

    def crash(self) -> None:
        """Let `run` return without shutdown triggers; `run` may be called again."""
        self._started = False
        self.running = False
        self.addSystemEventTrigger("during", "startup", self._reallyStartRunning)
        lifeline, self._lifeline = self._lifeline, None
        if lifeline is not None:
            _step(lifeline.aclose())
        if not self._looping:
            self._uninstallHandler()
        else:
            # One round later: connections that are closed in this round get the loop's last word in the next.
            self._loop.call_soon(self._loop.stop)

    def sigInt(self, number: int, frame: FrameType | None = None) -> None:
        """Handle SIGINT."""
        self._stopBySignal("SIGINT", number)

    def sigBreak(self, number: int, frame: FrameType | None = None) -> None:
        """Handle SIGBREAK."""
        self._stopBySignal("SIGBREAK", number)

    def sigTerm(self, number: int, frame: FrameType | None = None) -> None:
        """Handle SIGTERM."""
        self._stopBySignal("SIGTERM", number)

    def _stopBySignal(self, name: str, number: int) -> None:
        _log.info(f"Received {name}, shutting down.")
        self._exitSignal = number
        self._loop.call_soon_threadsafe(self._stopOnce)

    def _stopOnce(self) -> None:
        # A second signal, while the shutdown triggers are waited for, changes nothing.
        if not self._stopped:
            self.stop()
