"""Whatever standard input and output are: all bytes go through, and nothing changes for who shares them."""

from __future__ import annotations

import os
import socket
import tty
from typing import Any

import pytest

from tests.running import run
from twisted_endpoints._stdio import files
from twisted_endpoints.error import ConnectionDone, ConnectionLost
from twisted_endpoints.stdio import StandardIO

from .bed import TEXT, Echo, Ends, Half, state


def echoed(reactor: Any, stdin: int, stdout: int) -> Echo:
    """Let an echo run until it is lost."""
    echo = Echo(stdin, stdout)

    async def main() -> None:
        StandardIO(echo, stdin, stdout, reactor)
        await echo.lost

    before = echo.states.copy()
    run(reactor, main)
    assert echo.states == before, "somebody who shares a descriptor would have been surprised"
    return echo


@pytest.mark.parametrize(
    ("stdin", "stdout"),
    [
        ("pipe", "pipe"),
        ("fifo", "pipe"),
        ("file", "file"),
        ("file", "pipe"),
        ("socket", "socket"),
        ("terminal", "terminal"),
        ("pipe", "file"),
        ("pipe", "null"),
        ("null", "pipe"),
    ],
)
def test_allBytesGoThrough(reactor: Any, ends: Ends, stdin: str, stdout: str) -> None:
    number, taken = ends.output(stdout)
    text = {"null": b"", "fifo": TEXT[:4_000], "terminal": TEXT[:20_000]}.get(stdin, TEXT)
    echo = echoed(reactor, ends.input(stdin, text), number)

    assert echo.received == text
    assert taken() == (b"" if stdout == "null" else echo.received)
    assert echo.reason.type is ConnectionDone


def test_oneSocketCanBeBoth(reactor: Any) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"question")
        theirs.shutdown(socket.SHUT_WR)
        echoed(reactor, ours.fileno(), ours.fileno())

        assert theirs.recv(100) == b"question"


def test_aTerminalIsBothAndStaysAsItIs(reactor: Any, ends: Ends) -> None:
    theirs, ours = os.openpty()
    before = state(ours)
    os.write(theirs, b"a line\n\x04")
    echoed(reactor, ours, ours)

    assert state(ours) == before
    assert os.read(theirs, 100).endswith(b"a line\r\n")
    os.close(theirs)
    os.close(ours)


def test_theOtherEndOfATerminal(reactor: Any, ends: Ends) -> None:
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    os.write(theirs, b"question")
    echo = Echo(ours)

    async def main() -> None:
        stdio = StandardIO(echo, ours, ours, reactor)
        assert await echo.next == "data"
        stdio.loseConnection()
        await echo.lost

    run(reactor, main)
    assert os.read(theirs, 100) == b"question"
    assert len(echo.states) == 1
    os.close(theirs)
    os.close(ours)


def test_aFileIsWrittenWhereItStands(reactor: Any, ends: Ends) -> None:
    stdin = ends.input("file", b"head" + TEXT)
    stdout, taken = ends.output("file")
    os.read(stdin, 4)
    os.write(stdout, b"before ")
    echoed(reactor, stdin, stdout)
    os.write(stdout, b" after")

    assert taken() == b"before " + TEXT + b" after"


@pytest.mark.parametrize("kind", ["pipe", "terminal"])
def test_whatCannotBeOpenedAgainIsPutBackAfterEachCall(
    reactor: Any, ends: Ends, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*args: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(files, "Reopened", refused)
    number, taken = ends.output(kind)
    text = TEXT[:20_000]
    echo = echoed(reactor, ends.input(kind, text), number)

    assert taken() == echo.received == text


def test_aSocketStaysAsItIsWhateverPythonsDefaultIs(reactor: Any, ends: Ends) -> None:
    stdin, (stdout, taken) = ends.input("socket", TEXT), ends.output("socket")
    socket.setdefaulttimeout(5)
    try:
        echoed(reactor, stdin, stdout)
    finally:
        socket.setdefaulttimeout(None)

    assert taken() == TEXT


def test_oneThatIsNonBlockingAlreadyStaysSo(reactor: Any, ends: Ends) -> None:
    stdin, (stdout, taken) = ends.input("pipe", TEXT), ends.output("socket")
    os.set_blocking(stdin, False)
    os.set_blocking(stdout, False)
    echoed(reactor, stdin, stdout)

    assert (os.get_blocking(stdin), os.get_blocking(stdout)) == (False, False)
    assert taken() == TEXT


@pytest.mark.parametrize("missing", ["closed", "since the start"])
def test_withoutAnInputItHasEnded(
    reactor: Any, ends: Ends, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdout, taken = ends.output("pipe")
    stdin = 1_000_000
    if missing == "since the start":
        # Something else has its number by now, and is left alone.
        monkeypatch.setattr("sys.__stdin__", None)
        stdin = 0
    half = Half(stdout)

    async def main() -> None:
        stdio = StandardIO(half, stdin, stdout, reactor)
        assert await half.next == "no more input"
        stdio.write(b"still there")
        stdio.loseConnection()
        await half.lost

    run(reactor, main)
    assert taken() == b"still there"


@pytest.mark.parametrize("missing", ["closed", "since the start"])
def test_withoutAnOutputAWriteFails(
    reactor: Any, ends: Ends, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdout = 1_000_000
    if missing == "since the start":
        monkeypatch.setattr("sys.__stdout__", None)
        stdout = 1
    echo = Echo()

    async def main() -> None:
        StandardIO(echo, ends.input("pipe", b"to nobody"), stdout, reactor)
        await echo.lost

    run(reactor, main)
    assert echo.received == b"to nobody"
    assert echo.reason.type is ConnectionLost
    assert "Bad file descriptor" in str(echo.reason.value)


def test_aFolderIsNoInput(reactor: Any, ends: Ends) -> None:
    stdin = os.open("/", os.O_RDONLY)
    stdout, _ = ends.output("pipe")
    echo = echoed(reactor, stdin, stdout)
    os.close(stdin)

    assert echo.reason.type is ConnectionLost
    assert "Is a directory" in str(echo.reason.value)
