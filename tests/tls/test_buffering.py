"""When small writes are sent: at the end of what they are an answer to, or of the reactor's round."""

from __future__ import annotations

from typing import Any

import pytest
from zope.interface import implementer

from twisted_endpoints._tls.factory import TLSMemoryBIOFactory
from twisted_endpoints.interfaces import IHandshakeListener
from twisted_endpoints.protocol import Factory, Protocol
from twisted_endpoints.ssl import CertificateOptions
from twisted_endpoints.task import Clock
from twisted_endpoints.testing import StringTransport

from .authority import root
from .connecting import serving


class Pieces(StringTransport):
    """Remembers each write."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.pieces.append(data)

    def take(self) -> list[bytes]:
        taken, self.pieces = self.pieces, []
        return taken


@implementer(IHandshakeListener)
class Chatty(Protocol):
    """Answers each piece of data, and the end of the handshake, with several small writes."""

    def __init__(self, words: list[bytes]) -> None:
        self.words = words
        self.heard = b""

    def handshakeCompleted(self) -> None:
        self.say()

    def dataReceived(self, data: bytes) -> None:
        self.heard += data
        self.say()

    def say(self) -> None:
        for word in self.words:
            self.transport.write(word)  # type: ignore[union-attr]


class Pair:
    """A client and a server in memory, on a clock."""

    def __init__(self, clientSays: list[bytes], serverSays: list[bytes]) -> None:
        self.clock = Clock()
        self.client, self.toServer = self._end(CertificateOptions(), True, clientSays)
        self.server, self.toClient = self._end(serving(root().issue("localhost")), False, serverSays)

    def _end(self, options: Any, isClient: bool, words: list[bytes]) -> tuple[Any, Pieces]:
        factory = Factory.forProtocol(lambda: Chatty(words))  # type: ignore[arg-type]
        made: Any = TLSMemoryBIOFactory(options, isClient, factory, self.clock).buildProtocol(None)  # type: ignore[arg-type]
        transport = Pieces()
        made.makeConnection(transport)
        return made, transport

    def move(self) -> tuple[int, int]:
        """Pass on what the client has written, then what the server has; tell how many writes each was."""
        fromClient = self.toServer.take()
        for piece in fromClient:
            self.server.dataReceived(piece)
        fromServer = self.toClient.take()
        for piece in fromServer:
            self.client.dataReceived(piece)
        return len(fromClient), len(fromServer)


def test_theEndOfTheHandshakeGoesOutWithWhatIsWrittenFirst() -> None:
    pair = Pair([b"a", b"b"], [])
    assert pair.move() == (1, 1)
    assert pair.move()[0] == 1
    assert pair.server.wrappedProtocol.heard == b"ab"


def test_anAnswerIsSentInOnePieceAndAtOnce() -> None:
    pair = Pair([], [b"c", b"d", b"e"])
    pair.move()
    pair.move()
    assert pair.client.wrappedProtocol.heard == b"cde"
    assert pair.clock.getDelayedCalls() == []
    pair.client.write(b"more")
    pair.clock.advance(0)
    assert pair.move() == (1, 1)
    assert pair.client.wrappedProtocol.heard == b"cdecde"


def test_whatIsWrittenByOneselfIsSentInTheNextRound() -> None:
    pair = Pair([], [])
    pair.move()
    pair.move()
    pair.client.write(b"f")
    pair.client.write(b"g")
    assert pair.toServer.pieces == []
    pair.clock.advance(0)
    assert pair.move() == (1, 0)
    assert pair.server.wrappedProtocol.heard == b"fg"


def test_anAnswerIsSentEvenIfWhoWroteItFails(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = Pair([], [b"h"])
    pair.move()
    pair.move()
    say = pair.server.wrappedProtocol.say

    def failing() -> None:
        say()
        raise ZeroDivisionError

    monkeypatch.setattr(pair.server.wrappedProtocol, "say", failing)
    pair.client.write(b"?")
    pair.clock.advance(0)
    with pytest.raises(ZeroDivisionError):
        pair.move()
    pair.move()
    assert pair.client.wrappedProtocol.heard == b"hh"
