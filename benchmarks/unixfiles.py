"""
``python -m benchmarks.unixfiles``: what becomes of UNIX sockets when servers are killed and replaced.

Each round is a process of its own, forked from one that has imported everything.

- kills: a server with a lock is killed by SIGKILL when it serves, or at any time before that; the next one
  must serve, at once.
- replaced: a server without a lock takes the path while the former one serves, and then that one stops; what
  is at the path must stay, and answer.
- taking turns: two processes want one path with a lock all the time, and stop or are killed at any time; a
  client must never find two serve, and one at least once they are left alone.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import socket
import stat
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from typing import Any, ClassVar

from twisted_endpoints.asyncioreactor import AsyncioReactor
from twisted_endpoints.error import CannotListenError
from twisted_endpoints.protocol import Factory, Protocol

#: Seconds after which a server is not started any more.
PATIENCE = 30.0


class Says(Protocol):
    """Tells who connects which process serves."""

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(b"%d\n" % os.getpid())
        self.transport.loseConnection()


class Server:
    """
    A process that serves a path.

    Args:
        path: the socket's.
        wantPID: with a lock.
        patient: try again until the lock is free.
    """

    #: The processes that have not ended.
    running: ClassVar[set[int]] = set()

    def __init__(self, path: str, wantPID: bool, patient: bool = False) -> None:
        self.told, tell = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            try:
                _serve(path, wantPID, patient, tell)
            except CannotListenError as e:
                os.write(tell, str(e).encode())
            except BaseException:
                os.write(tell, traceback.format_exc().encode()[-4000:])
            os._exit(1)
        os.close(tell)
        Server.running.add(self.pid)

    def serves(self) -> str:
        """Wait until it serves; return why it doesn't."""
        said = os.read(self.told, 4096).decode()
        return "" if said == "serves" else said or "it died"

    def end(self, number: int) -> None:
        """Send a signal, and wait until the process is gone."""
        os.kill(self.pid, number)
        os.waitpid(self.pid, 0)
        os.close(self.told)
        Server.running.remove(self.pid)


def _serve(path: str, wantPID: bool, patient: bool, tell: int) -> None:
    reactor: Any = AsyncioReactor()
    factory = Factory.forProtocol(Says)
    factory.noisy = False
    end = time.monotonic() + PATIENCE
    while True:
        try:
            reactor.listenUNIX(path, factory, mode=0o600, wantPID=wantPID)
            break
        except CannotListenError:
            if not patient or time.monotonic() > end:
                raise
            time.sleep(0.0005)
    reactor.callWhenRunning(os.write, tell, b"serves")
    # Whatever has become of who started it.
    reactor.callLater(2 * PATIENCE, os._exit, 1)
    reactor.run()
    os._exit(0)


def whoServes(path: str) -> int:
    """Ask at a path which process serves there."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE)
        client.connect(path)
        said = b""
        while part := client.recv(64):
            said += part
    return int(said)


def kills(folder: str, rounds: int, chance: random.Random) -> int:
    """Kill servers that serve, and every other one at any time before."""
    path, failed = f"{folder}/killed", 0
    for number in range(rounds):
        server = Server(path, True)
        if number % 2:
            time.sleep(chance.uniform(0, 0.006))
        else:
            problem = server.serves()
            if problem or whoServes(path) != server.pid:
                failed += 1
                print(f"  round {number}: {problem or 'another one answers'}")
        server.end(signal.SIGKILL)
    last = Server(path, True)
    failed += bool(last.serves())
    last.end(signal.SIGTERM)
    left = [name for name in os.listdir(folder) if name.startswith("killed")]
    print(f"killed {rounds}, not restarted {failed}, left {left}")
    return failed + len(left)


def replaced(folder: str, rounds: int, chance: random.Random) -> int:
    """Let servers without a lock take over from each other."""
    path, failed = f"{folder}/replaced", 0
    former = Server(path, False)
    former.serves()
    for number in range(rounds):
        os.unlink(path)
        server = Server(path, False)
        problem = server.serves()
        former.end(signal.SIGTERM)
        try:
            if problem or not stat.S_ISSOCK(os.lstat(path).st_mode) or whoServes(path) != server.pid:
                raise OSError(problem or "another one answers")
        except OSError as e:
            failed += 1
            print(f"  round {number}: {e}")
        former = server
    former.end(signal.SIGTERM)
    left = [name for name in os.listdir(folder) if name.startswith("replaced")]
    print(f"replaced {rounds}, lost {failed}, left {left}")
    return failed + len(left)


def takingTurns(folder: str, rounds: int, chance: random.Random) -> int:
    """Let servers with a lock queue for a path, each ending as soon as it has served."""
    path, failed = f"{folder}/turns", 0
    first = Server(path, True)
    first.serves()
    for number in range(rounds):
        second = Server(path, True, patient=True)
        time.sleep(chance.uniform(0, 0.003))
        first.end(chance.choice([signal.SIGTERM, signal.SIGKILL]))
        problem = second.serves()
        if problem or whoServes(path) != second.pid:
            failed += 1
            print(f"  round {number}: {problem or 'another one answers'}")
        first = second
    first.end(signal.SIGTERM)
    left = [name for name in os.listdir(folder) if name.startswith("turns")]
    print(f"took turns {rounds}, failed {failed}, left {left}")
    return failed + len(left)


def main() -> int:
    """Run what the command line names."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.unixfiles", description=__doc__)
    arguments.add_argument("--rounds", type=int, default=1000, help="of each kind (default: 1000)")
    arguments.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    options = arguments.parse_args()
    print(f"seed {options.seed}", flush=True)
    kinds: list[Callable[[str, int, random.Random], int]] = [kills, replaced, takingTurns]
    with tempfile.TemporaryDirectory() as folder:
        try:
            failed = sum(kind(folder, options.rounds, random.Random(options.seed)) for kind in kinds)
        finally:
            for pid in Server.running:
                os.kill(pid, signal.SIGKILL)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
