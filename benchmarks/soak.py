"""
A relay under mixed load for ten minutes: ``python -m benchmarks.soak [--minutes 10] [LISTEN CONNECT]``.

It runs the command ``twisted-endpoints relay`` in a process of its own, makes connections of all kinds
through it (`benchmarks.soak_load` has them), checks every byte at the far end, and prints what went wrong and
what the relay holds: memory, descriptors, delayed calls, tasks, threads, streams, objects.  The first reading
is taken after a warm-up and the last one at the end, both when no connection is open; those in between are
taken under load.

The relay's process is the command and a handler for SIGUSR1, which writes a reading to its standard output.

Exit status: 0 all is well; 1 something went wrong that wasn't meant to, the relay holds more at the end, or
nothing was checked; 2 a wrong argument.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from .arguments import positive
from .soak_load import PATIENCE, Load

#: Of the time that is asked for, the part that the warm-up takes; before the first reading.
WARM_UP = 0.1

#: More resident memory than this is a leak.
MOST_MEMORY = 1 << 20

#: The streams that the relay has open when there are none: its listening port.
PORTS = 1

#: What the relay says, and is meant to: when it is stopped, that streams are open, and that it cuts them.
_MEANT = re.compile(r"stopping: |the grace is over")


@dataclass(frozen=True)
class Reading:
    """What the relay's process holds at a moment."""

    memory: int
    descriptors: int
    timers: int
    tasks: int
    threads: int
    streams: int
    objects: int

    def __str__(self) -> str:
        return (
            f"memory {self.memory / (1 << 20):7.2f} MiB, descriptors {self.descriptors}, "
            f"timers {self.timers}, tasks {self.tasks}, threads {self.threads}, streams {self.streams}, "
            f"objects {self.objects}"
        )


def relay(arguments: list[str]) -> int:
    """Be the command, in the relay's process, with a handler that tells what it holds."""
    signal.signal(signal.SIGUSR1, _report)
    from twisted_endpoints.cli import main

    return main(arguments)


def _report(*_: object) -> None:
    import ctypes
    import gc

    from twisted_endpoints import reactor as module

    reactor: Any = module
    gc.collect()  # asyncio's transports are circles, and no leak
    # The C library keeps what is free, more after some loads than after others: that is no leak either.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
    with open("/proc/self/statm") as file:
        memory = int(file.read().split()[1]) * resource.getpagesize()
    reading = {
        "memory": memory,
        "descriptors": len(os.listdir("/proc/self/fd")) - 1,
        "timers": len(reactor.getDelayedCalls()),
        "tasks": len(asyncio.all_tasks(reactor._loop)),
        "threads": threading.active_count(),
        "streams": len(reactor._open),
        "objects": len(gc.get_objects()),
    }
    print(json.dumps(reading), flush=True)


class RelayEnded(SystemExit):
    """The relay's process has ended by itself; what uses it ends too, and says so."""


class Relay:
    """
    The relay's process, seen from the outside; what it says on standard error is counted.

    For a ``with`` statement: in the end it is killed if it still runs.

    Args:
        loop: the event loop that it runs on.
        listen: where it listens.
        connect: where it connects to.
    """

    def __init__(self, loop: str, listen: str, connect: str) -> None:
        self.said: Counter[str] = Counter()
        program = "import sys; from benchmarks.soak import relay; sys.exit(relay(sys.argv[1:]))"
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, "--loop", loop, "relay", listen, connect],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Python's own allocator keeps 1 MiB for as long as one object lives in it: what it holds tells of
            # the busiest moment.  The C library gives back single pages, see `_report`.
            env={**os.environ, "PYTHONMALLOC": "malloc"},
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        try:
            self.string = self._announced()
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self._listener.join(10)
        for pipe in (self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()

    def _announced(self) -> str:
        """Wait until it listens; give the client string that leads there."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.startswith("listening on "):
            status = self.process.wait(10)
            self._listener.join(10)
            raise SystemExit(f"the relay doesn't listen: {status}, {list(self.said)}")
        return line.removeprefix("listening on ").strip()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            # The peer's number is another each time.
            self.said[re.sub(r":\d+:? ", " ", line.rstrip(), count=1)] += 1

    def read(self) -> Reading:
        """
        Ask it what it holds.

        Raises:
            RelayEnded: it isn't there any more.
        """
        self.process.send_signal(signal.SIGUSR1)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            status = self.process.wait(10)
            self._listener.join(10)
            raise RelayEnded(f"the relay has ended by itself: exit status {status}, {list(self.said)}")
        return Reading(**json.loads(line))

    def seconds(self) -> tuple[float, float]:
        """Tell how much CPU time it has used, and how long it has waited for a processor."""
        with open(f"/proc/{self.process.pid}/schedstat") as file:
            used, waited, _ = file.read().split()
        return int(used) / 1e9, int(waited) / 1e9

    def stop(self) -> int:
        """End it as a user would; give its exit status."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(60)
        self._listener.join(10)
        return status


def addressOf(string: str) -> Any:
    """
    Give the address that a client string of TCP or UNIX leads to: a host and a port, or a path.

    Raises:
        ValueError: the string is wrong, or of another kind.
    """
    values = _argumentsOf(string)
    return values["path"] if "path" in values else (values["host"], values["port"])


def located(string: str, server: Any) -> str:
    """Give a client string that leaves the port open, with a 0, the address that the loop's server got."""
    from twisted_endpoints.strings.description import Description

    values = _argumentsOf(string)
    if values.pop("port", None) != 0:
        return string
    # The host too: a name may be several addresses, and each has got another port.
    host, port = server.sockets[0].getsockname()[:2]
    others = {name: str(value) for name, value in values.items() if name != "host"}
    return str(Description("tcp", (host, str(port)), others))


def checkServer(string: str) -> None:
    """
    See that the load can talk to what listens by a server string: neither TLS nor the PROXY protocol.

    Raises:
        ValueError: the string is wrong, or of another kind.
    """
    from twisted_endpoints.strings.registry import servers

    _bound(string, servers, ("tcp:PORT", "tcp6:PORT", "unix:PATH"))


def _argumentsOf(string: str) -> dict[str, Any]:
    """Read the arguments of a client string."""
    from twisted_endpoints.strings.registry import clients

    return _bound(string, clients, ("tcp:HOST:PORT", "unix:PATH"))


def _bound(string: str, parsers: Any, expected: tuple[str, ...]) -> dict[str, Any]:
    """Read the arguments of a string as the relay does, if it is of an expected kind."""
    from twisted_endpoints.strings.description import Description

    description = Description.parse(string)
    if description.prefix.lower() not in (each.partition(":")[0] for each in expected):
        raise ValueError(f"{string!r}: expected {' or '.join(expected)}")
    values: dict[str, Any] = parsers.find(description).parser.declaration.bind(description)
    return values


def p99(latencies: list[float]) -> float:
    """Give the 99th percentile, in milliseconds."""
    ordered = sorted(latencies)
    return ordered[len(ordered) * 99 // 100] * 1000 if ordered else 0.0


async def soak(options: argparse.Namespace) -> int:
    """Do it all; return the exit status."""
    load = Load(asyncio.get_running_loop(), options.seed)
    target = addressOf(options.connect)
    try:
        server = await load.listen(target)
    except OSError as error:
        print(f"CONNECT: nothing can listen at {options.connect}: {error}", file=sys.stderr)
        return 2
    try:
        connect = located(options.connect, server)
        with Relay(options.loop, options.listen, connect) as process:
            print(f"relay: {process.string} to {connect}, on {options.loop}; seed {options.seed}", flush=True)
            try:
                return await measured(load, process, options.rate, options.minutes)
            except RelayEnded as ended:
                counted(load, process)
                print(f"WRONG: {ended}")
                return 1
    finally:
        await load.stop()
        if isinstance(target, str):
            with contextlib.suppress(FileNotFoundError):  # newer loops remove it when they close
                os.unlink(target)


async def measured(load: Load, process: Relay, rate: float, minutes: float) -> int:
    """Put the load on the relay, and look at it before, meanwhile and afterwards; return the exit status."""
    address = addressOf(process.string)
    seconds = minutes * 60
    await load.run(address, rate, seconds * WARM_UP)
    first, warm = await settled(load, process), len(load.latencies)
    print(f"first reading: {first}", flush=True)
    begun, (used, waited) = time.monotonic(), process.seconds()
    parts = max(1, round(minutes))
    for _ in range(parts):
        await load.run(address, rate, seconds / parts)
        print(f"{time.monotonic() - begun:6.0f} s: {await reading(process)}", flush=True)
    wall = time.monotonic() - begun
    usedAtEnd, waitedAtEnd = process.seconds()
    print(
        f"the relay used {(usedAtEnd - used) / wall * 100:.0f} % of a processor, "
        f"and waited for one {(waitedAtEnd - waited) / wall * 100:.0f} % of the time"
    )
    last = await settled(load, process)
    status = process.stop()
    return report(load, process, first, last, load.latencies[warm:], wall, status)


async def reading(process: Relay) -> Reading:
    """Read what the relay holds, while the load goes on."""
    return await asyncio.get_running_loop().run_in_executor(None, process.read)


async def settled(load: Load, process: Relay) -> Reading:
    """End the load, and read what the relay holds when it has dealt with it all, or had the time to."""

    async def opened() -> int:
        return (await reading(process)).streams - PORTS

    await load.drain()
    await load.silence(opened)
    await load.drain()
    await asyncio.sleep(2)  # by then it has given back what it doesn't need any more
    begun = time.monotonic()
    while True:
        await asyncio.sleep(0.5)
        now = await reading(process)
        if now.streams <= PORTS or time.monotonic() - begun > PATIENCE:
            return now


def counted(load: Load, process: Relay) -> None:
    """Print what there was, and what went wrong."""
    print(f"connections: {sum(load.made.values())}")
    print("  " + ", ".join(f"{name} {number}" for name, number in load.made.most_common()))
    print(f"bytes checked: {load.bytes} ({load.bytes / (1 << 20):.0f} MiB)")
    print(f"expected: {dict(load.expected)}")
    print(f"unexpected: {dict(load.unexpected) or 'nothing'}")
    print(f"the relay said: {dict(process.said) or 'nothing'}")


def report(
    load: Load,
    process: Relay,
    first: Reading,
    last: Reading,
    latencies: list[float],
    wall: float,
    status: int,
) -> int:
    """Print what came out; return the exit status."""
    counted(load, process)
    print(f"through to the far end: {len(latencies) / wall:.0f} a second")
    tenth = max(1, len(latencies) // 10)
    early, late = p99(latencies[:tenth]), p99(latencies[-tenth:])
    print(
        f"p99 of the time to the far end: {early:.1f} ms in the first tenth, {late:.1f} ms in the last "
        f"({(late / early - 1) * 100 if early else 0:+.0f} %)"
    )
    print(f"first: {first}")
    print(f"last:  {last}")
    wrong = [f"exit status {status}"] if status else []
    wrong += [] if latencies else ["not one connection was checked"]
    wrong += ["unexpected errors"] if load.unexpected else []
    wrong += ["it said something"] if any(not _MEANT.match(line) for line in process.said) else []
    if max(first.streams, last.streams) > PORTS:
        wrong.append("streams stay open")
    for name in ("descriptors", "timers", "tasks", "threads"):
        if getattr(last, name) > getattr(first, name):
            wrong.append(f"more {name} than at first")
    if last.memory - first.memory > MOST_MEMORY:
        wrong.append(f"{(last.memory - first.memory) / (1 << 20):.2f} MiB more memory than at first")
    print("WRONG: " + "; ".join(wrong) if wrong else "all is well")
    return 1 if wrong else 0


DEFAULT_CONNECT = "tcp:127.0.0.1:0"


def main() -> int:
    """Run what the command line says."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    arguments.add_argument("listen", nargs="?", default="tcp:0:interface=127.0.0.1", metavar="LISTEN")
    arguments.add_argument("connect", nargs="?", default=DEFAULT_CONNECT, metavar="CONNECT")
    arguments.add_argument("--minutes", type=positive, default=10.0, help="how long (default: 10)")
    arguments.add_argument("--loop", choices=("auto", "asyncio", "uvloop"), default="auto")
    arguments.add_argument("--rate", type=positive, default=500.0, help="connections a second (default: 500)")
    arguments.add_argument("--seed", type=int, default=1, help="decides the connections and their order")
    options = arguments.parse_args()
    try:
        checkServer(options.listen)
    except ValueError as error:
        arguments.error(f"LISTEN: {error}")
    try:
        addressOf(options.connect)
    except ValueError as error:
        arguments.error(f"CONNECT: {error}")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return run(soak(options))


def run(work: Any) -> int:
    """
    Run the load on the fastest loop there is: the relay is what is to be busy.

    SIGINT and SIGTERM cancel it, so that it ends what it has started.
    """
    try:
        import uvloop
    except ImportError:
        loop = asyncio.new_event_loop()
    else:
        loop = uvloop.new_event_loop()
    task = loop.create_task(work)
    told = 0

    def end(number: int) -> None:
        nonlocal told
        told = 128 + number
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end, number)
    try:
        status: int = loop.run_until_complete(task)
    except asyncio.CancelledError:
        status = told
    finally:
        loop.close()
    return status


if __name__ == "__main__":
    sys.exit(main())
