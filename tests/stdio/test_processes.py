"""Standard input and output of real processes, on every reactor."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from .bed import Ends, state
from .conftest import REACTORS

ROOT = Path(__file__).parents[2]

PATIENCE = 50.0

onEachReactor = pytest.mark.parametrize("reactor", REACTORS)


def program(reactor: str) -> list[str]:
    return [sys.executable, "-m", "tests.stdio.child", reactor]


# On one reactor: the tests of bytes that go through are on all, and each environment has another last one.
@pytest.mark.parametrize("reactor", REACTORS[-1:])
def test_aHundredMegabytesGoThroughAPipe(reactor: str) -> None:
    piece = random.Random(0).randbytes(1 << 20)
    with subprocess.Popen(
        program(reactor), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    ) as child:
        sent, taken = hashlib.blake2b(), hashlib.blake2b()
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None

        def feed(stdin: Any) -> None:
            for number in range(100):
                data = b"%d" % number + piece
                sent.update(data)
                stdin.write(data)
            stdin.close()

        feeder = threading.Thread(target=feed, args=(child.stdin,))
        feeder.start()
        while data := child.stdout.read1(1 << 20):  # type: ignore[attr-defined]
            taken.update(data)
        feeder.join()
        said = child.stderr.read()

    assert said == b"made\nlost: ConnectionDone\n"
    assert taken.digest() == sent.digest()
    assert child.returncode == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("<&- >&-", "made\nlost: ConnectionDone\n"),
        ("<README.md >&-", "made\nlost: ConnectionLost\n"),
    ],
    ids=["both closed", "output closed"],
)
@onEachReactor
def test_whateverTheShellGives(reactor: str, given: str, said: str) -> None:
    ran = subprocess.run(
        ["sh", "-c", f'exec "$@" {given}', "sh", *program(reactor)],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        timeout=PATIENCE,
    )
    assert (ran.stderr, ran.returncode) == (said, 0)


@onEachReactor
def test_theTerminalIsAsItWasAtAnyTime(reactor: str, ends: Ends) -> None:
    theirs, ours = ends._kept(*os.openpty())
    before = state(ours)
    reader, writer = ends.pipe()
    child = subprocess.Popen(program(reactor), stdin=ours, stdout=ours, stderr=writer, cwd=ROOT)
    try:
        assert os.read(reader, 100) == b"made\n"
        os.write(theirs, b"hello\n")
        echoed = b""
        while echoed.count(b"hello") < 2:  # the terminal's own echo, and the child's
            echoed += os.read(theirs, 100)
        # Also if it were killed now.
        assert state(ours) == before
        child.terminate()
        child.wait(PATIENCE)
    finally:
        child.kill()
        child.wait()
    ends.end(writer)

    assert os.read(reader, 100) == b"lost: ConnectionLost\n"
    assert state(ours) == before
