"""docs/strings.md is what the parsers declare, and what it shows is what happens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.strings.conftest import onlyBuiltin
from twisted_endpoints.protocol import Factory
from twisted_endpoints.strings import Description, clientFromString
from twisted_endpoints.strings.registry import BUILTIN_CLIENTS, BUILTIN_SERVERS, clients, servers
from twisted_endpoints.testing import MemoryReactorClock

from . import strings_document

__all__ = ["onlyBuiltin"]

pytestmark = pytest.mark.usefixtures("onlyBuiltin")

TEXT = strings_document.DOCUMENT.read_text(encoding="utf-8")


def test_itIsAsGenerated(tmp_path: Path) -> None:
    assert strings_document.filled(TEXT, tmp_path) == TEXT, "run: python -m tests.strings_document"


@pytest.mark.parametrize("prefix", sorted({*BUILTIN_SERVERS, *BUILTIN_CLIENTS}))
def test_eachPrefixHasAllThatThereIsToSay(prefix: str) -> None:
    [section] = re.findall(rf"^## `{prefix}:`\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S)
    roles = {"server": prefix in BUILTIN_SERVERS, "client": prefix in BUILTIN_CLIENTS}
    for role, exists in roles.items():
        tables = strings_document.blocks(section, "arguments")
        assert (f"{role} {prefix}" in [more for more, _ in tables]) == exists
        examples = [text for which, text in strings_document.stringsOf(section) if which == role]
        assert bool(examples) == exists
        assert all(f"{prefix}:" in text for text in examples)
    assert strings_document.blocks(section, "wrong")


def test_whatIsRightIsNoError(tmp_path: Path) -> None:
    with (
        strings_document.Surroundings(tmp_path) as around,
        pytest.raises(AssertionError, match="tcp:80 is right, and makes <TCP4ServerEndpoint"),
    ):
        strings_document.refusal("server", "tcp:80", around)


def test_theProgramRuns() -> None:
    [program] = re.findall(r"^```python\n(.*?)^```", TEXT, re.M | re.S)
    reactor = MemoryReactorClock()
    exec(program, {"reactor": reactor, "factory": Factory()})
    assert [args[0] for args in reactor.tcpServers] == [8080]


def test_theGrammarsStringsAreStrings() -> None:
    [grammar] = re.findall(r"^## The grammar\n(.*?)^What goes wrong", TEXT, re.M | re.S)
    strings = [text for text in re.findall(r"`([^`]+)`", grammar) if re.match(r"\w+:.", text)]
    assert len(strings) >= 7
    for text in strings:
        role = servers if text.startswith(("tcp:8080", "tls:/", "unix:")) else clients
        assert role.find(Description.parse(text)).parser.declaration.bind(Description.parse(text))


def test_theGrammarsStringsThatSayTheSameDo() -> None:
    [line] = re.findall(r"^.* say the same\.$", TEXT, re.M)
    same = [clientFromString(None, text) for text in re.findall(r"tcp:[^`]+", line)]
    assert len(same) == 3
    assert [vars(endpoint) for endpoint in same[1:]] == [vars(same[0])] * 2


def test_theTableOfPrefixesLeadsToThem() -> None:
    [(_, lines)] = strings_document.blocks(TEXT, "prefixes")
    linked = [re.findall(r"\(#(\w+)\)", line)[0] for line in lines[2:]]
    assert linked == re.findall(r"^## `(\w+):`$", TEXT, re.M)
