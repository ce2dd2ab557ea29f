"""
Version 2: bytes of a fixed layout (section 2.2).  Pure.

    12 bytes  the signature
    1 byte    2 as the version, and the command: LOCAL or PROXY
    1 byte    the address family, and the transport protocol
    2 bytes   how many bytes follow
              the addresses, then type-length-values (`tlv`)
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable
from typing import Any

from ..address import IPv4Address, IPv6Address, UNIXAddress
from . import tlv
from .errors import InvalidNetworkProtocol, InvalidProxyHeader, MissingAddressData
from .header import Address, Pair, Parser, ProxyInfo, excerpt

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"

_HEAD = struct.Struct("!12sBBH")
_SIZE = _HEAD.size

_LOCAL, _PROXY = 0x20, 0x21
_STREAM, _DGRAM = 1, 2
_INET, _INET6, _UNIX = 0x10, 0x20, 0x30

_V4 = struct.Struct("!4s4sHH")
_V6 = struct.Struct("!16s16sHH")
_PATHS = struct.Struct("!108s108s")

#: By the byte of family and protocol: the addresses' layout, the family, what to make of them, and as what.
_LAYOUTS: dict[int, tuple[struct.Struct, int, Any, str]] = {
    _INET | _STREAM: (_V4, socket.AF_INET, IPv4Address, "TCP"),
    _INET | _DGRAM: (_V4, socket.AF_INET, IPv4Address, "UDP"),
    _INET6 | _STREAM: (_V6, socket.AF_INET6, IPv6Address, "TCP"),
    _INET6 | _DGRAM: (_V6, socket.AF_INET6, IPv6Address, "UDP"),
    _UNIX | _STREAM: (_PATHS, 0, UNIXAddress, ""),
    _UNIX | _DGRAM: (_PATHS, 0, UNIXAddress, ""),
}

#: Either the family or the protocol is "unspecified": there is nothing to read.
_UNSPECIFIED = {0, _STREAM, _DGRAM, _INET, _INET6, _UNIX}

_ntop = socket.inet_ntop


class V2Parser(Parser):
    """Reads a header of version 2."""

    def measure(self, data: bytes) -> int:
        """
        Tell how long the header is; 0 if it isn't complete yet.

        Raises:
            InvalidProxyHeader: it is none, or one that is longer than the limit.
        """
        if len(data) < _SIZE:
            if not SIGNATURE.startswith(data[:12]):
                raise InvalidProxyHeader(f"no header begins with {excerpt(data)}")
            if len(data) > 12:
                _checkCommand(data[12])
            return 0
        length = _checkHead(data)
        if length > self._limit:
            raise InvalidProxyHeader(f"{length} bytes are to follow, and {self._limit} are the limit")
        size = _SIZE + length
        return size if len(data) >= size else 0

    @classmethod
    def parse(cls, line: bytes) -> ProxyInfo:
        """
        Read a header.

        Args:
            line: all of it, and no more.

        Raises:
            InvalidNetworkProtocol: the byte of family and protocol has no meaning.
            MissingAddressData: its addresses aren't all there.
            InvalidProxyHeader: it is none, or its checksum is wrong, or a value in it has no end.
        """
        if len(line) < _SIZE:
            raise InvalidProxyHeader(f"a header has {_SIZE} bytes and more, not {len(line)}")
        length = _checkHead(line)
        if length != len(line) - _SIZE:
            raise InvalidProxyHeader(f"{length} bytes are to follow, and {len(line) - _SIZE} do")
        layout = _LAYOUTS.get(line[13])
        if layout is None or line[12] == _LOCAL:
            return _withoutAddresses(line)
        addresses, family, make, transport = layout
        end = _SIZE + addresses.size
        start = None
        if end != len(line):
            tlv.check(line, end)
            start = end
        source: Address
        destination: Address
        if family:
            host, otherHost, port, otherPort = addresses.unpack_from(line, _SIZE)
            source = make(transport, _ntop(family, host), port)
            destination = make(transport, _ntop(family, otherHost), otherPort)
        else:
            path, otherPath = addresses.unpack_from(line, _SIZE)
            source, destination = UNIXAddress(_name(path)), UNIXAddress(_name(otherPath))
        return ProxyInfo(line, source, destination, 2, start)


def _checkCommand(byte: int) -> None:
    """
    Check the version and the command.

    Raises:
        InvalidProxyHeader: there is none like this.
    """
    if byte not in (_LOCAL, _PROXY):
        raise InvalidProxyHeader(f"the version is 2 and the command LOCAL or PROXY, not {byte:#04x}")


def _checkHead(data: bytes) -> int:
    """
    Check the fixed part; tell how many bytes are to follow.

    Raises:
        InvalidProxyHeader: it is wrong, or so many bytes can't hold the addresses.
    """
    signature, command, kind, length = _HEAD.unpack_from(data)
    if signature != SIGNATURE:
        raise InvalidProxyHeader(f"no header begins with {excerpt(data)}")
    if command != _PROXY:
        _checkCommand(command)
        return int(length)  # LOCAL: whatever else it says is ignored
    layout = _LAYOUTS.get(kind)
    if layout is None:
        if kind not in _UNSPECIFIED:
            raise InvalidNetworkProtocol(f"no family and protocol have the byte {kind:#04x}")
    elif length < layout[0].size:
        raise MissingAddressData(f"the addresses have {layout[0].size} bytes, and {length} follow")
    return int(length)


def _withoutAddresses(header: bytes) -> ProxyInfo:
    """
    Read a header that tells nothing of who connects.

    Raises:
        InvalidProxyHeader: its checksum is wrong.
    """
    start = None
    if header[12] == _PROXY and header[13] == 0 and len(header) > _SIZE:
        try:
            for _ in tlv.positions(header, _SIZE):
                pass
        except InvalidProxyHeader:
            pass  # addresses of a kind that has no number, which are to be ignored
        else:
            tlv.check(header, _SIZE)
            start = _SIZE
    return ProxyInfo(header, None, None, 2, start)


def _name(path: bytes) -> bytes | None:
    """Take a socket's name out of its field: up to the first NUL, or if that begins an abstract name, all."""
    if path[:1] != b"\0":
        return path.partition(b"\0")[0]
    return path.rstrip(b"\0") or None


def build(
    source: object,
    destination: object,
    values: Iterable[tuple[int, bytes]] = (),
    *,
    local: bool = False,
    checksum: bool = False,
) -> bytes:
    """
    Write a header.

    Args:
        source: the client's address.
        destination: where the client has connected to.
        values: type-length-values: pairs of a type, as `tlv.Type`, and bytes.
        local: the connection is the proxy's own; the addresses are left out.
        checksum: add a checksum.

    Returns:
        The header.  If these are no two addresses of one kind, or the client is a UNIX socket without a name,
        it says LOCAL, as HAProxy's does: of what else could be said (PROXY, of the family "unspecified")
        receivers are free to turn it away, and HAProxy and nginx take no UNIX sockets.  With values it says
        that, because those of LOCAL are ignored.

    Raises:
        ValueError: a value, or all of them, are too long.
    """
    kind, addresses = (0, b"") if local else _packed(source, destination)
    more = tlv.write(values)
    local = local or not (addresses or more)
    if checksum:
        more += tlv.write([(tlv.Type.CRC32C, bytes(4))])
    length = len(addresses) + len(more)
    if length > 0xFFFF:
        raise ValueError(f"a header can't have {length} bytes after its first {_SIZE}")
    header = _HEAD.pack(SIGNATURE, _LOCAL if local else _PROXY, kind, length) + addresses + more
    if checksum:
        header = header[:-4] + tlv.crc32c(header).to_bytes(4, "big")
    return header


def _packed(source: object, destination: object) -> tuple[int, bytes]:
    """Give the byte of family and protocol, and the addresses; nothing if they have no family."""
    if isinstance(source, UNIXAddress) and isinstance(destination, UNIXAddress):
        names = source.name or b"", destination.name or b""
        if names[0] and max(map(len, names)) <= 108:
            return _UNIX | _STREAM, _PATHS.pack(*names)
        return 0, b""
    pair = Pair.of(source, destination)
    if pair is None:
        return 0, b""
    protocol = _DGRAM if pair.udp else _STREAM
    if pair.family == socket.AF_INET:
        return _INET | protocol, _V4.pack(*pair.hosts, *pair.ports)
    return _INET6 | protocol, _V6.pack(*pair.hosts, *pair.ports)
