"""``check``: what a string says, part by part, or the error with the place marked."""

from __future__ import annotations

import argparse
import socket
from pathlib import Path

import pytest

from tests.inheriting import HandOver, handOver
from tests.strings.distributions import BARE, Site
from twisted_endpoints.cli import check as command
from twisted_endpoints.cli._throwaway import certificates
from twisted_endpoints.strings import registry

__all__ = ["handOver"]

pytestmark = pytest.mark.usefixtures("site")


def check(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    parser = argparse.ArgumentParser()
    command.addArguments(parser)
    status = command.run(parser.parse_args(arguments))
    done = capsys.readouterr()
    return status, done.out, done.err


def test_aServersParts(capsys: pytest.CaptureFixture[str]) -> None:
    expected = (
        "tcp:8080:interface=[::1]\n"
        "  server tcp, from twisted-endpoints: <TCP4ServerEndpoint [::1]:8080>\n"
        "    port       8080\n"
        "    interface  ::1\n"
        "    backlog    50  (default)\n"
    )
    assert check(capsys, "tcp:8080:interface=[::1]") == (0, expected, "")


def test_aClientsParts(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = check(capsys, "tcp:example.com:80:timeout=2.5")
    assert (status, err) == (0, "")
    assert out.splitlines()[2:] == [
        "    host         example.com",
        "    port         80",
        "    timeout      2.5",
        "    bindAddress  (not given)",
    ]


def test_whatIsGoodForBothIsToldForBoth(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = check(capsys, "unix:/x")
    assert [line.split(",")[0] for line in out.splitlines() if line.startswith("  ") and "from" in line] == [
        "  server unix",
        "  client unix",
    ]
    _, out, _ = check(capsys, "--client", "unix:/x")
    assert "server" not in out


def test_nothingIsOpened(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert check(capsys, f"unix:{tmp_path}/socket")[0] == 0
    assert list(tmp_path.iterdir()) == []


def test_anError(capsys: pytest.CaptureFixture[str]) -> None:
    assert check(capsys, "--server", "tcp:abc") == (
        1,
        "",
        "port must be a number from 0 to 65535, not 'abc'\n    tcp:abc\n        ^^^\n",
    )


def test_errorsOfBothRoles(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = check(capsys, "tcp:80:90:100:110")
    assert (status, out) == (1, "")
    assert err.startswith("not good for a server: 'tcp' takes at most 3 arguments")
    assert "\nnot good for a client: 'tcp' takes at most 2 arguments" in err


def test_aRoleThatDoesNotHaveThePrefixIsSilent(capsys: pytest.CaptureFixture[str]) -> None:
    _, _, err = check(capsys, "tcp6:abc")
    assert err == "port must be a number from 0 to 65535, not 'abc'\n    tcp6:abc\n         ^^^\n"


def test_anErrorOfTheGrammarIsToldOnce(capsys: pytest.CaptureFixture[str]) -> None:
    _, _, err = check(capsys, "tcp:80\\")
    assert err.count("ends with a backslash") == 1


@pytest.mark.parametrize("option", ["--server", "--client"])
def test_theBarePort(capsys: pytest.CaptureFixture[str], option: str) -> None:
    _, _, err = check(capsys, option, "8010")
    assert {"--server": "Did you mean 'tcp:8010'?", "--client": "Did you mean 'tcp:localhost:8010'?"}[
        option
    ] in err


def test_oneBadStringOfMany(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = check(capsys, "tcp:1", "tcp:x:y", "tcp:2")
    assert status == 1
    assert [line for line in out.splitlines() if not line.startswith(" ")] == ["tcp:1", "tcp:2"]
    assert "'y'" in err


def test_partsOfAParserThatDeclaresNothing(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.module("bare")
    site.server("bare-dist", "mine = bare:parser")
    _, out, _ = check(capsys, r"mine:a\:b:c=d")
    lines = out.splitlines()
    assert lines[1].startswith("  server mine, from bare-dist 1.0: ")
    assert lines[2:] == ["    argument 1  a:b", "    c           d"]


def test_controlCharactersDoNotReachTheTerminal(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, err = check(capsys, "unix:/a\x1b[31m\nb", "unix:/a:\x1b=1")
    assert "\x1b" not in out + err
    assert r"/a\x1b[31m\nb" in out


def test_bytesOfTheCommandLineThatAreNoText(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = check(capsys, "unix:/tmp/\udcff")
    assert status == 1
    assert r"unix:/tmp/\udcff" in err


@pytest.mark.parametrize("role", [registry.servers, registry.clients], ids=["servers", "clients"])
def test_everyBuiltinPrefixCanBeChecked(
    role: registry.Registry,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    handOver: HandOver,
) -> None:
    inner = "[tcp:80]" if role is registry.servers else "[tcp:a:80]"
    examples = {"port": "80", "host": "a", "path": "/x", "endpoint string": inner}
    more = {"tls": ":.", "systemd": ":index=0"}  # one of several that are needed
    served, _ = certificates(str(tmp_path))
    monkeypatch.chdir(served)  # ssl: looks for server.pem
    with socket.create_server(("127.0.0.1", 0)) as given:
        examples["number"] = str(given.fileno())
        handOver(given)
        for found in role.everything():
            needed = [p for p in found.parser.declaration.parameters if p.required]
            text = ":".join([found.prefix, *(f"{p.name}={examples[p.kind.name]}" for p in needed)])
            assert check(capsys, f"--{role.role}", text + more.get(text, ""))[0] == 0, text


def test_anEndpointThatCanNotBeShownIsNoError(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.module("shy", BARE + "\n    Endpoint.__repr__ = None\n")
    site.server("shy-dist", "shy = shy:parser")
    assert check(capsys, "shy")[1] == "shy\n  server shy, from shy-dist 1.0: Endpoint\n"


def test_whatWorksAndIsMostLikelyWrongIsNoted(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = check(capsys, "tcp6:80:interface=127.0.0.1")
    assert (status, err) == (0, "")
    assert out.splitlines()[2] == (
        "    note: 'tcp6' with the interface 127.0.0.1 listens on IPv4: write tcp:80:interface=127.0.0.1"
    )
