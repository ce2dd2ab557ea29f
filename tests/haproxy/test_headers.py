"""Headers in any pieces: each has one outcome, whatever way it comes."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twisted_endpoints.address import UNIXAddress
from twisted_endpoints.haproxy.errors import InvalidNetworkProtocol, InvalidProxyHeader, MissingAddressData
from twisted_endpoints.haproxy.reader import HeaderReader
from twisted_endpoints.haproxy.v1 import V1Parser
from twisted_endpoints.haproxy.v2 import SIGNATURE, V2Parser

from .headers import GOOD, HEADERS, V4, V4_ADDRESSES, Header, fixed
from .outcomes import INCOMPLETE, REFUSED, Outcome, Read, bytewise, held, interpret, pieces, whole

REST = b"GET / HTTP/1.1\r\n\r\nPROXY \r\n\0"

each = pytest.mark.parametrize("header", HEADERS, ids=[header.name for header in HEADERS])
eachGood = pytest.mark.parametrize("header", GOOD, ids=[header.name for header in GOOD])


def said(outcome: Outcome) -> Any:
    """Give the outcome as the table has it."""
    return (outcome.info.source, outcome.info.destination) if isinstance(outcome, Read) else outcome


def test_theTableHasEachRowOnce() -> None:
    names = [header.name for header in HEADERS]
    assert len(set(names)) == len(names) > 100
    assert len({header.data for header in HEADERS}) == len(names)


@each
def test_wholeAndByteByByte(header: Header) -> None:
    outcome = whole(header.data)
    assert said(outcome) == header.outcome
    if isinstance(outcome, Read):
        assert outcome.rest == b""
    assert bytewise(header.data) == outcome


@each
def test_inTwoPiecesAtEveryPlace(header: Header) -> None:
    expected = whole(header.data)
    for at in range(1, len(header.data)):
        assert pieces(header.data[:at], header.data[at:]) == expected, at


@eachGood
def test_whatFollowsIsNotTouched(header: Header) -> None:
    data = header.data + REST
    outcome = whole(data)
    assert isinstance(outcome, Read)
    assert (said(outcome), outcome.rest) == (header.outcome, REST)
    for at in range(len(header.data) - 3, len(header.data) + 3):
        assert pieces(data[:at], data[at:]) == outcome
    assert bytewise(data) == outcome


@eachGood
def test_theHeaderIsKeptAndCanBeReadAgain(header: Header) -> None:
    outcome = whole(header.data)
    assert isinstance(outcome, Read)
    info = outcome.info
    isText = info.version == 1
    assert header.data == info.header + (b"\r\n" if isText else b"")
    again = (V1Parser if isText else V2Parser).parse(info.header)
    assert again == info
    assert hash(again) == hash(info)
    assert (again.source, again.destination) == header.outcome
    interpret(info)


@each
def test_oneThatIsCutOffIsNeverTaken(header: Header) -> None:
    outcome = whole(header.data)
    size = len(header.data) - (len(outcome.rest) if isinstance(outcome, Read) else 0)
    for at in range(size):
        assert not isinstance(whole(header.data[:at]), Read), at


@pytest.mark.parametrize("begin", [b"PROXY TCP4 ", b"PROXY UNKNOWN ", b"\r\n", SIGNATURE], ids=repr)
def test_tenMegabytesWithoutALineEndAreRefusedEarly(begin: bytes) -> None:
    chunk = b"x" * 1024
    assert whole(begin) == INCOMPLETE
    assert pieces(begin, chunk) == REFUSED
    assert whole(begin + chunk * 10_240) == REFUSED


@pytest.mark.parametrize("length", [0, 1, 11, 12, 100])
def test_aLimitOfOnesOwn(length: int) -> None:
    data = fixed(0x20, 0, rest=bytes(length))
    assert isinstance(pieces(data, limit=length), Read)
    if length:
        assert pieces(data, limit=length - 1) == REFUSED
        assert pieces(data[:16], limit=length - 1) == REFUSED  # known before the rest comes


def test_nothingIsHeldOfWhatFollows() -> None:
    reader = HeaderReader()
    info, rest = reader.feed(fixed(rest=V4) + REST)
    assert info is not None
    assert (rest, held(reader)) == (REST, b"")


def test_emptyPiecesSayNothing() -> None:
    assert pieces(b"", b"", b"PROXY", b"", b" UNKNOWN\r", b"", b"\n", REST)[1] == REST


@pytest.mark.parametrize(
    ("data", "kind", "text"),
    [
        (b"GET / HTTP/1.1\r\n", InvalidProxyHeader, "no header begins with b'GET / HTTP/1.1\\r\\n'"),
        (
            b"\x1b[31m" * 9,
            InvalidProxyHeader,
            "no header begins with b'\\x1b[31m\\x1b[31m\\x1b[31m\\x1b[31m\\x1b[31'...",
        ),
        (b"PROXY \x07\r\n", InvalidNetworkProtocol, "the protocol is TCP4, TCP6 or UNKNOWN, not b'\\x07'"),
        (b"PROXY TCP4 1\r\n", MissingAddressData, "two addresses and two ports follow, not 1 words"),
        (b"PROXY TCP4 1.2.3.4\n", InvalidProxyHeader, "the line ends with a line feed alone"),
        (b"PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n", InvalidProxyHeader, "b'1.2.3' is no IPv4 address"),
        (b"PROXY TCP6 ::1 1.2.3.4 1 2\r\n", InvalidProxyHeader, "b'1.2.3.4' is no IPv6 address"),
        (
            b"PROXY TCP4 1.2.3.4 1.2.3.4 1 070\r\n",
            InvalidProxyHeader,
            "b'070' is no port: a number from 0 to 65535 without leading zeros",
        ),
        (b"PROXY ".ljust(200), InvalidProxyHeader, "the line has no end in its first 107 bytes"),
        (fixed(0x22), InvalidProxyHeader, "the version is 2 and the command LOCAL or PROXY, not 0x22"),
        (fixed(kind=0x77), InvalidNetworkProtocol, "no family and protocol have the byte 0x77"),
        (fixed(length=11), MissingAddressData, "the addresses have 12 bytes, and 11 follow"),
        (fixed(length=5000), InvalidProxyHeader, "5000 bytes are to follow, and 4096 are the limit"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_whatIsWrongIsSaid(data: bytes, kind: type, text: str) -> None:
    with pytest.raises(InvalidProxyHeader) as caught:
        HeaderReader().feed(data)
    assert (type(caught.value), str(caught.value)) == (kind, text)


@pytest.mark.parametrize(
    ("parser", "line"),
    [
        (V1Parser, b""),
        (V1Parser, b"PROXY"),
        (V1Parser, b"PROXY UNKNOWN ".ljust(106)),
        (V2Parser, b""),
        (V2Parser, SIGNATURE),
        (V2Parser, fixed(rest=V4) + b"x"),
        (V2Parser, fixed(rest=V4)[:-1]),
        (V2Parser, b"x" + fixed(rest=V4)[1:]),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else repr(value[:20]),
)
def test_aWholeHeaderIsNoMoreAndNoLess(parser: Any, line: bytes) -> None:
    with pytest.raises(InvalidProxyHeader):
        parser.parse(line)


def test_aParserOfOneVersionRefusesTheOther() -> None:
    with pytest.raises(InvalidProxyHeader):
        V1Parser().feed(fixed(rest=V4))
    with pytest.raises(InvalidProxyHeader):
        V2Parser().feed(b"PROXY UNKNOWN\r\n")


def test_aHeaderIsAValue() -> None:
    info, _ = HeaderReader().feed(fixed(rest=V4))
    other, _ = HeaderReader().feed(fixed(0x20, 0x00))
    assert info is not None
    assert info != other
    assert (info.source, info.destination, info.version) == (*V4_ADDRESSES, 2)
    with pytest.raises(AttributeError):
        info.source = None  # type: ignore[misc]
    assert "192.0.2.1" in repr(info)
    assert UNIXAddress(None) == UNIXAddress(None)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(
        [
            b"",
            b"PROXY ",
            b"PROXY TCP4 ",
            b"PROXY TCP6 ",
            b"PROXY UNKNOWN",
            SIGNATURE,
            SIGNATURE + b"\x21\x11\x00",
        ]
    ),
    st.binary(max_size=160),
    st.lists(st.integers(0, 180), max_size=6),
)
def test_arbitraryBytesComeToOneOutcome(begin: bytes, end: bytes, cuts: list[int]) -> None:
    data = begin + end
    expected = whole(data)
    assert bytewise(data) == expected
    places = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    assert pieces(*(data[a:b] for a, b in pairwise(places))) == expected
    if isinstance(expected, Read):
        interpret(expected.info)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([header.data for header in GOOD]), st.data())
def test_oneByteOfAGoodHeaderIsChanged(header: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, min(len(header), 400) - 1))
    changed = header[:at] + bytes([data.draw(st.integers(0, 255))]) + header[at + 1 :]
    assert bytewise(changed) == whole(changed)
