"""``relay stdio: ...``: one stream, which is the command's own standard input and output."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .running import PATIENCE, Target, command, received, reset

ROOT = Path(__file__).parents[2]


def served(target: Target, serve: Callable[[Any], object]) -> threading.Thread:
    """Serve the next connection in a thread."""

    def accept() -> None:
        with target.accept() as connection:
            serve(connection)

    thread = threading.Thread(target=accept)
    thread.start()
    return thread


def relayed(target: str, given: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        command("relay", "stdio:", target), input=given, capture_output=True, timeout=PATIENCE
    )


def test_itEndsWhenBothEndsHave() -> None:
    with Target() as target:
        thread = served(target, lambda far: far.sendall(b"answer to " + received(far)))
        ran = relayed(target.string, b"question" * 100_000)
        thread.join()

    assert ran.stdout == b"answer to " + b"question" * 100_000
    assert (ran.stderr, ran.returncode) == (b"", 0)


def test_aMaximumOfOneIsEnoughForIt() -> None:
    # A process is connected at once: before the endpoint that listens has given its port.
    ran = subprocess.run(
        command("relay", "--max-connections", "1", "stdio:", "process:/bin/cat"),
        input=b"question" * 100_000,
        capture_output=True,
        timeout=PATIENCE,
    )

    assert (ran.stdout, ran.stderr, ran.returncode) == (b"question" * 100_000, b"", 0)


def test_itsInputMayGoOnAfterTheFarEnd() -> None:
    def serve(far: Any) -> None:
        far.sendall(b"no more from me")
        far.shutdown(1)
        got.append(received(far))

    got: list[bytes] = []
    with Target() as target:
        thread = served(target, serve)
        ran = subprocess.Popen(
            command("relay", "stdio:", target.string), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert ran.stdin is not None
        assert ran.stdout is not None
        # The end of the far end's bytes is passed on, before the command ends.
        assert ran.stdout.read() == b"no more from me"
        ran.communicate(b"but from me", timeout=PATIENCE)
        thread.join()

    assert (got, ran.returncode) == ([b"but from me"], 0)


def test_nobodyListensThere() -> None:
    with Target() as target:
        nobody = target.string
    ran = relayed(nobody, b"question")

    assert (ran.stdout, ran.returncode) == (b"", 1)
    assert ran.stderr.startswith(f"stdio: cannot connect to {nobody}: ".encode())
    assert b"refused" in ran.stderr


def test_aStreamThatIsCutIsNoSuccess() -> None:
    def serve(far: Any) -> None:
        far.sendall(b"half an ans")
        far.recv(1)
        reset(far)

    with Target() as target:
        thread = served(target, serve)
        ran = relayed(target.string, b"?")
        thread.join()

    assert ran.stdout in (b"half an ans", b"")  # a reset overtakes what comes before it
    assert ran.stderr.startswith(b"twisted-endpoints relay: cut off: ")
    assert ran.returncode == 1


def test_aReaderThatLeavesEndsIt() -> None:
    def serve(far: Any) -> None:
        with contextlib.suppress(OSError):
            far.sendall(b"endless" * 100_000)
            received(far)

    with Target() as target:
        thread = served(target, serve)
        ran = subprocess.Popen(
            command("relay", "stdio:", target.string),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert ran.stdout is not None
        assert ran.stdout.read(7) == b"endless"
        ran.stdout.close()
        assert ran.stderr is not None
        said = ran.stderr.read()
        ran.wait(PATIENCE)
        assert ran.stdin is not None
        ran.stdin.close()
        ran.stderr.close()
        thread.join()

    assert said.startswith(b"twisted-endpoints relay: cut off: ")
    assert ran.returncode == 1


def test_aSignalEndsItAtOnce() -> None:
    with Target() as target:
        ran = subprocess.Popen(
            command("relay", "stdio:", target.string),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        with target.accept() as far:
            assert ran.stdin is not None
            ran.stdin.write(b"x")
            ran.stdin.flush()
            assert far.recv(1) == b"x"
            ran.send_signal(signal.SIGTERM)
            out, said = ran.communicate(timeout=PATIENCE)

    assert (out, said) == (b"", b"twisted-endpoints relay: cut off: stopped by a signal\n")
    assert ran.returncode == 1


def test_onATerminalItEndsWithTheFarEnd() -> None:
    theirs, ours = os.openpty()
    try:
        with Target() as target:
            thread = served(target, lambda far: far.sendall(b"good bye\n"))
            ran = subprocess.run(
                command("relay", "stdio:", target.string),
                stdin=ours,
                stdout=ours,
                stderr=subprocess.PIPE,
                timeout=PATIENCE,
            )
            thread.join()
        assert os.read(theirs, 100) == b"good bye\r\n"
    finally:
        os.close(theirs)
        os.close(ours)

    assert (ran.stderr, ran.returncode) == (b"", 0)


def test_aLayerThatLetsNobodyThroughIsNoSuccess() -> None:
    with Target() as target:
        ran = subprocess.run(
            command("relay", "haproxy:stdio::trusted=any", target.string),
            input=b"no header",
            capture_output=True,
            timeout=PATIENCE,
        )
        assert not target.isAsked(0)

    assert (ran.stdout, ran.returncode) == (b"", 1)


@pytest.mark.skipif(shutil.which("socat") is None, reason="socat is not installed")
def test_socatStartsItOnASocket(tmp_path: Path) -> None:
    script = tmp_path / "relay.sh"
    with Target() as target:
        script.write_text(f"#!/bin/sh\nexec {shlex.join(command('relay', 'stdio:', target.string))}\n")
        script.chmod(0o700)
        thread = served(target, lambda far: far.sendall(received(far)))
        ran = subprocess.run(
            ["socat", "-t", str(PATIENCE), "-", f"EXEC:{script}"],
            cwd=ROOT,
            input=b"there and back" * 100_000,
            capture_output=True,
            timeout=PATIENCE,
        )
        thread.join()

    assert ran.stdout == b"there and back" * 100_000, ran.stderr
