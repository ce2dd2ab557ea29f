"""
Accepting on asyncio's own loop: it tells when somebody waits, and this accepts them.

asyncio's server does the same, and makes a task and a future for each connection: a tenth of what a short one
costs.  So does all that it offers for a socket that was accepted elsewhere.  What is left is the method by
which its loops make their transports, `_make_socket_transport`: loops of others override it, so that its name
and arguments have stayed as they are since there is asyncio.
"""

from __future__ import annotations

import asyncio
import functools
import socket as socketlib
from typing import Any

from .accepting import Acceptor
from .writing import BUFFER_SIZE

#: The most connections that are accepted in one round of the loop.
_ACCEPTS = 50
#: And at most as many as one in so many of the descriptors that are left: a relay needs as many again, but
#: only some rounds later.  With one in 8, it runs into the limit.
_ROUND_SHARE = 16


class ReaderAcceptor(Acceptor):
    """Accepts what a loop of asyncio reports."""

    # One tells that the connection is made, and the next ends it because the port has stopped.
    handingOver = 2

    @staticmethod
    def suits(loop: asyncio.AbstractEventLoop) -> bool:
        """Tell whether this is for a loop."""
        return isinstance(loop, asyncio.SelectorEventLoop) and hasattr(loop, "_make_socket_transport")

    def _begin(self) -> None:
        self._loop.add_reader(self._sock, self._acceptSome)

    def _end(self) -> None:
        self._loop.remove_reader(self._sock)

    def _acceptSome(self) -> None:
        for _ in range(max(1, min(_ACCEPTS, self._room.size() // _ROUND_SHARE))):
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
