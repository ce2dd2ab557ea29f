from __future__ import annotations

import errno
import socket
from collections.abc import Iterable

import pytest

from twisted_endpoints.asyncioreactor import room


class Table:
    """As much of `os` as looks at the table of descriptors: one of sixteen."""

    def __init__(self) -> None:
        self.open: set[int] = set()

    def dup(self, number: int) -> int:
        free = [each for each in range(16) if each not in self.open]
        if not free:
            raise OSError(errno.EMFILE, "full")
        self.open.add(free[0])
        return free[0]

    def close(self, number: int) -> None:
        self.open.remove(number)

    def get_inheritable(self, number: int) -> bool:
        if number not in self.open:
            raise OSError(errno.EBADF, "closed")
        return False


@pytest.mark.parametrize(
    ("taken", "spared"),
    [
        (range(11), True),
        (range(12), False),
        (range(16), False),
        # Of the reserve, 12 to 15, one is lent: two have to be free elsewhere.
        ([*range(11), 13], False),
        ([*range(10), 13], True),
        ([*range(2, 16)], False),
        ([*range(5, 16)], True),
    ],
)
def test_whatTheReserveHasLentMustBeFreeElsewhere(
    taken: Iterable[int], spared: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = Table()
    monkeypatch.setattr(room, "os", table)
    monkeypatch.setattr(room, "limit", lambda: 16)
    monkeypatch.setattr(room, "_reserve", lambda most: 4)
    with socket.socket() as sock:
        made = room.Room(sock)
        made.recount()
        table.open.update(taken)
        assert made.look() is spared
        assert table.open == set(taken)
