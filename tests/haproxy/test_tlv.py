"""What a header of version 2 says besides the addresses."""

from __future__ import annotations

from typing import Any

import pytest

from twisted_endpoints.haproxy import tlv, v2
from twisted_endpoints.haproxy.tlv import TLV, Client, SSLInfo, Type

from .headers import V4_ADDRESSES
from .outcomes import Read, whole


def info(*values: tuple[int, bytes]) -> Any:
    outcome = whole(v2.build(*V4_ADDRESSES, values))
    assert isinstance(outcome, Read)
    return outcome.info


@pytest.mark.parametrize(
    ("data", "checksum"),
    [
        (b"", 0),
        (b"123456789", 0xE3069283),
        # RFC 3720, appendix B.4, as numbers
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(reversed(range(32))), 0x113FDB5C),
    ],
    ids=["nothing", "digits", "zeros", "ones", "up", "down"],
)
def test_theChecksumIsThatOfTheRFC(data: bytes, checksum: int) -> None:
    assert tlv.crc32c(data) == checksum


def test_everyBitCountsForTheChecksum() -> None:
    header = v2.build(*V4_ADDRESSES, [(Type.NOOP, b"pad")], checksum=True)
    for at in range(16, len(header)):
        for bit in range(8):
            changed = header[:at] + bytes([header[at] ^ 1 << bit]) + header[at + 1 :]
            # A type that is another one then leaves no checksum that could be wrong.
            assert not isinstance(whole(changed), Read) or at == len(header) - 7, (at, bit)


def test_valuesAreInTheirOrderAndTheFirstOfATypeCounts() -> None:
    found = info((Type.NETNS, b"blue"), (0xE0, b"1"), (0xE0, b"2"))
    assert found.tlvs == (TLV(Type.NETNS, b"blue"), TLV(0xE0, b"1"), TLV(0xE0, b"2"))
    assert found.value(0xE0) == b"1"
    assert found.tlvs is found.tlvs


def test_theShortWays() -> None:
    found = info((Type.ALPN, b"http/1.1"), (Type.AUTHORITY, b"example.com"), (Type.UNIQUE_ID, b"\0\1"))
    assert (found.alpn, found.authority, found.uniqueID) == (b"http/1.1", "example.com", b"\0\1")


def test_textThatIsNoUTF8IsShownAndNeverRaises() -> None:
    assert info((Type.AUTHORITY, b"a\xff")).authority == "a\\xff"


def test_aHeaderWithoutValuesHasNone() -> None:
    found = info()
    assert (found.tlvs, found.authority, found.alpn, found.uniqueID, found.ssl) == (
        (),
        None,
        None,
        None,
        None,
    )


def test_tls() -> None:
    inner = tlv.write(
        [
            (Type.SSL_VERSION, b"TLSv1.3"),
            (Type.SSL_CN, "Zoë".encode()),
            (Type.SSL_CIPHER, b"TLS_AES_128_GCM_SHA256"),
            (Type.SSL_SIG_ALG, b"RSA-SHA256"),
            (Type.SSL_KEY_ALG, b"RSA2048"),
            (0x99, b"?"),
        ]
    )
    found = info((Type.SSL, b"\x03\0\0\0\0" + inner)).ssl
    assert found == SSLInfo(
        Client.SSL | Client.CERT_CONN, 0, "TLSv1.3", "Zoë", "TLS_AES_128_GCM_SHA256", "RSA-SHA256", "RSA2048"
    )
    assert found.verified


@pytest.mark.parametrize(
    ("client", "verify", "verified"),
    [
        (Client.SSL, 0, False),
        (Client.SSL, 1, False),
        (Client.SSL | Client.CERT_CONN, 0, True),
        (Client.SSL | Client.CERT_SESS, 0, True),
        (Client.SSL | Client.CERT_CONN, 20, False),
        (Client(0), 0, False),
    ],
    ids=str,
)
def test_onlyACertificateThatHoldsIsVerified(client: Client, verify: int, verified: bool) -> None:
    found = info((Type.SSL, bytes([client]) + verify.to_bytes(4, "big"))).ssl
    assert (found.client, found.verify, found.verified) == (client, verify, verified)
    assert found.commonName is None


def test_bitsThatNobodyKnowsYetAreKept() -> None:
    assert info((Type.SSL, b"\xff" + bytes(4))).ssl.client == 0xFF
