"""
The load of the soak test: connections of many kinds through a relay, with every byte checked at the far end.

Both ends of each connection live here, a client that connects to the relay and a server that the relay
connects to.  They are plain protocols of asyncio: nothing of this package checks itself.  A connection begins
with its number, by which the server's end finds out what it is for.  What follows is a stretch of one block
of random bytes, from a place that is different for each connection and direction, so that a byte that is
lost, doubled, or has come by another stream is seen.
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
from enum import Enum
from itertools import takewhile
from typing import Any

#: The random bytes that all streams are stretches of; twice, so that each stretch is a slice.
_LENGTH = 1 << 20
_BLOCK = random.Random(3).randbytes(_LENGTH) * 2

#: The bytes that a connection begins with: its number.
_NUMBER = struct.Struct("<Q")

#: How much is written at once, and when writing waits: well above what small connections carry.
_PIECE = 1 << 16

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


class Kind(Enum):
    """What a connection is for."""

    SHORT = "a question, and an answer with which the server closes"
    HALF = "the client half-closes after its question, and only then the server answers"
    TURNED = "the server half-closes first, and only then the client sends"
    LONG = "a little now and then, for some seconds, and the same amount back"
    SLOW = "much both ways at once, to readers who rest between two reads"
    CLIENT_RESETS = "the client resets in mid-stream"
    SERVER_RESETS = "the server resets in mid-stream"
    GIVEN_UP = "the client gives up as soon as it has connected, or before"


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

RESETS = (Kind.CLIENT_RESETS, Kind.SERVER_RESETS)


def stretch(seed: int, position: int, size: int) -> bytes:
    """Give a part of the stream that has this seed."""
    start = (seed * 0x9E3779B1 + position) % _LENGTH
    return _BLOCK[start : start + size]


def linger(transport: asyncio.BaseTransport) -> None:
    """Have the close of a connection be a reset."""
    sock = transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Trip:
    """
    One connection through the relay.

    Attributes:
        number: it, from 0.
        kind: what it is for.
        up: how many bytes the client sends.
        down: how many bytes the server sends.
        started: when the client began to connect.
        left: how many of its two ends haven't ended.
    """

    __slots__ = ("down", "kind", "left", "number", "started", "up")

    def __init__(self, number: int, kind: Kind, chance: random.Random) -> None:
        self.number = number
        self.kind = kind
        self.left = 2
        self.started = time.monotonic()
        if kind is Kind.SLOW:
            self.up, self.down = chance.randrange(1 << 19, 1 << 21), chance.randrange(1 << 19, 1 << 21)
        elif kind is Kind.LONG:
            self.up = self.down = 300 * chance.randrange(2, 40)
        elif kind in RESETS:
            self.up = self.down = 1 << 20
        else:
            self.up, self.down = chance.randrange(1, 4000), chance.randrange(1, 40000)


class End(asyncio.Protocol):
    """What both ends of a trip do: send their stream, and check what comes."""

    transport: Any = None
    trip: Trip | None = None

    def __init__(self, load: Load) -> None:
        self.load = load
        self.sent = self.received = 0
        self.toSend = self.toReceive = 0
        self.seeds = (0, 0)
        self.full = self.atEnd = self.sendsEnd = False
        self.started = time.monotonic()
        self.wrong = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.load.ends[self] = None

    def pause_writing(self) -> None:
        self.full = True

    def resume_writing(self) -> None:
        self.full = False
        self.send()
        self.progress()

    def send(self, limit: int | None = None) -> None:
        """Write on, up to a place in the stream, while there is room; then the end, if it is to follow."""
        limit = self.toSend if limit is None else limit
        while self.sent < limit and not (self.full or self.transport.is_closing()):
            data = stretch(self.seeds[0], self.sent, min(_PIECE, limit - self.sent))
            self.sent += len(data)
            self.transport.write(data)
        if self.sent == self.toSend and self.sendsEnd and not self.transport.is_closing():
            self.sendsEnd = False
            self.transport.write_eof()

    def check(self, data: bytes) -> None:
        """See that these are the next bytes of the stream."""
        if self.received + len(data) > self.toReceive:
            self.fail("more than was sent")
        elif data != stretch(self.seeds[1], self.received, len(data)):
            self.fail("other bytes than were sent")
        self.received += len(data)
        self.load.bytes += len(data)

    def eof_received(self) -> bool:
        self.atEnd = True
        self.progress()
        return True

    def progress(self) -> None:
        """Do what follows from what has come so far."""

    def rest(self) -> None:
        """Read nothing for a moment."""
        self.transport.pause_reading()
        self.load.loop.call_later(0.02, self.wake)

    def wake(self) -> None:
        if not self.transport.is_closing():
            self.transport.resume_reading()

    def fail(self, why: str) -> None:
        self.wrong = self.wrong or why
        self.transport.abort()

    def connection_lost(self, error: BaseException | None) -> None:
        del self.load.ends[self]
        self.load.ended(self, error)

    @property
    def complete(self) -> bool:
        """Whether all was sent and received, and the end of input was seen or is not waited for."""
        return self.sent == self.toSend and self.received == self.toReceive


class Client(End):
    """The end that connects to the relay."""

    def __init__(self, load: Load, trip: Trip) -> None:
        super().__init__(load)
        self.trip: Trip = trip
        self.toSend, self.toReceive = trip.up, trip.down
        self.seeds = (2 * trip.number, 2 * trip.number + 1)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.write(_NUMBER.pack(self.trip.number))
        kind = self.trip.kind
        self.sendsEnd = kind in (Kind.HALF, Kind.SLOW)
        if kind is Kind.LONG:
            self.trickle()
        elif kind is not Kind.TURNED:
            self.send()

    def trickle(self) -> None:
        if self.transport.is_closing():
            return
        self.send(self.sent + 300)
        if self.sent < self.toSend:
            self.load.loop.call_later(0.5, self.trickle)
        else:
            self.transport.write_eof()

    def data_received(self, data: bytes) -> None:
        self.check(data)
        if self.trip.kind is Kind.CLIENT_RESETS:
            linger(self.transport)
            self.transport.abort()
        elif self.trip.kind is Kind.SLOW:
            self.rest()
        self.progress()

    def progress(self) -> None:
        if not self.atEnd or self.transport.is_closing():
            return
        if self.received < self.toReceive and self.trip.kind not in RESETS:
            self.fail("the end came too early")
            return
        self.send()
        if self.sent == self.toSend or self.trip.kind in RESETS:
            self.transport.close()


class Server(End):
    """The end that the relay connects to."""

    def __init__(self, load: Load) -> None:
        super().__init__(load)
        self._head = b""

    def data_received(self, data: bytes) -> None:
        if self.trip is None:
            self._head += data
            if len(self._head) < _NUMBER.size:
                return
            data = self._head[_NUMBER.size :]
            if not self.begin(_NUMBER.unpack_from(self._head)[0]):
                return
        assert self.trip is not None
        if data:
            self.check(data)
        kind = self.trip.kind
        if kind is Kind.SERVER_RESETS and self.received:
            linger(self.transport)
            self.transport.abort()
        elif kind is Kind.SLOW:
            self.rest()
        elif kind is Kind.LONG:
            self.send(self.received)
        self.progress()

    def begin(self, number: int) -> bool:
        trip = self.trip = self.load.trips.get(number)
        if trip is None:
            self.fail("a number that nobody has sent")
            return False
        self.load.reached(trip)
        self.toSend, self.toReceive = trip.down, trip.up
        self.seeds = (2 * number + 1, 2 * number)
        self.sendsEnd = trip.kind in (Kind.TURNED, Kind.SLOW)
        if trip.kind in (Kind.TURNED, Kind.SLOW, *RESETS):
            self.send()
        return True

    def progress(self) -> None:
        if self.transport.is_closing():
            return
        if self.trip is None or self.trip.kind in RESETS:
            # Given up before it had begun; or a reset that has become an end, which `Load.ended` won't like.
            if self.atEnd:
                self.transport.close()
        elif self.received < self.toReceive:
            if self.atEnd:
                self.fail("the end came too early")
        elif self.trip.kind is Kind.SHORT or self.atEnd:
            self.send()
            if self.sent == self.toSend:
                self.transport.close()


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
