"""Runs `subject`, and looks at it from outside: a process without descriptors can't look at itself."""

from __future__ import annotations

import json
import os
import select
import socket
import ssl
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

#: Seconds after which what should have happened is called missing.
PATIENCE = 10.0


class Subject:
    """
    A `tests.faults.subject` that runs.

    Args:
        process: its process.
        log: the file that its log goes to.
    """

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process = process
        self._log = log
        self._read = 0
        self._where: dict[str, Any] = {}
        self._secured: ssl.SSLContext | None = None

    def tell(self, *words: object) -> Any:
        """Have it do something; return its answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(*words, file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def open(self, kind: str) -> socket.socket:
        """Begin to connect to it over ``"tcp"`` or ``"unix"``; with a kind of TLS, shake hands too."""
        where = self._where = self._where or self.tell("where")
        if kind == "unix":
            return connected(where[kind])
        peer = connected(("127.0.0.1", where[kind]))
        if kind == "tcp":
            return peer
        assert self._secured is not None
        return self._secured.wrap_socket(peer, server_hostname="localhost")

    def secure(self, folder: Path, seconds: float) -> None:
        """
        Have it serve TLS too.

        Args:
            folder: with ``served/*.pem``, ``key.pem`` and ``cert.pem``, and ``root.pem``, whom clients trust.
            seconds: how often it looks for new certificates.
        """
        said = self.tell("secure", folder, seconds)
        assert said is None, said
        self._secured = ssl.create_default_context(cafile=folder / "root.pem")

    def descriptors(self) -> Counter[str]:
        """Count its open descriptors by kind."""
        found: Counter[str] = Counter()
        folder = f"/proc/{self.process.pid}/fd"
        for number in os.listdir(folder):
            with suppress(FileNotFoundError):
                found[os.readlink(f"{folder}/{number}").partition(":")[0]] += 1
        return found

    def cpu(self) -> float:
        """Tell how many seconds of CPU time it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def log(self) -> list[str]:
        """Return what it has logged since this was last asked."""
        lines = self._log.read_text().splitlines()
        new, self._read = lines[self._read :], len(lines)
        return new


@contextmanager
def running(loop: str, folder: Path, limit: int = 0) -> Iterator[Subject]:
    """
    Run one.

    Args:
        loop: ``"asyncio"`` or ``"uvloop"``.
        folder: for its log.
        limit: how many descriptors it may have, 0 for as many as this process.
    """
    log = folder / f"{loop}.log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.subject", loop, str(limit)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=Path(__file__).parents[2],
        )
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n", log.read_text()
            subject = Subject(process, log)
            yield subject
            subject.tell("end")
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()


def connected(address: Any) -> socket.socket:
    """Connect to an address of TCP, or a path."""
    peer = socket.socket(socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX)
    peer.settimeout(PATIENCE)
    try:
        peer.connect(address)
    except OSError:
        peer.close()
        raise
    return peer


def calling(address: Any) -> socket.socket:
    """Begin to connect to an address of TCP, or a path: who is turned away may never be connected."""
    caller = socket.socket(socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX)
    caller.setblocking(False)
    caller.connect_ex(address)
    return caller


def isTurnedAway(caller: socket.socket) -> bool:
    """Wait for what comes; tell whether that is the end, which over TCP is a reset."""
    if not select.select([caller], [], [], PATIENCE)[0]:
        return False
    try:
        return caller.recv(1) == b"" and caller.family == socket.AF_UNIX
    except ConnectionResetError:
        return True


def echoes(peer: socket.socket, data: bytes = b"x" * 64) -> bool:
    """Tell whether what is sent comes back; not, if the connection ends before."""
    try:
        peer.sendall(data)
        return received(peer, len(data)) == data
    except OSError:
        return False


def received(peer: socket.socket, count: int) -> bytes:
    """Receive so many bytes, fewer only if the stream ends before."""
    parts = b""
    while len(parts) < count and (part := peer.recv(count - len(parts))):
        parts += part
    return parts


def soon(condition: Any) -> bool:
    """Wait until a function returns true."""
    end = time.monotonic() + PATIENCE
    while not (result := condition()) and time.monotonic() < end:
        time.sleep(0.002)
    return bool(result)
