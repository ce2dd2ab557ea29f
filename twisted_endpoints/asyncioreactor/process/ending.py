"""
The end of child processes: who notices it, and who takes their status, so that none stays a zombie.

A descriptor of the process (``pidfd_open``, Linux 5.3) becomes readable when it ends.  That touches nothing
that belongs to the whole program: no handler for SIGCHLD, so that it works in any thread, in a loop that
somebody else runs, and beside asyncio's, uvloop's and Twisted's own ways to do this; and each asks for the
status of its own children only.  Where there is no such descriptor, a thread waits.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable

from ..._log import Logger

_log = Logger(__name__)

#: Children whose reactor has stopped before they ended.
_left: set[int] = set()


def reapLeft() -> None:
    """Take the status of children that have ended since their reactor stopped."""
    for pid in list(_left):
        try:
            done, _ = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            done = pid
        if done:
            _left.discard(pid)


class Child:
    """
    Waits for the end of one child process.

    Args:
        loop: the event loop.
        pid: its number.
        ended: called once, in the loop, with its status as `os.waitpid` gives it; None if somebody else took
            that.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, pid: int, ended: Callable[[int | None], object]
    ) -> None:
        self._loop = loop
        self._pid = pid
        self._ended: Callable[[int | None], object] | None = ended
        self._descriptor = -1
        try:
            self._watch()
        except (AttributeError, OSError):
            # An old kernel, a sandbox, or no descriptor is left.
            threading.Thread(target=self._wait, name=f"waits for process {pid}", daemon=True).start()

    def _watch(self) -> None:
        descriptor = os.pidfd_open(self._pid)
        try:
            self._loop.add_reader(descriptor, self.check)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def _wait(self) -> None:
        try:
            # Its status is left for the loop's thread: until that is taken, the number is nobody else's.
            os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOWAIT)
        except ChildProcessError:
            pass
        try:
            self._loop.call_soon_threadsafe(self.check)
        except RuntimeError:
            # The loop is closed.
            pass

    def check(self) -> None:
        """See whether the process has ended, and tell if so."""
        if self._ended is None:
            return
        status: int | None
        try:
            done, status = os.waitpid(self._pid, os.WNOHANG)
        except ChildProcessError:
            _log.warning(f"process {self._pid}: somebody else took its status, or SIGCHLD is ignored")
            done, status = self._pid, None
        if done:
            ended = self._ended
            self._stop()
            ended(status)

    def leave(self) -> None:
        """Wait no more: the reactor stops."""
        if self._ended is not None:
            self._stop()
            _left.add(self._pid)

    def _stop(self) -> None:
        self._ended = None
        if self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1
