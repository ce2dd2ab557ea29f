"""Reads a header of either version: their first bytes differ.  Pure."""

from __future__ import annotations

from .header import Parser, ProxyInfo
from .tlv import LIMIT
from .v1 import V1Parser
from .v2 import SIGNATURE, V2Parser


class HeaderReader:
    """
    Reads a header of version 1 or 2 at the beginning of a stream, in whatever pieces it comes.

    Args:
        limit: how many bytes may follow the fixed part of a header of version 2.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._parser: Parser | None = None

    def feed(self, data: bytes) -> tuple[ProxyInfo, bytes] | tuple[None, None]:
        """
        Take the next bytes: see `Parser.feed`.

        Raises:
            InvalidProxyHeader: no header can begin like this.
        """
        parser = self._parser
        if parser is None:
            if not data:
                return None, None
            kind = V2Parser if data[0] == SIGNATURE[0] else V1Parser
            parser = self._parser = kind(self._limit)
        return parser.feed(data)
