"""What the running relay writes about its streams, without a reactor."""

from __future__ import annotations

import errno
import io
from typing import Any

import pytest

from twisted_endpoints.address import IPv4Address
from twisted_endpoints.cli._report import Report, openReport
from twisted_endpoints.cli._service import Diary
from twisted_endpoints.error import ConnectError, ConnectingCancelledError, ConnectionLost
from twisted_endpoints.failure import Failure
from twisted_endpoints.relay import RelayFactory, RelayFull, Stream
from twisted_endpoints.task import Clock


class Lines(Report):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def line(self, text: str) -> None:
        self.lines.append(text)


def diary(verbose: bool) -> tuple[Diary, list[str], Clock]:
    report, clock = Lines(), Clock()
    return Diary(report, "tcp:far\x1b:80", verbose, clock.seconds), report.lines, clock


def stream(reason: Exception | None = None) -> Stream:
    made = Stream(RelayFactory(Any))  # type: ignore[arg-type]
    made.peer = IPv4Address("TCP", "192.0.2.7", 1234)
    if reason is not None:
        made.reason = Failure(reason)
    return made


def test_failuresAreToldOnceASecond() -> None:
    writer, lines, clock = diary(verbose=False)
    for _ in range(5):
        writer.failed(stream(ConnectError("it is\ndown")))
    clock.advance(1)
    writer.failed(stream(ConnectError("it is\ndown")))

    assert len(lines) == 2
    assert lines[0].startswith(r"tcp:192.0.2.7:1234: cannot connect to tcp:far\x1b:80: ")
    assert r"it is\ndown" in lines[0]
    assert lines[1].endswith(" (and 4 more that failed)")


def test_whoIsTurnedAwayIsToldAsThat() -> None:
    writer, lines, _ = diary(verbose=False)
    writer.failed(stream(RelayFull(string="3 open, as many as may be")))

    assert lines == ["tcp:192.0.2.7:1234: turned away: The relay is full: 3 open, as many as may be"]


def test_whoIsCutOffByTheRelayIsNotPutOnTheTarget() -> None:
    writer, lines, _ = diary(verbose=False)
    writer.failed(stream(ConnectingCancelledError(IPv4Address("TCP", "192.0.2.8", 80))))

    assert lines == [r"tcp:192.0.2.7:1234: cut off before it was connected to tcp:far\x1b:80"]


def test_verboselyEachFailureIsTold() -> None:
    writer, lines, _ = diary(verbose=True)
    for _ in range(5):
        writer.failed(stream(ConnectError("down")))

    assert len(lines) == 5


def test_streamsAreNumberedAndTheirEndIsTold() -> None:
    writer, lines, clock = diary(verbose=True)
    first, second = stream(), stream()
    writer.opened(first)
    writer.opened(second)
    clock.advance(1.5)
    second.reason = Failure(ConnectionLost("by a storm"))
    writer.closed(second)
    writer.closed(first)

    assert lines[:2] == [
        r"[1] tcp:192.0.2.7:1234 connected to tcp:far\x1b:80",
        r"[2] tcp:192.0.2.7:1234 connected to tcp:far\x1b:80",
    ]
    assert lines[2].startswith("[2] tcp:192.0.2.7:1234 cut off (")
    assert "by a storm" in lines[2]
    assert lines[2].endswith("): 0 B sent, 0 B returned, 1.500 s")
    assert lines[3] == "[1] tcp:192.0.2.7:1234 closed: 0 B sent, 0 B returned, 1.500 s"


def test_quietlyOnlyFailuresAreTold() -> None:
    writer, lines, _ = diary(verbose=False)
    one = stream()
    writer.opened(one)
    writer.closed(one)

    assert lines == []


def test_aReportThatCannotBeWrittenIsLetPass(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("sys.stderr", Full())
    Report().line("to nobody")


def test_withoutATerminalLinesArePlain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: False, raising=False)
    report = openReport()

    assert not report.isLive
    report.live("not shown")
    report.close()
