"""
Streams: what one core does for a connection, a round trip, a megabyte.

The measured program (`benchmarks.peers`) has one core to itself, and the other end, a small C program
(`load.c`), another, so that neither takes time from the other.  In most rows the measured one is busy all
the time; in some it waits, and pays for cold caches then, as all contenders do: for the load generator
(`receive`), or for each answer (one connection at a time).  Once both have warmed up, two things are read,
and a second later again: the CPU time of the measured process, user and system, all its threads, from the
kernel's clock of that process; and the C program's count of what was done.  The cost is the quotient of the
differences.  CPU time repeats within some 10 % on a quiet machine; the rate, in wall time, is shown beside
it and depends on what else the machine does.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from .load import loadProgram
from .rows import Failed, Row, Sample, Unavailable, scaled

EVERYONE = ("twisted-epoll", "asyncio", "uvloop", "ours-asyncio", "ours-uvloop")

IDLE = 5000

#: Connections that are open before memory is read for the first time: they fill what starting has left free.
IDLE_BEFORE = 2000


def cores() -> tuple[int, int]:
    """Give the cores of the measured process and of the load; -1, for any, where there is only one."""
    allowed = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return (allowed[0], allowed[1]) if len(allowed) > 1 else (-1, -1)


MEASURED, LOAD = cores()

_PINNED = "" if MEASURED >= 0 else " (Not pinned: there is only one core, the load shares it.)"


# -- the processes


@contextlib.contextmanager
def started(*command: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program, and end it."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def line(process: subprocess.Popen[str]) -> str:
    """Read a line that a program prints."""
    assert process.stdout is not None
    text = process.stdout.readline()
    if not text:
        raise RuntimeError(f"{process.args!r} ended with status {process.wait()}")
    return text


@contextlib.contextmanager
def peer(contender: str, role: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Run the measured program."""
    command = [sys.executable, "-m", "benchmarks.peers", contender, str(MEASURED), role, *map(str, arguments)]
    with started(*command) as process:
        yield process


@contextlib.contextmanager
def load(mode: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Run the C program."""
    with started(str(loadProgram()), str(LOAD), mode, *map(str, arguments)) as process:
        yield process


# -- readings


def progress(process: subprocess.Popen[str]) -> tuple[int, float]:
    """Ask the C program how much was done; give that, and its clock in seconds."""
    assert process.stdin is not None
    process.stdin.write("\n")
    done, nanoseconds = line(process).split()
    return int(done), int(nanoseconds) / 1e9


def cpuTime(pid: int) -> float:
    """Read the seconds of CPU time of another process: see clock_getcpuclockid(3)."""
    return time.clock_gettime(~pid << 3 | 2)


def resident(pid: int) -> float:
    """Read the KiB of memory that a process has in use; not from statm, which is off by some pages."""
    for text in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if text.startswith("Rss:"):
            return float(text.split()[1])
    raise Unavailable("the kernel does not tell what memory a process uses")


def window(
    measured: subprocess.Popen[str], loading: subprocess.Popen[str], unit: float = 1.0, least: float = 0.1
) -> Sample:
    """
    Measure two programs that are at work.

    Args:
        measured: whose CPU time counts.
        loading: counts.
        unit: how many of its counts are one operation.
        least: for how many seconds they are measured in a quick look too: for a few operations.
    """
    time.sleep(max(0.1, scaled(400) / 1000))
    before, beganAt, cpuBefore = *progress(loading), cpuTime(measured.pid)
    time.sleep(max(least, scaled(1000) / 1000))
    after, endedAt, cpuAfter = *progress(loading), cpuTime(measured.pid)
    operations = (after - before) / unit
    if not operations:
        raise Failed("nothing was done")
    return Sample((cpuAfter - cpuBefore) * 1e6 / operations, operations / (endedAt - beganAt))


def untilDone(loading: subprocess.Popen[str], operations: int) -> None:
    """Wait until the C program has done so much, and a moment for what follows."""
    deadline = time.monotonic() + 60
    while progress(loading)[0] < operations:
        if time.monotonic() > deadline:
            raise Failed(f"not done within a minute: {operations}")
        time.sleep(0.05)
    time.sleep(0.3)


# -- what is measured


def served(role: str, mode: str, *arguments: object, unit: float = 1.0) -> Callable[[str], Sample]:
    """Measure a server of this role, with the C program in this mode as its clients."""

    def sample(contender: str) -> Sample:
        with peer(contender, role) as measured:
            port = int(line(measured))
            with load(mode, "127.0.0.1", port, *arguments) as loading:
                return window(measured, loading, unit)

    return sample


def connected(how: str, atOnce: int) -> Callable[[str], Sample]:
    """Measure a client that connects and closes; the C program is its server."""

    def sample(contender: str) -> Sample:
        with load("server") as loading:
            port = int(line(loading))
            with peer(contender, "connect", how, port, atOnce) as measured:
                while not progress(loading)[0]:
                    if measured.poll() is not None:
                        raise RuntimeError(f"{measured.args!r} ended with status {measured.returncode}")
                    time.sleep(0.05)
                return window(measured, loading)

    return sample


def raced(first: str) -> Callable[[str], Sample]:
    """Measure how long the first of two addresses keeps the second one waiting."""

    def sample(contender: str) -> Sample:
        attempts = max(3, scaled(20 if first == "refused" else 5))
        with peer(contender, "race", first, attempts) as measured:
            return Sample(statistics.median(json.loads(line(measured))))

    return sample


def idle(contender: str) -> Sample:
    """Measure what accepted connections cost that have echoed once, and then are idle."""
    before, more = scaled(IDLE_BEFORE), scaled(IDLE)
    with peer(contender, "echo") as measured:
        port = int(line(measured))
        with load("hold", "127.0.0.1", port, before) as first:
            untilDone(first, before)
            memory = resident(measured.pid)
            with load("hold", "127.0.0.1", port, more) as second:
                untilDone(second, more)
                return Sample((resident(measured.pid) - memory) / more)


def row(
    name: str,
    what: str,
    measure: Callable[[str], Sample],
    uvloop: float | None = None,
    asyncio: float | None = None,
    unit: str = "us",
    without: tuple[str, ...] = (),
    limit: float | None = None,
) -> Row:
    """Make a row: `uvloop` and `asyncio` are the goals of ours on these loops."""
    contenders: Mapping[str, Callable[[], Sample]] = {
        name: _of(measure, name) for name in EVERYONE if name not in without
    }
    wanted = {"ours-uvloop": uvloop, "ours-asyncio": asyncio}
    goals = {name: goal for name, goal in wanted.items() if goal is not None}
    return Row(name, what + _PINNED, unit, contenders, goals, limit)


def _of(measure: Callable[[str], Sample], contender: str) -> Callable[[], Sample]:
    return lambda: measure(contender)


def atOnce(
    name: str,
    what: str,
    whose: str,
    measure: Callable[[int], Callable[[str], Sample]],
    goals: Mapping[int, tuple[float, float]],
) -> list[Row]:
    """Make a row for each number of connections at once; its goals are those on uvloop and on asyncio."""
    return [
        row(
            f"{name} {count}",
            f"{what}, {'one at a time' if count == 1 else f'{count} at once'}: CPU time of {whose}.",
            measure(count),
            *wanted,
        )
        for count, wanted in goals.items()
    ]


def connects(how: str, words: str, goals: Mapping[int, tuple[float, float]]) -> list[Row]:
    """Make the rows of one way to connect: see `atOnce`."""
    what = f"A client connects {words} and closes"
    return atOnce(f"connect {how}", what, "it", lambda count: connected(how, count), goals)


_MEGABYTE = 1e6

ROWS: tuple[Row, ...] = (
    row(
        "echo 100",
        "A server echoes 64 bytes on 100 connections: CPU time of the server for a round trip.",
        served("echo", "echo", 100, 64),
        2.2,
        1.8,
    ),
    row(
        "echo 1",
        "A server echoes 64 bytes on one connection: CPU time of the server for a round trip.",
        served("echo", "echo", 1, 64),
        1.5,
        1.2,
    ),
    *atOnce(
        "accept",
        "A server accepts, echoes 64 bytes, and sees the end",
        "the server",
        lambda count: served("echo", "visit", count, 64),
        {1: (1.5, 0.85), 64: (1.5, 0.85)},
    ),
    *connects("tcp4", "by TCP4ClientEndpoint", {1: (1.7, 0.8), 64: (2.2, 0.9)}),
    *connects("literal", "by HostnameEndpoint to an IP address", {1: (4, 1.8), 64: (5, 2.2)}),
    *connects("localhost", "by HostnameEndpoint to localhost", {1: (2, 1.2)}),
    *connects("string", "by a new clientFromString each time", {1: (2, 0.9)}),
    row(
        "send",
        "A server sends without end, in blocks of 64 KiB: CPU time of the server for a megabyte.",
        served("send", "sink", unit=_MEGABYTE),
        1.0,
        1.0,
    ),
    row(
        "receive",
        "A server receives without end: CPU time of the server for a megabyte.",
        served("receive", "source", unit=_MEGABYTE),
        1.1,
        1.1,
    ),
    row(
        "race refused",
        "The first of two addresses refuses: time until connected.",
        raced("refused"),
        unit="ms",
        without=("uvloop",),
        limit=5,
    ),
    row(
        "race dropped",
        "The first of two addresses never answers, the next is due after 250 ms: time until connected.",
        raced("dropped"),
        unit="ms",
        without=("uvloop",),
        limit=255,
    ),
    row(
        "idle",
        f"A server holds {IDLE} idle connections: resident memory for one.",
        idle,
        1.0,
        1.0,
        unit="KiB",
    ),
)
