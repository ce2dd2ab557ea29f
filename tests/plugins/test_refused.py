"""How a parser's `build` says which argument can't be used, and why."""

from __future__ import annotations

from typing import Any

import pytest

from twisted_endpoints.plugins import Missing, Path, Refused, ServerParser
from twisted_endpoints.strings import Description, DescriptionError
from twisted_endpoints.strings.errors import ArgumentsError, InvalidValue


class Files(ServerParser):
    prefix = "files"
    summary = "finds no file"

    def build(self, reactor: Any, first: Path = "a.txt", second: Path | None = None, inner: str = "") -> Any:
        if inner:
            try:
                Description.parse(inner)
            except DescriptionError as e:
                raise Refused("inner", e) from e
        if second is None:
            raise Missing("second", "name one")
        try:
            raise FileNotFoundError(second)
        except OSError as e:
            raise Refused("second" if second != "first" else "first", f"{e}: there is no such file") from e


def raised(text: str) -> DescriptionError:
    with pytest.raises(DescriptionError) as caught:
        Files().fromDescription(None, Description.parse(text))
    return caught.value


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("files:a:b.txt", "b.txt"),
        ("files:a:[b:c]", "[b:c]"),
        ("files:second=b.txt:first=a", "b.txt"),
        ("files:a:first", "a"),
        ("files:second=first", ""),  # a default has no place
    ],
)
def test_thePlaceIsTheArguments(text: str, marked: str) -> None:
    error = raised(text)
    assert type(error) is InvalidValue
    assert "can't be used: " in error.problem
    assert error.problem.endswith("there is no such file")
    assert text[error.position : error.position + error.length] == marked
    assert isinstance(error.__cause__, FileNotFoundError)


def test_whatIsMissingIsMissingAtTheEnd() -> None:
    error = raised("files:a")
    assert type(error) is ArgumentsError
    assert (error.problem, error.position, error.length) == ("second is missing: name one", 7, 0)


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("files:inner=[tcp:80:a=1:a=2]", "a=2"),
        ("files:a:b:[tcp:80:a=1:a=2]", "a=2"),
        ("files:inner=tcp\\:80\\:a\\=1\\:a\\=2", "tcp\\:80\\:a\\=1\\:a\\=2"),
    ],
)
def test_anErrorInAnInnerDescriptionIsShownInTheOuter(text: str, marked: str) -> None:
    error = raised(text)
    assert type(error) is ArgumentsError
    assert (error.problem, error.description) == ("in inner: the keyword 'a' is given twice", text)
    assert text[error.position : error.position + error.length] == marked
    assert error.hint == "Keep one of them."


def test_controlCharactersOfAValueAreShownAsEscapes() -> None:
    error = raised("files:a:b\x1b[31m")
    assert error.problem == r"second can't be used: b\x1b[31m: there is no such file"
    assert "\x1b" not in str(error)
