"""The program `twisted-endpoints`, before a command takes over."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from twisted_endpoints import __version__, cli

from .running import command, finished


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_everyCommandIsOne(name: str) -> None:
    module = importlib.import_module(f"twisted_endpoints.cli.{name}")

    assert (module.NAME, callable(module.run)) == (name, True)
    assert module.SUMMARY[0].islower()
    assert not set(module.SUMMARY) & set(".\n")
    assert str(module.__doc__).startswith(f"``twisted-endpoints {name}")


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_everyCommandHasHelp(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([name, "--help"]) == 0
    said = capsys.readouterr().out
    assert f"usage: twisted-endpoints {name} " in said


def test_helpNamesTheCommands(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    said = capsys.readouterr().out
    for name in cli.COMMANDS:
        assert importlib.import_module(f"twisted_endpoints.cli.{name}").SUMMARY in said


def test_withoutArgumentsItShowsTheHelp(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 2
    assert "commands:" in capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"twisted-endpoints {__version__.public()}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["relai", "a", "b"], "unknown command 'relai': did you mean 'relay'?"),
        (["tcp:80"], "relay LISTEN CONNECT"),
        (["frobnicate"], "the commands are relay, list, check, doctor"),
        (["--loop", "epoll", "relay"], "--loop"),
        (["--verbose", "relay"], "--verbose"),
        (["--loop", "asyncio"], "COMMAND"),
    ],
)
def test_mistakesAreExplained(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments) == 2
    shown = capsys.readouterr().err
    assert said in shown
    assert "twisted-endpoints --help" in shown


@pytest.mark.parametrize("arguments", [["--loop", "uvloop", "relay"], ["relay", "--loop", "uvloop"]])
def test_aLoopThatIsNotInstalled(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)

    assert cli.main([*arguments, "tcp:0", "tcp:localhost:1"]) == 2
    assert capsys.readouterr().err == (
        "twisted-endpoints relay: uvloop is not installed: pip install 'twisted_endpoints[speed]'\n"
    )


def test_helpLoadsNothingThatIsSlow() -> None:
    script = (
        "import sys; from twisted_endpoints.cli import main; main(['--help']); "
        "print([name for name in ('twisted.internet.defer', 'asyncio', 'uvloop', 'OpenSSL', 'rich') "
        "if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)

    assert done.stdout.splitlines()[-1] == "[]"


def test_warningsAreWrittenForUsers() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "twisted_endpoints", "relay", "tcp6:0:interface=127.0.0.1", "tcp:80"],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.stderr.startswith(
        "twisted-endpoints: warning: 'tcp6' with the interface 127.0.0.1 listens on"
    )


def test_aReaderThatHasEnoughIsNoError() -> None:
    # `true` reads nothing: the first line that is written after its end meets a broken pipe.
    script = '"$@" | true; exit ${PIPESTATUS[0]}'
    done = subprocess.run(
        ["bash", "-c", script, "bash", *command("--help")], capture_output=True, text=True, timeout=60
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_anInterruptIsNoTraceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_run", interrupted)

    assert cli.main([]) == 130


def test_asAModule() -> None:
    assert finished("--version").stdout.startswith("twisted-endpoints ")
