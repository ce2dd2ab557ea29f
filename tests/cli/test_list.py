"""``list``: every prefix, its arguments and whose it is; the broken and the hidden are shown as such."""

from __future__ import annotations

import argparse
import json
from typing import Any

import pytest

from tests.strings.distributions import DECLARED, Site
from twisted_endpoints.cli import list as command
from twisted_endpoints.strings import registry


def output(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    parser = argparse.ArgumentParser()
    command.addArguments(parser)
    assert command.run(parser.parse_args(arguments)) == 0
    done = capsys.readouterr()
    assert done.err == ""
    return done.out


BUILTIN = """\
  tcp:  listens on a TCP port, on IPv4 if the interface is no IPv6 address  [twisted-endpoints]
      port       port     required       the port to listen on; 0 for any that is free
      interface  address  default empty  the address to listen on; empty for all of IPv4
      backlog    number   default 50     how many connections may wait to be accepted
  tcp6:  listens on a TCP port, on IPv6; without an interface on Linux on IPv4 too  [twisted-endpoints]
      port       port     required    the port to listen on; 0 for any that is free
      backlog    number   default 50  how many connections may wait to be accepted
      interface  address  default ::  the address to listen on; :: for all
"""


def test_whatIsBuiltIn(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    text = output(capsys)
    servers, clients = text.split("\n\nCLIENTS\n")
    assert servers.startswith("SERVERS\n")
    assert f"\n{BUILTIN}" in servers
    assert (
        "      endpoint=          endpoint string  no default   a server's string, to listen on " in servers
    )
    assert "      minVersion=        TLS version      default 1.2  the oldest version of TLS " in servers
    assert "\n  tcp:  connects" in clients
    assert "\n      timeout=      seconds  default 30  how long it may take to connect\n" in clients


def test_thirdPartiesAreShownWithTheirDistributions(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.module("bare")
    site.module("broken", "raise ValueError('first line\\nsecond line')")
    site.server("b-dist", "mine = bare:parser", "tcp = bare:parser")
    site.server("a-dist", "mine = broken:parser", version="2.0")
    assert (
        "  mine:  (no description)  [a-dist 2.0]\n"
        "      broken: ValueError: first line\n"
        "      broken: second line\n"
        "  mine:  (no description)  [b-dist 1.0]\n"
        "      never used: a-dist 2.0 has this prefix\n"
        "      its arguments are known to itself only\n"
        "  tcp:  (no description)  [b-dist 1.0]\n"
        "      never used: twisted-endpoints has this prefix\n"
        "      its arguments are known to itself only\n"
    ) in output(capsys)


def test_aParserWithoutDeclarationIsShownByItsSignature(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.module(
        "signed",
        """
        class Parser:
            '''
            Wraps L{something} in I{the} `other`.  It
            has more to say.
            '''
            def parseStreamServer(self, reactor, path, retries=3, *, name=None): ...
            def parseStreamClient(self, reactor, path, *args, **kwargs): ...

        parser = Parser()
        """,
    )
    site.server("signed-dist", "signed = signed:parser")
    text = output(capsys)
    assert (
        "  signed:  Wraps something in the other  [signed-dist 1.0]\n"
        "      path     text  required\n"
        "      retries  text  default 3\n"
        "      name=    text  no default\n"
    ) in text
    registry.refresh()
    site.client("client-dist", "signed = signed:parser")
    assert (
        "  signed:  Wraps something in the other  [client-dist 1.0]\n"
        "      path  text  required\n"
        "      and others, known to itself only\n"
    ) in output(capsys)


def test_controlCharactersOfAPluginDoNotReachTheTerminal(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.module("loud", DECLARED.replace("listens somewhere", "a\x1b[31mred"))
    site.server("loud-dist", "loud = loud:parser")
    assert r"  loud:  a\x1b[31mred  [loud-dist 1.0]" in output(capsys)


def test_json(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.module("broken", "raise ValueError('no')")
    site.client("broken-dist", "mine = broken:parser")
    rows: list[dict[str, Any]] = json.loads(output(capsys, "--json"))
    byKey = {(row["role"], row["prefix"]): row for row in rows}
    assert byKey["server", "unix"]["parameters"][1] == {
        "name": "mode",
        "type": "octal mode",
        "required": False,
        "default": "666",
        "keywordOnly": False,
        "meaning": "who may connect, as the permissions of the socket's file",
    }
    assert byKey["client", "mine"] == {
        "prefix": "mine",
        "role": "client",
        "summary": "",
        "distribution": "broken-dist 1.0",
        "parameters": None,
        "takesMore": False,
        "problem": "ValueError: no",
        "hiddenBy": None,
    }
    assert {role for role, _ in byKey} == {"server", "client"}


def test_inEachVocabulary(capsys: pytest.CaptureFixture[str]) -> None:
    registry.refresh()
    rows = json.loads(output(capsys, "--json"))
    # Twisted's own parser for tcp6: can't be reached by a string, and is nobody's conflict.
    assert [row["distribution"] for row in rows if row["prefix"] == "tcp6"] == ["twisted-endpoints"]
    assert all(row["problem"] is None for row in rows if row["distribution"] == "twisted-endpoints")
