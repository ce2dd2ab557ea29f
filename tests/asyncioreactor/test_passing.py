"""Descriptors that a peer sends: asked for or not, in floods, and where this process can't have more."""

from __future__ import annotations

import array
import contextlib
import errno
import gc
import os
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from zope.interface import implementer

from twisted_endpoints.asyncioreactor import AsyncioReactor
from twisted_endpoints.error import ConnectionDone, ConnectionLost
from twisted_endpoints.interfaces import IFileDescriptorReceiver

from .limits import descriptorsLeft
from .logged import loggedErrors
from .streams import OneClientFactory, OneFactory, Peer, Play, Recorder, Scene, descriptorsOpen

#: The most that Linux puts into one message.
MOST = 253


@pytest.fixture
def kind() -> str:
    return "unix"


@implementer(IFileDescriptorReceiver)
class Counts(Recorder):
    """Closes what it gets."""

    count = 0

    def fileDescriptorReceived(self, descriptor: int) -> None:
        self.count += 1
        os.close(descriptor)


@implementer(IFileDescriptorReceiver)
class Keeps(Recorder):
    """Keeps what it gets until it is told to close it."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[int] = []

    def fileDescriptorReceived(self, descriptor: int) -> None:
        self.kept.append(descriptor)

    def closeAll(self) -> None:
        while self.kept:
            os.close(self.kept.pop())


def message(data: bytes, count: int) -> tuple[list[bytes], list[Any]]:
    """Bytes with so many descriptors, as sendmsg wants them."""
    return [data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0] * count))]


async def flood(scene: Scene, peer: Peer, messages: int, count: int) -> None:
    """Send messages of one byte, each with so many descriptors, as fast as they are read."""
    while messages:
        try:
            peer.sock.sendmsg(*message(b"x", count))
            messages -= 1
        except BlockingIOError:
            await scene.soon()


@contextlib.contextmanager
def nothingLeft() -> Iterator[None]:
    """See that no descriptor and no garbage of ours is left."""
    gc.collect()
    before = descriptorsOpen()
    # What earlier tests have left is not looked at.
    gc.freeze()
    gc.disable()
    try:
        yield
        assert descriptorsOpen() == before
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        package = AsyncioReactor.__module__.rpartition(".")[0]
        ours = [each for each in gc.garbage if type(each).__module__.startswith(package)]
        assert ours == []
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.unfreeze()
        gc.enable()


@pytest.mark.parametrize("protocol", [Recorder, Counts])
def test_aFloodOfDescriptorsLeavesNone(play: Play, protocol: Callable[[], Any]) -> None:
    async def main(scene: Scene) -> None:
        server = protocol()
        peer = await scene.connected(server)
        await scene.soon(5)
        before = descriptorsOpen()
        await flood(scene, peer, 200, MOST)
        await server.size(200)
        assert descriptorsOpen() == before
        assert getattr(server, "count", 200 * MOST) == 200 * MOST
        assert server.received == b"x" * 200
        peer.close()
        assert await server.lost is ConnectionDone

    play(main)


def test_theMessagesOfAnAdoptedSocketMayBringMore(play: Play) -> None:
    async def main(scene: Scene) -> None:
        server = Counts()
        ours, theirs = socket.socketpair()
        # Credentials come with each message, before the descriptors.
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        scene.reactor.adoptStreamConnection(ours.fileno(), socket.AF_UNIX, OneFactory(server))
        ours.close()
        await server.made
        peer = Peer(scene.reactor, theirs)
        scene.peers.append(peer)
        await flood(scene, peer, 1, MOST)
        await server.size(1)
        assert server.count == MOST

    play(main)


def test_whoseDescriptorsDoNotFitAnyMoreIsCutAndNobodyElse(play: Play) -> None:
    async def main(scene: Scene) -> None:
        server, other = Keeps(), Keeps()
        peer = await scene.connected(server)
        scene.ports[0].factory.made = other
        second = scene.peer(scene.ports[0])
        await other.made
        await scene.soon(5)
        before = descriptorsOpen()
        with loggedErrors() as logged, descriptorsLeft(100):
            await flood(scene, peer, 3, 30)
            await server.size(3)
            assert len(server.kept) == 90
            await flood(scene, peer, 1, 30)
            assert await server.lost is ConnectionLost
            assert "descriptors that the peer has sent were lost" in str(server.reason.value)
            # Those of the message that didn't fit are closed, and it wasn't told of it.
            assert len(server.kept) == 90
            assert server.received == b"xxx"
            await second.send(b"hello")
            await other.size(5)
            server.closeAll()
            await flood(scene, second, 1, 30)
            await other.size(6)
            assert len(other.kept) == 30
            other.closeAll()
        assert logged == []
        await scene.soon(5)
        assert descriptorsOpen() == before - 1

    play(main)


@pytest.mark.parametrize("free", [0, 5])
def test_whoseDescriptorsNobodyWantsIsNotCut(play: Play, free: int) -> None:
    async def main(scene: Scene) -> None:
        server, second = Counts(), Recorder()
        peer = await scene.connected(server)
        stream: Any = server.transport
        # From now on it is read with room for descriptors, and nobody takes them.
        stream.protocol = second
        second.transport = stream
        await scene.soon(5)
        with descriptorsLeft(free):
            await flood(scene, peer, 10, 30)
            await second.size(10)
        assert server.count == 0
        peer.close()
        assert await second.lost is ConnectionDone

    play(main)


def test_descriptorsThatNobodyTakesAreLoggedOnce(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    from twisted_endpoints.asyncioreactor import passing

    logged: list[str] = []
    monkeypatch.setattr(passing._log, "info", logged.append)

    async def main(scene: Scene) -> None:
        server, second = Counts(), Recorder()
        peer = await scene.connected(server)
        server.transport.protocol = second  # type: ignore[union-attr]
        second.transport = server.transport
        await flood(scene, peer, 50, 3)
        await second.size(50)

    play(main)
    assert len(logged) == 1
    assert "gets descriptors that nobody takes" in logged[0]


def test_aReceiverThatHasNoDescriptorToWorkWithIsToldWhy(play: Play) -> None:
    class NoneLeft(OneFactory):
        def buildProtocol(self, addr: Any) -> Any:
            limited.enter_context(descriptorsLeft(0))
            return self.made

    async def main(scene: Scene) -> None:
        server = Counts()
        peer = scene.peer(scene.listen(NoneLeft(server)))
        with limited:
            assert await server.lost is ConnectionLost
        assert server.events == ["made", "lost"]
        assert os.strerror(errno.EMFILE) in str(server.reason.value)
        assert await peer.receive(1) == b""

    limited = contextlib.ExitStack()
    play(main)


@pytest.mark.parametrize("before", [b"", b"x" * 1_000_000])
def test_aSenderThatHasNoDescriptorToWorkWithIsToldWhy(play: Play, before: bytes) -> None:
    async def main(scene: Scene) -> None:
        server, client = Counts(), Recorder()
        scene.listen(OneFactory(server))
        scene.reactor.connectUNIX(scene.path, OneClientFactory(client))
        await client.made
        await server.made
        await scene.soon(5)
        stream: Any = client.transport
        with descriptorsLeft(0):
            stream.write(before)
            stream.sendFileDescriptor(0)
            stream.write(b"x")
            assert await client.lost is ConnectionLost
        assert os.strerror(errno.EMFILE) in str(client.reason.value)
        assert await server.lost is ConnectionDone
        assert server.count == 0

    play(main)


@pytest.mark.parametrize("end", ["lose", "abort", "peer", "while it hands over"])
def test_nothingIsLeftOfAConnectionThatPassedDescriptors(play: Play, end: str) -> None:
    async def main(scene: Scene) -> None:
        port = scene.listen(OneFactory(None))

        async def one() -> None:
            server, client = Counts(), Recorder()
            port.factory.made = server
            scene.reactor.connectUNIX(scene.path, OneClientFactory(client))
            await client.made
            await server.made
            stream: Any = client.transport
            if end == "while it hands over":
                server.transport.pauseProducing()  # type: ignore[union-attr]
                stream.write(b"x" * 1_000_000)
            stream.sendFileDescriptor(0)
            stream.write(b"x")
            if end == "peer":
                await server.size(1)
                server.transport.loseConnection()  # type: ignore[union-attr]
            elif end == "lose":
                stream.loseConnection()
            else:
                stream.abortConnection()
            if end == "while it hands over":
                server.transport.resumeProducing()  # type: ignore[union-attr]
            await client.lost
            await server.lost
            # What a program still asks then.
            stream.write(b"late")
            stream.sendFileDescriptor(0)
            stream.loseConnection()
            stream.abortConnection()
            assert str(stream.getPeer().name, "utf-8") == scene.path
            for each in (server, client):
                each.transport = None
            port.factory.made = None

        await one()
        await scene.soon(5)
        with nothingLeft():
            for _ in range(3):
                await one()
            await scene.soon(5)

    play(main)
