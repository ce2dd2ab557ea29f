"""Whatever a user's code raises: `connect()` answers, the descriptor is closed, others live on (G12)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.asyncioreactor.logged import loggedErrors
from twisted_endpoints import error

from .bed import Bed, Peer, Peers, Play

METHODS = ("doStart", "buildProtocol", "makes nothing", "connectionMade", "dataReceived", "connectionLost")


class Mistake(Exception):
    """What the user's code raises."""


#: The second is what ``future.result()`` raises, and no `Exception`.
KINDS: tuple[type[BaseException], ...] = (Mistake, asyncio.CancelledError)


class Faulty(Peers):
    """Has a mistake in one method of its own or of its protocols."""

    def __init__(self, method: str, kind: type[BaseException] = Mistake) -> None:
        super().__init__()
        self.method = method
        self.kind = kind

    def doStart(self) -> None:
        self._mayRaise("doStart")
        super().doStart()

    def buildProtocol(self, addr: Any) -> Any:
        self._mayRaise("buildProtocol")
        if self.method == "makes nothing":
            return None
        protocol = super().buildProtocol(addr)
        if hasattr(protocol, self.method):
            real = getattr(protocol, self.method)

            def mistaken(*args: Any) -> None:
                real(*args)
                raise self.kind(self.method)

            setattr(protocol, self.method, mistaken)
        return protocol

    def _mayRaise(self, method: str) -> None:
        if self.method == method:
            raise self.kind(method)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", METHODS)
def test_aMistakeInAClient(play: Play, method: str, kind: type[BaseException]) -> None:
    async def main(bed: Bed) -> None:
        server = Peers()
        endpoint = bed.client(await bed.serve(server))
        factory = Faulty(method, kind)
        connecting = endpoint.connect(factory)
        if method in ("dataReceived", "connectionLost"):
            client = await connecting
            await bed.until(lambda: server.all)
            server.all[0].transport.write(b"a greeting")
            if method == "connectionLost":
                server.all[0].transport.loseConnection()
            await client.ended
            if method == "dataReceived":
                assert client.reason is kind
        else:
            with pytest.raises(error.NoProtocol if method == "makes nothing" else kind):
                await connecting
            # The one that was connected hears of the end.
            await bed.until(lambda: all(peer.lost for peer in factory.all))
        await bed.until(lambda: all(peer.lost for peer in server.all))
        await bed.until(lambda: not factory.numPorts)
        # The endpoint itself is unharmed.
        another = await endpoint.connect(Peers())
        another.transport.loseConnection()
        await another.ended
        await bed.until(lambda: all(peer.lost for peer in server.all))

    with loggedErrors() as logged:
        play(main)
    # What nobody else can be told, and only that, is logged.
    assert logged == ([kind] if method in ("dataReceived", "connectionLost") else [])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", METHODS[1:])
def test_aMistakeInAServer(play: Play, method: str, kind: type[BaseException]) -> None:
    async def main(bed: Bed) -> None:
        factory = Faulty(method, kind)
        endpoint = bed.client(await bed.serve(factory))
        client: Peer = await endpoint.connect(Peers())
        if method in ("dataReceived", "connectionLost"):
            await bed.until(lambda: factory.all)
            client.transport.write(b"a question")
        if method == "connectionLost":
            client.transport.loseConnection()
        await client.ended
        await bed.until(lambda: all(peer.lost for peer in factory.all))
        # It serves the next one.
        factory.method = ""
        another = await endpoint.connect(Peers())
        another.transport.write(b"a question")
        await bed.until(lambda: factory.all and factory.all[-1].received == b"a question")
        another.transport.loseConnection()
        await another.ended
        await bed.until(lambda: all(peer.lost for peer in factory.all))

    with loggedErrors() as logged:
        play(main)
    assert logged == ([] if method == "makes nothing" else [kind])
