"""
Fills in what docs/strings.md takes from the code: tables of arguments, and the errors of wrong strings.

    python -m tests.strings_document

writes the document anew.  In it, a comment says what comes after it, up to the next empty line:

    <!-- arguments: server tcp -->      a table of what the parser declares
    <!-- wrong: server tcp:http -->     the error's text
    <!-- inherited: server fd:3 -->     the same, in a process that has inherited a socket named "web"
    <!-- examples: server -->           a table whose last column shows the endpoint that the first one makes
    <!-- prefixes -->                   a table of all prefixes of this package
    <!-- kinds -->                      a table of all kinds of values
"""

from __future__ import annotations

import os
import re
import socket
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

if __name__ == "__main__":
    # Before the package is imported: the document doesn't depend on what else is installed.
    os.environ["TWISTED_ENDPOINTS_VOCABULARY"] = "builtin"

from tests.tls.authority import root
from twisted_endpoints.plugins.systemd import SystemdParser
from twisted_endpoints.strings import DescriptionError, clientFromString, serverFromString
from twisted_endpoints.strings.arguments import Parameter
from twisted_endpoints.strings.registry import BUILTIN_CLIENTS, BUILTIN_SERVERS, clients, servers
from twisted_endpoints.testing import MemoryReactorClock

DOCUMENT = Path(__file__).parents[1] / "docs" / "strings.md"

_BLOCK = re.compile(r"(<!-- (\w+)(?:: (.*))? -->\n)((?:.+\n)*)")

_MAKE: dict[str, Any] = {"server": serverFromString, "client": clientFromString}
_REGISTRIES = {"server": servers, "client": clients}


def blocks(text: str, kind: str) -> list[tuple[str, list[str]]]:
    """List the blocks of a kind: what the comment says more, and the lines."""
    return [(found[3] or "", found[4].splitlines()) for found in _BLOCK.finditer(text) if found[2] == kind]


def filled(text: str, folder: Path) -> str:
    """
    Fill in the document.

    Args:
        text: as it is.
        folder: empty; what strings name in /etc is made in it.
    """
    with Surroundings(folder) as around:

        def block(found: re.Match[str]) -> str:
            lines = _lines(found[2], found[3] or "", found[4].splitlines(), around)
            return found[1] + "".join(f"{line}\n" for line in lines)

        return _BLOCK.sub(block, text)


def _lines(kind: str, more: str, lines: list[str], around: Surroundings) -> list[str]:
    if kind == "arguments":
        return _arguments(*more.split())
    if kind == "prefixes":
        return _prefixes()
    if kind == "kinds":
        return _kinds()
    if kind == "wrong":
        role, _, text = more.partition(" ")
        return ["```text", *refusal(role, text, around).splitlines(), "```"]
    with around.inherited():
        if kind == "inherited":
            return _lines("wrong", more, lines, around)
        assert kind == "examples", f"there is no block of the kind {kind}"
        return [*lines[:2], *(_example(more, line, around) for line in lines[2:])]


class Surroundings:
    """
    What the document's strings name: files in /etc, which are in another folder here, and a socket that was
    inherited as descriptor 3, which has another number.

    Args:
        folder: it is there, and empty.
    """

    def __init__(self, folder: Path) -> None:
        self._etc = f"{folder}/etc/"
        self._socket = socket.create_server(("127.0.0.1", 0))
        for role, names in (("server", ("example.com", "localhost")), ("client", ("the client",))):
            issued = root().issue(*names)
            contents = {"pem": issued.pem, "crt": issued.certificatePEM, "key": issued.keyPEM}
            for ending, content in contents.items():
                self._write(f"{role}.{ending}", content)
            self._write(f"certs/{role}.pem", issued.pem)
        self._write("ca.pem", root().certificatePEM)
        self._write("authorities/ca.pem", root().certificatePEM)

    def _write(self, name: str, content: bytes) -> None:
        path = Path(self._etc + name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    @contextmanager
    def inherited(self) -> Iterator[None]:
        """Let the socket be inherited."""
        with mock.patch.object(SystemdParser, "_sddaemon", self):
            yield

    def inheritedDescriptors(self) -> list[int]:
        return [self._socket.fileno()]

    def inheritedNamedDescriptors(self) -> dict[str, int]:
        return {"web": self._socket.fileno()}

    def here(self, text: str) -> str:
        """Give a string of the document with the names of here."""
        text = re.sub(r"^(fd:(?:fileno=)?)3$", rf"\g<1>{self._socket.fileno()}", text)
        return text.replace("/etc/", self._etc)

    def inDocument(self, text: str) -> str:
        """Give a text with the names of the document."""
        text = text.replace(f"descriptor {self._socket.fileno()},", "descriptor 3,")
        return text.replace(self._etc, "/etc/")

    def __enter__(self) -> Surroundings:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()


def refusal(role: str, text: str, around: Surroundings) -> str:
    """
    Give the error's text for a wrong string.

    Raises:
        AssertionError: it isn't wrong.
    """
    try:
        made = _MAKE[role](MemoryReactorClock(), around.here(text))
    except DescriptionError as error:
        # The mark under the string is moved by as much as the folder's path is longer.
        before = str(error.description)[: error.position]
        wrong = str(error.description)[error.position :][: error.length]
        problem, before, wrong, hint = map(around.inDocument, (error.problem, before, wrong, error.hint))
        return str(type(error)(problem, text, len(before), len(wrong), hint))
    raise AssertionError(f"{text} is right, and makes {made}")


def _example(role: str, line: str, around: Surroundings) -> str:
    [(text, before)] = re.findall(r"^\| `(.*?)` (\|.*?\|)", line)
    made = _MAKE[role](MemoryReactorClock(), around.here(text))
    return f"| `{text}` {before} `{around.inDocument(repr(made))}` |"


def _table(*rows: Iterable[str]) -> list[str]:
    head, *others = (f"| {' | '.join(cells)} |".replace("|  |", "| |") for cells in rows)
    return [head, "|---" * (head.count("|") - 1) + "|", *others]


def _parser(role: str, prefix: str) -> Any:
    return _REGISTRIES[role]._loadBuiltin(prefix).parser


def _parameters(role: str, prefix: str) -> tuple[Parameter, ...]:
    found: tuple[Parameter, ...] = _parser(role, prefix).declaration.parameters
    return found


def _arguments(role: str, prefix: str) -> list[str]:
    rows = [_cells(parameter) for parameter in _parameters(role, prefix)]
    return _table(("argument", "", "kind", "default"), *rows) if rows else ["There are no arguments."]


def _cells(parameter: Parameter) -> tuple[str, str, str, str]:
    default = parameter.defaultText
    if default is None:
        default = "required" if parameter.required else "none"
    else:
        default = f"`{default}`" if default else "empty"
    name = parameter.name + "=" * parameter.keywordOnly
    return f"`{name}`", parameter.meaning, parameter.kind.name, default


def _prefixes() -> list[str]:
    rows = [
        (f"[`{prefix}:`](#{prefix})", *(_summary(role, prefix) for role in _MAKE)) for prefix in _inOrder()
    ]
    return _table(("prefix", *_MAKE), *rows)


def _inOrder() -> list[str]:
    """List the prefixes of this package as a reader looks for them, new ones at the end."""
    known = ["tcp", "tcp6", "unix", "tls", "ssl", "haproxy", "stdio", "process", "systemd", "fd"]
    there = {*BUILTIN_SERVERS, *BUILTIN_CLIENTS}
    return [prefix for prefix in known if prefix in there] + sorted(there - {*known})


def _summary(role: str, prefix: str) -> str:
    """Say what an endpoint of this prefix does; nothing if there is none in this role."""
    return str(_parser(role, prefix).summary) if prefix in _REGISTRIES[role]._builtin else ""


def _kinds() -> list[str]:
    found = {
        parameter.kind.name: parameter.kind.expected
        for prefix in _inOrder()
        for role in _MAKE
        if prefix in _REGISTRIES[role]._builtin
        for parameter in _parameters(role, prefix)
    }
    return _table(("kind", "a value is"), *found.items())


def stringsOf(text: str) -> Iterator[tuple[str, str]]:
    """Yield each example of a document, with its role."""
    for role, lines in blocks(text, "examples"):
        for line in lines[2:]:
            yield role, re.findall(r"^\| `(.*?)` \|", line)[0]


def main() -> None:
    """Write the document anew."""
    with tempfile.TemporaryDirectory() as folder:
        DOCUMENT.write_text(filled(DOCUMENT.read_text(encoding="utf-8"), Path(folder)), encoding="utf-8")


if __name__ == "__main__":
    main()
