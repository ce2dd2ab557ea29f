"""
Accepting connections, also where descriptors run out or accept() fails.

Theory.  The event loop's own server accepts: nothing else is as fast.  But what it does about errors is not
what a service wants.  Out of descriptors, asyncio takes a second's rest, and uvloop accepts peers only to
close them (and, if its own reserve for that is lost, does nothing else any more); at other errors of
accept(), asyncio logs a traceback.  So the loop gets a copy of the listening socket, which can be taken away
from it and given again while peers wait in the kernel's queue, and

- it is taken away before descriptors run out: `room` tells when;
- it is taken away when accept() fails, and given again a moment later.

Who is turned away instead of having to wait is accepted here meanwhile, and closed, a few times a second.

Whatever else in the process takes the last descriptors, the port then waits as well.  asyncio's accept()
says so.  uvloop's doesn't, so it is looked at a few times a second.

uvloop accepts one connection in a round, where asyncio empties the kernel's queue.  While many wait there,
uvloop gets more copies of the socket, and accepts on each: rounds with more to do cost less for each
connection, as the peers' process is woken once for several of them.
"""

from __future__ import annotations

import asyncio
import functools
import os
import socket as socketlib
import struct
import sys
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from .._log import Logger, Seldom
from .loops import isUvloop
from .room import Room, limit

if TYPE_CHECKING:
    from .stream import Stream

_log = Logger(__name__)

#: The most connections that are accepted in one round of asyncio's loop.
_ACCEPTS = 50
#: How many rounds of its loop asyncio needs for a connection, from accept() until its task has ended: the
#: first is that of `Acceptor.close`.  A loop that is closed before logs each one.
_HANDING_OVER = 4
#: A round of asyncio's loop accepts at most as many as one in so many of the descriptors that are left: a
#: relay needs as many again, but only some four rounds later.  With one in 8, it runs into the limit.
_ROUND_SHARE = 16
#: Seconds until it is tried again.
_PAUSE = 0.05
#: Seconds between two looks on uvloop.
_WATCH = 0.25
#: The most copies that uvloop gets.  With 16 it is no faster, and with 32 slower.
_COPIES = 8

# Of one process, as descriptors are.
_exhaustedSeldom = Seldom(time.monotonic)


class Acceptor:
    """
    Has an event loop accept connections on a socket that listens.

    Args:
        loop: the event loop.
        makeStream: makes the protocol for each connection.
        sock: the socket; it stays the caller's, who closes it after `close`.
        backlog: how many connections may wait in the kernel.
        name: names the port in log entries.
        drops: tells whether peers are turned away, and not kept waiting, while descriptors run out.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        makeStream: Callable[[], Stream],
        sock: socketlib.socket,
        backlog: int,
        name: str,
        drops: Callable[[], bool] = lambda: False,
    ) -> None:
        self._loop = loop
        self._makeStream = makeStream
        self._sock = sock
        self._backlog = backlog
        self._name = name
        self._drops = drops
        #: What accepts now: one server, or several on uvloop.
        self._servers: list[_Server] = []
        #: A copy without a server, which keeps its number for the next.
        self._copy: _Copy | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._room = Room(sock)
        #: How many connections this round of asyncio's loop may still accept; None between rounds.
        self._left: int | None = None
        #: This round has accepted the last that there is room for.
        self._full = False
        self._failedSeldom = Seldom(time.monotonic)

    @property
    def accepting(self) -> bool:
        """Whether connections are accepted now."""
        return bool(self._servers)

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
        self._stopServing()

    def resume(self) -> None:
        """Accept again after `close`, if there is room, or else as soon as there is."""
        if not self._servers and self._timer is None:
            self._resume()

    # The loop's servers

    def _serve(self) -> None:
        """Start accepting, by one server of the loop."""
        copy, self._copy = self._copy, None
        self._left = None
        self._addServer(copy or _Copy(self._sock))
        self._timer = self._loop.call_later(_WATCH, self._watch) if isUvloop(self._loop) else None

    def _addServer(self, copy: _Copy) -> None:
        """Start another server on a copy of the socket, which is closed if that fails."""
        if isUvloop(self._loop):
            make, backlog = self._makeAndLook, self._backlog
        else:
            # asyncio takes it for how many connections to try and accept in a round, and `_acceptBy` decides
            # that.  It sets the kernel's too, but `_Copy.listen` knows better.
            make, backlog = self._makeStream, _ACCEPTS + 1
        try:
            self._servers.append(_Server(self._loop, make, copy, backlog))
        except BaseException:
            copy.close()
            raise
        copy.acceptor = self

    def _stopServing(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._copy is not None:
            self._copy.close()
            self._copy = None
        while self._servers:
            self._servers.pop().close()

    # Pausing

    def _pause(self) -> None:
        """Take the socket away from the loop for a moment."""
        if not self._servers:
            return
        self._stopServing()
        self._room.recount()
        try:
            # To have the number that has just been given back: else that alone would look like room.
            self._copy = _Copy(self._sock)
        except OSError:
            # Taken by another thread.
            pass
        self._timer = self._loop.call_later(_PAUSE, self._resume)

    def _resume(self) -> None:
        """Give the socket to the loop, if there is room now."""
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

    def _pauseSoon(self) -> None:
        # Not at once: what was accepted in this round of the loop still needs the server.
        self._loop.call_soon(self._pause)

    # asyncio's way: it calls `accept` of the socket until that raises

    def _acceptBy(self, accept: Callable[[], Any]) -> Any:
        """
        Accept a connection.

        Raises:
            BlockingIOError: there is none, or no more should be accepted in this round.
        """
        left, self._left = self._left, None
        if left is None:
            left = max(1, min(_ACCEPTS, self._room.size() // _ROUND_SHARE))
        elif left == 0:
            if self._full:
                self._full = False
                self._sayExhausted()
                self._pauseSoon()
            raise BlockingIOError
        try:
            accepted = accept()
        except (BlockingIOError, ConnectionAbortedError):
            raise
        except OSError as e:
            if self._room.look():
                self._sayFailed(e)
            else:
                self._sayExhausted()
            self._pauseSoon()
            raise BlockingIOError from e
        self._full = not self._room.glance()
        self._left = 0 if self._full else left - 1
        return accepted

    # uvloop's way: it asks for a protocol when it has accepted

    def _makeAndLook(self) -> Stream:
        if not self._room.glance():
            self._sayExhausted()
            self._pauseSoon()
        return self._makeStream()

    def _watch(self) -> None:
        if self._room.look():
            self._adapt()
            self._timer = self._loop.call_later(_WATCH, self._watch)
        else:
            self._sayExhausted()
            self._pause()

    def _adapt(self) -> None:
        """Have as many servers as half of those who wait now: if that are few, one is fastest."""
        wanted = min(_waiting(self._sock) // 2, _COPIES, self._room.size() // _ROUND_SHARE)
        while len(self._servers) > max(1, wanted):
            self._servers.pop().close()
        try:
            while len(self._servers) < wanted:
                self._addServer(_Copy(self._sock))
        except OSError:
            # Those that there are will do.
            pass


def afterHandingOver(loop: asyncio.AbstractEventLoop, done: Callable[[], object]) -> None:
    """Call a function when, a round after `Acceptor.close`, a loop is done with all that it had accepted."""
    _afterRounds(loop, _HANDING_OVER - 1 if isinstance(loop, asyncio.SelectorEventLoop) else 0, done)


def _afterRounds(loop: asyncio.AbstractEventLoop, rounds: int, done: Callable[[], object]) -> None:
    if rounds:
        loop.call_soon(_afterRounds, loop, rounds - 1, done)
    else:
        done()


class _Server:
    """
    A server of the event loop that accepts on a copy of a listening socket.

    The loops' methods for it are coroutines that have nothing to wait for.  In a task, they would only make a
    port that is neither open nor closed for two rounds of the loop, or for ever if the loop doesn't run.

    Raises:
        OSError: the system or the loop can't.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, makeStream: Callable[[], Stream], copy: _Copy, backlog: int
    ) -> None:
        self._loop = loop
        self._copy = copy
        # Not create_unix_server, for any kind: some versions of it remove the socket's file at the end.
        self._server: asyncio.AbstractServer = _firstStep(
            loop.create_server(makeStream, sock=copy, backlog=backlog, start_serving=False)
        )
        try:
            _firstStep(self._server.start_serving())
        except BaseException:
            self._server.close()
            raise

    def close(self) -> None:
        """Accept no more, and close the copy; what was handed over lives on."""
        # The end is meant.
        self._copy.acceptor = None
        if isinstance(self._loop, asyncio.SelectorEventLoop):
            # Not by the server's close(): what it has accepted in this round has yet to attach to it, which
            # fails with a traceback once it is closed, and leaves the connection's descriptor open.
            self._loop.remove_reader(self._copy)
            self._copy.close()
        else:
            self._server.close()


class _Copy(socketlib.socket):
    """
    A copy of a listening socket, as the loop's server gets it.

    Attributes:
        acceptor: who hears how accept() goes; None while nobody wants to.
    """

    __slots__ = ("acceptor",)

    def __init__(self, original: socketlib.socket) -> None:
        self.acceptor: Acceptor | None = None
        number = os.dup(original.fileno())
        try:
            super().__init__(original.family, original.type, original.proto, number)
        except BaseException:
            os.close(number)
            raise

    def listen(self, backlog: int = 0) -> None:
        """Do nothing: it listens, and the length of the queue is not the loop's to decide."""

    def accept(self) -> Any:
        if self.acceptor is None:
            raise BlockingIOError
        return self.acceptor._acceptBy(self._acceptOne)

    def _acceptOne(self) -> tuple[_Accepted, Any]:
        # What socket.accept() is made of, which would make a plain socket.
        number, peer = self._accept()  # type: ignore[attr-defined]
        if isinstance(peer, tuple):
            peer = _shared(peer[0]), *peer[1:]
        return _Accepted(self.family, self.type, self.proto, number), peer


class _Accepted(socketlib.socket):
    """
    A socket that was accepted by asyncio, whose transport keeps the addresses of both ends.

    What they have in common with those of other connections is there once: they would be a sixth of the
    memory of an idle connection.
    """

    __slots__ = ()

    def getsockname(self) -> Any:
        return _shared(super().getsockname())


@functools.lru_cache(maxsize=256)
def _shared(value: Any) -> Any:
    """Give the same object for all values that are equal."""
    return value


def _waiting(sock: socketlib.socket) -> int:
    """Tell how many connections wait in the queue of a listening socket; 0 if the system doesn't say."""
    if sys.platform != "linux" or sock.family not in (socketlib.AF_INET, socketlib.AF_INET6):
        return 0
    # tcp_info's tcpi_unacked, after eight bytes and four numbers.
    return int(
        struct.unpack_from("8x4II", sock.getsockopt(socketlib.IPPROTO_TCP, socketlib.TCP_INFO, 28))[-1]
    )


def _firstStep(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine to its end, or until it waits for the loop to go round, as `start_serving`."""
    try:
        coroutine.send(None)
    except StopIteration as e:
        return e.value
    coroutine.close()
    return None
