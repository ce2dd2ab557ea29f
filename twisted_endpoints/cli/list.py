"""``twisted-endpoints list``: every prefix that there is, what it takes, and whose it is."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..strings.registry import Found

NAME = "list"
SUMMARY = "shows every prefix that a string can begin with, and its arguments"

EXAMPLES = """\
examples:
  twisted-endpoints list
  twisted-endpoints list --json | jq '.[] | select(.role == "server") | .prefix'
"""


def addArguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--json", action="store_true", help="write a JSON array, for programs")


def run(options: argparse.Namespace) -> int:
    """Print the table; 0."""
    from ..strings.registry import clients, servers
    from ._text import visible

    rows = [row for registry in (servers, clients) for row in _rows(registry.role, registry.everything())]
    if options.json:
        import json

        print(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        # What other distributions say of themselves is no command to a terminal.
        print("\n".join(map(visible, _lines(rows))))
    return 0


def _rows(role: str, parsers: Iterator[Found]) -> Iterator[dict[str, Any]]:
    """Describe each parser in JSON's types."""
    from ..plugins import Parser

    winners: dict[str, str] = {}
    for found in parsers:
        if found.prefix in winners and type(found.parser).__module__.startswith("twisted."):
            continue  # Twisted's own, where we have one: nobody gets it by a string, and nobody put it there
        declaration = found.parser.declaration if isinstance(found.parser, Parser) else None
        yield {
            "prefix": found.prefix,
            "role": role,
            "summary": found.parser.summary if isinstance(found.parser, Parser) else "",
            "distribution": found.origin,
            "parameters": None
            if declaration is None
            else [
                {
                    "name": parameter.name,
                    "type": parameter.kind.name,
                    "required": parameter.required,
                    "default": parameter.defaultText,
                    "keywordOnly": parameter.keywordOnly,
                }
                for parameter in declaration.parameters
            ],
            "problem": found.reason or None,
            "hiddenBy": winners.get(found.prefix),
        }
        winners.setdefault(found.prefix, found.origin)


def _lines(rows: list[dict[str, Any]]) -> Iterator[str]:
    role = ""
    for row in rows:
        if row["role"] != role:
            if role:
                yield ""
            role = row["role"]
            yield f"{role.upper()}S"
        yield f"  {row['prefix']}:  {row['summary'] or '(no description)'}  [{row['distribution']}]"
        if row["hiddenBy"]:
            yield f"      never used: {row['hiddenBy']} has this prefix"
        if row["problem"]:
            yield from (f"      broken: {line}" for line in row["problem"].splitlines())
        elif row["parameters"] is None:
            yield "      its arguments are known to itself only"
        else:
            yield from _parameterLines(row["parameters"])


def _parameterLines(parameters: list[dict[str, Any]]) -> Iterator[str]:
    table = []
    for parameter in parameters:
        name = f"{parameter['name']}=" if parameter["keywordOnly"] else parameter["name"]
        default = parameter["default"]
        about = (
            "required"
            if parameter["required"]
            else "no default"
            if default is None
            else f"default {default or 'empty'}"
        )
        table.append((name, parameter["type"], about))
    widths = [max((len(cells[column]) for cells in table), default=0) for column in (0, 1)]
    for name, kind, about in table:
        yield f"      {name:<{widths[0]}}  {kind:<{widths[1]}}  {about}"
