"""``stdio:``, standard input and output."""

from __future__ import annotations

from typing import Any

from ..endpoints.stdio import StandardIOEndpoint
from . import ServerParser

__all__ = ["StandardIOParser", "server"]


class StandardIOParser(ServerParser):
    """Knows that ``stdio:`` has no arguments."""

    prefix = "stdio"
    summary = "serves one connection, which is there at once: standard input and output"

    def build(self, reactor: Any) -> StandardIOEndpoint:
        return StandardIOEndpoint(reactor)

    def _parseServer(self, reactor: Any) -> StandardIOEndpoint:
        # Documented in Twisted, where it is what parseStreamServer calls.
        return self.build(reactor)


server = StandardIOParser()
