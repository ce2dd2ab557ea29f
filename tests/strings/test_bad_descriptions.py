"""Every bad description of the table, with the whole text that its author gets (reliability goal G21)."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from twisted_endpoints.strings import DescriptionError, clientFromString, errors, serverFromString
from twisted_endpoints.strings.registry import BUILTIN_CLIENTS, BUILTIN_SERVERS

pytestmark = pytest.mark.usefixtures("onlyBuiltin")


class Row(NamedTuple):
    role: str
    expression: str
    kind: str
    position: int
    text: str


def rows() -> list[Row]:
    """
    Read the table: ``== role expression``, ``kind at position``, and the error's text, a block a row.

    In it, ``{servers}`` and ``{clients}`` are the prefixes that there are.
    """
    table = Path(__file__).with_name("bad_descriptions.txt").read_text(encoding="utf-8")
    for name, prefixes in (("{servers}", BUILTIN_SERVERS), ("{clients}", BUILTIN_CLIENTS)):
        table = table.replace(name, ", ".join(sorted(prefixes)))
    found = []
    for block in table.removeprefix("== ").split("\n\n== "):
        head, kind, text = block.rstrip("\n").split("\n", 2)
        role, _, expression = head.partition(" ")
        name, _, position = kind.partition(" at ")
        found.append(Row(role, expression, name, int(position), text))
    return found


ROWS = rows()


def raised(row: Row) -> tuple[Any, DescriptionError]:
    make = serverFromString if row.role == "server" else clientFromString
    description = eval(row.expression)
    with pytest.raises(DescriptionError) as caught:
        make(object(), description)
    return description, caught.value


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.role} {row.expression}")
def test_message(row: Row) -> None:
    description, error = raised(row)
    assert str(error) == row.text
    assert (type(error).__name__, error.position) == (row.kind, row.position)
    if isinstance(description, str):
        assert error.description == description
    assert isinstance(error, TypeError) == isinstance(error, errors.ArgumentsError)


def test_theTableIsLarge() -> None:
    assert len(ROWS) > 190
    assert len({(row.role, row.expression) for row in ROWS}) == len(ROWS)


def test_linesFitATerminal() -> None:
    for row in ROWS:
        _, *excerpt = row.text.split("\n")
        assert all(len(line) <= 132 for line in excerpt), row.text


@pytest.mark.parametrize("remade", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_errorsCanBeCopiedAndPickled(remade: Any) -> None:
    for row in ROWS[:40]:
        _, error = raised(row)
        again = remade(error)
        assert (type(again), str(again)) == (type(error), str(error))
        assert (again.description, again.position, again.length) == (
            error.description,
            error.position,
            error.length,
        )
