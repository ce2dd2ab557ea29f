"""Programs that are run for what they write, and functions that are called without warnings."""

from __future__ import annotations

import signal
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import twisted_endpoints
from tests.running import run
from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.defer import Deferred
from twisted_endpoints.utils import (
    getProcessOutput,
    getProcessOutputAndValue,
    getProcessValue,
    runWithWarningsSuppressed,
    suppressWarnings,
)


def result(reactor: Any, function: Any, script: str, **more: Any) -> Any:
    """Run a shell's script by one of the functions; give what its Deferred fires with, or its failure."""

    async def main() -> list[Any]:
        fired: list[Any] = []
        await function("/bin/sh", ["-c", script], {"PATH": "/bin:/usr/bin"}, reactor=reactor, **more).addBoth(
            fired.append
        )
        return fired

    return run(reactor, main)[0]


def test_theOutput(reactor: Any) -> None:
    assert result(reactor, getProcessOutput, "echo a; echo b; exit 3") == b"a\nb\n"


def test_theOutputWithErrorOutput(reactor: Any) -> None:
    assert result(reactor, getProcessOutput, "echo a; echo b >&2", errortoo=True) in (b"a\nb\n", b"b\na\n")


def test_errorOutputThatNobodyExpects(reactor: Any) -> None:
    async def main() -> Any:
        failures: list[Any] = []
        output: Any = getProcessOutput("/bin/sh", ["-c", "echo bad >&2; exit 4"], reactor=reactor)
        await output.addErrback(failures.append)
        ended = failures[0].value.processEnded
        await ended.addErrback(failures.append)
        return failures

    unexpected, ended = run(reactor, main)
    assert unexpected.check(OSError)
    assert str(unexpected.value) == "got stderr: b'bad\\n'"
    assert ended.value.exitCode == 4


def test_theValue(reactor: Any) -> None:
    assert result(reactor, getProcessValue, "exit 5") == 5


def test_everything(reactor: Any, tmp_path: Path) -> None:
    script = "pwd; cat; echo bad >&2; exit 6"
    assert result(reactor, getProcessOutputAndValue, script, path=str(tmp_path), stdinBytes=b"told") == (
        f"{tmp_path}\ntold".encode(),
        b"bad\n",
        6,
    )


def test_aSignalIsAFailure(reactor: Any) -> None:
    failure = result(reactor, getProcessOutputAndValue, "echo a; kill -KILL $$")
    assert failure.value == (b"a\n", b"", signal.SIGKILL)


def test_whatCantBeRunRaises(reactor: Any) -> None:
    with pytest.raises(FileNotFoundError):
        getProcessValue("/nonexistent", reactor=reactor)


@pytest.mark.skipif(vocabulary == "twisted", reason="it is Twisted's own module, and takes Twisted's reactor")
def test_withoutAReactorItIsTheInstalledOne(monkeypatch: pytest.MonkeyPatch) -> None:
    spawned: list[Any] = []
    fake = SimpleNamespace(spawnProcess=lambda protocol, *args: spawned.append(args))
    monkeypatch.setitem(sys.modules, "twisted_endpoints.reactor", fake)
    monkeypatch.setattr(twisted_endpoints, "reactor", fake, raising=False)
    getProcessValue("/bin/true", ["-x"])
    assert spawned == [("/bin/true", ("/bin/true", "-x"), {}, None)]


# Warnings

IGNORED: Any = [(("ignore", ".*deaf.*"), {})]


def warn(text: str) -> str:
    warnings.warn(text, UserWarning, stacklevel=1)
    return text


@pytest.mark.parametrize(
    "call",
    [
        lambda *args: runWithWarningsSuppressed(IGNORED, *args),
        lambda f, *args: suppressWarnings(f, *IGNORED)(*args),
    ],
    ids=["run", "wrap"],
)
def test_warningsAreSuppressedWhileTheFunctionRuns(call: Any) -> None:
    before = list(warnings.filters)
    assert call(warn, "to deaf ears") == "to deaf ears"
    with pytest.raises(UserWarning):
        call(warn, "heard")
    assert warnings.filters == before


def test_andUntilItsDeferredHasFired() -> None:
    before = list(warnings.filters)
    waits: Deferred[str] = Deferred()
    results: list[str] = []
    runWithWarningsSuppressed(IGNORED, lambda: waits).addCallback(results.append)
    warn("to deaf ears")
    waits.callback("done")
    assert results == ["done"]
    assert warnings.filters == before


def test_filtersThatAreGoneByThenAreNoError() -> None:
    assert runWithWarningsSuppressed(IGNORED, lambda: warnings.filters.remove(warnings.filters[0])) is None  # type: ignore[attr-defined]


@pytest.mark.skipif(
    vocabulary == "twisted", reason="Twisted's takes the letters for arguments, or waits for ever"
)
@pytest.mark.parametrize(
    ("function", "more", "text"),
    [
        (getProcessOutput, {"args": "word"}, "args must be a list of arguments, not 'word'"),
        (getProcessOutputAndValue, {"stdinBytes": "text"}, "stdinBytes must be bytes, not 'text'"),
    ],
    ids=["args", "stdinBytes"],
)
def test_wrongArgumentsStartNothing(reactor: Any, function: Any, more: dict[str, Any], text: str) -> None:
    with pytest.raises(TypeError, match=text):
        function("/bin/cat", reactor=reactor, **more)
