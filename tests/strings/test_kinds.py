"""The kinds of values: what each reads, and how a value is written."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_endpoints.strings import kinds
from twisted_endpoints.strings.kinds import Kind


def kindOf(annotation: Any) -> Kind:
    return next(extra for extra in get_args(annotation) if isinstance(extra, Kind))


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        (kinds.Port, "0", 0),
        (kinds.Port, "65535", 65535),
        (kinds.Port, "0080", 80),
        (kinds.Port, "0" * 5000 + "80", 80),
        (kinds.Backlog, "0", 0),
        (kinds.Backlog, "2147483647", 2147483647),
        (kinds.Seconds, "30", 30),
        (kinds.Seconds, "0", 0),
        (kinds.Seconds, "1.5", 1.5),
        (kinds.Seconds, ".5", 0.5),
        (kinds.Seconds, "2.", 2.0),
        (kinds.Flag, "0", False),
        (kinds.Flag, "1", True),
        (kinds.Mode, "660", 0o660),
        (kinds.Mode, "0660", 0o660),
        (kinds.Mode, "0o660", 0o660),
        (kinds.Mode, "0", 0),
        (kinds.Mode, "7777", 0o7777),
        (kinds.Text, "", ""),
        (kinds.Text, "a b:c=d", "a b:c=d"),
        (kinds.Path, "/a b", "/a b"),
        (kinds.SocketPath, "x" * kinds.PATH_LIMIT, "x" * kinds.PATH_LIMIT),
        (kinds.SocketPath, "\0abstract\0name", "\0abstract\0name"),
        (kinds.SocketPath, "\0" + "x" * kinds.PATH_LIMIT, "\0" + "x" * kinds.PATH_LIMIT),
        (kinds.Host, "example.com", "example.com"),
        (kinds.Host, "example.com.", "example.com."),
        (kinds.Host, "a", "a"),
        (kinds.Host, "_srv.a-b.example", "_srv.a-b.example"),
        # Against RFC 1123, but there are such names, and resolvers look them up.
        (kinds.Host, "me-.example.com", "me-.example.com"),
        (kinds.Host, "127.0.0.1", "127.0.0.1"),
        (kinds.Host, "127.1", "127.1"),  # which getaddrinfo takes, and so does Twisted
        (kinds.Host, "host1", "host1"),
        (kinds.Host, "::1", "::1"),
        (kinds.Host, "fe80::1%eth0", "fe80::1%eth0"),
        (kinds.Host, "::ffff:1.2.3.4", "::ffff:1.2.3.4"),
        (kinds.Host, "bücher.example", "bücher.example"),
        (kinds.Host, "x" * 63 + ".example", "x" * 63 + ".example"),
        (kinds.Inner, "tcp:[::1]:80", "tcp:[::1]:80"),
        (kinds.TLSVersion, "1.2", "1.2"),
        (kinds.TLSVersion, "1.3", "1.3"),
        (kinds.Protocols, "h2", (b"h2",)),
        (kinds.Protocols, "h2,http/1.1", (b"h2", b"http/1.1")),
        (kinds.Protocols, "x" * 255, (b"x" * 255,)),
        (kinds.Interface, "", ""),
        (kinds.Interface, "0.0.0.0", "0.0.0.0"),
        (kinds.Interface, "localhost", "localhost"),
        (kinds.Interface, "::", "::"),
        (kinds.Interface, "fe80::1%eth0", "fe80::1%eth0"),
    ],
)
def test_goodValues(annotation: Any, text: str, value: Any) -> None:
    kind = kindOf(annotation)
    read = kind.read(text)
    assert read == value
    assert type(read) is type(value)
    assert kind.read(kind.write(value)) == value


ALL = [kinds.Backlog, kinds.Flag, kinds.Host, kinds.Inner, kinds.Interface, kinds.Mode, kinds.Path]
ALL += [kinds.Port, kinds.Protocols, kinds.Seconds, kinds.SocketPath, kinds.TLSVersion, kinds.Text]


@pytest.mark.parametrize("annotation", ALL)
@given(text=st.text(st.one_of(st.sampled_from("0123456789.,:%-[]\\\0 a_"), st.characters(codec="utf-8"))))
def test_aKindReadsOrRaisesValueError(annotation: Any, text: str) -> None:
    kind = kindOf(annotation)
    try:
        value = kind.read(text)
    except ValueError:
        return
    assert kind.read(kind.write(value)) == value


@pytest.mark.parametrize("annotation", ALL)
def test_aMegabyteIsNoTrouble(annotation: Any) -> None:
    kind = kindOf(annotation)
    for text in ("9" * 1_000_000, "a." * 500_000, "é" * 1_000_000, "0" * 999_999 + "1", ":" * 1_000_000):
        try:
            kind.read(text)
        except ValueError:
            continue


def test_whatLooksLikeAHost() -> None:
    assert [word for word in ("localhost", "a.b", "127.0.0.1", "tcp", "a b.c", "") if kinds.isHost(word)] == [
        "localhost",
        "a.b",
        "127.0.0.1",
    ]


@given(st.from_regex(kinds._PLAIN_NAME, fullmatch=True).filter(lambda text: len(text) <= 253))
def test_whatIsPlainlyANameIsAName(text: str) -> None:
    assert kindOf(kinds.Host).read(text) == text
    assert kinds._hostName(text) == text


@pytest.mark.parametrize("last", ["a" * 63, "1a", "_a", "a1", "a-"])
def test_lastLabels(last: str) -> None:
    assert kindOf(kinds.Host).read(f"x.{last}") == f"x.{last}"


@pytest.mark.parametrize("last", ["bcd", "bc1"])
def test_aNameHas253CharactersAtMost(last: str) -> None:
    text = ("a" * 49 + ".") * 5 + last
    assert kindOf(kinds.Host).read(text) == text
    with pytest.raises(ValueError, match="254 characters, and a host name at most 253"):
        kindOf(kinds.Host).read(f"a{text}")


@pytest.mark.parametrize("text", ["a" * 64, "x." + "a" * 64, "-a", "x.-a", "x..a", ".a", "a." * 127])
def test_whatIsNoName(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # with or without a text
        kindOf(kinds.Host).read(text)
