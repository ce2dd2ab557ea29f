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
        self._said: str | None = None
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
        """Wait until it serves; return why it doesn't.  It may be asked again."""
        if self._said is None:
            self._said = os.read(self.told, 4096).decode() or "it died"
        return "" if self._said == "serves" else self._said

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


class Rounds:
    """
    What becomes of one path.

    Args:
        folder: where it is.
        name: its own.

    Attributes:
        path: the whole path.
        failed: how often something went wrong there.
    """

    def __init__(self, folder: str, name: str) -> None:
        self._folder = folder
        self._name = name
        self.path = f"{folder}/{name}"
        self.failed = 0

    def see(self, number: int, server: Server) -> None:
        """Wait until a server serves, and see that nobody else answers in its place."""
        try:
            problem = server.serves()
            if not problem and not stat.S_ISSOCK(os.lstat(self.path).st_mode):
                problem = "something else is there"
            if not problem and whoServes(self.path) != server.pid:
                problem = "another one answers"
        except OSError as e:
            problem = str(e)
        if problem:
            self.failed += 1
            print(f"  round {number}: {problem}")

    def over(self, number: int) -> int:
        """Say how so many rounds went; return what is wrong."""
        left = [name for name in os.listdir(self._folder) if name.startswith(self._name)]
        print(f"{self._name}: {number} rounds, {self.failed} failed, left {left}")
        return self.failed + len(left)


def kills(folder: str, rounds: int, chance: random.Random) -> int:
    """Kill servers that serve, and every other one at any time before."""
    killed = Rounds(folder, "killed")
    for number in range(rounds):
        server = Server(killed.path, True)
        if number % 2:
            time.sleep(chance.uniform(0, 0.006))
        else:
            killed.see(number, server)
        server.end(signal.SIGKILL)
    last = Server(killed.path, True)
    killed.see(rounds, last)
    last.end(signal.SIGTERM)
    return killed.over(rounds)


def replaced(folder: str, rounds: int, chance: random.Random) -> int:
    """Let servers without a lock take over from each other."""
    taken = Rounds(folder, "replaced")
    former = Server(taken.path, False)
    former.serves()
    for number in range(rounds):
        os.unlink(taken.path)
        server = Server(taken.path, False)
        server.serves()
        former.end(signal.SIGTERM)
        taken.see(number, server)
        former = server
    former.end(signal.SIGTERM)
    return taken.over(rounds)


def takingTurns(folder: str, rounds: int, chance: random.Random) -> int:
    """Let servers with a lock queue for a path, each ending as soon as it has served."""
    turns = Rounds(folder, "turns")
    first = Server(turns.path, True)
    first.serves()
    for number in range(rounds):
        second = Server(turns.path, True, patient=True)
        time.sleep(chance.uniform(0, 0.003))
        first.end(chance.choice([signal.SIGTERM, signal.SIGKILL]))
        turns.see(number, second)
        first = second
    first.end(signal.SIGTERM)
    return turns.over(rounds)


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
