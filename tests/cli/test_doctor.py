"""The command `doctor`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.loops import LOOPS
from tests.running import run
from twisted_endpoints import cli
from twisted_endpoints.cli import _trial, doctor
from twisted_endpoints.cli._kinds import KINDS, Kind
from twisted_endpoints.cli._trial import Outcome, Trial
from twisted_endpoints.defer import Deferred, fail

from .running import environment, finished

TCP = KINDS[0]


@pytest.mark.parametrize("loop", LOOPS)
def test_everyKindHoldsHere(loop: str, tmp_path: Path) -> None:
    done = finished("--loop", loop, "doctor", env=environment(TMPDIR=str(tmp_path)))
    lines = done.stdout.splitlines()

    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert lines[0].startswith("Python:")
    start = next(i for i, line in enumerate(lines) if line.startswith("kind "))
    assert len(lines) - start - 1 == len(KINDS)
    assert any(line.startswith("tcp ") and " ok " in line for line in lines)
    assert list(tmp_path.iterdir()) == []


def test_noFolderForTemporaryFiles(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr("tempfile.gettempdir", none)
    monkeypatch.setattr(doctor, "chooseReactor", lambda loop: object())
    assert cli.main(["doctor"]) == 1
    assert capsys.readouterr().err == (
        "twisted-endpoints doctor: there is no folder for temporary files:"
        " No usable temporary directory found; set TMPDIR to one that can be written to\n"
    )


def test_asJSON() -> None:
    done = finished("doctor", "--json")
    said = json.loads(done.stdout)

    assert (done.returncode, done.stderr) == (0, "")
    assert set(said) == {"versions", "kinds"}
    tcp = said["kinds"][0]
    assert (tcp["kind"], tcp["status"], tcp["reason"]) == ("tcp", "ok", "")
    assert tcp["speed"] > 0
    assert tcp["client"].startswith("tcp:127.0.0.1:")


def test_theStatusSaysWhetherAllHeld(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes = [Outcome("a", "ok", "s", "c", "", 12.3), Outcome("b", "skipped", reason="there is none")]
    monkeypatch.setattr(doctor, "chooseReactor", lambda loop: None)
    monkeypatch.setattr(doctor, "_tryAll", lambda *_: outcomes)
    options = type("Options", (), {"loop": "auto", "json": False, "timeout": 1.0})

    assert doctor.run(options) == 0  # type: ignore[arg-type]
    assert "skipped: there is none" in capsys.readouterr().out
    outcomes.append(Outcome("c", "failed", reason="it broke"))
    assert doctor.run(options) == 1  # type: ignore[arg-type]
    assert "failed: it broke" in capsys.readouterr().out


def trial(reactor: Any, tmp_path: Path, kind: Kind, limit: float = 20.0) -> Outcome:
    outcome: Outcome = run(reactor, lambda: Trial(reactor, kind, str(tmp_path), limit).run())
    return outcome


def test_aKindThatThisMachineCannotDoIsSkipped(reactor: Any, tmp_path: Path) -> None:
    kind = Kind("none", TCP.server, TCP.client, lambda: "there is none")

    assert trial(reactor, tmp_path, kind) == Outcome("none", "skipped", reason="there is none")


def test_aKindThatCannotListen(reactor: Any, tmp_path: Path) -> None:
    kind = Kind("bad", lambda path: "unix:/nowhere/at/all", TCP.client)
    outcome = trial(reactor, tmp_path, kind)

    assert (outcome.status, outcome.server, outcome.client) == ("failed", "unix:/nowhere/at/all", "")
    assert outcome.reason.startswith("while listening: ")


def test_aClientStringThatLeadsNowhere(reactor: Any, tmp_path: Path) -> None:
    ways = iter(["tcp:127.0.0.1:1", ""])

    def client(address: Any, path: str) -> str:
        return next(ways) or TCP.client(address, path)

    outcome = trial(reactor, tmp_path, Kind("astray", TCP.server, client))
    assert outcome.status == "failed"
    assert outcome.reason.startswith("while relaying: the relay can't connect: ")


def test_aTrialThatTakesTooLong(reactor: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_trial.Comparer, "resumeProducing", lambda self: None)
    outcome = trial(reactor, tmp_path, TCP, limit=0.2)

    assert (outcome.status, outcome.speed) == ("failed", None)
    assert outcome.reason == "timed out after 0.2 s, while relaying"


def test_otherBytesThanWereSent(reactor: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = _trial.Comparer.dataReceived

    def wrong(self: _trial.Comparer, data: bytes) -> None:
        right(self, data[:-1] + bytes([data[-1] ^ 1]))

    monkeypatch.setattr(_trial.Comparer, "dataReceived", wrong)
    outcome = trial(reactor, tmp_path, TCP)

    assert outcome.status == "failed"
    assert " got other bytes than were sent, from byte " in outcome.reason


def test_aConnectionThatEndsTooEarly(reactor: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def leaves(self: _trial.Comparer, data: bytes) -> None:
        self.abort()

    monkeypatch.setattr(_trial.Comparer, "dataReceived", leaves)
    outcome = trial(reactor, tmp_path, TCP)

    assert outcome.status == "failed"
    assert f"'s connection ended after 0 of {_trial.SIZE} bytes" in outcome.reason


def test_aPortThatCannotBeClosed(reactor: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def undo() -> Deferred[None]:
        return fail(OSError("it is stuck"))

    made = Trial(reactor, TCP, str(tmp_path))
    made._undo.append(undo)
    outcome = run(reactor, made.run)

    assert (outcome.status, outcome.reason) == ("failed", "while closing: it is stuck")
