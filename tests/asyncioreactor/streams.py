"""One end of a connection is a stream of the reactor's, the other a plain socket that the test plays."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

from zope.interface import implementer

from tests.running import run
from twisted_endpoints.defer import Deferred
from twisted_endpoints.interfaces import IFileDescriptorReceiver, IHalfCloseableProtocol
from twisted_endpoints.protocol import ClientFactory, Factory, Protocol

#: A stream on the loop's transport over TCP and over a UNIX socket, and one on our own for descriptors.
KINDS = ("tcp", "unix", "descriptors")

#: More bytes than the kernel takes at once.
MUCH = 16 * 1024 * 1024

#: Runs a test's coroutine function on a scene of the test's `kind`.
Play = Callable[[Callable[["Scene"], Awaitable[Any]]], Any]


class Recorder(Protocol):
    """Remembers what happened to it, and tells when it began and ended."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.received = b""
        self.made: Deferred[Any] = Deferred()
        self.lost: Deferred[Any] = Deferred()
        self.reason: Any = None
        self.waiting: list[tuple[int, Deferred[None]]] = []

    def connectionMade(self) -> None:
        self.events.append("made")
        self.made.callback(self)

    def dataReceived(self, data: bytes) -> None:
        self.received += data
        self._tell()

    def _tell(self) -> None:
        for row in list(self.waiting):
            if len(self.received) >= row[0]:
                self.waiting.remove(row)
                row[1].callback(None)

    def connectionLost(self, reason: Any = None) -> None:
        self.events.append("lost")
        self.reason = reason
        self.lost.callback(reason.type)

    def size(self, count: int) -> Deferred[None]:
        """Wait until so many bytes are received."""
        done: Deferred[None] = Deferred()
        self.waiting.append((count, done))
        self._tell()
        return done


@implementer(IHalfCloseableProtocol)
class HalfCloseable(Recorder):
    def __init__(self) -> None:
        super().__init__()
        self.readLost: Deferred[None] = Deferred()
        self.writeLost: Deferred[None] = Deferred()

    def readConnectionLost(self) -> None:
        self.events.append("read lost")
        self.readLost.callback(None)

    def writeConnectionLost(self) -> None:
        self.events.append("write lost")
        self.writeLost.callback(None)


class Takes:
    """Mixed in, makes a protocol one that receives descriptors."""

    descriptors: tuple[int, ...] = ()

    def fileDescriptorReceived(self, descriptor: int) -> None:
        self.descriptors += (descriptor,)


class Producer:
    """Notes what it is told; a subclass or a test adds what it does."""

    def __init__(self, stream: Any, act: Callable[[], None] = lambda: None) -> None:
        self.stream = stream
        self.told: list[str] = []
        self.act = act

    def pauseProducing(self) -> None:
        self.told.append("pause")

    def resumeProducing(self) -> None:
        self.told.append("resume")
        self.act()

    def stopProducing(self) -> None:
        self.told.append("stop")


class OneFactory(Factory):
    """Makes one protocol, which was made before."""

    noisy = False

    def __init__(self, protocol: Any) -> None:
        self.made = protocol

    def buildProtocol(self, addr: Any) -> Any:
        return self.made


class CountingFactory(OneFactory):
    """Notes its starts and stops."""

    def __init__(self, protocol: Any = None) -> None:
        super().__init__(protocol)
        self.calls: list[str] = []

    def doStart(self) -> None:
        self.calls.append("start")

    def doStop(self) -> None:
        self.calls.append("stop")


class OneClientFactory(ClientFactory):
    """Connects one protocol, and tells how that went."""

    noisy = False

    def __init__(self, protocol: Any) -> None:
        self.made = protocol
        self.calls: list[str] = []
        self.failed: Deferred[Any] = Deferred()
        self.outcome: list[Deferred[Any]] | None = None
        self.reason: Any = None
        self.lost: Deferred[Any] = Deferred()

    def doStart(self) -> None:
        self.calls.append("start")

    def doStop(self) -> None:
        self.calls.append("stop")
        # Now, and not before, so that a test sees all calls.
        if self.outcome is not None:
            done, self.outcome = self.outcome[0], None
            done.callback(self.reason)

    def startedConnecting(self, connector: Any) -> None:
        self.calls.append("connecting")

    def buildProtocol(self, addr: Any) -> Any:
        self.calls.append("build")
        return self.made

    def clientConnectionFailed(self, connector: Any, reason: Any) -> None:
        self.calls.append("failed")
        self.outcome, self.reason = [self.failed], reason.value

    def clientConnectionLost(self, connector: Any, reason: Any) -> None:
        self.calls.append("lost")
        self.outcome, self.reason = [self.lost], reason.value


class Peer:
    """The other end: a plain socket, whose operations are Deferreds."""

    def __init__(self, reactor: Any, sock: socket.socket) -> None:
        self.reactor = reactor
        self.sock = sock
        sock.setblocking(False)

    def send(self, data: bytes) -> Deferred[None]:
        return self._do(self.reactor._loop.sock_sendall(self.sock, data))

    def receive(self, count: int) -> Deferred[bytes]:
        """Receive so many bytes, fewer only if the stream ends before."""
        return self._do(self._receive(count))

    async def _receive(self, count: int) -> bytes:
        parts: list[bytes] = []
        while count > 0:
            part = await self.reactor._loop.sock_recv(self.sock, min(count, 1 << 20))
            if not part:
                break
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def end(self) -> None:
        """Send no more."""
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self) -> None:
        self.sock.close()

    def _do(self, work: Coroutine[Any, Any, Any]) -> Deferred[Any]:
        return Deferred.fromFuture(asyncio.ensure_future(work, loop=self.reactor._loop))


class Scene:
    """Makes connections of one kind between a protocol on the reactor and a `Peer`, and tidies up."""

    def __init__(self, reactor: Any, kind: str, folder: Path) -> None:
        self.reactor = reactor
        self.kind = kind
        self.path = str(folder / "s")
        self.ports: list[Any] = []
        self.peers: list[Peer] = []

    def listen(self, factory: Any) -> Any:
        if self.kind == "tcp":
            port = self.reactor.listenTCP(0, factory, interface="127.0.0.1")
        else:
            port = self.reactor.listenUNIX(self.path, factory)
        self.ports.append(port)
        return port

    def peer(self, port: Any) -> Peer:
        """Connect to a port."""
        if self.kind == "tcp":
            sock = socket.create_connection(("127.0.0.1", port.getHost().port))
        else:
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(self.path)
        made = Peer(self.reactor, sock)
        self.peers.append(made)
        return made

    async def connected(self, protocol: Any) -> Peer:
        """Accept a connection for a `Recorder`."""
        if self.kind == "descriptors" and not IFileDescriptorReceiver.providedBy(protocol):
            protocol.__class__ = implementer(IFileDescriptorReceiver)(
                type(type(protocol).__name__, (Takes, type(protocol)), {})
            )
        port = self.listen(OneFactory(protocol))
        peer = self.peer(port)
        await protocol.made
        return peer

    async def recorded(self) -> tuple[Recorder, Peer]:
        """Accept a connection, and return what records it and its peer."""
        protocol = Recorder()
        return protocol, await self.connected(protocol)

    def soon(self, rounds: int = 3) -> Deferred[None]:
        """Wait until the loop has gone round a few times."""
        done: Deferred[None] = Deferred()

        def goRound(left: int) -> None:
            if left:
                self.reactor._loop.call_soon(goRound, left - 1)
            else:
                done.callback(None)

        goRound(rounds)
        return done

    async def close(self) -> None:
        for peer in self.peers:
            peer.close()
        for port in self.ports:
            await (port.stopListening() or self.soon())
        await self.soon(10)


def descriptorsOpen() -> int:
    return len(os.listdir("/proc/self/fd"))


def playedOn(scene: Scene) -> Play:
    """Give what runs a test's coroutine function on a scene, and tidies up."""

    def playing(main: Callable[[Any], Awaitable[Any]]) -> Any:
        async def whole() -> Any:
            try:
                return await main(scene)
            finally:
                await scene.close()

        return run(scene.reactor, whole)

    return playing
