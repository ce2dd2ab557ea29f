"""
A pool of threads, the twin of `twisted.python.threadpool`.

Not `concurrent.futures`: its threads can't be more or fewer later, and are waited for when the interpreter
exits, even where one hangs for half a minute.  These are daemons; who needs them done calls `stop`.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from .._log import Logger
from ..failure import Failure

_log = Logger(__name__)


class _Work:
    """One call to make in a thread."""

    __slots__ = ("args", "function", "kwargs", "onResult")

    def __init__(
        self,
        onResult: Callable[[bool, Any], object] | None,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        self.onResult = onResult
        self.function = function
        self.args = args
        self.kwargs = kwargs

    def do(self) -> None:
        result: Any
        try:
            result, succeeded = self.function(*self.args, **self.kwargs), True
        except BaseException:
            result, succeeded = Failure(), False
        # Nothing of the call may outlive it while the result is passed on.
        onResult = self.onResult
        del self.function, self.args, self.kwargs, self.onResult
        if onResult is not None:
            try:
                onResult(succeeded, result)
            except BaseException:
                _log.failure("while passing on what a thread has returned")
        elif not succeeded:
            _log.failure("in a thread", result)
        # A traceback holds this frame: what it would hold in turn is garbage for the collector only.
        del result, onResult


class ThreadPool:
    """
    Calls functions in threads, which are started when they are needed.

    Until `start`, and while all threads are busy, calls wait in a queue.

    Args:
        minthreads: how many threads to start at once.
        maxthreads: how many to have at most.
        name: the pool's name, for the names of its threads.
    """

    joined = False
    started = False
    threadFactory = threading.Thread
    currentThread = staticmethod(threading.current_thread)

    def __init__(self, minthreads: int = 5, maxthreads: int = 20, name: str | None = None) -> None:
        _checkSizes(minthreads, maxthreads)
        self.min = minthreads
        self.max = maxthreads
        self.name = name
        #: All threads, those that wait for work, and those that do some.
        self.threads: list[threading.Thread] = []
        self.waiters: list[threading.Thread] = []
        self.working: list[threading.Thread] = []
        self._queue: deque[_Work] = deque()
        #: How many threads are to end as soon as they have nothing to do.
        self._surplus = 0
        self._numbered = 0
        # Guards all of the above.
        self._changed = threading.Condition()

    @property
    def workers(self) -> int:
        """How many threads there are, but for those that are to end."""
        return len(self.threads) - self._surplus

    def start(self) -> None:
        """Start the first threads; queued calls are made now."""
        self.joined = False
        self.started = True
        self.adjustPoolsize()

    def stop(self) -> None:
        """Make the calls that are queued, let the threads end, and wait for them."""
        with self._changed:
            self.joined = True
            self.started = False
            self._changed.notify_all()
        for thread in list(self.threads):
            thread.join()

    def callInThread(self, func: Callable[..., Any], *args: Any, **kw: Any) -> None:
        """
        Call a function in a thread; what it raises is logged.

        After `stop` this does nothing.
        """
        self.callInThreadWithCallback(None, func, *args, **kw)

    def callInThreadWithCallback(
        self, onResult: Callable[[bool, Any], object] | None, func: Callable[..., Any], *args: Any, **kw: Any
    ) -> None:
        """
        Call a function in a thread, and pass on what came of it.

        Args:
            onResult: called in that same thread: with True and the result, or with False and a Failure.
            func: what to call.
            args: its positional arguments.
            kw: its keyword arguments.

        Raises:
            RuntimeError: there is no thread yet, and the system has none to spare.
        """
        work = _Work(onResult, func, args, kw)
        with self._changed:
            if self.joined:
                return
            self._queue.append(work)
            try:
                self._staff()
            except RuntimeError:
                # Those that there are will come to it.
                if not self.workers:
                    self._queue.pop()
                    raise

    def adjustPoolsize(self, minthreads: int | None = None, maxthreads: int | None = None) -> None:
        """
        Change how many threads there are.

        Args:
            minthreads: the new least number; by default as it was.
            maxthreads: the new greatest number; by default as it was.
        """
        with self._changed:
            minthreads = self.min if minthreads is None else minthreads
            maxthreads = self.max if maxthreads is None else maxthreads
            _checkSizes(minthreads, maxthreads)
            self.min, self.max = minthreads, maxthreads
            if self.started:
                while self.workers < self.min:
                    self._hire()
                self._release(self.workers - self.max)
                self._staff()

    def startAWorker(self) -> None:
        """Start one more thread, if there may be one."""
        with self._changed:
            if self.started and self.workers < self.max:
                self._hire()

    def stopAWorker(self) -> None:
        """Let one thread end as soon as it has nothing to do."""
        with self._changed:
            self._release(1)

    def dumpStats(self) -> None:
        """Log what the threads are doing."""
        _log.info(f"waiters: {self.waiters}")
        _log.info(f"workers: {self.working}")
        _log.info(f"total: {self.threads}")

    def _staff(self) -> None:
        """Wake or start the threads for what is queued; with the lock held."""
        if not self.started:
            return
        self._changed.notify(len(self._queue))
        for _ in range(min(len(self._queue) - len(self.waiters), self.max - self.workers)):
            self._hire()

    def _hire(self) -> None:
        if self._surplus:
            self._surplus -= 1
            return
        self._numbered += 1
        name = f"PoolThread-{self.name or id(self)}-{self._numbered}"
        thread = self.threadFactory(target=self._serve, name=name, daemon=True)
        thread.start()
        # It counts as a waiter from now on, lest the next call starts another for the same work.
        self.threads.append(thread)
        self.waiters.append(thread)

    def _release(self, number: int) -> None:
        if number > 0:
            self._surplus += min(number, self.workers)
            self._changed.notify(number)

    def _serve(self) -> None:
        """Do work until there is none and this thread isn't wanted any more; in a thread."""
        thread = threading.current_thread()
        while True:
            with self._changed:
                while not (self._queue or self._surplus or self.joined):
                    self._changed.wait()
                self.waiters.remove(thread)
                if self._queue:
                    work = self._queue.popleft()
                    self.working.append(thread)
                else:
                    self._surplus = max(0, self._surplus - 1)
                    self.threads.remove(thread)
                    return
            work.do()
            # What it holds is not to live until the next one comes.
            del work
            with self._changed:
                self.working.remove(thread)
                self.waiters.append(thread)


def _checkSizes(minthreads: int, maxthreads: int) -> None:
    if minthreads < 0:
        raise AssertionError("minimum is negative")
    if minthreads > maxthreads:
        raise AssertionError("minimum is greater than maximum")
