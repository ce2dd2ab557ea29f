"""A thousand attempts of each outcome leave nothing, and no circles for the garbage collector (G10, G11)."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections import Counter
from typing import Any

import pytest

from tests.asyncioreactor.logged import loggedErrors
from twisted_endpoints import error
from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.defer import ensureDeferred
from twisted_endpoints.endpoints import connectProtocol

from .bed import Bed, Peer, Peers, Play
from .left import aWhile

#: How many attempts, and how many of them at a time.
ATTEMPTS, BATCH = 1000, 100

#: What an attempt ends with, by outcome.
ERRORS: dict[str, type[Exception]] = {
    "refused": error.ConnectionRefusedError,
    "timeout": error.TimeoutError,
    "cancelled": error.ConnectingCancelledError,
}

OUTCOMES = ("ok", *ERRORS)


async def endpointFor(bed: Bed, outcome: str) -> Any:
    """Make an endpoint whose attempts end like this."""
    if outcome == "ok":
        return bed.client(await bed.serve(Peers()))
    if outcome == "refused":
        sock, address = bed.listening()
        sock.close()
        return bed.client(address)
    return bed.client(bed.deaf(), timeout=0.01 if outcome == "timeout" else 30)


async def attempt(bed: Bed, endpoint: Any, outcome: str, count: int) -> None:
    """Make some attempts at once, wait for their ends, and close what came of them."""
    factory = Peers()
    attempts = [endpoint.connect(factory) for _ in range(count)]
    for number, connecting in enumerate(attempts):
        if outcome == "cancelled":
            if number % (count // 4) == 0:
                await bed.rounds(number % 5)
            connecting.cancel()
        # Not with pytest.raises: a traceback and what is caught are a circle of the test's own.
        assert await connecting.addCallbacks(type, lambda reason: reason.type) is ERRORS.get(outcome, Peer)
    for peer in factory.all:
        peer.transport.loseConnection()
    for peer in factory.all:
        await peer.ended
    # Each knows its transport, that its connector, and that the factory: which must not know them.
    factory.all.clear()


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_aThousandLeaveNothing(play: Play, outcome: str) -> None:
    async def main(bed: Bed) -> None:
        endpoint = await endpointFor(bed, outcome)
        for _ in range(ATTEMPTS // BATCH):
            await attempt(bed, endpoint, outcome, BATCH)

    play(main)


class Bare(asyncio.Protocol):
    """A protocol that knows nothing of this package, and ends as our streams do."""

    transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def eof_received(self) -> bool:
        self.transport.abort()
        return True

    def connection_lost(self, exc: BaseException | None) -> None:
        self.transport = None


async def bareConnections(bed: Bed, count: int) -> None:
    """Do with the loop alone what `attempt` does with endpoints."""
    loop = bed.reactor._loop
    sock, address = bed.listening()
    server = await bed._asDeferred(loop.create_server(Bare, sock=sock.dup()))
    for _ in range(count):
        caller = socket.socket(bed.family)
        caller.connect(address if bed.kind == "unix" else ("127.0.0.1", address))
        transport, _ = await bed._asDeferred(loop.create_connection(Bare, sock=caller))
        transport.close()
    del transport
    server.close()
    await aWhile(bed.reactor, 0.02)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_noGarbageOfOurs(play: Play, outcome: str) -> None:
    async def main(bed: Bed) -> None:
        endpoint = await endpointFor(bed, outcome)

        async def ours() -> None:
            await attempt(bed, endpoint, outcome, 8)
            await aWhile(bed.reactor, 0.02)

        await noGarbage(bed, ours, connects=outcome == "ok")

    play(main)


def test_noGarbageOfWhatIsCancelledInAnyRound(play: Play) -> None:
    async def main(bed: Bed) -> None:
        served = Peers()
        endpoint = bed.client(await bed.serve(served))

        async def ours() -> None:
            factory = Peers()
            for rounds in range(8):
                connecting = endpoint.connect(factory)
                await bed.rounds(rounds)
                connecting.cancel()
                await connecting.addErrback(lambda reason: None)
            await close(bed, factory, served)

        await noGarbage(bed, ours, connects=False)

    play(main)


@pytest.mark.skipif(vocabulary == "twisted", reason="Twisted's failures wait for the collector")
@pytest.mark.parametrize("outcome", ["refused", "timeout"])
def test_noGarbageOfACoroutineThatLetsTheFailureOut(play: Play, outcome: str) -> None:
    async def main(bed: Bed) -> None:
        endpoint = await endpointFor(bed, outcome)

        async def one() -> None:
            await endpoint.connect(Peers())

        async def ours() -> None:
            for _ in range(8):
                await ensureDeferred(one()).addErrback(lambda reason: None)

        await noGarbage(bed, ours, connects=False)

    play(main)


class Raising(Peer):
    def connectionMade(self) -> None:
        super().connectionMade()
        raise ZeroDivisionError


@pytest.mark.parametrize("raising", ["client", "server", "nobody"])
def test_noGarbageOfOursWhereAProtocolIsItsFactorys(play: Play, raising: str) -> None:
    async def main(bed: Bed) -> None:
        served = Peers()
        served.protocol = Raising if raising == "server" else Peer
        endpoint = bed.client(await bed.serve(served))

        async def one() -> None:
            peer = (Raising if raising == "client" else Peer)()
            connecting = connectProtocol(endpoint, peer)
            expected = ZeroDivisionError if raising == "client" else Peer
            assert await connecting.addCallbacks(type, lambda reason: reason.type) is expected
            peer.transport.loseConnection()
            await peer.ended

        async def ours() -> None:
            for _ in range(8):
                await one()
            await aWhile(bed.reactor, 0.02)
            served.all.clear()

        with loggedErrors():
            await noGarbage(bed, ours, connects=True)

    play(main)


async def close(bed: Bed, clients: Peers, served: Peers) -> None:
    """Close all connections, and forget them."""
    for peer in clients.all:
        if peer.made:
            peer.transport.loseConnection()
            await peer.ended
    await bed.until(lambda: all(peer.lost for peer in served.all))
    clients.all.clear()
    served.all.clear()
    await aWhile(bed.reactor, 0.05)


async def noGarbage(bed: Bed, work: Any, connects: bool) -> None:
    """Fail if a piece of work, which makes eight connections or none, leaves what bare ones don't."""
    found = await garbage(work)
    if found:
        # asyncio's own transports are circles, in one version or the other.
        assert connects
        assert found - await garbage(lambda: bareConnections(bed, 8)) == Counter()


async def garbage(work: Any) -> Counter[str]:
    """Count what a piece of work leaves to the garbage collector, by type."""
    await work()
    gc.collect()
    gc.disable()
    gc.freeze()  # then what is there already need not be looked at again
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        await work()
        gc.collect()
        return Counter(f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.garbage)
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.unfreeze()
        gc.enable()
