"""
Accepting on asyncio's own loop: it tells when somebody waits, and this accepts them.

asyncio's server does the same, and makes a task and a future for each connection: a tenth of what a short one
costs.  What it offers for a socket that was accepted elsewhere, `connect_accepted_socket`, costs as much.
What is left is `_make_socket_transport`, by which both make their transports.  It isn't public, but all
versions from 3.6 to 3.13 have it, with the same arguments.
"""

from __future__ import annotations

import functools
import socket as socketlib
from typing import Any

from .accepting import Acceptor
from .writing import BUFFER_SIZE

#: The most connections that are accepted in one round of the loop.
_ACCEPTS = 50


class ReaderAcceptor(Acceptor):
    """Accepts what a loop of asyncio reports."""

    # One tells that the connection is made, and the next ends it because the port has stopped.
    handingOver = 2

    def _begin(self) -> None:
        self._loop.add_reader(self._sock, self._acceptSome)

    def _end(self) -> None:
        self._loop.remove_reader(self._sock)

    def _acceptSome(self) -> None:
        for _ in range(self._inOneRound(_ACCEPTS)):
            try:
                self._acceptOne()
            except BlockingIOError:
                return
            except ConnectionAbortedError:
                continue
            except OSError as e:
                if self._room.look():
                    self._sayFailed(e)
                else:
                    self._sayExhausted()
                self._pause()
                return
            if not self._room.glance():
                self._sayExhausted()
                self._pause()
                return

    def _acceptOne(self) -> None:
        # What socket.accept() is made of, which would make a plain socket.
        listening: Any = self._sock
        number, peer = listening._accept()
        if isinstance(peer, tuple):
            peer = _shared(peer[0]), *peer[1:]
        accepted = _Accepted(listening.family, listening.type, listening.proto, number)
        try:
            accepted.setblocking(False)
            loop: Any = self._loop
            made = loop._make_socket_transport(accepted, self._makeStream(), extra={"peername": peer})
        except BaseException:
            accepted.close()
            raise
        # As for a producer.  asyncio's own lower limit would be an object for each idle connection.
        made.set_write_buffer_limits(BUFFER_SIZE, 0)


class _Accepted(socketlib.socket):
    """
    A socket that was accepted, for a transport that keeps the addresses of both ends.

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
