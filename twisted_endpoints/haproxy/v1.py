"""
Version 1: a line of text (section 2.1).  Pure.

It is taken as the text has it: one space between words, numbers without leading zeros, an end of line of two
characters.  What a peer wrote reaches nobody as it is: addresses are told in their one usual form.
"""

from __future__ import annotations

import socket

from ..address import IPv4Address, IPv6Address
from .errors import InvalidNetworkProtocol, InvalidProxyHeader, MissingAddressData
from .header import Pair, Parser, ProxyInfo, excerpt

#: How long a line can be, its end included.
LIMIT = 107

_START = b"PROXY "
_UNKNOWN = b"PROXY UNKNOWN"
_END = b"\r\n"

_FAMILIES = {b"TCP4": (socket.AF_INET, IPv4Address), b"TCP6": (socket.AF_INET6, IPv6Address)}


class V1Parser(Parser):
    """Reads a header of version 1."""

    def measure(self, data: bytes) -> int:
        """
        Tell how long the line is, its end included; 0 if that hasn't come yet.

        Raises:
            InvalidProxyHeader: it is no such line, or too long for one.
        """
        if not data.startswith(_START) and not _START.startswith(data):
            raise InvalidProxyHeader(f"no header begins with {excerpt(data)}")
        end = data.find(_END, 0, LIMIT)
        if end >= 0:
            return end + len(_END)
        if len(data) >= LIMIT:
            raise InvalidProxyHeader(f"the line has no end in its first {LIMIT} bytes")
        if b"\n" in data and not data.startswith(_UNKNOWN):
            # Else it would be waited for an end that its sender believes it has sent.
            raise InvalidProxyHeader("the line ends with a line feed alone")
        return 0

    def _parsed(self, header: bytes) -> ProxyInfo:
        return self.parse(header[: -len(_END)])

    @classmethod
    def parse(cls, line: bytes) -> ProxyInfo:
        """
        Read a line.

        Args:
            line: without its end.

        Raises:
            InvalidNetworkProtocol: it is about something else than TCP4, TCP6 or UNKNOWN.
            MissingAddressData: an address or a port is missing, or there is more than that.
            InvalidProxyHeader: it is no such line, or what it says can't be.
        """
        words = line.split(b" ")
        if words[0] != b"PROXY" or len(line) > LIMIT - len(_END):
            raise InvalidProxyHeader(f"no header is {excerpt(line)}")
        protocol = words[1] if len(words) > 1 else b""
        if protocol == b"UNKNOWN":
            return ProxyInfo(line, None, None)  # whatever else is in it: section 2.1
        if protocol not in _FAMILIES:
            raise InvalidNetworkProtocol(f"the protocol is TCP4, TCP6 or UNKNOWN, not {excerpt(protocol)}")
        if len(words) != 6:
            raise MissingAddressData(f"two addresses and two ports follow, not {len(words) - 2} words")
        family, kind = _FAMILIES[protocol]
        source = kind("TCP", _host(words[2], family), _port(words[4]))
        return ProxyInfo(line, source, kind("TCP", _host(words[3], family), _port(words[5])))


def _host(word: bytes, family: int) -> str:
    """
    Read an address, and write it as it usually is.

    Raises:
        InvalidProxyHeader: it isn't one.
    """
    try:
        text = word.decode("ascii")
        host = socket.inet_ntop(family, socket.inet_pton(family, text))
    except (OSError, ValueError):
        host = ""
    # An IPv4 address can be written in one way only; some systems take leading zeros, which mean octal to
    # others.
    if not host or (family == socket.AF_INET and host != text):
        version = 4 if family == socket.AF_INET else 6
        raise InvalidProxyHeader(f"{excerpt(word)} is no IPv{version} address") from None
    return host


def _port(word: bytes) -> int:
    """
    Read a port.

    Raises:
        InvalidProxyHeader: it is none.
    """
    if word.isdigit() and len(word) <= 5 and (word[0] != 0x30 or word == b"0"):
        port = int(word)
        if port <= 65535:
            return port
    raise InvalidProxyHeader(f"{excerpt(word)} is no port: a number from 0 to 65535 without leading zeros")


def build(source: object, destination: object) -> bytes:
    """
    Write a header.

    Args:
        source: the client's address.
        destination: where the client has connected to.

    Returns:
        The line with its end; it says UNKNOWN if these are no addresses of TCP over IP.
    """
    pair = Pair.of(source, destination)
    if pair is None or pair.udp:
        return _UNKNOWN + _END
    hosts = [socket.inet_ntop(pair.family, host) for host in pair.hosts]
    protocol = "TCP4" if pair.family == socket.AF_INET else "TCP6"
    words = ["PROXY", protocol, *hosts, *map(str, pair.ports)]
    return " ".join(words).encode("ascii") + _END
