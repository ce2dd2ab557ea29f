"""The programs in examples/ run as they stand."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"

LOCAL = "tcp:0:interface=127.0.0.1"


@contextmanager
def running(name: str, *arguments: str) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """Run an example that listens; give its port, and stop it in the end."""
    command = [sys.executable, "-W", "error", str(EXAMPLES / name), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"listening on .*port=(\d+)", line)
            if found is None:
                process.kill()
                raise AssertionError(f"it says {line!r}, and {process.communicate()[1]}")
            yield int(found[1]), process
        finally:
            process.terminate()
            process.communicate(timeout=30)


def ran(name: str, *arguments: str) -> str:
    """Run an example to its end; give what it printed."""
    command = [sys.executable, "-W", "error", str(EXAMPLES / name), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_everyExampleIsTestedAndShort() -> None:
    names = sorted(path.name for path in EXAMPLES.glob("*.py"))
    text = Path(__file__).read_text()

    assert [name for name in names if f'"{name}"' not in text] == []
    assert [name for name in names if len((EXAMPLES / name).read_text().splitlines()) > 39] == []


def test_echo() -> None:
    with running("echo_server.py", LOCAL) as (port, _):
        assert ran("echo_client.py", f"tcp:127.0.0.1:{port}", "Is anybody there?") == "Is anybody there?\n"


def test_inAsyncio() -> None:
    with running("echo_server.py", LOCAL) as (port, _):
        assert ran("in_asyncio.py", f"tcp:127.0.0.1:{port}") == "one -> one\ntwo -> two\nthree -> three\n"


def test_aRelay() -> None:
    with (
        running("echo_server.py", LOCAL) as (echo, _),
        running("relay.py", LOCAL, f"tcp:127.0.0.1:{echo}") as (port, process),
    ):
        assert ran("echo_client.py", f"tcp:127.0.0.1:{port}", "twice around") == "twice around\n"
        assert process.stdout is not None
        assert re.fullmatch(r"IPv4Address\(.*\): 12 bytes\n", process.stdout.readline())


def test_aHeartbeatSurvivesItsServer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(50)
        target = f"tcp:127.0.0.1:{server.getsockname()[1]}"
        command = [sys.executable, "-W", "error", str(EXAMPLES / "heartbeat.py"), target, "0.1"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                for _ in range(2):
                    connection, _ = server.accept()
                    with connection:
                        assert connection.recv(5) == b"beat\n"
                        connection.sendall(b"heard\n")
                        assert process.stdout.readline() == "heard\n"
            finally:
                process.terminate()
                said = process.communicate(timeout=50)
    assert (said, process.returncode) == (("", ""), 0)


def test_firstLine() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"220 at your service\r\nmore")

        greeter = threading.Thread(target=greet)
        greeter.start()
        try:
            said = ran("first_line.py", "localhost", str(server.getsockname()[1]))
        finally:
            greeter.join(30)
    assert said == "localhost says 220 at your service\n"


def test_firstLineSaysWhyThereIsNone() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        command = [sys.executable, str(EXAMPLES / "first_line.py"), "127.0.0.1", str(unused.getsockname()[1])]
        done = subprocess.run(command, capture_output=True, text=True, timeout=50)

    assert done.returncode == 1
    assert "127.0.0.1 can't be reached: " in done.stderr


@pytest.mark.parametrize("name", ["echo_server.py", "echo_client.py"])
def test_aWrongStringIsExplained(name: str) -> None:
    command = [sys.executable, str(EXAMPLES / name), "tpc:localhost:80"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50)

    assert done.returncode == 1
    assert "Did you mean 'tcp'?" in done.stderr + done.stdout
