"""A protocol that remembers."""

from __future__ import annotations

from typing import Any

from twisted_endpoints.protocol import Protocol


class Records(Protocol):
    """Keeps all that it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def connectionMade(self) -> None:
        self.told.append("made")

    def dataReceived(self, data: bytes) -> None:
        self.told.append(data)

    def connectionLost(self, reason: Any = None) -> None:
        self.told.append(reason.type)
