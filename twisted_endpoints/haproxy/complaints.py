"""Log records about peers: few, however many peers there are."""

from __future__ import annotations

from collections.abc import Callable

from .._log import Logger, Seldom

_log = Logger(__name__)


class Complaints:
    """
    Logs why connections were closed, one in a second, with the number of those in between.

    Args:
        seconds: gives the time.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._isTime = Seldom(seconds)
        self._unsaid = 0

    def about(self, peer: object, why: str) -> None:
        """Say why a connection was closed."""
        if not self._isTime():
            self._unsaid += 1
            return
        more = f" (and {self._unsaid} more were closed)" if self._unsaid else ""
        self._unsaid = 0
        _log.warning(f"PROXY protocol: closed the connection from {peer}: {why}{more}")
