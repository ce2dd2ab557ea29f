"""
The connections of the soak test: what each is for, and what its two ends send and check.

They are plain protocols of asyncio: nothing of this package checks itself.  A connection begins with its
number, by which the server's end finds out what it is for.  What follows is a stretch of one block of random
bytes, from a place that is different for each connection and direction, so that a byte that is lost, doubled,
or has come by another stream is seen.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import time
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .soak_load import Load

#: The random bytes that all streams are stretches of; twice, so that each stretch is a slice.
_LENGTH = 1 << 20
_BLOCK = random.Random(3).randbytes(_LENGTH) * 2

#: The bytes that a connection begins with: its number.
_NUMBER = struct.Struct("<Q")

#: How much is written at once, and when writing waits: well above what small connections carry.
_PIECE = 1 << 16


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
