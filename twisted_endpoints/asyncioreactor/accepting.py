"""
Accepting connections, also where descriptors run out or accept() fails.

Theory.  What event loops do of their own about errors is not what a service wants.  Out of descriptors,
asyncio takes a second's rest, and uvloop accepts peers only to close them (and, if its own reserve for that
is lost, does nothing else any more).  So the socket is taken away from the loop, while peers wait in the
kernel's queue, and given again a moment later:

- before descriptors run out: `room` tells when;
- when accept() fails.

Who is turned away instead of having to wait is accepted here meanwhile, and closed, a few times a second.
Whatever else in the process takes the last descriptors, the port then waits as well.

How a loop accepts is `acceptreader`'s and `acceptserver`'s matter.
"""

from __future__ import annotations

import asyncio
import socket as socketlib
import struct
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from .._log import Logger, Seldom
from .room import Room, limit

if TYPE_CHECKING:
    from .stream import Stream

_log = Logger(__name__)

#: A round of the loop accepts at most as many as one in so many of the descriptors that are left: a relay
#: needs as many again, but only some rounds later.  With one in 8, it runs into the limit.
_ROUND_SHARE = 16
#: Seconds until it is tried again.
_PAUSE = 0.05

# Of one process, as descriptors are.
_exhaustedSeldom = Seldom(time.monotonic)


class Acceptor:
    """
    Has an event loop accept connections on a socket that listens; subclasses say how.

    Args:
        loop: the event loop.
        makeStream: makes the protocol for each connection.
        sock: the socket; it stays the caller's, who closes it after `close`.
        backlog: how many connections may wait in the kernel.
        name: names the port in log entries.
        drops: tells whether peers are turned away, and not kept waiting, while descriptors run out.

    Attributes:
        accepting: connections are accepted now.
    """

    #: How many rounds of the loop, after that of `close`, it needs for what it had accepted.
    handingOver = 0

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        makeStream: Callable[[], Stream],
        sock: socketlib.socket,
        backlog: int,
        name: str,
        drops: Callable[[], bool] = lambda: False,
    ) -> None:
        self.accepting = False
        self._loop = loop
        self._makeStream = makeStream
        self._sock = sock
        self._backlog = backlog
        self._name = name
        self._drops = drops
        #: What the loop does for this later.
        self._timer: asyncio.TimerHandle | None = None
        self._room = Room(sock)
        self._failedSeldom = Seldom(time.monotonic)

    # What subclasses say

    def _begin(self) -> None:
        """
        Have the loop accept.

        Raises:
            OSError: the system or the loop can't.
        """
        raise NotImplementedError

    def _end(self) -> None:
        """Have the loop accept no more."""
        raise NotImplementedError

    def _keepPlace(self) -> None:
        """Take the descriptor that `_end` has given back: else that alone would look like room."""

    # For the port

    def start(self) -> None:
        """
        Accept from now on.

        Raises:
            OSError: the system or the loop can't.
        """
        self._room.look()
        self._serve()

    def close(self) -> None:
        """Accept no more, for good or until `resume`; what was handed over lives on."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.accepting = False
        self._end()

    def resume(self) -> None:
        """Accept again after `close`, if there is room, or else as soon as there is."""
        if not self.accepting and self._timer is None:
            self._resume()

    def _inOneRound(self, most: int) -> int:
        """Tell how many connections one round of the loop may accept: at least one, whatever is left."""
        return max(1, min(most, self._room.size() // _ROUND_SHARE))

    # Pausing

    def _serve(self) -> None:
        self._begin()
        self.accepting = True

    def _pause(self) -> None:
        """Take the socket away from the loop for a moment."""
        if not self.accepting:
            return
        self.close()
        self._room.recount()
        self._keepPlace()
        self._timer = self._loop.call_later(_PAUSE, self._resume)

    def _resume(self) -> None:
        """Give the socket to the loop, if there is room now."""
        self._timer = None
        if self._room.look():
            try:
                self._serve()
            except OSError as e:
                self._sayFailed(e)
            else:
                return
        else:
            self._sayExhausted()
            if self._drops():
                self._turnAway()
        self._timer = self._loop.call_later(_PAUSE, self._resume)

    def _turnAway(self) -> None:
        """
        Accept who waits, only to reset the connection: a client might take a clean end for an answer.

        It takes one descriptor of the reserve, which is free again before anybody else could want it.
        """
        try:
            for _ in range(self._backlog):
                try:
                    peer, _ = self._sock.accept()
                except ConnectionAbortedError:
                    continue
                with peer:
                    peer.setsockopt(socketlib.SOL_SOCKET, socketlib.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            # There is nobody left; or no descriptor, not even in the reserve, and they wait.
            pass

    def _sayExhausted(self) -> None:
        if _exhaustedSeldom():
            fate = "are turned away" if self._drops() else "wait to be accepted"
            _log.error(
                f"connections to {self._name} {fate}: the process "
                f"runs out of descriptors, of which it may have {limit()} (ulimit -n)"
            )

    def _sayFailed(self, reason: OSError) -> None:
        if self._failedSeldom():
            _log.error(f"a connection to {self._name} can't be accepted: {reason.strerror}; going on")
