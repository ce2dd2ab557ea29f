"""
Threads for what may hang: look-ups of names.

Theory.  Threads need a limit: ten thousand look-ups at once must not become as many threads, nor flood the
name server (dnsmasq serves 150 at a time).  But a limit makes a line, and those who hang hold up the line:
with as many dead names as there are places, a name that is well waits for half a minute.  So a look-up holds
its place for a moment only.  When it takes longer it keeps its thread, which can't be interrupted, and
another thread takes the place; up to a second, much higher limit, which is there for the memory's sake.

`ThreadPool` serves functions in general, of which nobody can say when they take too long.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import TypeVar

from .._log import Logger

_log = Logger(__name__)

_A = TypeVar("_A")

#: Seconds after which a thread that has nothing to do ends.
IDLE = 30.0


class Lookups:
    """
    Calls functions in threads, so that those which hang don't hold up the others.

    Args:
        name: for the names of the threads.
        abreast: how many may be under way, not counting those that take too long.
        most: how many threads there may be.
        patience: seconds after which a call takes too long.
    """

    def __init__(self, name: str, abreast: int, most: int, patience: float) -> None:
        self._name = name
        self._abreast = abreast
        self._most = most
        self._patience = patience
        self._queue: deque[Callable[[], object]] = deque()
        #: Threads that do something, and since when; the one that began first is first.
        self._busy: dict[threading.Thread, float] = {}
        self._idle: set[threading.Thread] = set()
        self._numbered = 0
        self._closed = False
        # Guards all of the above.
        self._changed = threading.Condition()

    def call(self, function: Callable[[_A], object], argument: _A) -> None:
        """
        Call a function in a thread, as soon as there is a place; what it raises is logged.

        After `close` this does nothing.

        Args:
            function: what to call.
            argument: with what.

        Raises:
            RuntimeError: the system gives this process not one thread.
        """
        with self._changed:
            if self._closed:
                return
            work = partial(function, argument)
            self._queue.append(work)
            try:
                self._staff()
            except RuntimeError:
                # Threads that are there come to it in time.
                if not (self._busy or self._idle):
                    self._queue.remove(work)
                    raise

    def close(self) -> None:
        """Forget what waits, and let the threads end; those that are in a call are not waited for."""
        with self._changed:
            self._closed = True
            self._queue.clear()
            self._changed.notify_all()
            idle = list(self._idle)
        for thread in idle:
            thread.join()

    def _staff(self) -> None:
        """Wake or start the threads for what is queued; with the lock held."""
        self._changed.notify(len(self._queue))
        while len(self._queue) > len(self._idle) and len(self._busy) + len(self._idle) < self._most:
            # Where there is no place one thread waits for it, to notice that another takes too long.
            if self._idle and len(self._idle) >= self._room()[0]:
                break
            self._hire()

    def _hire(self) -> None:
        self._numbered += 1
        name = f"PoolThread-{self._name}-{self._numbered}"
        thread = threading.Thread(target=self._serve, name=name, daemon=True)
        thread.start()
        self._idle.add(thread)

    def _room(self) -> tuple[int, float]:
        """Tell how many places there are, and for how many seconds there are none unless a call ends."""
        now = monotonic()
        young = [began for began in self._busy.values() if now - began < self._patience]
        places = self._abreast - len(young)
        return places, 0.0 if places > 0 else young[0] + self._patience - now

    def _serve(self) -> None:
        """Make calls until this thread isn't wanted any more; in a thread."""
        thread = threading.current_thread()
        while (function := self._next(thread)) is not None:
            try:
                function()
            except BaseException:
                _log.failure("in a thread for look-ups")
            # What it holds is not to live until the next one comes.
            del function

    def _next(self, thread: threading.Thread) -> Callable[[], object] | None:
        """Wait for something to do, and for a place to do it in; None if this thread is to end."""
        with self._changed:
            if self._busy.pop(thread, None) is not None:
                self._idle.add(thread)
            while not self._closed:
                places, wait = self._room() if self._queue else (0, IDLE)
                if places > 0:
                    return self._take(thread)
                woken = self._changed.wait(wait)
                if not (woken or self._queue):
                    break
            self._idle.remove(thread)
            return None

    def _take(self, thread: threading.Thread) -> Callable[[], object]:
        self._idle.remove(thread)
        self._busy[thread] = monotonic()
        function = self._queue.popleft()
        if self._queue:
            try:
                self._staff()
            except RuntimeError:
                pass  # there are no more threads: those that are busy come to it in time
        return function
