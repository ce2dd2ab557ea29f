"""The parser of docs/plugins.md, installed and used as the text says."""

from __future__ import annotations

import argparse
import configparser
import re
from pathlib import Path
from typing import Any

import pytest

from tests.strings.distributions import Site
from twisted_endpoints.cli import list as command
from twisted_endpoints.strings import DescriptionError, clientFromString

TEXT = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """Cut the first code block of a language out of the document."""
    found = re.search(rf"^```{language}\n(.*?)^```$", TEXT, re.M | re.S)
    assert found
    return found[1]


@pytest.fixture
def installed(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    setup = configparser.ConfigParser()
    setup.read_string(block("ini"))
    site.module(setup["options"]["py_modules"], block("python"))
    groups = setup["options.entry_points"].items()
    lines = "".join(
        f"[{group}]\n" + "\n".join(map(str.strip, rows.splitlines())) + "\n" for group, rows in groups
    )
    site.install(setup["metadata"]["name"], lines, setup["metadata"]["version"])
    monkeypatch.setenv("DATABASE", "tcp:db.example:5432")
    return site


def test_itFitsInTwentyLines() -> None:
    lines = [line for line in block("python").splitlines() if line]
    assert len(lines) <= 20


@pytest.mark.usefixtures("installed")
def test_theStringsOfTheTextWork() -> None:
    endpoint: Any = clientFromString(object(), "env:DATABASE")
    assert (endpoint._host, endpoint._port) == ("db.example", 5432)
    endpoint = clientFromString(object(), "env:NOWHERE:default=[tcp:localhost:5432]")
    assert (endpoint._host, endpoint._port) == ("localhost", 5432)


@pytest.mark.usefixtures("installed")
def test_itsErrorsAreTold() -> None:
    with pytest.raises(DescriptionError) as caught:
        clientFromString(object(), "env:NOWHERE")
    assert str(caught.value) == (
        "the parser for 'env' refuses this: there is no NOWHERE in the environment, and no default\n"
        "    env:NOWHERE\n"
        "    ^^^^^^^^^^^\n"
        "The parser is from env-endpoint 1.0."
    )
    with pytest.raises(DescriptionError, match="'env' needs name"):
        clientFromString(object(), "env")


@pytest.mark.usefixtures("installed")
def test_theListShowsItAsTheTextSays(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.run(argparse.Namespace(json=False)) == 0
    assert block("text") in capsys.readouterr().out


def test_theTableNamesEveryKind() -> None:
    from twisted_endpoints import plugins

    others = {"ClientParser", "ServerParser", "Parser", "Kind", "Missing", "Refused"}
    kinds = set(plugins.__all__) - others
    assert set(re.findall(r"^\| `(\w+)`", TEXT, re.M)) == kinds
