"""What a race needs: two addresses, of which the first refuses or never answers."""

from __future__ import annotations

import json
import socket

#: Seconds after which the second address is tried, while the first has not answered.
ATTEMPT_DELAY = 0.25

_DEAD = "127.0.0.2"
_ALIVE = "127.0.0.1"


class Addresses:
    """
    Two addresses of this machine, one port on both; the second one answers.

    Args:
        first: what the first one does: ``"refused"``, or ``"dropped"``.
    """

    hosts = (_DEAD, _ALIVE)

    def __init__(self, first: str) -> None:
        self._alive = socket.create_server((_ALIVE, 0), backlog=1024)
        self.port: int = self._alive.getsockname()[1]
        self._kept: list[socket.socket] = []
        if first == "dropped":
            self._blackHole()

    def _blackHole(self) -> None:
        """Listen, and leave no room in the queue: the kernel then drops who comes, without any firewall."""
        hole = socket.create_server((_DEAD, self.port), backlog=0)
        self._kept.append(hole)
        for _ in range(3):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex((_DEAD, self.port))
            self._kept.append(filler)
        with socket.socket() as probe:
            probe.settimeout(0.2)
            if probe.connect_ex((_DEAD, self.port)) == 0:
                raise RuntimeError("a full queue answers on this machine: it is no black hole")


def report(seconds: list[float]) -> None:
    """Print how long each connection took, in milliseconds."""
    print(json.dumps([1000 * each for each in seconds]), flush=True)
