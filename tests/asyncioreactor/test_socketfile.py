"""The files of UNIX sockets, as other processes and the kernel see them."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.asyncioreactor import socketfile
from twisted_endpoints.asyncioreactor.socketfile import SocketFile, isOpenToAll
from twisted_endpoints.error import CannotListenError

from .streams import OneFactory

ROOT = Path(__file__).parents[2]

LISTENS = """
import os, sys
os.umask(0o022)
from twisted_endpoints.asyncioreactor import AsyncioReactor
from twisted_endpoints.protocol import Factory
reactor = AsyncioReactor()
os.write(2, b"now")
port = reactor.listenUNIX(sys.argv[1], Factory(), mode=int(sys.argv[2], 8), wantPID=True)
port.connectionLost()
"""


def traced(folder: Path, path: str, mode: str) -> str:
    """Let a process of its own listen and stop; return its calls of the kernel, one a line, in order."""
    if shutil.which("strace") is None:
        pytest.skip("there is no strace")
    calls = folder / "calls"
    calls.unlink(missing_ok=True)
    trace = "trace=%file,%desc,flock,fchmod,socket,bind,listen,connect"
    command = ["strace", "-f", "-o", str(calls), "-e", trace, "-e", "signal=none"]
    ran = subprocess.run(
        [*command, sys.executable, "-c", LISTENS, path, mode], capture_output=True, timeout=60, check=False
    )
    if not calls.exists() or b"ptrace" in ran.stderr:
        pytest.skip(f"strace doesn't work here: {ran.stderr!r}")
    assert ran.returncode == 0, ran.stderr
    return calls.read_text().partition('"now"')[2]


@pytest.mark.parametrize("mode", ["600", "666"])
def test_theModeIsSetBeforeTheFileIsThere(tmp_path: Path, mode: str) -> None:
    path = str(tmp_path / "s")
    calls = traced(tmp_path, path, mode)
    steps = [
        rf'openat\(.*"{path}\.flock", O_RDWR\|O_CREAT\|O_NOFOLLOW\|O_CLOEXEC, 0600',
        r"flock\(\d+, LOCK_EX\|LOCK_NB\)",
        rf'symlink(?:at)?\("\d+",.*"{path}\.lock"',
        r"socket\(AF_UNIX",
        rf"fchmod\(\d+, 0{mode}\)",
        rf'bind\(.*"{path}"',
        r"listen\(",
        rf'unlink(?:at)?\(.*"{path}"',
        rf'unlink(?:at)?\(.*"{path}\.lock"',
        rf'unlink(?:at)?\(.*"{path}\.flock"',
    ]
    assert re.search(".*".join(steps), calls, re.DOTALL), calls
    # No call changes a mode by the path, and none at all where the umask takes nothing.
    changes = re.findall(r'\bf?chmod(?:at2?)?\(.*"(.*)"', calls)
    assert [re.sub(r"\d+", "N", changed) for changed in changes] == ["/proc/self/fd/N"] * (mode == "666")
    assert calls.index("bind(") < calls.index("/proc/self/fd") < calls.index(" listen(") if changes else True
    # Nobody asks at a path that nothing is known about.
    assert "connect(" not in calls


def test_serversThatAreKilledAndReplacedByOthers() -> None:
    # The program is for a thousand rounds: these are to see that it holds.
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.unixfiles", "--rounds", "20"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "killed: 20 rounds, 0 failed, left []" in ran.stdout


@contextmanager
def serverOfTwisteds(path: str) -> Iterator[subprocess.Popen[str]]:
    """Run a server with a lock, on a reactor of Twisted's own, until it is told to stop."""
    program = (
        "import sys\n"
        "from twisted.internet import reactor\n"
        "from twisted.internet.protocol import Factory, Protocol\n"
        "try:\n"
        "    reactor.listenUNIX(sys.argv[1], Factory.forProtocol(Protocol), wantPID=True)\n"
        "except Exception as e:\n"
        "    print(e, flush=True)\n"
        "else:\n"
        "    print('serves', flush=True)\n"
        "    reactor.run()\n"
    )
    server = subprocess.Popen([sys.executable, "-c", program, path], stdout=subprocess.PIPE, text=True)
    try:
        yield server
    finally:
        server.terminate()
        server.communicate(timeout=20)


@pytest.mark.skipif(vocabulary != "twisted", reason="Twisted isn't installed")
def test_serversOfTwistedsAndOursExcludeEachOther(reactor: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with serverOfTwisteds(path) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "serves\n"
        with pytest.raises(CannotListenError, match="Cannot acquire lock"):
            reactor.listenUNIX(path, OneFactory(None), wantPID=True)
        server.send_signal(signal.SIGKILL)
        server.wait()
        port = reactor.listenUNIX(path, OneFactory(None), wantPID=True)
    with serverOfTwisteds(path) as server:
        assert server.stdout is not None
        assert "Cannot acquire lock" in server.stdout.readline()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
    port._shutdown()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("certainly", [True, False])
@pytest.mark.parametrize("old", [True, False])
def test_whichDeadSocketsAreRemoved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, certainly: bool, old: bool
) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    if old:
        monkeypatch.setattr(socketfile, "_age", lambda status: 11.0)
    SocketFile(str(path).encode()).removeDead(certainly)
    assert path.exists() is (not certainly and not old)


@pytest.mark.parametrize("kind", ["file", "folder", "link", "busy", "datagrams", "nothing"])
def test_whatIsNoDeadSocketStays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(socketfile, "_age", lambda status: 11.0)
    path = tmp_path / "s"
    with (
        socket.socket(
            socket.AF_UNIX, socket.SOCK_DGRAM if kind == "datagrams" else socket.SOCK_STREAM
        ) as sock,
        socket.socket(socket.AF_UNIX) as waits,
    ):
        if kind == "file":
            path.touch()
        elif kind == "folder":
            path.mkdir()
        elif kind == "link":
            sock.bind(str(tmp_path / "other"))
            path.symlink_to("other")
        elif kind != "nothing":
            sock.bind(str(path))
        if kind == "busy":
            sock.listen(0)
            waits.connect(str(path))
        before = sorted(tmp_path.iterdir())
        SocketFile(str(path).encode()).removeDead(True)
        assert sorted(tmp_path.iterdir()) == before


def test_whoCanReachAFolder(tmp_path: Path) -> None:
    assert isOpenToAll(b"/")
    assert isOpenToAll(b"/usr/bin")
    assert not isOpenToAll(bytes(tmp_path))
    tmp_path.chmod(0o755)
    inner = tmp_path / "inner"
    inner.mkdir(mode=0o700)
    assert not isOpenToAll(bytes(inner))
    assert not isOpenToAll(bytes(tmp_path / "missing"))
