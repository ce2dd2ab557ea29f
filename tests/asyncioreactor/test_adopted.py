"""Sockets that somebody else opened."""

from __future__ import annotations

import fcntl
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from zope.interface.verify import verifyObject

from tests.running import run
from twisted_endpoints.address import IPv4Address, UNIXAddress
from twisted_endpoints.error import (
    CannotListenError,
    ConnectionDone,
    UnsupportedAddressFamily,
    UnsupportedSocketType,
)
from twisted_endpoints.interfaces import IListeningPort, IReactorSocket

from .logged import loggedErrors
from .streams import OneFactory, Peer, Play, Recorder, Scene, descriptorsOpen


@pytest.fixture(params=["tcp", "unix"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def given(kind: str, tmp_path: Path) -> Iterator[socket.socket]:
    """A socket that listens; it is blocking, as systemd's are."""
    if kind == "tcp":
        made = socket.create_server(("127.0.0.1", 0))
    else:
        made = socket.socket(socket.AF_UNIX)
        made.bind(str(tmp_path / "s"))
        os.chmod(tmp_path / "s", 0o600)
        made.listen()
    with made:
        yield made


def isBlocking(descriptor: int) -> bool:
    return not fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_NONBLOCK


def test_aPortIsAdopted(play: Play, given: socket.socket, kind: str) -> None:
    async def main(scene: Scene) -> None:
        protocol = Recorder()
        verifyObject(IReactorSocket, scene.reactor)
        port = scene.reactor.adoptStreamPort(given.fileno(), given.family, OneFactory(protocol))
        verifyObject(IListeningPort, port)
        name = given.getsockname()
        assert port.getHost() == (IPv4Address("TCP", *name) if kind == "tcp" else UNIXAddress(name))
        # The port works on a copy.
        given.close()
        scene.ports.append(port)
        peer = scene.peer(port)
        await peer.send(b"x")
        await protocol.size(1)

    play(main)


def test_anAdoptedPortListensOnce(play: Play, given: socket.socket) -> None:
    async def main(scene: Scene) -> None:
        port = scene.reactor.adoptStreamPort(given.fileno(), given.family, OneFactory(None))
        await port.stopListening()
        with pytest.raises(CannotListenError, match="listens only once"):
            port.startListening()

    play(main)


def test_theFileOfAnAdoptedPortIsItsMakers(
    play: Play, given: socket.socket, kind: str, tmp_path: Path
) -> None:
    if kind != "unix":
        pytest.skip("it has no file")

    async def main(scene: Scene) -> None:
        port = scene.reactor.adoptStreamPort(given.fileno(), given.family, OneFactory(None))
        assert stat.S_IMODE(os.stat(tmp_path / "s").st_mode) == 0o600
        await scene.soon()
        await port.stopListening()
        await scene.soon()
        assert stat.S_IMODE(os.stat(tmp_path / "s").st_mode) == 0o600
        # The maker's copy still listens.
        scene.peer(port)

    play(main)


@pytest.mark.parametrize("method", ["adoptStreamPort", "adoptStreamConnection"])
def test_whatIsNoStreamOfThatFamilyIsRefused(reactor: Any, given: socket.socket, method: str) -> None:
    adopt = getattr(reactor, method)
    before = descriptorsOpen()
    for family in {socket.AF_INET, socket.AF_INET6, socket.AF_UNIX} - {given.family}:
        with pytest.raises(
            UnsupportedAddressFamily, match=f"descriptor {given.fileno()} is of .*{given.family.name}"
        ):
            adopt(given.fileno(), family, OneFactory(None))
    with pytest.raises(UnsupportedAddressFamily):
        adopt(given.fileno(), socket.AF_NETLINK, OneFactory(None))
    with (
        socket.socket(given.family, socket.SOCK_DGRAM) as datagrams,
        pytest.raises(UnsupportedSocketType, match="SOCK_DGRAM"),
    ):
        adopt(datagrams.fileno(), given.family, OneFactory(None))
    with open(os.devnull) as file, pytest.raises(OSError, match="operation on non-socket"):
        adopt(file.fileno(), given.family, OneFactory(None))
    with pytest.raises(OSError, match="Bad file descriptor"):
        adopt(9999, given.family, OneFactory(None))
    assert isBlocking(given.fileno())
    assert descriptorsOpen() == before


def test_aSocketThatDoesNotListenIsRefused(reactor: Any, kind: str) -> None:
    family = socket.AF_INET if kind == "tcp" else socket.AF_UNIX
    before = descriptorsOpen()
    with socket.socket(family) as idle:
        with pytest.raises(
            CannotListenError, match=f"descriptor {idle.fileno()} is a socket that doesn't listen"
        ):
            reactor.adoptStreamPort(idle.fileno(), family, OneFactory(None))
        assert isBlocking(idle.fileno())
    assert descriptorsOpen() == before


def test_aPortThatCannotStartLeavesTheSocketAsItWas(reactor: Any, given: socket.socket) -> None:
    class Fails(OneFactory):
        def doStart(self) -> None:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        reactor.adoptStreamPort(given.fileno(), given.family, Fails(None))
    assert isBlocking(given.fileno())


def test_aSocketThatIsNotConnectedIsRefused(reactor: Any, given: socket.socket) -> None:
    before = descriptorsOpen()
    with pytest.raises(OSError, match="not connected"):
        reactor.adoptStreamConnection(given.fileno(), given.family, OneFactory(None))
    assert isBlocking(given.fileno())
    assert descriptorsOpen() == before


def pair(kind: str) -> tuple[socket.socket, socket.socket]:
    if kind == "unix":
        return socket.socketpair()
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        return server.accept()[0], client


def test_aConnectionIsAdopted(play: Play, kind: str) -> None:
    async def main(scene: Scene) -> None:
        protocol = Recorder()
        ours, theirs = pair(kind)
        peer = Peer(scene.reactor, theirs)
        scene.peers.append(peer)
        stream = scene.reactor.adoptStreamConnection(ours.fileno(), ours.family, OneFactory(protocol))
        await protocol.made
        ours.close()
        assert protocol.transport is stream
        assert "adopted" in repr(stream)
        assert stream.logPrefix().startswith("Recorder,0,")
        stream.write(b"hello")
        assert await peer.receive(5) == b"hello"
        peer.close()
        assert await protocol.lost is ConnectionDone

    play(main)


@pytest.mark.parametrize("problem", ["none", "raises"])
def test_aFactoryWithoutAProtocolForIt(play: Play, kind: str, problem: str) -> None:
    class Refuses(OneFactory):
        def buildProtocol(self, addr: Any) -> Any:
            if problem == "raises":
                raise ZeroDivisionError

    async def main(scene: Scene) -> None:
        ours, theirs = pair(kind)
        peer = Peer(scene.reactor, theirs)
        scene.peers.append(peer)
        with loggedErrors() as logged:
            scene.reactor.adoptStreamConnection(ours.fileno(), ours.family, Refuses(None))
            ours.close()
            assert await peer.receive(1) == b""
        assert logged == ([ZeroDivisionError] if problem == "raises" else [])

    play(main)


def test_stoppingTheReactorClosesWhatIsJustAdopted(reactor: Any, kind: str) -> None:
    ours, theirs = pair(kind)

    async def main() -> None:
        reactor.adoptStreamConnection(ours.fileno(), ours.family, OneFactory(Recorder()))
        ours.close()

    run(reactor, main)
    assert theirs.recv(1) == b""
    theirs.close()
