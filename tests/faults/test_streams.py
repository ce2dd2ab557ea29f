"""Connections that are made, and then go wrong."""

from __future__ import annotations

from typing import Any

import pytest
from zope.interface import implementer

from tests.asyncioreactor.logged import loggedErrors
from twisted_endpoints import error
from twisted_endpoints.asyncioreactor.writing import BUFFER_SIZE
from twisted_endpoints.interfaces import IPushProducer
from twisted_endpoints.protocol import Factory

from .bed import Bed, Peer, Peers, Play, reset

PIECE = b"x" * 16384


@implementer(IPushProducer)
class Flood(Peer):
    """Writes as long as nobody stops it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = 0
        self.paused = self.stopped = False

    def begin(self) -> None:
        self.transport.registerProducer(self, True)
        self.resumeProducing()

    def resumeProducing(self) -> None:
        self.paused = False
        while not self.paused and self.transport.connected:
            self.written += len(PIECE)
            self.transport.write(PIECE)

    def pauseProducing(self) -> None:
        self.paused = True

    def stopProducing(self) -> None:
        self.paused = self.stopped = True


@pytest.mark.parametrize("flooding", [False, True])
def test_aResetInMidStream(play: Play, flooding: bool) -> None:
    async def main(bed: Bed) -> None:
        listening, address = bed.listening()
        client = await bed.client(address).connect(Peers(Flood))
        peer = await bed.accepted(listening)
        peer.send(b"half a tru")
        await bed.until(lambda: client.received == b"half a tru")
        if flooding:
            client.begin()
            assert client.paused
        reset(peer)
        await client.ended
        # A UNIX socket knows no reset: only what is unsent or unread tells that it was cut off.
        clean = bed.kind == "unix" and not flooding
        assert client.reason is (error.ConnectionDone if clean else error.ConnectionLost)
        assert client.stopped is flooding
        client.transport.write(b"to nobody")
        client.transport.loseConnection()
        client.transport.abortConnection()
        assert client.lost == 1

    play(main)


def test_aPeerThatResetsBeforeItIsAccepted(play: Play) -> None:
    async def main(bed: Bed) -> None:
        server = Peers()
        address = await bed.serve(server)
        for _ in range(3):
            reset(bed.caller(address))
        # The last one lives, and its word says that the others have been dealt with.
        client = bed.caller(address)
        client.send(b"here")
        await bed.until(lambda: server.all and server.all[-1].received == b"here")
        # uvloop can't tell who the others were: of them nobody need hear.
        await bed.until(lambda: all(peer.lost for peer in server.all[:-1]))
        client.close()
        await server.all[-1].ended

    with loggedErrors() as logged:
        play(main)
    assert logged == []


def test_aServerThatResetsAsSoonAsItHasAccepted(play: Play) -> None:
    async def main(bed: Bed) -> None:
        listening, address = bed.listening()
        for rounds in range(8):
            factory = Peers()
            connecting = bed.client(address).connect(factory)
            await bed.rounds(rounds)
            reset(await bed.accepted(listening))
            # It may have been connected for a moment, or not at all.
            ended = await connecting.addErrback(lambda reason: reason.trap(error.ConnectError))
            if factory.all:
                assert factory.all == [ended]
                await ended.ended
            else:
                assert ended is error.ConnectError

    with loggedErrors() as logged:
        play(main)
    assert logged == []


def test_manyWritesToAPeerThatHasResetAreNoNews(play: Play, caplog: pytest.LogCaptureFixture) -> None:
    async def main(bed: Bed) -> None:
        listening, address = bed.listening()
        client = await bed.client(address).connect(Peers())
        reset(await bed.accepted(listening))
        # The first of them is told that the peer is gone, before anybody else is.
        for _ in range(50):
            client.transport.write(b"a line\r\n")
        await client.ended

    play(main)
    assert [record.getMessage() for record in caplog.records if record.levelname != "INFO"] == []


@pytest.mark.parametrize("end", ["abort", "lose, and it reads", "lose, and it goes", "lose, then abort"])
def test_aPeerThatNeverReads(play: Play, end: str) -> None:
    async def main(bed: Bed) -> None:
        listening, address = bed.listening()
        client = await bed.client(address).connect(Peers(Flood))
        peer = await bed.accepted(listening)
        client.begin()
        # Its kernel takes what it takes, and then we hold one buffer's worth and a piece.
        await bed.until(lambda: client.paused)
        await bed.rounds(20)
        held = client.transport._transport.get_write_buffer_size()
        assert client.paused
        assert BUFFER_SIZE < held <= BUFFER_SIZE + len(PIECE)
        if end != "abort":
            client.transport.unregisterProducer()
            client.transport.loseConnection()
            await bed.rounds(20)
            # What was written is still owed.
            assert not client.lost
        if end == "lose, and it reads":
            count = 0
            while data := await bed.receive(peer):
                count += len(data)
            assert count == client.written
        elif end == "lose, and it goes":
            reset(peer)
        else:
            client.transport.abortConnection()
        await client.ended
        assert client.lost == 1

    play(main)


def test_aPeerThatNeverReadsHasItsReadersUnharmed(play: Play) -> None:
    async def main(bed: Bed) -> None:
        server = Peers(Flood)
        address = await bed.serve(server)
        bed.caller(address)
        await bed.until(lambda: server.all)
        deaf = server.all[0]
        deaf.begin()
        await bed.until(lambda: deaf.paused)
        for _ in range(10):
            client = await bed.client(address).connect(Peers())
            client.transport.write(b"here")
            await bed.until(lambda: len(server.all) > 1 and server.all[-1].received == b"here")
            client.transport.loseConnection()
            await client.ended
        await bed.until(lambda: all(peer.lost for peer in server.all[1:]))
        deaf.transport.abortConnection()
        await deaf.ended

    play(main)


def test_theListenerIsGoneAndItsConnectionsAreNot(play: Play) -> None:
    async def main(bed: Bed) -> None:
        server: Any = Peers()
        port = await bed.server(str(bed.folder / "gone") if bed.kind == "unix" else 0).listen(server)
        address = port.port if bed.kind == "unix" else port.getHost().port
        endpoint = bed.client(address)
        client = await endpoint.connect(Peers())
        await bed.until(lambda: server.all)
        await port.stopListening()
        with pytest.raises(error.ConnectError):
            await endpoint.connect(Factory.forProtocol(Peer))
        client.transport.write(b"still here")
        await bed.until(lambda: server.all[0].received == b"still here")
        client.transport.loseConnection()
        await client.ended
        await server.all[0].ended

    play(main)


@pytest.mark.parametrize("rounds", range(5))
def test_aPortThatStopsWhilePeersCome(play: Play, rounds: int) -> None:
    async def main(bed: Bed) -> None:
        server = Peers()
        port = await bed.server(str(bed.folder / "stops") if bed.kind == "unix" else 0).listen(server)
        callers = [bed.caller(port.port if bed.kind == "unix" else port.getHost().port) for _ in range(20)]
        await bed.rounds(rounds)
        await port.stopListening()
        for peer in server.all:
            peer.transport.loseConnection()
        for caller in callers:
            # Each hears of its end, those too that have been accepted for nobody.
            try:
                assert await bed.receive(caller) == b""
            except ConnectionResetError:
                pass
        await bed.until(lambda: all(peer.lost for peer in server.all))

    with loggedErrors() as logged:
        play(main)
    assert logged == []
