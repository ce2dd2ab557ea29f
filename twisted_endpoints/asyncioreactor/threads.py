"""The reactor's thread and others: calls from here to there and back."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from .core import Core
from .raised import calledLogged
from .threadpool import ThreadPool
from .triggers import checkCallable


class Threads(Core):
    """Implements `IReactorThreads`."""

    usingThreads = True
    #: The pool, once it was asked for; `getThreadPool` makes it.
    threadpool: ThreadPool | None = None

    def __init__(self, eventloop: asyncio.AbstractEventLoop | None = None) -> None:
        super().__init__(eventloop)
        self._threadCalls: deque[Callable[[], Any]] = deque()
        #: True from the first call that waits until the loop has come to look.
        self._threadCallsAnnounced = False
        self._poolTriggers: list[Any] = []

    def callFromThread(self, callable: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """
        Call a function in the reactor's thread, soon; for any thread and for signal handlers.

        Calls from one thread are made in the order in which it asked for them.

        Args:
            callable: the function; what it raises is logged.
            args: its positional arguments.
            kwargs: its keyword arguments.

        Raises:
            RuntimeError: the event loop was closed.
        """
        checkCallable(callable)
        call = partial(callable, *args, **kwargs)
        self._threadCalls.append(call)
        # One wake-up, a system call, is enough for all that wait.
        if not self._threadCallsAnnounced:
            self._threadCallsAnnounced = True
            try:
                self._loop.call_soon_threadsafe(self._callForThreads)
            except BaseException:
                self._threadCalls.remove(call)
                self._threadCallsAnnounced = False
                raise

    def _callForThreads(self) -> None:
        if self._ending:
            self._loop.call_soon(self._callForThreads)
        else:
            self._context.run(self._makeThreadCalls)

    def _makeThreadCalls(self) -> None:
        try:
            # Those that are there now: a thread that never ceases to call mustn't keep the loop from all
            # else.
            for _ in range(len(self._threadCalls)):
                calledLogged("while calling from a thread", self._threadCalls.popleft())
        finally:
            # In this order: who adds a call after the look at the queue announces it himself.
            self._threadCallsAnnounced = False
            if self._threadCalls:
                self._threadCallsAnnounced = True
                self._loop.call_soon(self._callForThreads)

    def callInThread(self, callable: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """
        Call a function in a thread of the reactor's pool, or when the reactor has started.

        Args:
            callable: the function; what it raises is logged.
            args: its positional arguments.
            kwargs: its keyword arguments.
        """
        self.getThreadPool().callInThread(callable, *args, **kwargs)

    def suggestThreadPoolSize(self, size: int) -> None:
        """Set the greatest number of threads in the reactor's pool; it is 10 by default."""
        self.getThreadPool().adjustPoolsize(maxthreads=size)

    def getThreadPool(self) -> ThreadPool:
        """Return the reactor's pool: it starts and stops with the reactor."""
        if self.threadpool is None:
            self.threadpool = ThreadPool(0, 10, "reactor")
            self._poolTriggers = [
                self.callWhenRunning(self.threadpool.start),
                self.addSystemEventTrigger("during", "shutdown", self._stopThreadPool),
            ]
        return self.threadpool

    def _stopThreadPool(self) -> None:
        """Wait for the pool's threads to end, and forget the pool; who wants one then gets a new one."""
        pool, self.threadpool = self.threadpool, None
        for trigger in filter(None, self._poolTriggers):
            try:
                self.removeSystemEventTrigger(trigger)
            except ValueError:
                pass
        self._poolTriggers = []
        if pool is not None:
            pool.stop()
