"""Headers that are written, and read again."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twisted_endpoints.address import HostnameAddress, IPv4Address, IPv6Address, UNIXAddress
from twisted_endpoints.haproxy import tlv, v1, v2

from .headers import PATHS, PATHS_ADDRESSES, V4, V4_ADDRESSES, V6, V6_ADDRESSES, fixed, four, six
from .outcomes import Read, whole

MAPPED = six("::ffff:192.0.2.1", 8080, "::ffff:198.51.100.2", 443)


def read(header: bytes) -> Any:
    outcome = whole(header)
    assert isinstance(outcome, Read)
    assert outcome.rest == b""
    return outcome.info


@pytest.mark.parametrize(
    ("addresses", "line"),
    [
        (V4_ADDRESSES, b"PROXY TCP4 192.0.2.1 198.51.100.2 8080 443\r\n"),
        (V6_ADDRESSES, b"PROXY TCP6 2001:db8::1 ::2 65535 0\r\n"),
        (MAPPED, b"PROXY TCP4 192.0.2.1 198.51.100.2 8080 443\r\n"),
        ((V4_ADDRESSES[0], V6_ADDRESSES[1]), b"PROXY TCP6 ::ffff:192.0.2.1 ::2 8080 0\r\n"),
        (six("fe80::1%eth0", 1, "fe80::2%2", 2), b"PROXY TCP6 fe80::1 fe80::2 1 2\r\n"),
        (PATHS_ADDRESSES, b"PROXY UNKNOWN\r\n"),
        (four("192.0.2.1", 1, "192.0.2.2", 2, "UDP"), b"PROXY UNKNOWN\r\n"),
        (four("localhost", 1, "192.0.2.2", 2), b"PROXY UNKNOWN\r\n"),
        ((HostnameAddress(b"example.com", 1), V4_ADDRESSES[1]), b"PROXY UNKNOWN\r\n"),
        ((None, None), b"PROXY UNKNOWN\r\n"),
    ],
    ids=["tcp4", "tcp6", "mapped", "two families", "scopes", "unix", "udp", "a name", "hostname", "nothing"],
)
def test_version1(addresses: Any, line: bytes) -> None:
    assert v1.build(*addresses) == line
    assert read(line)


@pytest.mark.parametrize(
    ("addresses", "header"),
    [
        (V4_ADDRESSES, fixed(rest=V4)),
        (V6_ADDRESSES, fixed(kind=0x21, rest=V6)),
        (MAPPED, fixed(rest=V4)),
        (four("192.0.2.1", 8080, "198.51.100.2", 443, "UDP"), fixed(kind=0x12, rest=V4)),
        (six("2001:db8::1", 65535, "::2", 0, "UDP"), fixed(kind=0x22, rest=V6)),
        (PATHS_ADDRESSES, fixed(kind=0x31, rest=PATHS)),
        ((UNIXAddress(None), PATHS_ADDRESSES[1]), fixed(0x20, 0x00)),
        ((PATHS_ADDRESSES[0], UNIXAddress(None)), fixed(kind=0x31, rest=PATHS[:108] + bytes(108))),
        ((UNIXAddress(b"/" * 109), UNIXAddress(None)), fixed(0x20, 0x00)),
        ((PATHS_ADDRESSES[0], V4_ADDRESSES[1]), fixed(0x20, 0x00)),
        ((None, None), fixed(0x20, 0x00)),
    ],
    ids=[
        "tcp4",
        "tcp6",
        "mapped",
        "udp4",
        "udp6",
        "unix",
        "nameless",
        "nameless server",
        "too long a path",
        "mixed",
        "nothing",
    ],
)
def test_version2(addresses: Any, header: bytes) -> None:
    assert v2.build(*addresses) == header
    info = read(header)
    if info.source is not None:
        assert v2.build(info.source, info.destination) == header


def test_aConnectionOfTheProxysOwn() -> None:
    assert v2.build(*V4_ADDRESSES, local=True) == fixed(0x20, 0x00)
    info = read(v2.build(None, None, [(tlv.Type.NOOP, b"x")], local=True))
    assert (info.source, info.destination, info.tlvs) == (None, None, ())


def test_valuesWithoutAddresses() -> None:
    header = v2.build(None, None, [(tlv.Type.NOOP, b"x")])
    assert header == fixed(kind=0x00, rest=b"\x04\x00\x01x")
    assert read(header).tlvs == ((tlv.Type.NOOP, b"x"),)


def test_valuesAndAChecksum() -> None:
    values = [(tlv.Type.ALPN, b"h2"), (0xEA, b""), (tlv.Type.AUTHORITY, "bücher.example".encode())]
    info = read(v2.build(*V4_ADDRESSES, values, checksum=True))
    assert list(info.tlvs[:-1]) == values
    assert info.tlvs[-1].type == tlv.Type.CRC32C
    assert (info.alpn, info.authority, info.value(0xEA), info.value(0xEB)) == (
        b"h2",
        "bücher.example",
        b"",
        None,
    )
    assert (info.uniqueID, info.ssl) == (None, None)


@pytest.mark.parametrize(
    "values",
    [[(1, bytes(65536))], [(256, b"")], [(-1, b"")], [(1, bytes(40_000)), (2, bytes(40_000))]],
    ids=["long value", "high type", "low type", "long header"],
)
def test_whatNoHeaderCanHold(values: Any) -> None:
    with pytest.raises(ValueError, match="bytes"):
        v2.build(*V4_ADDRESSES, values)


PORTS = st.integers(0, 65535)
FOUR = st.builds(lambda host, port: IPv4Address("TCP", str(host), port), st.ip_addresses(v=4), PORTS)
SIX = st.builds(
    lambda host, port: IPv6Address("TCP", str(host), port),
    st.ip_addresses(v=6).filter(lambda host: host.ipv4_mapped is None),  # type: ignore[union-attr]
    PORTS,
)
NAMES = st.binary(min_size=1, max_size=108).filter(lambda name: b"\0" not in name)


def canonical(address: Any) -> Any:
    """Give host and port; all ways to write an IPv6 address are one."""
    return ipaddress.ip_address(address.host), address.port, type(address)


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.tuples(FOUR, FOUR), st.tuples(SIX, SIX)))
def test_ipAddressesComeBack(pair: Any) -> None:
    for version, build in (1, v1.build), (2, v2.build):
        info = read(build(*pair))
        assert info.version == version
        assert list(map(canonical, (info.source, info.destination))) == list(map(canonical, pair))


@settings(max_examples=40, deadline=None)
@given(
    NAMES,
    st.none() | NAMES,
    st.lists(st.tuples(st.integers(0x06, 0x1F), st.binary(max_size=40)), max_size=5),
    st.booleans(),
)
def test_namesAndValuesComeBack(
    source: bytes, destination: bytes | None, values: list[tuple[int, bytes]], checksum: bool
) -> None:
    info = read(v2.build(UNIXAddress(source), UNIXAddress(destination), values, checksum=checksum))
    assert (info.source.name, info.destination.name) == (source, destination)
    assert list(info.tlvs)[: len(values)] == values
    assert len(info.tlvs) == len(values) + checksum
