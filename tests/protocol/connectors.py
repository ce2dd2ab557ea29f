"""A connector of no reactor, for the factories that connect again or once."""

from __future__ import annotations


class Connector:
    """Counts what it is told."""

    def __init__(self) -> None:
        self.connects = self.stops = self.disconnects = 0

    def connect(self) -> None:
        self.connects += 1

    def stopConnecting(self) -> None:
        self.stops += 1

    def disconnect(self) -> None:
        self.disconnects += 1
