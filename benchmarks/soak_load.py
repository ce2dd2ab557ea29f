"""
The load of the soak test: connections of many kinds through a relay, made at a rate, and an account of them.

Both ends of each connection live here, a client that connects to the relay and a server that the relay
connects to; `soak_ends` has them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import socket
import struct
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import takewhile
from typing import Any

from .soak_ends import RESETS, Client, End, Kind, Server, Trip

#: Seconds until a connection that hasn't ended is stuck.
PATIENCE = 60.0

#: The most connections that are open at once: above that, the load waits.  Fewer than fit into the relay's
#: queue: the kernel tries those that don't again after seconds, as often as the seconds double.
MOST_OPEN = 800

#: Seconds for which the target answers nobody: the relay looks once a second for clients that have reset.
SILENCE = 2.5

#: Seconds after which the kernel has tried again what it has dropped in the silence.
TRIED_AGAIN = 1.5

#: How many clients come and give up in the silence, in either way.
IN_SILENCE = 20

#: After how many seconds they give up.
AFTER = (0.0, 0.2, 0.4)

#: How many of a thousand connections are of each kind.
SHARES = {
    Kind.SHORT: 600,
    Kind.HALF: 120,
    Kind.TURNED: 100,
    Kind.LONG: 10,
    Kind.SLOW: 10,
    Kind.CLIENT_RESETS: 40,
    Kind.SERVER_RESETS: 40,
    Kind.GIVEN_UP: 80,
}


class Load:
    """
    Makes connections at a rate, and takes account of them.

    Args:
        loop: the event loop.
        seed: decides what connections there are, and their order.

    Attributes:
        made: how many connections the clients have made, by kind.
        bytes: how many bytes were received and found right.
        expected: what went wrong because it was meant to, counted.
        unexpected: what went wrong otherwise, counted.
        latencies: seconds from the begin of a connect until the far end heard of it, in order.
        tells: for each end, whether its sockets tell a reset from an end; those of UNIX don't.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, seed: int) -> None:
        self.loop = loop
        self.chance = random.Random(seed)
        self.trips: dict[int, Trip] = {}
        self.ends: dict[End, None] = {}  # in the order of their beginning
        self.made: Counter[str] = Counter()
        self.expected: Counter[str] = Counter()
        self.unexpected: Counter[str] = Counter()
        self.latencies: list[float] = []
        self.bytes = 0
        self.tells = {Client: True, Server: True}
        self._number = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._target: Any = None
        self._servers: list[Any] = []

    async def listen(self, address: Any) -> Any:
        """Take what the relay connects, at a path or at a host and a port; return the loop's server."""
        self.tells[Server] = not isinstance(address, str)
        if isinstance(address, str):
            server: Any = await self.loop.create_unix_server(self._server, address, backlog=4096)
        else:
            server = await self.loop.create_server(self._server, *address, backlog=4096)
        self._servers = [server]
        return server

    def _server(self) -> Server:
        return Server(self)

    async def run(self, address: Any, rate: float, seconds: float) -> None:
        """Make `rate` connections a second, so long."""
        self.tells[Client] = not isinstance(address, str)
        self._target = address
        begun = time.monotonic()
        started = 0
        while (now := time.monotonic()) < begun + seconds:
            due = int((now - begun) * rate) - started
            for _ in range(min(due, MOST_OPEN - len(self.trips))):
                self._start()
            started += due  # what can't be started now isn't made up for
            self._lookForStuck(now)
            await asyncio.sleep(0.005)

    async def drain(self) -> None:
        """Wait until all that were made have ended."""
        while self.trips or self.ends or self._tasks:
            self._lookForStuck(time.monotonic())
            await asyncio.sleep(0.05)

    async def silence(self, opened: Callable[[], Awaitable[int]]) -> None:
        """
        For a while leave the relay's connects unanswered, and have clients come and give up; then serve on.

        Otherwise the relay would never have to give up connecting.  Only TCP can be silent: at a path where
        the queue is full, the kernel refuses at once.

        Args:
            opened: asks the relay how many connections it has, accepted or begun.
        """
        if not self.tells[Server]:
            return
        # Duplicates listen on when the loop's servers are closed.
        listening = [
            socket.socket(fileno=os.dup(sock.fileno())) for server in self._servers for sock in server.sockets
        ]
        self._close()
        with contextlib.ExitStack() as fillers:
            for sock in listening:
                # The kernel drops who comes when the queue is full: one fits, and the others make sure.
                sock.listen(0)
                for _ in range(3):
                    filler = fillers.enter_context(socket.socket(sock.family))
                    filler.setblocking(False)
                    filler.connect_ex(sock.getsockname())
            for _ in range(IN_SILENCE):
                self._giveUp(self.chance.choice(AFTER), reset=True)
            await asyncio.sleep(SILENCE)
            # A reset of a UNIX socket looks like an end; and who has only ended may have sent something.
            if self.tells[Client] and (count := await opened()):
                self.unexpected["in a silence: the relay keeps what was reset"] += count
            for _ in range(IN_SILENCE):
                self._giveUp(self.chance.choice(AFTER), reset=False)
            await asyncio.sleep(max(AFTER))
        for sock in listening:
            self._servers.append(await self.loop.create_server(self._server, sock=sock, backlog=4096))
        await asyncio.sleep(TRIED_AGAIN)

    async def stop(self) -> None:
        """Close the target, and cut off all that haven't ended: nothing, unless it is too early."""
        self._close()
        for task in self._tasks:
            task.cancel()
        for end in self.ends:
            end.transport.abort()
        # The loop has to tell them.  For how long isn't asked: one that is cut in mid-connect may never hear.
        await asyncio.sleep(0.1)

    def _close(self) -> None:
        for server in self._servers:
            server.close()
        self._servers = []

    def _start(self) -> None:
        kind = self.chance.choices(list(SHARES), list(SHARES.values()))[0]
        self.made[kind.name] += 1
        if kind is Kind.GIVEN_UP:
            self._giveUp(reset=self.chance.random() < 0.5)
            return
        trip = Trip(self._number, kind, self.chance)
        self._number += 1
        self.trips[trip.number] = trip
        task = self.loop.create_task(self._connect(trip))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, trip: Trip) -> None:
        make = lambda: Client(self, trip)  # noqa: E731
        try:
            if isinstance(self._target, str):
                await self.loop.create_unix_connection(make, self._target)
            else:
                await self.loop.create_connection(make, *self._target)
        except OSError as error:
            self._notConnected(error)
            self.trips.pop(trip.number, None)  # it may have been found stuck before

    def _notConnected(self, error: OSError) -> None:
        self.unexpected[f"connect: {type(error).__name__}: {error.strerror}"] += 1

    def _giveUp(self, seconds: float = 0, *, reset: bool) -> None:
        """Connect, and close after so long with a reset or an end; half a word may have been said."""
        if isinstance(self._target, str):
            family = socket.AF_UNIX
        else:
            family = socket.AF_INET6 if ":" in self._target[0] else socket.AF_INET
        sock = socket.socket(family)
        sock.setblocking(False)
        try:
            sock.connect(self._target)
        except BlockingIOError:
            pass
        except OSError as error:
            self._notConnected(error)
        if self.chance.randrange(2):
            with contextlib.suppress(OSError):
                sock.send(b"half a")
        if reset:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if seconds:
            self.loop.call_later(seconds, sock.close)
        else:
            sock.close()
        self.expected["given up"] += 1

    def _lookForStuck(self, now: float) -> None:
        # Both are in the order of their beginning.
        isOld = lambda each: now - each.started >= PATIENCE  # noqa: E731
        for trip in list(takewhile(isOld, self.trips.values())):
            self.unexpected[f"{trip.kind.name}: stuck"] += 1
            del self.trips[trip.number]
        # Those of such trips, and those that never had one, or whose other end went wrong.
        for end in list(takewhile(isOld, self.ends)):
            end.fail("stuck")

    def reached(self, trip: Trip) -> None:
        """The far end has heard of a trip."""
        self.latencies.append(time.monotonic() - trip.started)

    def ended(self, end: End, error: BaseException | None) -> None:
        """One end of a trip is over; see whether it ended as it should."""
        trip = end.trip
        if trip is None:
            if end.wrong:
                self.unexpected[f"no trip: {end.wrong}"] += 1
            else:
                self.expected["heard of nothing"] += 1
            return
        if trip.number not in self.trips:
            return
        who = type(end).__name__.lower()
        wrong = end.wrong
        if trip.kind in RESETS:
            resetter = "client" if trip.kind is Kind.CLIENT_RESETS else "server"
            # Both must tell: a relay that hears of an end, as it may from a UNIX socket, passes on an end.
            if who != resetter and error is None and all(self.tells.values()):
                wrong = wrong or "the other's reset seems a clean end"
            elif not wrong:
                self.expected["reset as it should be"] += 1
        elif error is not None:
            wrong = wrong or f"{type(error).__name__}: {error}"
        elif not end.complete:
            wrong = wrong or "ended in mid-stream"
        if wrong:
            self.unexpected[f"{trip.kind.name}, {who}: {wrong}"] += 1
        trip.left -= 1
        if wrong or not trip.left:
            del self.trips[trip.number]  # of one that went wrong, the other end need not be told of too
