"""Headers of the PROXY protocol: read, as at the beginning of each connection behind a proxy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._timing import perOperation
from .rows import Row, Sample

#: How many headers a sample of Twisted's reads; one of ours reads twice as many.
COUNT = 30_000

#: What clients of a web server might look like, by the row's name.
V1 = b"PROXY TCP4 192.0.2.10 198.51.100.2 56324 443\r\n"
V1_IPV6 = b"PROXY TCP6 2001:db8::10 2001:db8::2 56324 443\r\n"
V2 = bytes.fromhex("0d0a0d0a000d0a515549540a 21 11 000c c000020a c6336402 dc04 01bb")
V2_IPV6 = bytes.fromhex(
    "0d0a0d0a000d0a515549540a 21 21 0024"
    "20010db8000000000000000000000010 20010db8000000000000000000000002 dc04 01bb"
)
#: With the name that the client asked for, and what it speaks.
V2_VALUES = V2[:14] + b"\x00\x1f" + V2[16:] + b"\x02\x00\x0bexample.com\x01\x00\x02h2"

REQUEST = b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"


def _read(parser: Callable[[], Any], header: bytes, count: int) -> Sample:
    """Read a header that comes with a request behind it, and look at the client's address."""
    data = header + REQUEST

    def run(count: int) -> None:
        for _ in range(count):
            info, rest = parser().feed(data)
            assert info.source.port == 56324
            assert len(rest) == len(REQUEST)

    return perOperation(run, count)


def _twisted(version: int, header: bytes) -> Sample:
    if version == 1:
        from twisted.protocols.haproxy._v1parser import V1Parser as Parser
    else:
        from twisted.protocols.haproxy._v2parser import V2Parser as Parser
    return _read(Parser, header, COUNT)


def _ours(header: bytes) -> Sample:
    # Of either version, as the endpoint reads it.
    from twisted_endpoints.haproxy.reader import HeaderReader

    return _read(HeaderReader, header, 2 * COUNT)


def _row(name: str, what: str, version: int, header: bytes, goal: float) -> Row:
    return Row(
        f"read {name}",
        f"A header of the PROXY protocol with a request behind it is read: {what}.",
        "us",
        {"twisted-epoll": lambda: _twisted(version, header), "ours": lambda: _ours(header)},
        {"ours": goal},
    )


ROWS = (
    _row("proxy v1", "a line of text, IPv4; ours checks the addresses too", 1, V1, 1.5),
    _row("proxy v1 ipv6", "a line of text, IPv6; ours checks the addresses too", 1, V1_IPV6, 1.5),
    _row("proxy v2", "version 2, IPv4", 2, V2, 3),
    _row("proxy v2 ipv6", "version 2, IPv6", 2, V2_IPV6, 3),
    _row("proxy v2 values", "version 2, IPv4, with two values, whose lengths ours checks", 2, V2_VALUES, 2),
)
