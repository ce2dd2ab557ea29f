"""The relay when much goes wrong at once: as a process, between sockets of the test's own."""

from __future__ import annotations

import gc
import os
import resource
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.asyncioreactor.logged import loggedErrors
from tests.cli.running import LOCAL, PATIENCE, Relay, Target
from twisted_endpoints.error import ConnectionDone
from twisted_endpoints.relay import RelayFactory

from .bed import Bed, Peers, Play, reset
from .left import aWhile
from .test_thousand import garbage

CROWD = 5000


@pytest.fixture
def manyDescriptors() -> Iterator[None]:
    """Have room for both ends of a crowd, in this process and in its children."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * CROWD + 200
    if before[1] < wanted:
        pytest.skip(f"here a process may have {before[1]} descriptors, of {wanted} needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before[0], wanted), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def descriptors(relay: Relay) -> int:
    return len(os.listdir(f"/proc/{relay.process.pid}/fd"))


def until(relay: Relay, true: Callable[[], bool]) -> None:
    """Wait until something is true of a relay."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, (descriptors(relay), relay.memory("VmRSS"))
        time.sleep(0.05)


def crowd(relay: Relay, target: Target, size: int, opened: ExitStack) -> list[tuple[Any, Any]]:
    """Open connections through a relay; return both ends of each."""
    pairs = []
    for begin in range(0, size, 500):
        clients = []
        for number in range(begin, min(begin + 500, size)):
            client = opened.enter_context(relay.connect())
            client.sendall(number.to_bytes(2, "big"))
            clients.append(client)
        for _ in clients:
            server = opened.enter_context(target.accept())
            # They needn't come in their order.
            pairs.append((clients[int.from_bytes(server.recv(2), "big") - begin], server))
    return pairs


def comeAndGo(relay: Relay, target: Target, size: int) -> int:
    """Have a crowd come and go; return the relay's memory while it was there."""
    held = descriptors(relay)
    with ExitStack() as opened:
        pairs = crowd(relay, target, size, opened)
        # While many wait, uvloop has more copies of the listening socket.
        until(relay, lambda: descriptors(relay) == held + 2 * size)
        most = relay.memory("VmRSS")
        for number, (_, server) in enumerate(pairs):
            server.sendall(b"%d" % number)
            server.close()
        for number, (client, _) in enumerate(pairs):
            assert client.recv(10) == b"%d" % number
            client.close()
    return most


def test_aCrowdComesAndGoes(target: Target, manyDescriptors: None) -> None:
    target.socket.listen(1024)
    with Relay(LOCAL, target.string) as relay:
        with relay.connect() as client, target.accept() as server:
            client.sendall(b"warm")
            assert server.recv(4) == b"warm"
            held = descriptors(relay) - 2
        until(relay, lambda: descriptors(relay) == held)
        memory = relay.memory("VmRSS")
        first = comeAndGo(relay, target, CROWD)

        def isGone() -> bool:
            # The allocator can't give everything back: of a page, nothing while there is an object in it.
            return descriptors(relay) == held and relay.memory("VmRSS") - memory < (first - memory) * 0.3

        until(relay, isGone)
        # There is room for the second in what the first has left.
        assert comeAndGo(relay, target, CROWD) < first * 1.1
        until(relay, isGone)
        assert relay.stopped() == (0, "")


def withoutStopping(said: str) -> list[str]:
    """Give the lines of a relay but for the one that it may end with: that there were streams open."""
    return [line for line in said.splitlines() if not line.startswith("stopping: ")]


def test_aThousandResetsAreNoNews(target: Target) -> None:
    target.socket.listen(1024)
    with Relay(LOCAL, target.string) as relay, ExitStack() as opened:
        for number, (client, server) in enumerate(crowd(relay, target, 1000, opened)):
            reset(client if number % 2 else server)
            with pytest.raises(ConnectionResetError):
                (server if number % 2 else client).recv(10)
        for _ in range(1000):
            sock = opened.enter_context(socket.socket())
            sock.connect(("127.0.0.1", relay.port))
            reset(sock)
        status, said = relay.stopped()
    assert (status, withoutStopping(said)) == (0, [])


def test_aTargetThatIsDownIsALineASecond() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with Relay(LOCAL, f"tcp:127.0.0.1:{unused.getsockname()[1]}") as relay:
            begun = time.monotonic()
            for _ in range(1000):
                with socket.socket() as sock:
                    sock.connect(("127.0.0.1", relay.port))
            status, said = relay.stopped()
        told = withoutStopping(said)
        assert status == 0
        assert 1 <= len(told) <= 2 + (time.monotonic() - begun)
        assert [line for line in told if ": cannot connect to tcp:127.0.0.1:" not in line] == []


EVIL = "\n[1] forged\x1b[31m\r%s{x}"


def evilCaller(folder: Path, path: str) -> socket.socket:
    """Connect to a UNIX socket from one whose name is to do harm in a log."""
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(str(folder / EVIL))
    sock.connect(path)
    return sock


def test_aPeersNameDoesNoHarmInWhatTheCommandSays(tmp_path: Path) -> None:
    with Relay("-v", f"unix:{tmp_path}/s", f"unix:{tmp_path}/nobody") as relay:
        with evilCaller(tmp_path, f"{tmp_path}/s"):
            line = relay.says()
        assert "forged" in line
        assert line.isprintable()
        assert relay.stopped() == (0, "")


@pytest.mark.parametrize("kind", ["unix"])
def test_aPeersNameDoesNoHarmInALog(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[str] = []
    monkeypatch.setattr("twisted_endpoints.relay._factory.log.warning", logged.append)

    async def main(bed: Bed) -> None:
        relay = RelayFactory(bed.client(bed.address()))
        with evilCaller(bed.folder, await bed.serve(relay)):
            await bed.until(lambda: logged)
            await relay.whenIdle()

    play(main)
    [text] = logged
    assert "forged" in text
    assert text.isprintable()


def objects() -> Counter[str]:
    """Count the objects that there are of what connections are made of, by type."""
    gc.collect()
    names = (f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.get_objects())
    return Counter(name for name in names if name.startswith(("twisted", "asyncio", "_asyncio", "uvloop")))


@pytest.mark.parametrize("end", ["clean", "reset", "the far end", "nobody there"])
def test_streamsLeaveNothing(play: Play, end: str) -> None:
    async def main(bed: Bed) -> None:
        far = Peers()
        if end == "nobody there":
            sock, address = bed.listening()
            sock.close()
        else:
            address = await bed.serve(far)
        factory = RelayFactory(bed.client(address))
        factory.observer.failed = lambda stream: None  # type: ignore[method-assign]
        port = bed.reactor.listenTCP(0, factory, interface="127.0.0.1")
        near = port.getHost().port

        async def streams() -> None:
            callers, before = [], factory.accepted
            for _ in range(8):
                caller = socket.create_connection(("127.0.0.1", near))
                caller.setblocking(False)
                caller.send(b"a question")
                callers.append(caller)
            await bed.until(lambda: factory.accepted == before + 8)
            if end != "nobody there":
                await bed.until(lambda: len(far.all) == 8 and all(each.received for each in far.all))
            for each in far.all:
                if end == "the far end":
                    each.transport.loseConnection()
            for caller in callers:
                if end == "reset":
                    reset(caller)
                elif end == "the far end":
                    assert await bed.receive(caller) == b""
                if end != "nobody there":
                    caller.close()
            await factory.whenIdle()
            await bed.until(lambda: all(each.lost for each in far.all))
            for caller in callers:
                caller.close()
            if end == "reset" and bed.kind != "unix":
                assert not any(each.reason is ConnectionDone for each in far.all)
            far.all.clear()
            await aWhile(bed.reactor, 0.02)

        found = await garbage(streams)
        assert [name for name in found if name.startswith("twisted")] == []
        before = objects()
        await streams()
        # The loop may have to go round once more, as it may have had to before.
        await bed.until(lambda: objects() <= before)
        await port.stopListening()

    with loggedErrors() as logged:
        play(main)
    assert logged == []
