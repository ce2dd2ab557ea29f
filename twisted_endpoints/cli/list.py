"""``twisted-endpoints list``: every prefix that there is, what it takes, and whose it is."""

from __future__ import annotations

import argparse
import inspect
import re
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
        parameters, more = _parameters(role, found)
        ours = isinstance(found.parser, Parser)
        yield {
            "prefix": found.prefix,
            "role": role,
            "summary": found.parser.summary if ours else _firstSentence(found.parser),
            "distribution": found.origin,
            "parameters": parameters,
            "takesMore": more,
            "problem": found.reason or None,
            "hiddenBy": winners.get(found.prefix),
        }
        winners.setdefault(found.prefix, found.origin)


def _parameters(role: str, found: Found) -> tuple[list[dict[str, Any]] | None, bool]:
    """
    Describe the arguments that a parser takes: by its declaration, or else by the signature of its method.

    Returns:
        The arguments, or None if nothing is known of them; and whether it may take others too.
    """
    from ..plugins import Parser

    if found.problem is not None:
        return None, False
    if isinstance(found.parser, Parser):
        declared = found.parser.declaration.parameters
        return [
            _row(p.name, p.kind.name, p.required, p.defaultText, p.keywordOnly, p.meaning) for p in declared
        ], False
    method = getattr(found.parser, "parseStreamServer" if role == "server" else "parseStreamClient")
    try:
        signature = list(inspect.signature(method).parameters.values())[1:]  # the first one is the reactor
    except (TypeError, ValueError):  # it is written in C, or pretends to be something else
        return None, True
    named = [p for p in signature if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    more = len(named) < len(signature)
    rows = [
        _row(
            p.name,
            "text",  # without a declaration nobody but the parser reads it
            p.default is p.empty,
            None if p.default in (p.empty, None) else str(p.default),
            p.kind is p.KEYWORD_ONLY,
        )
        for p in named
    ]
    return (None if more and not rows else rows), more


def _row(
    name: str, kind: str, required: bool, default: str | None, keywordOnly: bool, meaning: str = ""
) -> dict[str, Any]:
    return {
        "name": name,
        "type": kind,
        "required": required,
        "default": default,
        "keywordOnly": keywordOnly,
        "meaning": meaning,
    }


def _firstSentence(parser: object) -> str:
    """Give the first sentence of a parser's documentation, without markup; empty if there is none."""
    # None stands for a parser that couldn't be loaded, and its class has documentation from Python 3.13 on.
    text = "" if parser is None else " ".join((type(parser).__doc__ or "").split())
    text = re.sub(r"[A-Z]\{([^{}]*)\}|`+([^`]*)`+", r"\1\2", text).partition(". ")[0].rstrip(".")
    return text if len(text) <= 100 else f"{text[:97]}..."


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
            if row["takesMore"]:
                yield "      and others, known to itself only"


def _need(parameter: dict[str, Any]) -> str:
    """Say whether an argument has to be given, and what it is if it isn't."""
    if parameter["required"]:
        return "required"
    default = parameter["default"]
    return "no default" if default is None else f"default {default or 'empty'}"


def _parameterLines(parameters: list[dict[str, Any]]) -> Iterator[str]:
    table = []
    for parameter in parameters:
        name = f"{parameter['name']}=" if parameter["keywordOnly"] else parameter["name"]
        table.append((name, parameter["type"], _need(parameter), parameter["meaning"]))
    widths = [max((len(cells[column]) for cells in table), default=0) for column in range(3)]
    for cells in table:
        yield "      " + "  ".join(map(str.ljust, cells, (*widths, 0))).rstrip()
