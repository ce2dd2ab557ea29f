"""Relays that are full, by their own measure or for lack of descriptors, on real sockets."""

from __future__ import annotations

import resource
import select
import socket
import time
from contextlib import ExitStack
from typing import Any

import pytest

from tests.cli.running import LOCAL, Relay, Target, received
from twisted_endpoints.relay import RelayFactory, _waiting
from twisted_endpoints.strings import serverFromString

from .bed import Bed, Peers, Play, reset
from .subjects import calling, isTurnedAway, soon
from .test_relay import descriptors, withoutStopping

#: How many descriptors the relays that are to run out of them may have.
LIMIT = 64


def few() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (LIMIT, LIMIT))


def echoes(client: socket.socket, server: socket.socket) -> bool:
    """Tell whether a stream carries bytes, both ways."""
    client.sendall(b"there")
    there = server.recv(10)
    server.sendall(b"back")
    return (there, client.recv(10)) == (b"there", b"back")


def cpu(relay: Relay) -> float:
    """Tell how many seconds of CPU time a relay has used."""
    with open(f"/proc/{relay.process.pid}/schedstat") as file:
        return int(file.read().split()[0]) / 1e9


def test_whoIsOverTheMaximumWaitsInTheKernelsQueue(loop: str, target: Target) -> None:
    with (
        Relay("--max-connections", "1", "--grace", "0", LOCAL, target.string, loop=loop) as relay,
        ExitStack() as opened,
    ):
        clients = [opened.enter_context(relay.connect())]
        with target.accept() as server:
            assert echoes(clients[0], server)
            alone = descriptors(relay)
            for number in range(150):
                client = opened.enter_context(relay.connect())
                client.sendall(b"%d" % number)
                clients.append(client)
            assert descriptors(relay) == alone
            used, since = cpu(relay), time.monotonic()
            time.sleep(0.3)
            assert cpu(relay) - used < 0.2 * (time.monotonic() - since)
            assert echoes(clients[0], server)
            clients[0].close()
        for number, client in enumerate(clients[1:10]):
            with target.accept() as server:
                assert server.recv(10) == b"%d" % number
                server.sendall(b"served")
            assert received(client) == b"served"
            client.close()
        assert relay.stopped()[0] == 0


@pytest.mark.parametrize("options", [["--max-connections", "1"], []], ids=["maximum", "descriptors"])
def test_surplusPeersAreTurnedAway(loop: str, target: Target, options: list[str]) -> None:
    with (
        Relay("--when-full", "drop", *options, LOCAL, target.string, loop=loop, preexec_fn=few) as relay,
        ExitStack() as opened,
    ):
        first = opened.enter_context(relay.connect())
        server = opened.enter_context(target.accept())
        assert echoes(first, server)
        # Those that it takes before it is full.
        held = [opened.enter_context(relay.connect()) for _ in range(0 if options else LIMIT)]
        used, since = cpu(relay), time.monotonic()
        for _ in range(4):
            callers = [opened.enter_context(calling(("127.0.0.1", relay.port))) for _ in range(20)]
            assert all(map(isTurnedAway, callers))
            assert echoes(first, server)
        assert cpu(relay) - used < 0.5
        passed = time.monotonic() - since
        for client in held:
            client.close()
        first.close()
        server.close()
        target.socket.setblocking(False)
        while select.select([target.socket], [], [], 0.1)[0]:
            target.socket.accept()[0].close()
        target.socket.setblocking(True)

        def isServed() -> bool:
            with relay.connect() as client:
                try:
                    client.sendall(b"again")
                    if not target.isAsked(0.2):
                        return False
                    with target.accept() as late:
                        return late.recv(10) == b"again"
                except ConnectionResetError:
                    return False

        assert soon(isServed)
        status, said = relay.stopped()
    lines = withoutStopping(said)
    assert status == 0
    assert 1 <= len(lines) <= 3 + passed
    assert all(("turned away" in line) for line in lines)


@pytest.mark.parametrize("kind", ["tcp"])
@pytest.mark.parametrize(
    "string", ["tcp:0:interface=127.0.0.1", "haproxy:tcp:0:interface=127.0.0.1:trusted=any"]
)
def test_aResetIsNoticedInTheQueue(play: Play, monkeypatch: pytest.MonkeyPatch, string: str) -> None:
    monkeypatch.setattr(_waiting, "INTERVAL", 0.02)

    async def main(bed: Bed) -> None:
        far = Peers()
        relay = RelayFactory(bed.client(await bed.serve(far)), maxConnections=1)
        # Not by the relay: its port isn't paused, and all come in.
        port: Any = await serverFromString(bed.reactor, string).listen(relay)
        callers = [bed.caller(port.getHost().port) for _ in range(4)]
        for number, caller in enumerate(callers):
            caller.sendall(b"PROXY UNKNOWN\r\n" * string.startswith("haproxy") + b"%d" % number)
        await bed.until(lambda: relay.waiting == 3 and far.all)
        reset(callers[1])
        await bed.until(lambda: relay.waiting == 2)
        callers[2].shutdown(socket.SHUT_WR)
        callers[0].close()
        await bed.until(lambda: len(far.all) > 1 and far.all[1].received == b"2")
        callers[2].close()
        callers[3].close()
        await relay.whenIdle()
        assert [each.received for each in far.all] == [b"0", b"2", b"3"]
        await port.stopListening()

    play(main)
