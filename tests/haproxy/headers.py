"""Headers of the PROXY protocol, and what is to come of each."""

from __future__ import annotations

from typing import Any, NamedTuple

from twisted_endpoints.address import IPv4Address, IPv6Address, UNIXAddress
from twisted_endpoints.haproxy import tlv, v2

from .outcomes import INCOMPLETE, REFUSED

#: Accepted, and the connection's own addresses count.
OWN = (None, None)


class Header(NamedTuple):
    """One row."""

    name: str
    data: bytes
    #: `REFUSED`, `INCOMPLETE`, or the addresses.
    outcome: Any


def fixed(command: int = 0x21, kind: int = 0x11, length: int | None = None, rest: bytes = b"") -> bytes:
    """Write a header of version 2 as it is told, right or wrong."""
    size = len(rest) if length is None else length
    return v2.SIGNATURE + bytes([command, kind]) + size.to_bytes(2, "big") + rest


def checked(header: bytes) -> bytes:
    """Put a checksum where there are four bytes at the end for it."""
    return header[:-4] + tlv.crc32c(header).to_bytes(4, "big")


def four(source: str, port: int, destination: str, other: int, type: Any = "TCP") -> Any:
    return IPv4Address(type, source, port), IPv4Address(type, destination, other)


def six(source: str, port: int, destination: str, other: int, type: Any = "TCP") -> Any:
    return IPv6Address(type, source, port), IPv6Address(type, destination, other)


V4 = bytes([192, 0, 2, 1, 198, 51, 100, 2]) + b"\x1f\x90\x01\xbb"
V4_ADDRESSES = four("192.0.2.1", 8080, "198.51.100.2", 443)
V6 = bytes.fromhex("20010db8000000000000000000000001") + bytes(15) + b"\x02" + b"\xff\xff\x00\x00"
V6_ADDRESSES = six("2001:db8::1", 65535, "::2", 0)
PATHS = b"/run/client".ljust(108, b"\0") + b"/run/server".ljust(108, b"\0")
PATHS_ADDRESSES = (UNIXAddress(b"/run/client"), UNIXAddress(b"/run/server"))
CRC = b"\x03\x00\x04" + bytes(4)
SSL = tlv.write(
    [
        (
            tlv.Type.SSL,
            b"\x07" + bytes(4) + tlv.write([(tlv.Type.SSL_VERSION, b"TLSv1.3"), (0x22, b"Jo\xc3\xab")]),
        )
    ]
)
LONGEST = b"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535".ljust(105, b"x")


def ends(line: bytes) -> bytes:
    return line + b"\r\n"


def tcp4(text: bytes) -> bytes:
    return ends(b"PROXY TCP4 " + text)


V1_HEADERS = [
    Header("tcp4", tcp4(b"192.0.2.1 198.51.100.2 8080 443"), V4_ADDRESSES),
    Header(
        "tcp4 longest",
        tcp4(b"255.255.255.255 255.255.255.255 65535 65535"),
        four(*["255.255.255.255", 65535] * 2),
    ),
    Header("tcp4 zeros", tcp4(b"0.0.0.0 0.0.0.0 0 0"), four("0.0.0.0", 0, "0.0.0.0", 0)),
    Header("tcp6", ends(b"PROXY TCP6 2001:DB8::1 ::2 65535 0"), V6_ADDRESSES),
    Header("tcp6 in full", ends(b"PROXY TCP6 2001:0db8:0:0:0:0:0:1 0:0:0:0:0:0:0:2 65535 0"), V6_ADDRESSES),
    Header(
        "tcp6 longest",
        ends(b"PROXY TCP6 " + b" ".join([b":".join([b"ffff"] * 8)] * 2) + b" 65535 65535"),
        six(*[":".join(["ffff"] * 8), 65535] * 2),
    ),
    Header(
        "tcp6 of ipv4",
        ends(b"PROXY TCP6 ::ffff:192.0.2.1 ::ffff:198.51.100.2 8080 443"),
        six("::ffff:192.0.2.1", 8080, "::ffff:198.51.100.2", 443),
    ),
    Header("unknown", ends(b"PROXY UNKNOWN"), OWN),
    Header("unknown with addresses", ends(b"PROXY UNKNOWN 192.0.2.1 198.51.100.2 8080 443"), OWN),
    Header("unknown with anything", ends(b"PROXY UNKNOWN \xff\n\r\0 \x1b[31m"), OWN),
    Header("unknown longest", ends(LONGEST), OWN),
    Header("nothing", b"", INCOMPLETE),
    Header("begun", b"PROXY TC", INCOMPLETE),
    Header("no end yet", b"PROXY TCP4 192.0.2.1 198.51.100.2 8080 443\r", INCOMPLETE),
    Header("106 bytes without an end", b"PROXY UNKNOWN ".ljust(106, b"x"), INCOMPLETE),
    Header("107 bytes without an end", b"PROXY UNKNOWN ".ljust(107, b"x"), REFUSED),
    Header("the end a byte too late", b"PROXY UNKNOWN ".ljust(106, b"x") + b"\r\n", REFUSED),
    Header("line feed alone", b"PROXY TCP4 192.0.2.1 198.51.100.2 8080 443\n", REFUSED),
    Header(
        "line feed alone, then http", b"PROXY TCP4 192.0.2.1 198.51.100.2 1 2\nGET / HTTP/1.1\r\n", REFUSED
    ),
    Header("carriage return alone", b"PROXY TCP4 192.0.2.1 198.51.100.2 1 2\rGET / HTTP/1.1\r\n", REFUSED),
    Header("http", b"GET / HTTP/1.1\r\n", REFUSED),
    Header("tls", b"\x16\x03\x01\x02\x00\x01\x00", REFUSED),
    Header("small letters", ends(b"proxy TCP4 192.0.2.1 198.51.100.2 8080 443"), REFUSED),
    Header("no space", ends(b"PROXYTCP4 192.0.2.1 198.51.100.2 8080 443"), REFUSED),
    Header("two spaces", ends(b"PROXY  TCP4 192.0.2.1 198.51.100.2 8080 443"), REFUSED),
    Header("two spaces inside", tcp4(b"192.0.2.1  198.51.100.2 8080 443"), REFUSED),
    Header("a tab", ends(b"PROXY\tTCP4 192.0.2.1 198.51.100.2 8080 443"), REFUSED),
    Header("space at the end", tcp4(b"192.0.2.1 198.51.100.2 8080 443 "), REFUSED),
    Header("only the word", ends(b"PROXY "), REFUSED),
    Header("protocol in small letters", ends(b"PROXY tcp4 192.0.2.1 198.51.100.2 8080 443"), REFUSED),
    Header("udp4", ends(b"PROXY UDP4 192.0.2.1 198.51.100.2 8080 443"), REFUSED),
    Header("unknown and more", ends(b"PROXY UNKNOWNS"), REFUSED),
    Header("unknown in small letters", ends(b"PROXY unknown"), REFUSED),
    Header("no addresses", ends(b"PROXY TCP4"), REFUSED),
    Header("no ports", tcp4(b"192.0.2.1 198.51.100.2"), REFUSED),
    Header("no port", tcp4(b"192.0.2.1 198.51.100.2 8080"), REFUSED),
    Header("a word too many", tcp4(b"192.0.2.1 198.51.100.2 8080 443 1"), REFUSED),
    Header("port too high", tcp4(b"192.0.2.1 198.51.100.2 65536 443"), REFUSED),
    Header("port much too high", tcp4(b"192.0.2.1 198.51.100.2 99999 443"), REFUSED),
    Header("other port too high", tcp4(b"192.0.2.1 198.51.100.2 8080 70000"), REFUSED),
    Header("port below zero", tcp4(b"192.0.2.1 198.51.100.2 -5 443"), REFUSED),
    Header("port with a sign", tcp4(b"192.0.2.1 198.51.100.2 +5 443"), REFUSED),
    Header("port with a leading zero", tcp4(b"192.0.2.1 198.51.100.2 080 443"), REFUSED),
    Header("port of zeros", tcp4(b"192.0.2.1 198.51.100.2 00 443"), REFUSED),
    Header("port with an underscore", tcp4(b"192.0.2.1 198.51.100.2 8_0 443"), REFUSED),
    Header("port of letters", tcp4(b"192.0.2.1 198.51.100.2 aaaa 443"), REFUSED),
    Header("empty port", tcp4(b"192.0.2.1 198.51.100.2  443"), REFUSED),
    Header("port in other digits", tcp4("192.0.2.1 198.51.100.2 ٨٠ 443".encode()), REFUSED),
    Header("leading zero", tcp4(b"192.0.2.01 198.51.100.2 8080 443"), REFUSED),
    Header("octal", tcp4(b"0300.0.2.1 198.51.100.2 8080 443"), REFUSED),
    Header("hexadecimal", tcp4(b"0xc0.0.2.1 198.51.100.2 8080 443"), REFUSED),
    Header("three numbers", tcp4(b"192.0.1 198.51.100.2 8080 443"), REFUSED),
    Header("one number", tcp4(b"3221225985 198.51.100.2 8080 443"), REFUSED),
    Header("number too high", tcp4(b"192.0.2.256 198.51.100.2 8080 443"), REFUSED),
    Header("a name", tcp4(b"localhost 198.51.100.2 8080 443"), REFUSED),
    Header("a command", tcp4(b"evil;rm 198.51.100.2 8080 443"), REFUSED),
    Header("a line feed in the address", tcp4(b"1.2.3.4\n[-]FAKE 198.51.100.2 8080 443"), REFUSED),
    Header("a NUL in the address", tcp4(b"192.0.2.1\0 198.51.100.2 8080 443"), REFUSED),
    Header("bytes above ascii", tcp4(b"\xff\xfe 198.51.100.2 8080 443"), REFUSED),
    Header("ipv6 as tcp4", tcp4(b"::1 ::2 8080 443"), REFUSED),
    Header("ipv4 as tcp6", ends(b"PROXY TCP6 192.0.2.1 198.51.100.2 8080 443"), REFUSED),
    Header("two families", ends(b"PROXY TCP6 ::1 198.51.100.2 8080 443"), REFUSED),
    Header("ipv6 with a scope", ends(b"PROXY TCP6 fe80::1%eth0 ::2 8080 443"), REFUSED),
    Header("ipv6 in brackets", ends(b"PROXY TCP6 [::1] [::2] 8080 443"), REFUSED),
    Header("two double colons", ends(b"PROXY TCP6 1::2::3 ::2 8080 443"), REFUSED),
    Header("nine groups", ends(b"PROXY TCP6 1:2:3:4:5:6:7:8:9 ::2 8080 443"), REFUSED),
    Header("five digits", ends(b"PROXY TCP6 00001::1 ::2 8080 443"), REFUSED),
]

V2_HEADERS = [
    Header("v2 tcp4", fixed(rest=V4), V4_ADDRESSES),
    Header("v2 udp4", fixed(kind=0x12, rest=V4), four("192.0.2.1", 8080, "198.51.100.2", 443, "UDP")),
    Header("v2 tcp6", fixed(kind=0x21, rest=V6), V6_ADDRESSES),
    Header("v2 udp6", fixed(kind=0x22, rest=V6), six("2001:db8::1", 65535, "::2", 0, "UDP")),
    Header("v2 unix", fixed(kind=0x31, rest=PATHS), PATHS_ADDRESSES),
    Header("v2 unix datagrams", fixed(kind=0x32, rest=PATHS), PATHS_ADDRESSES),
    Header(
        "v2 unix without a name",
        fixed(kind=0x31, rest=bytes(108) + b"/run/server".ljust(108, b"\0")),
        (UNIXAddress(None), PATHS_ADDRESSES[1]),
    ),
    Header(
        "v2 unix, abstract",
        fixed(kind=0x31, rest=b"\0name".ljust(108, b"\0") + b"/" * 108),
        (UNIXAddress(b"\0name"), UNIXAddress(b"/" * 108)),
    ),
    Header(
        "v2 unix, more behind the NUL",
        fixed(kind=0x31, rest=b"/run/client\0\nmore".ljust(108, b"\0") + PATHS[108:]),
        PATHS_ADDRESSES,
    ),
    Header("v2 local", fixed(0x20, 0x00), OWN),
    Header("v2 local with addresses", fixed(0x20, 0x11, rest=V4), OWN),
    Header("v2 local with too few bytes", fixed(0x20, 0x21, rest=b"\0\0\0"), OWN),
    Header("v2 local of no family", fixed(0x20, 0xFF, rest=b"\x03\x00"), OWN),
    Header("v2 unspecified", fixed(kind=0x00), OWN),
    Header("v2 unspecified with addresses", fixed(kind=0x00, rest=b"\xff" * 14), OWN),
    Header("v2 unspecified with values", fixed(kind=0x00, rest=b"\x04\x00\x02ab"), OWN),
    Header("v2 unspecified family", fixed(kind=0x01, rest=V4), OWN),
    Header("v2 unspecified protocol", fixed(kind=0x10, rest=V4), OWN),
    Header("v2 with values", fixed(rest=V4 + b"\x01\x00\x02h2\x04\x00\x00\xea\x00\x01\x01"), V4_ADDRESSES),
    Header("v2 with tls", fixed(kind=0x21, rest=V6 + SSL), V6_ADDRESSES),
    Header("v2 with a checksum", checked(fixed(rest=V4 + CRC)), V4_ADDRESSES),
    Header("v2 with a checksum and more", checked(fixed(kind=0x31, rest=PATHS + SSL + CRC)), PATHS_ADDRESSES),
    Header("v2 with the longest unique id", fixed(rest=V4 + b"\x05\x00\x80" + bytes(128)), V4_ADDRESSES),
    Header("v2 as long as may be", fixed(rest=V4 + b"\x04\x0f\xf1" + bytes(4081)), V4_ADDRESSES),
    Header("v2 signature", v2.SIGNATURE, INCOMPLETE),
    Header("v2 without its last byte", fixed(rest=V4)[:-1], INCOMPLETE),
    Header("v2 with no addresses yet", fixed(length=12), INCOMPLETE),
    Header("v2 too long", fixed(length=4097), REFUSED),
    Header("v2 much too long", fixed(length=65535), REFUSED),
    Header("v2 local too long", fixed(0x20, 0x00, length=4097), REFUSED),
    Header("v2 other signature", b"\r\n\r\n\0\r\nQUIT\r" + fixed(rest=V4)[12:], REFUSED),
    Header("blank lines", b"\r\n\r\nGET / HTTP/1.1\r\n", REFUSED),
    Header("v2 version 1", fixed(0x11, rest=V4), REFUSED),
    Header("v2 version 3", fixed(0x31, rest=V4), REFUSED),
    Header("v2 command 2", fixed(0x22, rest=V4), REFUSED),
    Header("v2 command 15", fixed(0x2F, rest=V4), REFUSED),
    Header("v2 family 4", fixed(kind=0x41, rest=V4), REFUSED),
    Header("v2 family 15", fixed(kind=0xF1, rest=V4), REFUSED),
    Header("v2 protocol 3", fixed(kind=0x13, rest=V4), REFUSED),
    Header("v2 no room for tcp4", fixed(rest=V4[:-1]), REFUSED),
    Header("v2 no addresses", fixed(length=0), REFUSED),
    Header("v2 no room for tcp6", fixed(kind=0x21, rest=V4), REFUSED),
    Header("v2 no room for unix", fixed(kind=0x31, rest=PATHS[:-1]), REFUSED),
    Header("v2 a value without its length", fixed(rest=V4 + b"\x04\x00"), REFUSED),
    Header("v2 a value that is cut off", fixed(rest=V4 + b"\x04\x00\x03ab"), REFUSED),
    Header("v2 a value past the end", fixed(rest=V4 + b"\x04\xff\xff"), REFUSED),
    Header("v2 wrong checksum", fixed(rest=V4 + b"\x03\x00\x04\xde\xad\xbe\xef"), REFUSED),
    Header("v2 checksum of zero", fixed(rest=V4 + CRC), REFUSED),
    Header("v2 unspecified with a wrong checksum", fixed(kind=0x00, rest=CRC), REFUSED),
    Header("v2 short checksum", fixed(rest=V4 + b"\x03\x00\x02ab"), REFUSED),
    Header("v2 two checksums", checked(fixed(rest=V4 + CRC + CRC)), REFUSED),
    Header("v2 unique id too long", fixed(rest=V4 + b"\x05\x00\x81" + bytes(129)), REFUSED),
    Header("v2 tls too short", fixed(rest=V4 + b"\x20\x00\x04" + bytes(4)), REFUSED),
    Header(
        "v2 tls with a value that is cut off",
        fixed(rest=V4 + b"\x20\x00\x08" + bytes(5) + b"\x21\x00\x09"),
        REFUSED,
    ),
]

HEADERS = V1_HEADERS + V2_HEADERS
GOOD = [header for header in HEADERS if isinstance(header.outcome, tuple)]
