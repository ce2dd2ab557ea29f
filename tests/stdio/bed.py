"""What standard input and output may be, with somebody at the other end, and protocols to connect to them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import termios
import threading
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Any

from zope.interface import implementer

from tests.running import run
from twisted_endpoints.defer import Deferred
from twisted_endpoints.interfaces import IHalfCloseableProtocol
from twisted_endpoints.protocol import Protocol
from twisted_endpoints.stdio import StandardIO

#: More than fits into a pipe, a socket or a terminal, in lines as terminals want them.
TEXT = b"".join(b"%9d\n" % number for number in range(20_000))

#: More than a pipe takes while nobody reads it.
LARGE = b"x" * 200_000

#: What a terminal takes for the end of the input.
END_OF_TRANSMISSION = b"\x04"


def state(number: int) -> tuple[Any, ...]:
    """Tell what of a descriptor belongs to everybody who has it."""
    modes = tuple(map(str, termios.tcgetattr(number))) if os.isatty(number) else ()
    return (fcntl.fcntl(number, fcntl.F_GETFL), *modes)


class Ends:
    """
    Descriptors to stand for standard input and output, and who feeds and empties them.

    Args:
        folder: for files.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers: list[int] = []
        self._threads: list[threading.Thread] = []

    def input(self, kind: str, data: bytes) -> int:
        """Make a descriptor of which `data` can be read, and then the end."""
        return getattr(self, f"_{kind}In")(data)  # type: ignore[no-any-return]

    def output(self, kind: str) -> tuple[int, Callable[[], bytes]]:
        """Make a descriptor to write to, and a function that waits for its end and gives what was written."""
        return getattr(self, f"_{kind}Out")()  # type: ignore[no-any-return]

    def pipe(self) -> tuple[int, int]:
        """Make a pipe with nobody at either end."""
        return self._kept(*os.pipe())

    def close(self) -> None:
        for number in self._numbers:
            self.end(number)
        for thread in self._threads:
            thread.join(10)

    def end(self, number: int) -> None:
        """Close a descriptor, if it is open."""
        with contextlib.suppress(OSError):
            os.close(number)
        self._numbers = [other for other in self._numbers if other != number]

    def _kept(self, *numbers: int) -> Any:
        self._numbers += numbers
        return numbers

    def _beside(self, function: Callable[..., Any], *args: Any) -> threading.Thread:
        thread = threading.Thread(target=function, args=args, daemon=True)
        thread.start()
        self._threads.append(thread)
        return thread

    def _feed(self, number: int, data: bytes) -> None:
        def feed() -> None:
            rest = data
            with contextlib.suppress(OSError):
                while rest:
                    rest = rest[os.write(number, rest) :]
            os.close(number)

        self._beside(feed)

    def _emptied(self, number: int, ours: int) -> Callable[[], bytes]:
        pieces: list[bytes] = []

        def empty() -> None:
            with contextlib.suppress(OSError):  # EIO: a terminal whose other end is closed
                while piece := os.read(number, 1 << 16):
                    pieces.append(piece)
            os.close(number)

        thread = self._beside(empty)

        def taken() -> bytes:
            self.end(ours)
            thread.join(20)
            assert not thread.is_alive(), "it doesn't end"
            return b"".join(pieces)

        return taken

    def _pipeIn(self, data: bytes) -> int:
        ours, theirs = os.pipe()
        self._kept(ours)
        self._feed(theirs, data)
        return ours

    def _fifoIn(self, data: bytes) -> int:
        """Make a named pipe that somebody has opened, filled and left before anybody reads."""
        path = self._folder / "fifo"
        os.mkfifo(path)
        [ours] = self._kept(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
        theirs = os.open(path, os.O_WRONLY)
        os.set_blocking(ours, True)
        os.write(theirs, data)
        os.close(theirs)
        return ours  # type: ignore[no-any-return]

    def _fileIn(self, data: bytes) -> int:
        path = self._folder / "in"
        path.write_bytes(data)
        [ours] = self._kept(os.open(path, os.O_RDONLY))
        return ours  # type: ignore[no-any-return]

    def _nullIn(self, data: bytes) -> int:
        [ours] = self._kept(os.open(os.devnull, os.O_RDONLY))
        return ours  # type: ignore[no-any-return]

    def _socketIn(self, data: bytes) -> int:
        ours, theirs = (each.detach() for each in socket.socketpair())
        self._kept(ours)
        self._feed(theirs, data)
        return ours

    def _terminalIn(self, data: bytes) -> int:
        theirs, ours = os.openpty()
        self._kept(ours, theirs)
        modes = termios.tcgetattr(ours)
        modes[3] &= ~termios.ECHO
        termios.tcsetattr(ours, termios.TCSANOW, modes)
        self._feed(os.dup(theirs), data + END_OF_TRANSMISSION)
        return ours

    def _pipeOut(self) -> tuple[int, Callable[[], bytes]]:
        theirs, ours = os.pipe()
        self._kept(ours)
        return ours, self._emptied(theirs, ours)

    def _fileOut(self) -> tuple[int, Callable[[], bytes]]:
        path = self._folder / "out"
        [ours] = self._kept(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND))
        return ours, path.read_bytes

    def _nullOut(self) -> tuple[int, Callable[[], bytes]]:
        [ours] = self._kept(os.open(os.devnull, os.O_WRONLY))
        return ours, bytes

    def _socketOut(self) -> tuple[int, Callable[[], bytes]]:
        ours, theirs = (each.detach() for each in socket.socketpair())
        self._kept(ours)
        return ours, self._emptied(theirs, ours)

    def _terminalOut(self) -> tuple[int, Callable[[], bytes]]:
        theirs, ours = os.openpty()
        self._kept(ours)
        tty.setraw(ours)
        return ours, self._emptied(theirs, ours)


class Echo(Protocol):
    """Writes what it receives, and notes what happens and how the descriptors are meanwhile."""

    def __init__(self, *numbers: int) -> None:
        self.numbers = numbers
        self.states = {tuple(map(state, numbers))}
        self.received = b""
        self.events: list[str] = []
        self.reason: Any = None
        self.lost: Deferred[None] = Deferred()
        #: What to wait for: fires at the next event.
        self.next: Deferred[str] = Deferred()

    def note(self, event: str) -> None:
        self.states.add(tuple(map(state, self.numbers)))
        self.events.append(event)
        waiting, self.next = self.next, Deferred()
        waiting.callback(event)

    def connectionMade(self) -> None:
        self.note("made")

    def dataReceived(self, data: bytes) -> None:
        self.received += data
        transport: Any = self.transport
        transport.write(data)
        self.note("data")

    def connectionLost(self, reason: Any = None) -> None:
        self.reason = reason
        self.note("lost")
        self.lost.callback(None)


class Mute(Echo):
    """Writes nothing by itself."""

    def dataReceived(self, data: bytes) -> None:
        self.received += data
        self.note("data")


@implementer(IHalfCloseableProtocol)
class Half(Mute):
    """Can be half closed."""

    def readConnectionLost(self) -> None:
        self.note("no more input")

    def writeConnectionLost(self) -> None:
        self.note("no more output")


def turn(reactor: Any, rounds: int = 5) -> Deferred[None]:
    """Let the reactor go round some times."""
    turned: Deferred[None] = Deferred()

    def again(left: int) -> None:
        if left:
            reactor.callLater(0, again, left - 1)
        else:
            turned.callback(None)

    again(rounds)
    return turned


def untilLost(
    reactor: Any, protocol: Echo, stdin: int, stdout: int, act: Callable[[StandardIO], object]
) -> None:
    """Connect a protocol, do something with the connection at once, and wait for its end."""

    async def main() -> None:
        act(StandardIO(protocol, stdin, stdout, reactor))
        await protocol.lost

    run(reactor, main)


def drain(number: int) -> bytes:
    """Read what is in a pipe."""
    os.set_blocking(number, False)
    found = b""
    try:
        while piece := os.read(number, 1 << 16):
            found += piece
    except BlockingIOError:
        pass
    return found
