"""
Type-length-values: what version 2 can say besides the addresses (section 2.2).  Pure.

When a header is read, only what could be dangerous is looked at: that no length goes past an end, the
checksum if there is one, and the sizes that the text fixes.  The values are cut out when somebody asks.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from .errors import InvalidProxyHeader

if TYPE_CHECKING:
    from typing_extensions import Self

#: How many bytes of addresses and values are taken, unless somebody allows more.  HAProxy's own headers are
#: below 500; certificates of clients, which its newer releases can send, may need it to be raised.
LIMIT = 4096

_HEAD = struct.Struct("!BH")
_SSL = struct.Struct("!BI")


class Type(IntEnum):
    """The types that are registered."""

    ALPN = 0x01
    AUTHORITY = 0x02
    CRC32C = 0x03
    NOOP = 0x04
    UNIQUE_ID = 0x05
    SSL = 0x20
    SSL_VERSION = 0x21
    SSL_CN = 0x22
    SSL_CIPHER = 0x23
    SSL_SIG_ALG = 0x24
    SSL_KEY_ALG = 0x25
    NETNS = 0x30


class Client(IntFlag):
    """What a proxy has seen of a client's TLS."""

    #: It has connected by TLS.
    SSL = 0x01
    #: It has shown a certificate on this connection.
    CERT_CONN = 0x02
    #: It has shown one in the TLS session that this connection belongs to.
    CERT_SESS = 0x04


class TLV(NamedTuple):
    """One of them."""

    type: int
    value: bytes


def positions(data: bytes, start: int) -> Iterator[tuple[int, int, int]]:
    """
    Yield the type of each, and where its value begins and ends.

    Args:
        data: the header.
        start: where the first one begins.

    Raises:
        InvalidProxyHeader: the last one has no end.
    """
    size = len(data)
    while start < size:
        if start + 3 > size:
            raise InvalidProxyHeader("the header ends within the type and length of a value")
        kind, length = _HEAD.unpack_from(data, start)
        start += 3
        end = start + length
        if end > size:
            raise InvalidProxyHeader(
                f"a value of type {kind:#04x} is to have {length} bytes, and {size - start} are left"
            )
        yield kind, start, end
        start = end


def each(data: bytes, start: int) -> Iterator[TLV]:
    """
    Yield all of them.

    Args:
        data: the header.
        start: where the first one begins.

    Raises:
        InvalidProxyHeader: the last one has no end.
    """
    for kind, begin, end in positions(data, start):
        yield TLV(kind, data[begin:end])


def write(values: Iterable[tuple[int, bytes]]) -> bytes:
    """
    Write type-length-values down.

    Raises:
        ValueError: a value is longer than 65535 bytes, or a type no byte.
    """
    pieces = []
    for kind, value in values:
        try:
            pieces.append(_HEAD.pack(kind, len(value)) + value)
        except struct.error as error:
            raise ValueError(f"a value of type {kind} with {len(value)} bytes: {error}") from None
    return b"".join(pieces)


def check(header: bytes, start: int) -> None:
    """
    Look whether the values of a header are whole, and the checksum right.

    Args:
        header: all of it.
        start: where the first value begins.

    Raises:
        InvalidProxyHeader: something is wrong.
    """
    checksum = 0
    for kind, begin, end in positions(header, start):
        if kind == Type.CRC32C:
            if checksum:
                raise InvalidProxyHeader("there are two checksums")
            if end - begin != 4:
                raise InvalidProxyHeader(f"a checksum has 4 bytes, and this one {end - begin}")
            checksum = begin
        elif kind == Type.UNIQUE_ID:
            if end - begin > 128:
                raise InvalidProxyHeader(f"a unique ID has up to 128 bytes, and this one {end - begin}")
        elif kind == Type.SSL:
            if end - begin < _SSL.size:
                raise InvalidProxyHeader(f"what is told of TLS has {end - begin} bytes, and needs 5")
            for _ in positions(header[:end], begin + _SSL.size):
                pass
    if checksum:
        told = int.from_bytes(header[checksum : checksum + 4], "big")
        found = crc32c(header[:checksum] + bytes(4) + header[checksum + 4 :])
        if told != found:
            raise InvalidProxyHeader(f"the checksum is {told:#010x}, and of these bytes it is {found:#010x}")


@cache
def _table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return tuple(table)


def crc32c(data: bytes) -> int:
    """Calculate the checksum of RFC 4960, appendix B."""
    table = _table()
    crc = 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def text(value: bytes | None) -> str | None:
    r"""Decode a value that is to be UTF-8; a byte that is none of it becomes a ``\x`` and its number."""
    return None if value is None else value.decode("utf-8", "backslashreplace")


@dataclass(frozen=True)
class SSLInfo:
    """
    What a proxy knows of a client's TLS (section 2.2.6).

    Args:
        client: what it has seen.
        verify: 0 if the client has shown a certificate that holds, else something else.
        version: of TLS, as ``TLSv1.3``.
        commonName: of the client's certificate.
        cipher: the cipher suite.
        signatureAlgorithm: of the certificate that the proxy showed.
        keyAlgorithm: of that certificate.
    """

    client: Client
    verify: int
    version: str | None = None
    commonName: str | None = None
    cipher: str | None = None
    signatureAlgorithm: str | None = None
    keyAlgorithm: str | None = None

    @property
    def verified(self) -> bool:
        """Whether the client has shown a certificate, and the proxy is content with it."""
        return self.verify == 0 and bool(self.client & (Client.CERT_CONN | Client.CERT_SESS))

    @classmethod
    def parse(cls, value: bytes) -> Self:
        """Read the value of a type-length-value of type `Type.SSL`, that has been checked."""
        client, verify = _SSL.unpack_from(value)
        told = {kind: text(inner) for kind, inner in reversed(list(each(value, _SSL.size)))}
        return cls(Client(client), verify, *map(told.get, range(Type.SSL_VERSION, Type.SSL_KEY_ALG + 1)))
