"""Starting programs: with what descriptors, environment, folder and user, and why it can't be done."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.faults.left import aWhile
from tests.running import run

from .children import ENVIRONMENT, Watched, played, shell, start

pytestmark = pytest.mark.usefixtures("nothingLeft")


def test_descriptorsAreWhatTheyAreSaidToBe(reactor: Any, tmp_path: Path) -> None:
    descriptors: dict[int, Any] = {0: "w", 1: "r", 2: "r", 5: "w", 4: "r"}
    with open(tmp_path / "file", "wb") as file:
        os.set_inheritable(file.fileno(), True)

        async def main() -> Watched:
            protocol: Any = shell(
                reactor,
                "read a; read b <&5; echo $b >&4; echo $a; ls /proc/self/fd >&2; echo filed >&7",
                childFDs={**descriptors, 7: file.fileno()},
            )
            protocol.transport.write(b"in\n")
            protocol.transport.writeToChild(5, b"five\n")
            with pytest.raises(KeyError):
                protocol.transport.writeToChild(4, b"it is read from")
            await protocol.told("ended")
            return protocol  # type: ignore[no-any-return]

        protocol = run(reactor, main)
    assert (protocol.written[1], protocol.written[4]) == (b"in\n", b"five\n")
    assert {"0", "1", "2", "4", "5", "7"} >= {*protocol.written[2].decode().split()} - {"3"}
    assert (tmp_path / "file").read_bytes() == b"filed\n"


@pytest.mark.parametrize(
    "childFDs",
    [{0: "w", 1: "r", 2: "r"}, {0: "w", 1: "r"}, {1: "r", 0: 0, 2: 2}],
    ids=["the usual", "no error output", "inherited"],
)
def test_nothingElseIsOpen(reactor: Any, childFDs: dict[int, Any]) -> None:
    before = os.dup(2)
    os.set_inheritable(before, True)
    try:
        written = played(reactor, "exec ls /proc/self/fd", childFDs=childFDs).written[1]
    finally:
        os.close(before)
    # One that is free is what ls itself has opened.
    assert len(written.split()) == len(childFDs) + 1
    assert max(map(int, written.split())) <= 3


def test_aProcessWithoutPipesNeedsNoProtocol(reactor: Any, tmp_path: Path) -> None:
    async def main() -> None:
        process = reactor.spawnProcess(None, "/bin/mkdir", ["mkdir", f"{tmp_path}/made"], childFDs={})
        while process.pid is not None:
            await aWhile(reactor)

    run(reactor, main)
    assert (tmp_path / "made").is_dir()
    with pytest.raises(ValueError, match="needs a protocol"):
        reactor.spawnProcess(None, "/bin/true")


def test_theEnvironmentIsWhatIsGiven(reactor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARK", "mine")

    async def main() -> list[bytes]:
        given: list[dict[str, Any]] = [{}, {"env": None}, {"env": {b"A": b"1", b"B": "ä"}}]
        protocols = []
        for options in given:
            protocol: Any = Watched()
            reactor.spawnProcess(protocol, "/usr/bin/env", **options)
            protocols.append(protocol)
            await protocol.told("ended")
        return [protocol.written.get(1, b"") for protocol in protocols]

    empty, inherited, own = run(reactor, main)
    assert empty == b""
    assert b"MARK=mine\n" in inherited
    assert sorted(own.split()) == [b"A=1", "B=ä".encode()]


@pytest.mark.parametrize("more", [{}, {"childFDs": {1: "r", 3: 0}}], ids=["usual", "launched"])
def test_theFolderIsWhatIsGiven(reactor: Any, tmp_path: Path, more: dict[str, Any]) -> None:
    assert played(reactor, "pwd", path=str(tmp_path), **more).written[1] == f"{tmp_path}\n".encode()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("more", [{}, {"childFDs": {1: "r", 3: 0}}], ids=["usual", "launched"])
@pytest.mark.parametrize(
    ("ids", "expected"),
    [({"uid": 1}, b"1 0"), ({"gid": 2}, b"0 2"), ({"uid": 54321, "gid": 54322}, b"54321 54322")],
    ids=["user", "group", "nobody known"],
)
def test_theUserIsWhoIsGiven(
    reactor: Any, more: dict[str, Any], ids: dict[str, int], expected: bytes
) -> None:
    protocol = played(reactor, "echo $(id -ru) $(id -rg); id -u; id -G", **ids, **more)
    real, user, groups = protocol.written[1].splitlines()
    assert real == expected
    assert user == expected.split()[0]
    assert expected.split()[1] in groups.split()


def test_ignoredSignalsAreNotInherited(reactor: Any) -> None:
    before = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    try:
        written = played(reactor, "grep SigIgn /proc/self/status").written[1]
    finally:
        signal.signal(signal.SIGUSR1, before)
    ignored = int(written.split()[1], 16)
    # Signal 32 is the C library's own: this process may have come with it ignored, and nobody can change it.
    assert [number for number in signal.valid_signals() if ignored >> (number - 1) & 1] == []


def test_aProgramIsLookedForInItsOwnPath(reactor: Any, tmp_path: Path) -> None:
    (tmp_path / "program").symlink_to("/bin/echo")

    async def main() -> Watched:
        protocol = start(reactor, ["program", "found"], env={"PATH": f"/nonexistent:{tmp_path}"})
        await protocol.told("ended")
        return protocol  # type: ignore[no-any-return]

    assert run(reactor, main).written == {1: b"found\n"}


def unexecutable(folder: Path) -> dict[str, str]:
    (folder / "text").write_text("no program\n")
    (folder / "garbage").write_bytes(b"\x7fELF garbage")
    (folder / "garbage").chmod(0o700)
    (folder / "orphan").write_text("#!/nonexistent/interpreter\n")
    (folder / "orphan").chmod(0o700)
    return {name: f"{folder}/{name}" for name in ("missing", "text", "garbage", "orphan", "text/below", ".")}


@pytest.mark.parametrize(
    "more", [{}, {"childFDs": {1: "r", 3: 0}}, {"usePTY": True}], ids=["usual", "launched", "PTY"]
)
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("missing", FileNotFoundError),
        ("orphan", FileNotFoundError),
        ("text", PermissionError),
        (".", PermissionError),
        ("text/below", NotADirectoryError),
        ("garbage", OSError),
    ],
    ids=["missing", "no interpreter", "not executable", "a folder", "below a file", "garbage"],
)
def test_whyItCantBeRunIsTheSystemsReason(
    reactor: Any, tmp_path: Path, more: dict[str, Any], name: str, expected: type[OSError]
) -> None:
    path = unexecutable(tmp_path)[name]
    protocol = Watched()
    with pytest.raises(expected) as raised:
        reactor.spawnProcess(protocol, path, **more)
    assert raised.value.filename == path
    assert raised.value.strerror == os.strerror(raised.value.errno)
    assert protocol.events == []


@pytest.mark.parametrize("more", [{}, {"childFDs": {1: "r", 3: 0}}], ids=["usual", "launched"])
def test_aFolderThatIsNotThereIsTheReason(reactor: Any, more: dict[str, Any]) -> None:
    with pytest.raises(FileNotFoundError) as raised:
        reactor.spawnProcess(Watched(), "/bin/true", path="/nonexistent", **more)
    assert raised.value.filename == "/nonexistent"


def test_aProgramThatIsNowhereInThePath(reactor: Any) -> None:
    for more in ({}, {"childFDs": {1: "r"}}):
        with pytest.raises(FileNotFoundError) as raised:
            reactor.spawnProcess(Watched(), "nonexistent-program", env=ENVIRONMENT, **more)
        assert raised.value.filename == "nonexistent-program"


@pytest.mark.parametrize(
    ("arguments", "expected", "text"),
    [
        ({"executable": None}, TypeError, "executable must be text or bytes, not None"),
        ({"args": ["a", 1]}, TypeError, "an argument must be text or bytes, not 1"),
        ({"args": ["a\0b"]}, ValueError, "an argument can't have a NUL in it"),
        ({"env": {"A": "b\0"}}, ValueError, "a variable can't have a NUL in it"),
        ({"args": "true"}, TypeError, "args must be a list of words, the program's name first, not 'true'"),
        ({"env": ["A=1"]}, TypeError, "env must be a mapping"),
        ({"env": {"A=B": "1"}, "usePTY": True}, ValueError, "illegal environment variable name"),
        ({"childFDs": ["w", "r"]}, TypeError, "childFDs must be a mapping"),
        ({"childFDs": {"stdin": "w"}}, ValueError, "a descriptor's number is from 0 on, not 'stdin'"),
        ({"childFDs": {-1: "w"}}, ValueError, "a descriptor's number is from 0 on, not -1"),
        ({"childFDs": {0: "rw"}}, ValueError, "descriptor 0 can be 'r', 'w' or a number, not 'rw'"),
        ({"usePTY": True, "childFDs": {}}, ValueError, "childFDs can't be combined with usePTY"),
    ],
    ids=[
        *("executable", "argument", "NUL", "variable", "one text", "no mapping", "variable's name"),
        *("no numbers", "a name", "below 0", "descriptor", "PTY"),
    ],
)
def test_wrongArgumentsStartNothing(
    reactor: Any, arguments: dict[str, Any], expected: type[Exception], text: str
) -> None:
    with pytest.raises(expected, match=text):
        reactor.spawnProcess(Watched(), **{"executable": "/bin/true", **arguments})


def test_withoutAPythonToStartThereIsAnErrorThatSaysSo(reactor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "")
    with pytest.raises(NotImplementedError, match="names no Python"):
        reactor.spawnProcess(Watched(), "/bin/true", childFDs={1: "r"})
