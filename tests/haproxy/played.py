"""
A program for the tests: on a reactor of Twisted's, a client with a header and a server behind ``haproxy:``.

    python -m tests.haproxy.played REACTOR

writes what came of it, in JSON.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from typing import Any

from zope.interface import implementer

from twisted_endpoints.defer import Deferred
from twisted_endpoints.endpoints import clientFromString, connectProtocol, serverFromString
from twisted_endpoints.endpoints.wrapping import speakingFor
from twisted_endpoints.interfaces import IHalfCloseableProtocol
from twisted_endpoints.protocol import Factory, Protocol

from .headers import V4_ADDRESSES

events: list[Any] = []


@implementer(IHalfCloseableProtocol)
class Server(Protocol):
    """Notes what it sees, and answers when the client has sent all."""

    def connectionMade(self) -> None:
        transport: Any = self.transport
        events.append([transport.getPeer().host, transport.getHost().host])

    def dataReceived(self, data: bytes) -> None:
        events.append(data.decode())

    def readConnectionLost(self) -> None:
        self.transport.write(b"answer")  # type: ignore[union-attr]
        self.transport.loseConnection()  # type: ignore[union-attr]

    def writeConnectionLost(self) -> None:
        """Nothing: it is expected."""

    def connectionLost(self, reason: Any = None) -> None:
        events.append("lost")


class Client(Protocol):
    """Asks, and hears the answer."""

    def __init__(self) -> None:
        self.heard = b""
        self.over: Deferred[bytes] = Deferred()

    def connectionMade(self) -> None:
        self.transport.write(b"question")  # type: ignore[union-attr]
        self.transport.loseWriteConnection()  # type: ignore[union-attr]

    def dataReceived(self, data: bytes) -> None:
        self.heard += data

    def connectionLost(self, reason: Any = None) -> None:
        self.over.callback(self.heard)


async def main(reactor: Any) -> None:
    """Play it."""
    string = "haproxy:tcp:0:interface=127.0.0.1:trusted=127.0.0.1"
    port = await serverFromString(reactor, string).listen(Factory.forProtocol(Server))
    host: Any = port.getHost()
    endpoint = clientFromString(reactor, f"haproxy:tcp:127.0.0.1:{host.port}")
    client = await connectProtocol(speakingFor(endpoint, *V4_ADDRESSES), Client())
    events.append((await client.over).decode())
    await port.stopListening()


if __name__ == "__main__":
    import_module(f"twisted.internet.{sys.argv[1]}reactor").install()
    from twisted.internet import reactor

    started: Any = reactor
    started.callWhenRunning(
        lambda: (
            Deferred.fromCoroutine(main(started))
            .addErrback(str)
            .addBoth(lambda problem: (events.append(problem), started.stop()))
        )
    )
    started.run()
    print(json.dumps(events))
