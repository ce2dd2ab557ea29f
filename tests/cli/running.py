"""Runs `twisted-endpoints` as users do: as a process."""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import struct
import subprocess
import sys
from typing import Any

LOCAL = "tcp:0:interface=127.0.0.1"

#: Seconds until a test that waits for something gives up.
PATIENCE = 30.0


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-W", "error", "-m", "twisted_endpoints", *arguments]


def finished(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(command(*arguments), capture_output=True, text=True, timeout=60, **options)


class Relay:
    """
    A running relay, for a ``with`` statement; in the end it is killed if it still runs.

    Args:
        arguments: those of the command `relay`.
        loop: the event loop that it runs on.
        options: for the process.
    """

    def __init__(self, *arguments: str, loop: str = "auto", **options: Any) -> None:
        self.process = subprocess.Popen(
            command("--loop", loop, "relay", *arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )
        self._said = b""
        assert self.process.stdout is not None
        self.announced = self.process.stdout.readline()
        if not self.announced.startswith("listening on "):
            self.process.kill()
            raise AssertionError(f"it says {self.announced!r} and {self.process.communicate()[1]}")
        self.string = self.announced.removeprefix("listening on ").rstrip("\n")

    @property
    def port(self) -> int:
        found = re.fullmatch(r"tcp:127\.0\.0\.1:(\d+)", self.string)
        assert found is not None
        return int(found[1])

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE)

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def says(self) -> str:
        """Wait for a line on standard error."""
        assert self.process.stderr is not None
        # Not by the file: it would read ahead, and select not know of it.
        while b"\n" not in self._said:
            assert select.select([self.process.stderr], [], [], PATIENCE)[0], f"it says only {self._said!r}"
            data = os.read(self.process.stderr.fileno(), 4096)
            assert data, f"it ended, and said {self._said!r}"
            self._said += data
        line, _, self._said = self._said.partition(b"\n")
        return line.decode()

    def ended(self) -> tuple[int, str]:
        """Wait for the end; give the exit status, and what it said on standard error and hasn't been read."""
        _, said = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, self._said.decode() + said

    def stopped(self) -> tuple[int, str]:
        """Stop it, and wait for the end."""
        self.signal(signal.SIGTERM)
        return self.ended()

    def memory(self, field: str) -> int:
        """Give a field of /proc/PID/status in bytes: ``VmRSS``, what it uses; ``VmHWM``, the most ever."""
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith(field))

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        if self.process.stdout is not None and not self.process.stdout.closed:
            self.process.communicate()


class Target:
    """A listening socket for a relay to connect to, for a ``with`` statement."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.settimeout(PATIENCE)
        self.string = f"tcp:127.0.0.1:{self.socket.getsockname()[1]}"

    def accept(self) -> socket.socket:
        connection, _ = self.socket.accept()
        connection.settimeout(PATIENCE)
        return connection

    def isAsked(self, within: float) -> bool:
        """Tell whether somebody wants to connect."""
        return bool(select.select([self.socket], [], [], within)[0])

    def __enter__(self) -> Target:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def received(connection: socket.socket) -> bytes:
    """Read to the end."""
    with connection.makefile("rb") as file:
        return file.read()


def reset(connection: socket.socket) -> None:
    """Close a connection with a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def environment(**changes: str) -> dict[str, str]:
    return {**os.environ, **changes}
