"""A stream with TLS keeps the contract that one without keeps (G19): the same tests, and a peer with TLS."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from OpenSSL import SSL

from tests.asyncioreactor import test_stream
from tests.asyncioreactor.streams import Peer, Play, Scene, playedOn
from tests.asyncioreactor.test_stream import (
    test_abortConnectionWaitsForNobody,
    test_aProducerIsStoppedWithTheConnection,
    test_aPullProducerIsAskedOnceForEachEmptyBuffer,
    test_aPushProducerIsPausedAndResumed,
    test_bytesArriveInOrderBothWays,
    test_closingFromWithin,
    test_dataBeforeTheEndIsReceived,
    test_endOfInputWhileFlushingDropsNothing,
    test_halfCloseOfTheInput,
    test_halfCloseOfTheOutputTellsOnlyWhoAsked,
    test_loseConnectionReadsWhileAnythingIsUnsent,
    test_loseConnectionSendsEverythingFirst,
    test_loseConnectionTwiceIsOnce,
    test_nothingIsReceivedWhilePaused,
    test_otherConnectionsAreUnharmed,
    test_resetIsConnectionLost,
    test_resetWhileWriting,
    test_stateChangesOnce,
    test_theEndIsReceivedAfterAPauseToo,
    test_whatAProducerRaisesEndsTheConnection,
    test_whatAProtocolRaisesEndsItsConnection,
    test_whatConnectionLostRaisesIsLogged,
    test_whatIsWrittenInConnectionMadeIsSent,
)
from twisted_endpoints.defer import Deferred
from twisted_endpoints.endpoints import tls
from twisted_endpoints.endpoints.tcp import TCP4ServerEndpoint
from twisted_endpoints.endpoints.tls import wrapServerTLS

from .authority import root
from .connecting import serving

#: Those that are left out test what is otherwise with TLS, as in Twisted: after `loseConnection` nothing can
#: be written, and what comes before the peer's close_notify is still received; what was written when that
#: comes is still sent; pull producers are asked again and again.
__all__ = [
    "test_aProducerIsStoppedWithTheConnection",
    "test_aPullProducerIsAskedOnceForEachEmptyBuffer",
    "test_aPushProducerIsPausedAndResumed",
    "test_abortConnectionWaitsForNobody",
    "test_bytesArriveInOrderBothWays",
    "test_closingFromWithin",
    "test_dataBeforeTheEndIsReceived",
    "test_endOfInputWhileFlushingDropsNothing",
    "test_halfCloseOfTheInput",
    "test_halfCloseOfTheOutputTellsOnlyWhoAsked",
    "test_loseConnectionReadsWhileAnythingIsUnsent",
    "test_loseConnectionSendsEverythingFirst",
    "test_loseConnectionTwiceIsOnce",
    "test_nothingIsReceivedWhilePaused",
    "test_otherConnectionsAreUnharmed",
    "test_resetIsConnectionLost",
    "test_resetWhileWriting",
    "test_stateChangesOnce",
    "test_theEndIsReceivedAfterAPauseToo",
    "test_whatAProducerRaisesEndsTheConnection",
    "test_whatAProtocolRaisesEndsItsConnection",
    "test_whatConnectionLostRaisesIsLogged",
    "test_whatIsWrittenInConnectionMadeIsSent",
]


class TLSPeer(Peer):
    """A plain socket with OpenSSL before it."""

    def __init__(self, reactor: Any, sock: Any) -> None:
        super().__init__(reactor, sock)
        self._tls = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), None)
        self._tls.set_connect_state()
        self._secured = asyncio.ensure_future(self._shakeHands(), loop=reactor._loop)

    async def _shakeHands(self) -> None:
        while True:
            try:
                self._tls.do_handshake()
            except SSL.WantReadError:
                await self._flush()
                self._tls.bio_write(await self._read())
            else:
                await self._flush()
                return

    async def _read(self) -> bytes:
        return await self.reactor._loop.sock_recv(self.sock, 1 << 16)  # type: ignore[no-any-return]

    async def _flush(self) -> None:
        try:
            while True:
                await self.reactor._loop.sock_sendall(self.sock, self._tls.bio_read(1 << 16))
        except SSL.WantReadError:
            pass

    def send(self, data: bytes) -> Deferred[None]:
        return self._do(self._send(data))

    async def _send(self, data: bytes) -> None:
        await self._secured
        for begin in range(0, len(data), 1 << 14):
            self._tls.sendall(data[begin : begin + (1 << 14)])
        await self._flush()

    async def _receive(self, count: int) -> bytes:
        await self._secured
        parts: list[bytes] = []
        while count > 0:
            try:
                part = self._tls.recv(min(count, 1 << 14))
            except SSL.WantReadError:
                raw = await self._read()
                if not raw:
                    break
                self._tls.bio_write(raw)
            except SSL.ZeroReturnError:
                break
            else:
                parts.append(part)
                count -= len(part)
        return b"".join(parts)

    def end(self) -> None:
        """Send a close_notify, and nothing more."""
        self._tls.shutdown()
        self.sock.send(self._tls.bio_read(1 << 16))

    def close(self) -> None:
        """Close, with a close_notify if there is somebody to hear it."""
        try:
            self.end()
            # With something unread, the kernel would reset the connection.
            while self.sock.recv(1 << 16):
                pass
        except (SSL.Error, OSError):
            pass
        super().close()


class TLSScene(Scene):
    """Makes connections with TLS."""

    def listen(self, factory: Any) -> Any:
        tcp = TCP4ServerEndpoint(self.reactor, 0, interface="127.0.0.1")
        secured = wrapServerTLS(serving(root().issue("localhost")), tcp, self.reactor)
        found: list[Any] = []
        secured.listen(factory).addCallback(found.append)
        self.ports += found
        return found[0]

    def peer(self, port: Any) -> Peer:
        plain = super().peer(port)
        self.peers[-1] = made = TLSPeer(self.reactor, plain.sock)
        return made


@pytest.fixture(autouse=True)
def _less(monkeypatch: pytest.MonkeyPatch) -> None:
    # As much as no buffer holds, and no more: it is encrypted.
    monkeypatch.setattr(test_stream, "MUCH", 8 * 1024 * 1024)
    monkeypatch.setattr(tls, "CLOSE_TIMEOUT", 0.05)


@pytest.fixture
def kind() -> str:
    return "tcp"


@pytest.fixture
def play(reactor: Any, tmp_path: Path) -> Play:
    return playedOn(TLSScene(reactor, "tcp", tmp_path))
