"""
Accepting on other loops, such as uvloop: by their own servers, as nothing else is as fast.

A server gets a copy of the listening socket, so that it can be closed, and another made, while peers wait in
the kernel's queue.  uvloop says nothing when descriptors run out; so it is looked at a few times a second.

uvloop accepts one connection in a round.  While many wait there are more servers, and each accepts one:
rounds with more to do cost less for each connection, as the peers' process is woken once for several of them.
"""

from __future__ import annotations

import asyncio
import socket as socketlib
import struct
import sys
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from .accepting import Acceptor

if TYPE_CHECKING:
    from .stream import Stream

#: Seconds between two looks.
_WATCH = 0.25
#: The most servers.  With 16 it is no faster, and with 32 slower.
_SERVERS = 8


class ServerAcceptor(Acceptor):
    """Has a loop's servers accept."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._servers: list[asyncio.AbstractServer] = []
        #: A copy without a server, which keeps its number for the next.
        self._copy: socketlib.socket | None = None

    def _begin(self) -> None:
        copy, self._copy = self._copy, None
        self._addServer(copy or self._sock.dup())
        self._timer = self._loop.call_later(_WATCH, self._watch)

    def _end(self) -> None:
        if self._copy is not None:
            self._copy.close()
            self._copy = None
        while self._servers:
            self._servers.pop().close()

    def _keepPlace(self) -> None:
        try:
            self._copy = self._sock.dup()
        except OSError:
            # Taken by another thread.
            pass

    def _addServer(self, copy: socketlib.socket) -> None:
        """Start another server on a copy of the socket, which is closed if that fails."""
        server = None
        try:
            # Not create_unix_server, for any kind: some versions of it remove the socket's file at the end.
            server = _firstStep(
                self._loop.create_server(
                    self._makeAndLook, sock=copy, backlog=self._backlog, start_serving=False
                )
            )
            _firstStep(server.start_serving())
        except BaseException:
            if server is not None:
                server.close()
            copy.close()
            raise
        self._servers.append(server)

    def _makeAndLook(self) -> Stream:
        # Asked for when a connection has been accepted.
        if not self._room.glance():
            self._sayExhausted()
            # Not at once: the server is about to use what it gets.
            self._loop.call_soon(self._pause)
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
        wanted = self._inOneRound(min(_waiting(self._sock) // 2, _SERVERS))
        while len(self._servers) > wanted:
            self._servers.pop().close()
        try:
            while len(self._servers) < wanted:
                self._addServer(self._sock.dup())
        except OSError:
            # Those that there are will do.
            pass


def _waiting(sock: socketlib.socket) -> int:
    """Tell how many connections wait in the queue of a listening socket; 0 if the system doesn't say."""
    if sys.platform != "linux" or sock.family not in (socketlib.AF_INET, socketlib.AF_INET6):
        return 0
    try:
        information = sock.getsockopt(socketlib.IPPROTO_TCP, socketlib.TCP_INFO, 28)
        # tcp_info's tcpi_unacked, after eight bytes and four numbers.
        return int(struct.unpack_from("24xI", information)[0])
    except (OSError, struct.error):
        # An adopted socket may be of another protocol, and not every kernel tells as much.
        return 0


def _firstStep(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """
    Run a coroutine to its end, or until it waits for the loop to go round, as `start_serving`.

    Those of a server have nothing to wait for.  In a task, they would only make a port that is neither open
    nor closed for two rounds of the loop, or for ever if the loop doesn't run.
    """
    try:
        coroutine.send(None)
    except StopIteration as e:
        return e.value
    coroutine.close()
    return None
