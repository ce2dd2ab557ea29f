"""Connections and ports that can't be."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from twisted_endpoints import error
from twisted_endpoints.asyncioreactor.resolver import NameResolver
from twisted_endpoints.endpoints import HostnameEndpoint, TCP4ClientEndpoint

from .bed import Bed, Peers, Play, anybody
from .left import Held, nothingIsLeft


def test_refused(play: Play) -> None:
    async def main(bed: Bed) -> None:
        if bed.kind == "unix":
            # The file of a server that is no more.
            sock, address = bed.listening()
            sock.close()
        else:
            address = bed.address()
        with pytest.raises(error.ConnectionRefusedError):
            await bed.client(address).connect(Peers())

    play(main)


#: Listens at an address that it is told, or tells it; accepts one connection after the other.
SERVER = """
import socket, sys
path = sys.argv[1]
sock = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
sock.bind(path or ("127.0.0.1", 0))
sock.listen()
print(path or sock.getsockname()[1], flush=True)
kept = []
while True:
    kept.append(sock.accept())
"""


@pytest.mark.parametrize("removed", [False, True])
def test_theServerIsKilled(play: Play, removed: bool, tmp_path: Path) -> None:
    path = tmp_path / "killed"

    async def main(bed: Bed) -> None:
        if removed and bed.kind != "unix":
            pytest.skip("only a UNIX socket has a file")
        where = str(path) if bed.kind == "unix" else ""
        with subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", SERVER, where], stdout=subprocess.PIPE, text=True
        ) as server:
            try:
                assert server.stdout is not None
                told = server.stdout.readline().strip()
                endpoint = bed.client(told if bed.kind == "unix" else int(told))
                first, second = [await endpoint.connect(Peers()) for _ in range(2)]
            finally:
                server.kill()
        await first.ended
        await second.ended
        if removed:
            path.unlink()
        # What is left of a UNIX socket without its file is ENOENT, for which there is no class of its own.
        with pytest.raises(error.ConnectError if removed else error.ConnectionRefusedError):
            await endpoint.connect(Peers())

    play(main)


def test_anAddressInUse(play: Play) -> None:
    async def main(bed: Bed) -> None:
        sock, address = bed.listening()
        for _ in range(3):
            with pytest.raises(error.CannotListenError):
                await bed.server(address).listen(Peers())
        sock.close()
        if bed.kind == "unix":
            os.unlink(address)
        # Nothing of the refusals stands in the way.
        port = await bed.server(address).listen(Peers())
        await port.stopListening()

    play(main)


def test_permissionDenied(play: Play) -> None:
    async def main(bed: Bed) -> None:
        if bed.kind == "unix":
            private = bed.folder / "private"
            private.mkdir()
            bed.folder = private
            _, there = bed.listening()
            private.chmod(0)
            with anybody(), pytest.raises(error.ConnectError) as refused:
                await bed.client(there).connect(Peers())
            assert refused.value.osError == 13
            address: Any = str(private / "new")
        else:
            address = 1
            with open("/proc/sys/net/ipv4/ip_unprivileged_port_start") as file:
                if int(file.read()) <= 1:
                    pytest.skip("here everybody may listen on every port")
        with anybody(), pytest.raises(error.CannotListenError) as denied:
            await bed.server(address).listen(Peers())
        assert denied.value.socketError.errno == 13
        if bed.kind == "unix":
            private.chmod(0o700)

    play(main)


# Arguments that can't be: connect() and listen() answer, and nothing is left


@pytest.mark.parametrize("timeout", [-1, float("nan"), "5", (), []])
def test_aTimeoutThatIsNone(play: Play, timeout: Any) -> None:
    async def main(bed: Bed) -> None:
        connecting = bed.client(await bed.serve(Peers()), timeout=timeout).connect(Peers())
        with pytest.raises((ValueError, TypeError)):
            await connecting

    play(main)


@pytest.mark.parametrize("kind", ["tcp"])
@pytest.mark.parametrize("local", ["127.0.0.1", ("127.0.0.1", "0"), ("a\0b", 0), ("127.0.0.1",), 5])
def test_aLocalAddressThatIsNone(play: Play, local: Any) -> None:
    async def main(bed: Bed) -> None:
        address = await bed.serve(Peers())
        before = Held.by(bed.reactor)
        endpoint = TCP4ClientEndpoint(bed.reactor, "127.0.0.1", address, bindAddress=local)
        failed: list[Any] = []
        endpoint.connect(Peers()).addErrback(failed.append)
        await bed.until(lambda: failed)
        # While somebody still has the failure, whose traceback has the frames.
        await nothingIsLeft(bed.reactor, before)

    play(main)


@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_aFactoryThatCanNotBeNamed(play: Play) -> None:
    class Nameless(Peers):
        def logPrefix(self) -> str:
            raise ZeroDivisionError

    async def main(bed: Bed) -> None:
        address = str(bed.folder / "nameless") if bed.kind == "unix" else 0
        with pytest.raises(ZeroDivisionError):
            await bed.server(address).listen(Nameless())

    play(main)


@pytest.mark.parametrize("kind", ["hostname"])
@pytest.mark.parametrize("deadline", [-0.1, 0])
def test_aDeadlineThatHasPassed(play: Play, deadline: float) -> None:
    async def main(bed: Bed) -> None:
        with pytest.raises(error.TimeoutError, match="no connection to localhost"):
            await bed.client(bed.deaf(), deadline=deadline).connect(Peers())

    play(main)


@pytest.mark.parametrize("kind", ["hostname"])
@pytest.mark.parametrize("option", ["deadline", "attemptDelay"])
def test_aTimeThatIsNone(play: Play, option: str) -> None:
    async def main(bed: Bed) -> None:
        options: dict[str, Any] = {option: "soon", "resolver": NameResolver(bed.reactor, two)}
        connecting = HostnameEndpoint(bed.reactor, "two.invalid", bed.deaf(), **options).connect(Peers())
        with pytest.raises(TypeError):
            await connecting

    def two(*args: Any) -> Any:
        return [(socket.AF_INET, 0, 0, "", (host, 0)) for host in ("127.0.0.1", "127.0.0.2")]

    play(main)


# Cancelling


@pytest.mark.parametrize("kind", ["hostname"])
@pytest.mark.parametrize("rounds", [0, 1, 5])
def test_cancelDuringResolution(play: Play, rounds: int) -> None:
    asked, answer = threading.Event(), threading.Event()

    def slow(*args: Any) -> Any:
        asked.set()
        answer.wait(10)
        return []

    async def main(bed: Bed) -> None:
        resolver = NameResolver(bed.reactor, slow)
        connecting = HostnameEndpoint(bed.reactor, "name.invalid", 80, resolver=resolver).connect(Peers())
        await bed.rounds(rounds)
        if rounds == 5:
            await bed.until(asked.is_set)
        connecting.cancel()
        with pytest.raises(error.ConnectingCancelledError):
            await connecting
        # The system's own look-up can't be interrupted; its answer does nothing more.
        answer.set()
        await bed.rounds(5)

    play(main)


def test_cancelDuringConnect(play: Play) -> None:
    async def main(bed: Bed) -> None:
        endpoint = bed.client(bed.deaf())
        for rounds in (0, 1, 2, 20):
            factory = Peers()
            connecting = endpoint.connect(factory)
            await bed.rounds(rounds)
            connecting.cancel()
            with pytest.raises(error.ConnectingCancelledError):
                await connecting
            assert factory.all == []

    play(main)


def test_timeout(play: Play) -> None:
    async def main(bed: Bed) -> None:
        with pytest.raises(error.TimeoutError):
            await bed.client(bed.deaf(), timeout=0.02).connect(Peers())

    play(main)


def test_cancelInEveryRoundOfAConnect(play: Play) -> None:
    async def main(bed: Bed) -> None:
        server = Peers()
        address = await bed.serve(server)
        outcomes = []
        for rounds in range(16):
            factory = Peers()
            connecting = bed.client(address).connect(factory)
            await bed.rounds(rounds)
            connecting.cancel()
            try:
                protocol = await connecting
            except error.ConnectingCancelledError:
                # Either it was never made, or it hears of its end.
                assert [peer.made for peer in factory.all] == [peer.lost for peer in factory.all]
                outcomes.append("cancelled")
            else:
                assert factory.all == [protocol]
                assert (protocol.made, protocol.lost) == (1, 0)
                protocol.transport.loseConnection()
                await protocol.ended
                outcomes.append("connected")
        assert outcomes[0] == "cancelled"
        await bed.until(lambda: all(peer.lost for peer in server.all))

    play(main)


@pytest.mark.parametrize("where", ["buildProtocol", "connectionMade"])
def test_cancelWhileItSucceeds(play: Play, where: str) -> None:
    class Cancels(Peers):
        def buildProtocol(self, addr: Any) -> Any:
            protocol = super().buildProtocol(addr)
            if where == "buildProtocol":
                attempts[0].cancel()
            else:
                protocol.connectionMade = attempts[0].cancel
            return protocol

    attempts: list[Any] = []

    async def main(bed: Bed) -> None:
        server, factory = Peers(), Cancels()
        attempts.append(bed.client(await bed.serve(server)).connect(factory))
        with pytest.raises(error.ConnectingCancelledError):
            await attempts[0]
        if where == "connectionMade":
            # Who has heard of its begin hears of its end.
            await factory.all[0].ended
        await bed.until(lambda: all(peer.lost for peer in server.all))

    play(main)


@pytest.mark.parametrize("rounds", [0, 1])
def test_aCancelJustAfterSuccessIsTooLate(play: Play, rounds: int) -> None:
    async def main(bed: Bed) -> None:
        server = Peers()
        connecting = bed.client(await bed.serve(server)).connect(Peers())
        connected: list[Any] = []

        def cancel(protocol: Any) -> None:
            connected.append(protocol)
            if not rounds:
                connecting.cancel()

        await connecting.addCallback(cancel)
        await bed.rounds(rounds)
        connecting.cancel()
        connected[0].transport.write(b"still there")
        await bed.until(lambda: server.all and server.all[0].received == b"still there")
        connected[0].transport.loseConnection()
        await connected[0].ended
        await server.all[0].ended

    play(main)
