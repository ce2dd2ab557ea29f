"""
What a header of the PROXY protocol says, and what both versions have in common.  Pure.

Theory.  A proxy writes one header ahead of a connection's bytes, and nothing is known of the connection
before all of it is here.  TCP may deliver it in any pieces, so a parser answers "not yet" until it is
complete.  It answers "wrong" as soon as that is sure, so that whoever sends something else isn't kept
until a deadline; and it never holds more than a header can be long.

The source is HAProxy's doc/proxy-protocol.txt of 2020/03/05; "section" means one of that text.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from ..address import IPv4Address, IPv6Address, UNIXAddress
from . import tlv

if TYPE_CHECKING:
    from typing_extensions import Self

#: What headers can tell about an end of a connection.
Address = IPv4Address | IPv6Address | UNIXAddress


@dataclass(frozen=True)
class ProxyInfo:
    """
    What a header says.

    Two are equal if their headers are.

    Args:
        header: its bytes; of version 1 without the end of the line.
        source: the client that the proxy speaks for; None where the header doesn't tell: it is the proxy
            itself then (``LOCAL``, a health check), or somebody of a kind that has no address here.
        destination: where that client has connected to; None as `source` is.
        version: of the protocol, 1 or 2.
        tlvStart: where in the header its type-length-values begin; None where there are none.
    """

    header: bytes
    source: Address | None = field(compare=False)
    destination: Address | None = field(compare=False)
    version: int = field(default=1, compare=False)
    tlvStart: int | None = field(default=None, compare=False, repr=False)

    @cached_property
    def tlvs(self) -> tuple[tlv.TLV, ...]:
        """All that the header says besides the addresses, in its order."""
        return () if self.tlvStart is None else tuple(tlv.each(self.header, self.tlvStart))

    def value(self, type: int) -> bytes | None:
        """
        Give the value of the first type-length-value of a type, None if there is none.

        Args:
            type: one of `tlv.Type`, or a number that a vendor has chosen.
        """
        return next((found.value for found in self.tlvs if found.type == type), None)

    @property
    def authority(self) -> str | None:
        """The host name that the client asked for (in TLS: SNI), None if the header doesn't tell."""
        return tlv.text(self.value(tlv.Type.AUTHORITY))

    @property
    def alpn(self) -> bytes | None:
        """What is spoken over the connection (in TLS: ALPN), None if the header doesn't tell."""
        return self.value(tlv.Type.ALPN)

    @property
    def uniqueID(self) -> bytes | None:
        """The proxy's name for the connection, None if the header doesn't tell."""
        return self.value(tlv.Type.UNIQUE_ID)

    @cached_property
    def ssl(self) -> tlv.SSLInfo | None:
        """What the proxy knows of the client's TLS, None if the header doesn't tell."""
        value = self.value(tlv.Type.SSL)
        return None if value is None else tlv.SSLInfo.parse(value)


class Parser:
    """
    Reads the header at the beginning of a stream, in whatever pieces it comes.

    Args:
        limit: how many bytes may follow the fixed part of a header of version 2.
    """

    def __init__(self, limit: int = tlv.LIMIT) -> None:
        self._limit = limit
        #: What has come so far, always less than one header.
        self.buffer = b""

    def feed(self, data: bytes) -> tuple[ProxyInfo, bytes] | tuple[None, None]:
        """
        Take the next bytes.

        Args:
            data: any number of bytes.

        Returns:
            What the header says and the bytes behind it; or None twice, if it isn't complete yet.

        Raises:
            InvalidProxyHeader: no header can begin like this.
        """
        if self.buffer:
            data = self.buffer + data
        size = self.measure(data)
        if not size:
            self.buffer = data
            return None, None
        self.buffer = b""
        return self._parsed(data[:size]), data[size:]

    def measure(self, data: bytes) -> int:
        """
        Tell how long the header is that some bytes begin with; 0 if it isn't complete yet.

        Raises:
            InvalidProxyHeader: none begins like this.
        """
        raise NotImplementedError

    def _parsed(self, header: bytes) -> ProxyInfo:
        """Read so many bytes as `measure` has said."""
        return self.parse(header)

    @classmethod
    def parse(cls, line: bytes) -> ProxyInfo:
        """
        Read a whole header.

        Args:
            line: the header; of version 1 without the end of the line.

        Raises:
            InvalidProxyHeader: it isn't one.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Pair:
    """
    Two IP addresses of one family, as headers have them.

    Args:
        family: `socket.AF_INET` or `socket.AF_INET6`.
        hosts: source and destination, packed.
        ports: source and destination.
        udp: they are UDP's.
    """

    family: int
    hosts: tuple[bytes, bytes]
    ports: tuple[int, int]
    udp: bool

    MAPPED: ClassVar[bytes] = bytes(10) + b"\xff\xff"

    @classmethod
    def of(cls, source: object, destination: object) -> Self | None:
        """
        Pack two addresses, as one family even if they are of two.

        An IPv4 address that a socket of both families shows as IPv6 becomes what it is.  A scope is left out:
        it means nothing elsewhere.

        Returns:
            None if they are no IP addresses.
        """
        if not isinstance(source, (IPv4Address, IPv6Address)):
            return None
        if not isinstance(destination, (IPv4Address, IPv6Address)):
            return None
        try:
            hosts = cls._packed(source), cls._packed(destination)
        except (OSError, ValueError):  # a name, or half an address
            return None
        family = socket.AF_INET6
        if all(host.startswith(cls.MAPPED) for host in hosts):
            family = socket.AF_INET
            hosts = hosts[0][12:], hosts[1][12:]
        return cls(family, hosts, (source.port, destination.port), source.type == "UDP")

    @classmethod
    def _packed(cls, address: IPv4Address | IPv6Address) -> bytes:
        host = address.host.partition("%")[0]
        if ":" in host:
            return socket.inet_pton(socket.AF_INET6, host)
        return cls.MAPPED + socket.inet_pton(socket.AF_INET, host)


def excerpt(data: bytes) -> str:
    """Show the beginning of what a peer has sent, on one line and without control characters."""
    return f"{data[:24]!r}{'...' if len(data) > 24 else ''}"
