"""``systemd:`` and ``fd:``, where systemd-socket-activate has opened the sockets."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.running import PATIENCE, received
from tests.loops import LOOPS
from twisted_endpoints._vocabulary import vocabulary

ACTIVATE = shutil.which("systemd-socket-activate")

pytestmark = pytest.mark.skipif(ACTIVATE is None, reason="systemd-socket-activate isn't installed")

ROOT = Path(__file__).parents[2]

#: On what the program may run.
REACTORS = [*LOOPS, *(["epoll"] if vocabulary == "twisted" else [])]

#: What the program needs of this process's environment.
KEPT = ("PYTHONPATH", "TWISTED_ENDPOINTS_VOCABULARY", "PATH")


@contextmanager
def activated(paths: list[Path], names: str | None, *command: str) -> Iterator[subprocess.Popen[str]]:
    """Let systemd listen on UNIX sockets, and start a program when somebody connects."""
    assert ACTIVATE is not None
    listens = [f"--listen={path}" for path in paths]
    kept = [f"--setenv={name}" for name in KEPT if name in os.environ]
    named = [] if names is None else [f"--fdname={names}"]
    process = subprocess.Popen(
        [ACTIVATE, *listens, *kept, *named, sys.executable, "-m", *command],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        for _ in paths:
            assert process.stderr.readline().startswith("Listening on")
        yield process
    finally:
        process.kill()
        process.communicate()


def ask(path: Path, end: bool = False) -> str:
    """Connect, and give what is said; perhaps end the program."""
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(PATIENCE)
        peer.connect(str(path))
        said = peer.recv(1000)
        if end:
            peer.sendall(b"end\n")
            assert received(peer) == b""
        return said.decode()


@pytest.mark.parametrize("kind", REACTORS)
@pytest.mark.parametrize(
    ("names", "descriptions"),
    [
        ("web:admin", ("systemd:name=admin", "systemd:domain=UNIX:index=0")),
        (None, ("systemd:index=1", "systemd:index=0")),
        (None, ("fd:4", "fd:fileno=3")),
    ],
    ids=["by name", "without names", "by number"],
)
def test_theSocketsAreServed(
    kind: str, names: str | None, descriptions: tuple[str, str], tmp_path: Path
) -> None:
    paths = [tmp_path / "a", tmp_path / "b"]
    with activated(paths, names, "tests.plugins.activated", kind, *descriptions) as process:
        for path in paths:
            os.chmod(path, 0o600)
        second, first = descriptions
        # Of what systemd has said nothing is left for children, if anybody has asked for it.
        left = ["LISTEN_FDS", "LISTEN_PID"] if "fd:" in first and kind != "epoll" else []
        said = ask(paths[0]).split(" ", 1)
        assert said[0] == first
        assert [name for name in ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES") if name in said[1]] == left
        assert [stat.S_IMODE(path.stat().st_mode) for path in paths] == [0o600, 0o600]
        assert ask(paths[1], end=True).startswith(f"{second} ")
        assert process.wait(PATIENCE) == 0
    # Twisted's own reactor removes the files.
    assert [path.exists() for path in paths] == [kind != "epoll"] * 2


def test_theRelayServesThem(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as target:
        target.bind(str(tmp_path / "target"))
        target.listen()
        target.settimeout(PATIENCE)
        paths = [tmp_path / "a"]
        command = ("twisted_endpoints", "relay", "systemd:index=0", f"unix:{tmp_path / 'target'}")
        with activated(paths, None, *command), socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(PATIENCE)
            peer.connect(str(paths[0]))
            peer.sendall(b"hello")
            served = target.accept()[0]
            with served:
                assert served.recv(10) == b"hello"


def test_whatIsNotThereIsExplained(tmp_path: Path) -> None:
    path = tmp_path / "a"
    command = ("tests.plugins.activated", REACTORS[0], "systemd:name=web")
    with activated([path], "admin", *command) as process, socket.socket(socket.AF_UNIX) as peer:
        peer.connect(str(path))
        assert process.stderr is not None
        expected = (
            "name can't be used: no descriptor has this name: 1 descriptor was inherited ('admin')\n"
            "    systemd:name=web\n"
            "                 ^^^\n"
        )
        assert expected in process.stderr.read()
