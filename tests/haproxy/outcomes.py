"""What comes of bytes that are given to the parser in some pieces."""

from __future__ import annotations

from typing import Any, NamedTuple

from twisted_endpoints.haproxy.errors import InvalidProxyHeader
from twisted_endpoints.haproxy.header import ProxyInfo
from twisted_endpoints.haproxy.reader import HeaderReader


class Read(NamedTuple):
    """A header, and what came behind it."""

    info: ProxyInfo
    rest: bytes


#: Not a header; and not yet one.
REFUSED, INCOMPLETE = "refused", "incomplete"

Outcome = Read | str


def pieces(*data: bytes, limit: int = 4096) -> Outcome:
    """Read some pieces; after the header, the rest is joined."""
    reader = HeaderReader(limit)
    for number, piece in enumerate(data):
        why = ""
        try:
            info, rest = reader.feed(piece)
        except InvalidProxyHeader as error:
            why = str(error)
        if why:
            assert why.isprintable(), f"{why!r} is shown to people"
            return REFUSED
        if info is not None and rest is not None:
            return Read(info, b"".join([rest, *data[number + 1 :]]))
        assert len(held(reader)) <= 16 + limit
    return INCOMPLETE


def held(reader: HeaderReader) -> bytes:
    return reader._parser.buffer if reader._parser is not None else b""


def whole(data: bytes) -> Outcome:
    return pieces(data)


def bytewise(data: bytes) -> Outcome:
    return pieces(*(data[at : at + 1] for at in range(len(data))))


def interpret(info: ProxyInfo) -> list[Any]:
    """Ask for everything that a header says."""
    return [info.tlvs, info.authority, info.alpn, info.uniqueID, info.ssl, repr(info)]


def plain(info: ProxyInfo) -> tuple[Any, Any]:
    """Give the addresses as they are told, and IPv4 in IPv6 as IPv4: so it is written."""
    return _plain(info.source), _plain(info.destination)


def _plain(address: Any) -> Any:
    host = getattr(address, "host", None)
    if host is None:
        return address and ("UNIX", address.name)
    return address.type, host.removeprefix("::ffff:"), address.port
