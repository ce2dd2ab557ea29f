"""
Whether there is room for another connection in the process's table of descriptors.

Theory.  A new descriptor gets the lowest number that is free: when that is within a reserve below the limit,
the table is nearly full.  What remains is for what accepted connections need next: files, and the connections
that a relay makes for them.  Whatever of the reserve they have taken has to be free elsewhere before there is
room again: else the reserve would be gone one day.
"""

from __future__ import annotations

import os
import resource
import socket
import sys

#: How many descriptors the reserve has, and the most of all of them that it is: one in so many.
_RESERVE = 32
_RESERVE_SHARE = 8


class Room:
    """
    What a listening socket knows of the table.

    Args:
        sock: a socket, of which a copy can be made at any time.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        #: The lowest number that was free when it was last looked up, and the first of the reserve.
        self._lowest = 0
        self._bound = 0
        #: How many times `glance` needn't look.
        self._unseen = 0
        #: How many descriptors of the reserve were taken when that was last looked up; None: look.
        self._taken: int | None = 0

    def recount(self) -> None:
        """Have the next `look` find out how many of the reserve are taken."""
        self._taken = None

    def size(self) -> int:
        """Tell for how many there was room at the last look."""
        return 0 if self._taken else self._bound - self._lowest

    def look(self) -> bool:
        """Tell whether there is room for a connection."""
        try:
            self._lowest = os.dup(self._sock.fileno())
        except OSError:
            self._lowest = sys.maxsize
            return False
        os.close(self._lowest)
        if self._lowest >= self._bound:
            # Looked up again only now, as it costs as much again and hardly ever changes.
            most = limit()
            self._bound = most - _reserve(most)
        return self._lowest < self._bound and (self._taken == 0 or self._canSpare())

    def glance(self) -> bool:
        """
        Tell whether there is room for another connection, after each of them.

        To look costs a microsecond or two.  In the lower half of the table it will do now and then: should
        these be the last that are free there, what is accepted meanwhile, and what a relay needs for it, are
        a half of the reserve.
        """
        if self._unseen:
            self._unseen -= 1
            return True
        if not self.look():
            return False
        if not self._taken and self._lowest < self._bound // 2:
            self._unseen = _reserve(self._bound) // 4
        return True

    def _canSpare(self) -> bool:
        """Tell whether more are free below the reserve than are taken of it."""
        taken = self._taken = sum(map(_isOpen, range(self._bound, min(limit(), self._bound + _RESERVE))))
        found: list[int] = []
        try:
            while len(found) <= taken:
                found.append(os.dup(self._sock.fileno()))
                if found[-1] >= self._bound:
                    return False
        except OSError:
            return False
        finally:
            for number in found:
                os.close(number)
        return True


def limit() -> int:
    """Tell how many descriptors this process may have open."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft


def _reserve(most: int) -> int:
    """Tell how large the reserve is."""
    return min(_RESERVE, most // _RESERVE_SHARE)


def _isOpen(number: int) -> bool:
    try:
        os.get_inheritable(number)
    except OSError:
        return False
    return True
