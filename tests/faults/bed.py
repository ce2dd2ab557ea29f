"""What the faults are played on: endpoints of each kind, plain sockets as their peers, and protocols."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from tests.running import run
from twisted_endpoints.defer import Deferred
from twisted_endpoints.endpoints import (
    HostnameEndpoint,
    TCP4ClientEndpoint,
    TCP4ServerEndpoint,
    UNIXClientEndpoint,
    UNIXServerEndpoint,
)
from twisted_endpoints.protocol import Factory, Protocol

from .left import Held, aWhile, nothingIsLeft

#: The kinds of endpoints: a client of each, with a server to go with it.
KINDS = ("tcp", "unix", "hostname")

#: Plays a test's coroutine function on a bed, and sees that it leaves nothing.
Play = Callable[[Callable[["Bed"], Awaitable[Any]]], Any]

#: One that an ordinary user can't have, and nobody listens on.
NOBODY = 65534


class Peer(Protocol):
    """A protocol of ours that notes what happens to it."""

    def __init__(self) -> None:
        self.received = b""
        self.made = self.lost = 0
        self.reason: Any = None
        self.ended: Deferred[None] = Deferred()

    def connectionMade(self) -> None:
        self.made += 1

    def dataReceived(self, data: bytes) -> None:
        self.received += data

    def connectionLost(self, reason: Any = None) -> None:
        self.lost += 1
        self.reason = reason.type
        self.ended.callback(None)


class Peers(Factory):
    """Makes a `Peer` for each connection, and remembers them."""

    noisy = False
    protocol: Any = Peer

    def __init__(self, protocol: Any = Peer) -> None:
        self.protocol = protocol
        self.all: list[Any] = []

    def buildProtocol(self, addr: Any) -> Any:
        made = self.protocol()
        self.all.append(made)
        return made


class Bed:
    """
    A reactor, and where its endpoints connect to.

    Args:
        reactor: the one that is tested.
        kind: one of `KINDS`.
        folder: for UNIX sockets.
    """

    def __init__(self, reactor: Any, kind: str, folder: Path) -> None:
        self.reactor = reactor
        self.kind = kind
        self.folder = folder
        self._count = 0
        self._open = contextlib.ExitStack()
        self._ports: list[Any] = []

    def address(self) -> Any:
        """Tell an address that nobody listens on: of TCP the port of a socket that doesn't listen."""
        if self.kind == "unix":
            self._count += 1
            return str(self.folder / f"s{self._count}")
        sock = self._open.enter_context(socket.socket())
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]

    def listening(self, backlog: int = 128) -> tuple[socket.socket, Any]:
        """Listen with a plain socket; return it and its address."""
        sock = self._open.enter_context(socket.socket(self.family))
        address = str(self.folder / f"p{self._count}") if self.kind == "unix" else ("127.0.0.1", 0)
        self._count += 1
        sock.bind(address)
        sock.listen(backlog)
        sock.setblocking(False)
        name = sock.getsockname()
        return sock, name if self.kind == "unix" else name[1]

    def deaf(self) -> Any:
        """Tell the address of a server whose queue is full, so that connecting to it takes for ever."""
        sock, address = self.listening(0)
        for _ in range(3):
            caller = self._open.enter_context(socket.socket(self.family))
            caller.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                caller.connect(sock.getsockname())
        return address

    @property
    def family(self) -> socket.AddressFamily:
        return socket.AF_UNIX if self.kind == "unix" else socket.AF_INET

    def client(self, address: Any, timeout: float = 30, **options: Any) -> Any:
        """Make a client endpoint."""
        if self.kind == "unix":
            return UNIXClientEndpoint(self.reactor, address, timeout)
        if self.kind == "hostname":
            return HostnameEndpoint(self.reactor, "localhost", address, timeout, **options)
        return TCP4ClientEndpoint(self.reactor, "127.0.0.1", address, timeout)

    def server(self, address: Any) -> Any:
        """Make a server endpoint."""
        if self.kind == "unix":
            return UNIXServerEndpoint(self.reactor, address)
        return TCP4ServerEndpoint(self.reactor, address, backlog=1024, interface="127.0.0.1")

    async def serve(self, factory: Any) -> Any:
        """Listen with an endpoint; return the address."""
        port = await self.server(str(self.folder / "ours") if self.kind == "unix" else 0).listen(factory)
        self._ports.append(port)
        return port.port if self.kind == "unix" else port.getHost().port

    def caller(self, address: Any) -> socket.socket:
        """Connect a plain socket."""
        sock = self._open.enter_context(socket.socket(self.family))
        sock.connect(address if self.kind == "unix" else ("127.0.0.1", address))
        sock.setblocking(False)
        return sock

    async def accepted(self, listening: socket.socket) -> socket.socket:
        """Accept a connection with a plain socket."""
        sock, _ = await self._asDeferred(self.reactor._loop.sock_accept(listening))
        return self._open.enter_context(sock)  # type: ignore[no-any-return]

    def receive(self, sock: socket.socket, count: int = 1 << 16) -> Deferred[bytes]:
        """Receive something with a plain socket: nothing is the end."""
        return self._asDeferred(self.reactor._loop.sock_recv(sock, count))

    def _asDeferred(self, work: Any) -> Deferred[Any]:
        return Deferred.fromFuture(asyncio.ensure_future(work, loop=self.reactor._loop))

    async def until(self, true: Callable[[], object]) -> None:
        """Wait until something is true; the test's own time limit ends it."""
        while not true():
            await aWhile(self.reactor)

    async def rounds(self, count: int) -> None:
        """Let the loop go round so many times."""
        for _ in range(count):
            done: Deferred[None] = Deferred()
            self.reactor._loop.call_soon(done.callback, None)
            await done

    async def close(self) -> None:
        for port in self._ports:
            await port.stopListening()
        self._open.close()


def playedOn(bed: Bed) -> Play:
    """Give what plays a test's coroutine function on a bed; afterwards nothing may be left."""
    reactor = bed.reactor

    def playing(main: Callable[[Any], Awaitable[Any]]) -> Any:
        async def whole() -> Any:
            # libuv keeps a descriptor in reserve from the first listening socket on.
            await reactor.listenTCP(0, Peers(), interface="127.0.0.1").stopListening()
            await bed.rounds(5)  # by now `run` has set its time limit
            before = Held.by(reactor)
            try:
                result = await main(bed)
            finally:
                await bed.close()
            await nothingIsLeft(reactor, before)
            return result

        return run(reactor, whole)

    return playing


def reset(sock: socket.socket) -> None:
    """Close a connection with a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@contextlib.contextmanager
def anybody() -> Iterator[None]:
    """Be no privileged user meanwhile."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
