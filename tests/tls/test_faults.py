"""
With TLS too nothing is left of attempts, however they end, nor of users' mistakes (G10, G11, G12).

The environment variable TWISTED_ENDPOINTS_ATTEMPTS=1000 has a thousand attempts made of each outcome, where
otherwise it is a hundred.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from zope.interface import implementer

from tests.asyncioreactor.logged import loggedErrors
from tests.faults import test_thousand
from tests.faults.bed import Bed, Peer, Peers, Play, playedOn, reset
from tests.faults.left import aWhile
from tests.faults.test_raising import KINDS, Faulty, test_aMistakeInAClient, test_aMistakeInAServer
from tests.faults.test_thousand import (
    close,
    noGarbage,
    test_aThousandLeaveNothing,
    test_noGarbageOfOurs,
    test_noGarbageOfWhatIsCancelledInAnyRound,
)
from twisted_endpoints import error
from twisted_endpoints._tls.verification import CertificateRefused, ServerCheck, VerifyingClientOptions
from twisted_endpoints.endpoints.tls import TLSClientEndpoint, wrapServerTLS
from twisted_endpoints.endpoints.tlsfolder import TLSFolderServerEndpoint
from twisted_endpoints.interfaces import IHalfCloseableProtocol, IHandshakeListener

from .authority import root
from .connecting import certificate, serving

#: Played here on a bed with TLS.
__all__ = [
    "test_aMistakeInAClient",
    "test_aMistakeInAServer",
    "test_aThousandLeaveNothing",
    "test_noGarbageOfOurs",
    "test_noGarbageOfWhatIsCancelledInAnyRound",
]

ATTEMPTS = int(os.environ.get("TWISTED_ENDPOINTS_ATTEMPTS", "100"))


class TLSBed(Bed):
    """A bed whose endpoints speak TLS."""

    #: The host that the clients want; the server is localhost.
    host = "localhost"
    handshakeTimeout = 10.0

    def client(self, address: Any, timeout: float = 30, **options: Any) -> Any:
        creator = VerifyingClientOptions(self.host, ServerCheck(certificate(root())))
        plain = super().client(address, timeout, **options)
        return TLSClientEndpoint(plain, creator, self.reactor, self.handshakeTimeout)

    def server(self, address: Any) -> Any:
        return wrapServerTLS(serving(root().issue("localhost")), super().server(address), self.reactor)


@pytest.fixture
def play(reactor: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    # A handshake takes two milliseconds.
    monkeypatch.setattr(test_thousand, "ATTEMPTS", ATTEMPTS)
    return playedOn(TLSBed(reactor, "tcp", tmp_path))


async def refusedClients(bed: Bed, endpoint: Any, count: int) -> None:
    """Connect some clients to a server that can't prove who it is."""
    factory = Peers()
    for connecting in [endpoint.connect(factory) for _ in range(count)]:
        why = await connecting.addCallbacks(type, lambda reason: reason.type)
        assert issubclass(why, CertificateRefused)
    assert [peer for peer in factory.all if peer.made] == []


async def wrongHost(bed: Any, served: Peers) -> Any:
    bed.host = "example.com"
    return bed.client(await bed.serve(served))


def test_manyWrongServersLeaveNothing(play: Play) -> None:
    async def main(bed: Bed) -> None:
        served = Peers()
        endpoint = await wrongHost(bed, served)
        for _ in range(ATTEMPTS // 50):
            await refusedClients(bed, endpoint, 50)
        assert served.all == []

    play(main)


def test_wrongServersAreNoGarbage(play: Play) -> None:
    async def main(bed: Bed) -> None:
        endpoint = await wrongHost(bed, Peers())

        async def refused() -> None:
            await refusedClients(bed, endpoint, 8)
            await aWhile(bed.reactor, 0.05)

        await noGarbage(bed, refused, connects=True)

    play(main)


#: What servers do that never come to the end of a handshake, and what their clients hear of it.
BREAKS: dict[str, tuple[Callable[[Any], object], str]] = {
    "silence": (lambda sock: None, "TimeoutError"),
    "end": (lambda sock: sock.close(), "ConnectionLost"),
    "reset": (reset, "ConnectionLost"),
    "no TLS": (lambda sock: sock.send(b"220 mail.example ESMTP\r\n"), "HandshakeFailed"),
}


@pytest.mark.parametrize("how", BREAKS)
def test_handshakesThatBreakAreNoGarbage(play: Play, how: str) -> None:
    act, why = BREAKS[how]

    async def main(bed: Any) -> None:
        listening, address = bed.listening()
        bed.handshakeTimeout = 0.1 if how == "silence" else 10
        endpoint = bed.client(address)

        async def broken() -> None:
            attempts = [endpoint.connect(Peers()) for _ in range(8)]
            for _ in attempts:
                act(await bed.accepted(listening))
            for connecting in attempts:
                heard = await connecting.addErrback(lambda reason: reason.type.__name__)
                assert heard == why
            await aWhile(bed.reactor, 0.05)

        await noGarbage(bed, broken, connects=True)

    play(main)


def test_clientsThatSpeakNoTLSAreNoGarbage(play: Play) -> None:
    async def main(bed: Bed) -> None:
        served = Peers()
        address = await bed.serve(served)

        async def refused() -> None:
            for number in range(8):
                caller = bed.caller(address)
                caller.send(b"GET / HTTP/1.0\r\n\r\n" if number % 2 else b"\x16\x03\x01\0\5hello")
                while await bed.receive(caller):
                    pass
                caller.close()
            await aWhile(bed.reactor, 0.05)

        await noGarbage(bed, refused, connects=True)
        assert served.all == []

    play(main)


def test_connectionsThatTheServerAbortsAreNoGarbage(play: Play) -> None:
    async def main(bed: Bed) -> None:
        served, factory = Peers(), Peers()
        endpoint = bed.client(await bed.serve(served))

        async def aborted() -> None:
            for connecting in [endpoint.connect(factory) for _ in range(8)]:
                await connecting
            await bed.until(lambda: len(served.all) == 8)
            for peer in served.all:
                peer.transport.abortConnection()
            await close(bed, factory, served)

        await noGarbage(bed, aborted, connects=True)

    play(main)


class FolderBed(TLSBed):
    """A bed whose server shows the certificates of a folder."""

    def server(self, address: Any) -> Any:
        (self.folder / "a.pem").write_bytes(root().issue("localhost").pem)
        return TLSFolderServerEndpoint(self.reactor, Bed.server(self, address), str(self.folder))


@pytest.mark.parametrize("host", ["localhost", "unknown.example"])
def test_aFolderLeavesNoGarbage(reactor: Any, host: str, tmp_path: Path) -> None:
    async def main(bed: Any) -> None:
        bed.host = host
        served, factory = Peers(), Peers()
        endpoint = bed.client(await bed.serve(served))

        async def work() -> None:
            for connecting in [endpoint.connect(factory) for _ in range(8)]:
                # A client whose name is unknown there hears so by an alert.
                heard = await connecting.addCallbacks(type, lambda reason: reason.type)
                assert heard.__name__ == ("Peer" if host == "localhost" else "HandshakeFailed")
            await close(bed, factory, served)

        await noGarbage(bed, work, connects=True)

    playedOn(FolderBed(reactor, "tcp", tmp_path))(main)


@implementer(IHandshakeListener, IHalfCloseableProtocol)
class Listener(Peer):
    """Hears of the handshake, and of the end of either direction."""

    def handshakeCompleted(self) -> None:
        """See `Faulty`."""

    def readConnectionLost(self) -> None:
        """See `Faulty`."""

    def writeConnectionLost(self) -> None:
        """See `Faulty`."""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("who", ["client", "server"])
@pytest.mark.parametrize("method", ["handshakeCompleted", "readConnectionLost", "writeConnectionLost"])
def test_aMistakeOfAListener(play: Play, method: str, who: str, kind: type[BaseException]) -> None:
    async def main(bed: Bed) -> None:
        faulty, others = Faulty(method, kind), Peers()
        faulty.protocol = Listener
        client, server = (faulty, others) if who == "client" else (others, faulty)
        await bed.client(await bed.serve(server)).connect(client)
        await bed.until(lambda: faulty.all and (others.all or method == "handshakeCompleted"))
        if method == "readConnectionLost":
            others.all[0].transport.loseWriteConnection()
        elif method == "writeConnectionLost":
            faulty.all[0].transport.loseWriteConnection()
        await faulty.all[0].ended
        assert faulty.all[0].reason is kind
        # A server hears of nobody whose handshake isn't done.
        await bed.until(lambda: all(peer.lost for peer in others.all))

    with loggedErrors() as logged:
        play(main)
    assert logged == [kind]


def test_aPullProducerThatRaises(play: Play) -> None:
    """It is done with, and what waits for it goes on: whatever it raises."""

    class Raises:
        def resumeProducing(self) -> None:
            raise asyncio.CancelledError

        def stopProducing(self) -> None:
            """Nothing: see IPullProducer."""

    async def main(bed: Bed) -> None:
        server = Peers()
        client = await bed.client(await bed.serve(server)).connect(Peers())
        client.transport.registerProducer(Raises(), False)
        client.transport.loseConnection()
        await client.ended
        assert client.reason is error.ConnectionDone
        await bed.until(lambda: all(peer.lost for peer in server.all))

    with loggedErrors() as logged:
        play(main)
    assert logged == [asyncio.CancelledError]


def test_outputThatEndsBeforeTheHandshakeDoes(reactor: Any, tmp_path: Path) -> None:
    class EndsAtOnce(Listener):
        def connectionMade(self) -> None:
            super().connectionMade()
            assert self.transport is not None
            self.transport.loseWriteConnection()  # type: ignore[attr-defined]

    async def main(bed: Any) -> None:
        options = serving(root().issue("localhost"))
        served = Peers(EndsAtOnce)
        port = bed.reactor.listenSSL(0, served, options, interface="127.0.0.1")
        peer = await bed.client(port.getHost().port).connect(Peers())
        await peer.ended
        assert peer.reason is error.ConnectionDone
        await served.all[0].ended
        await port.stopListening()

    playedOn(TLSBed(reactor, "tcp", tmp_path))(main)
