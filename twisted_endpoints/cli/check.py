"""``twisted-endpoints check``: what a string says, or what is wrong with it, without opening anything."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..strings.arguments import Declaration
    from ..strings.description import Description
    from ..strings.registry import Registry

NAME = "check"
SUMMARY = "says what a string means, or what is wrong with it, and opens nothing"

EXAMPLES = """\
examples:
  twisted-endpoints check tcp:8080:interface=127.0.0.1
  twisted-endpoints check --client 'tcp:[::1]:80' unix:/run/app.sock

The exit status is 0 if every string is good, else 1.
"""


def addArguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("strings", metavar="STRING", nargs="+", help="an endpoint string")
    role = parser.add_mutually_exclusive_group()
    role.add_argument("--server", action="store_true", help="check strings to listen on")
    role.add_argument(
        "--client", action="store_true", help="check strings to connect to; by default either is good"
    )


def run(options: argparse.Namespace) -> int:
    """Print what each string says; 0 if all are good, else 1."""
    from ..strings.registry import clients, servers

    registries = [servers] if options.server else [clients] if options.client else [servers, clients]
    results = [_check(text, registries) for text in options.strings]
    return 0 if all(results) else 1


def _check(text: str, registries: list[Registry]) -> bool:
    """Print what a string says to those registries that understand it, or else why none does."""
    from ..strings.description import Description
    from ..strings.errors import DescriptionError, UnknownPrefix
    from ._text import visible

    errors: list[tuple[str, DescriptionError]] = []
    lines: list[str] = []
    for registry in registries:
        try:
            lines += _meaning(registry, Description.parse(text))
        except DescriptionError as error:
            errors.append((registry.role, error))
    sys.stdout.flush()
    if lines:
        print(visible(text), *lines, sep="\n")
        return True
    # A role that doesn't have the prefix has nothing to say about what comes after it, if the other one has.
    errors = [row for row in errors if not isinstance(row[1], UnknownPrefix)] or errors
    told: set[str] = set()
    for role, problem in errors:
        if str(problem) not in told:
            told.add(str(problem))
            print(f"not good for a {role}: {problem}" if len(errors) > 1 else problem, file=sys.stderr)
    return False


def _meaning(registry: Registry, description: Description) -> Iterator[str]:
    """
    Tell each part of a description by name.

    Raises:
        DescriptionError: no endpoint of this role can be made of it.
    """
    from ..plugins import Parser
    from ..testing import MemoryReactorClock
    from ._text import visible

    found = registry.find(description)
    with warnings.catch_warnings(record=True) as notes:
        warnings.simplefilter("always")
        endpoint = registry.endpoint(MemoryReactorClock(), description)
    try:
        name = repr(endpoint)
    except Exception:  # it may be anybody's, and a string isn't wrong for that
        name = type(endpoint).__name__
    yield f"  {registry.role} {found.prefix}, from {found.origin}: {visible(name)}"
    yield from (f"    note: {visible(str(note.message))}" for note in notes)
    if not isinstance(found.parser, Parser):
        rows = [(f"argument {number}", value) for number, value in enumerate(description.args, 1)]
        rows += description.kwargs.items()
    else:
        rows = list(_rows(found.parser.declaration, description))
    width = max((len(name) for name, _ in rows), default=0)
    for name, value in rows:
        yield f"    {visible(name):<{width}}  {visible(value)}"


def _rows(declaration: Declaration, description: Description) -> Iterator[tuple[str, str]]:
    values = declaration.bind(description)
    for parameter in declaration.parameters:
        if parameter.name in values:
            yield parameter.name, parameter.kind.write(values[parameter.name]) or "(empty)"
        elif parameter.defaultText is None:
            yield parameter.name, "(not given)"
        else:
            yield parameter.name, f"{parameter.defaultText or '(empty)'}  (default)"
