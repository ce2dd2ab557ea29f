"""What the command line writes."""

from __future__ import annotations

import pytest
from OpenSSL.SSL import Error

from twisted_endpoints.address import IPv4Address, IPv6Address, UNIXAddress
from twisted_endpoints.cli._text import addressText, escape, reasonText, sizeText, visible
from twisted_endpoints.error import ConnectionLost
from twisted_endpoints.failure import Failure


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain text, äöü", "plain text, äöü"),
        ("one\ntwo\r", r"one\ntwo\r"),
        ("\x1b[2J", r"\x1b[2J"),
        ("back\\slash", r"back\\slash"),
        ("half \udcff", r"half \udcff"),
        ("right \u202e left", r"right \u202e left"),
    ],
)
def test_escape(text: str, written: str) -> None:
    assert escape(text) == written


def test_visibleLeavesBackslashesAlone() -> None:
    assert visible("unix:/a\\:b\x1b") == r"unix:/a\:b\x1b"


@pytest.mark.parametrize(
    ("address", "written"),
    [
        (IPv4Address("TCP", "127.0.0.1", 80), "tcp:127.0.0.1:80"),
        (IPv6Address("TCP", "::1", 80), "tcp:[::1]:80"),
        (UNIXAddress("/run/a.sock"), "unix:/run/a.sock"),
        (UNIXAddress("/run/a:b=c\n"), r"unix:/run/a\:b\=c\n"),
        (UNIXAddress("\0abstract"), r"unix:\x00abstract"),
        (UNIXAddress(None), "unix:(unnamed)"),
        ("something\nelse", r"something\nelse"),
    ],
)
def test_addressText(address: object, written: str) -> None:
    assert addressText(address) == written


@pytest.mark.parametrize(
    ("reason", "written"),
    [
        (ValueError("it is no number."), "it is no number"),
        (ValueError("port"), "ValueError: port"),
        (ValueError(), "ValueError"),
        (ValueError("two\nlines"), r"ValueError: two\nlines"),
        (Failure(ConnectionLost("by a storm")), "by a storm"),
    ],
)
def test_reasonText(reason: object, written: str) -> None:
    assert reasonText(reason).endswith(written)


@pytest.mark.parametrize(
    ("word", "written"),
    [
        (
            "alert certificate required",
            "the server demands a certificate from us: name one, by certificate= in",
        ),
        ("bad record mac", "TLS has failed (OpenSSL: bad record mac)"),
    ],
)
def test_reasonTextOfOpenSSL(word: str, written: str) -> None:
    text = reasonText(Failure(Error([("SSL routines", "", word)])))
    assert text.startswith(written)
    assert text.endswith(f"(OpenSSL: {word})")


@pytest.mark.parametrize(
    ("count", "written"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.00 KiB"),
        (1536, "1.50 KiB"),
        (10 * 1024, "10.0 KiB"),
        (300 << 20, "300 MiB"),
        (1000 << 20, "0.98 GiB"),
        (5000 << 40, "5000 TiB"),
    ],
)
def test_sizeText(count: int, written: str) -> None:
    assert sizeText(count) == written
