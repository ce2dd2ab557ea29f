"""How an error shows the place in a description."""

from __future__ import annotations

import pytest

from twisted_endpoints.strings.errors import DescriptionError, shown


def lines(*args: object) -> list[str]:
    return str(DescriptionError("wrong", *args)).split("\n")  # type: ignore[arg-type]


def test_theMarkStandsUnderThePlace() -> None:
    assert lines("tcp:abc", 4, 3, "Do this.") == ["wrong", "    tcp:abc", "        ^^^", "Do this."]


def test_aPlaceWhereSomethingIsMissingHasAMarkToo() -> None:
    assert lines("tcp", 3, 0) == ["wrong", "    tcp", "       ^"]


def test_withoutADescriptionThereIsNoExcerpt() -> None:
    assert lines(None) == lines("") == ["wrong"]


@pytest.mark.parametrize(
    ("text", "position", "length", "line", "mark"),
    [
        ("a\n:b", 3, 1, r"    a\n:b", "        ^"),
        ("\x1b[1m:b", 5, 1, r"    \x1b[1m:b", " " * 12 + "^"),
        ("日本:b", 3, 1, "    日本:b", "         ^"),
        ("日本", 0, 2, "    日本", "    ^^^^"),
        ("e\u0301:b", 3, 1, "    e\u0301:b", "      ^"),
        ("\ud800:b", 2, 1, r"    \ud800:b", "           ^"),
        (b"\xff:b", 2, 1, r"    \xff:b", "         ^"),
    ],
)
def test_theMarkCountsColumnsAndNotCharacters(
    text: str | bytes, position: int, length: int, line: str, mark: str
) -> None:
    assert lines(text, position, length) == ["wrong", line, mark]


def test_ofALongDescriptionOnlyTheSurroundingsAreShown() -> None:
    text = "a" * 500 + "X" + "b" * 500
    _, line, mark = lines(text, 500, 1)
    assert line == "    ..." + "a" * 24 + "X" + "b" * 47 + "..."
    assert line[mark.index("^")] == "X"


def test_theEndOfALongDescription() -> None:
    _, line, mark = lines("a" * 500, 500, 0)
    assert line == "    ..." + "a" * 72
    assert mark == " " * len(line) + "^"


def test_shownIsOneShortLine() -> None:
    assert shown("a\nb") == r"'a\nb'"
    assert shown("x" * 61) == "'" + "x" * 60 + "...'"
    assert shown(b"\x00\xe4") == r"'\x00\xe4'"
