"""
The roles of `benchmarks.peers` that speak TLS.

    tlsEcho, tlsSend, tlsReceive FOLDER     a server with the certificate in a folder; it prints its port
    tlsFolder FOLDER                        a server with all certificates in a folder
    tlsConnect FOLDER PORT CONNECTIONS      a client: connects, asks, hears the answer, closes; and again

Twisted and this package are given the same strings; the bare loops Python's own `ssl`.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

from . import peers_bare, peers_reactor
from .peers import newLoop

BARE = ("asyncio", "uvloop")

#: What a client asks, once it is connected.
QUESTION = bytes(64)


def tlsEcho(contender: str, folder: str) -> None:
    # Else the kernel holds back what Twisted's server says, which sleeps and then finds cold caches.
    _serve(contender, "echo", folder, noDelay=True)


def tlsSend(contender: str, folder: str) -> None:
    _serve(contender, "send", folder)


def tlsReceive(contender: str, folder: str) -> None:
    _serve(contender, "receive", folder)


def _serve(contender: str, role: str, folder: str, **options: bool) -> None:
    if contender in BARE:
        # They set TCP_NODELAY by themselves.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")
        getattr(peers_bare, role)(newLoop(contender), context)
    else:
        description = f"ssl:0:privateKey={folder}/key.pem:certKey={folder}/cert.pem:backlog=1024"
        getattr(peers_reactor, role)(peers_reactor.vocabularyOf(contender), description, **options)


def tlsFolder(contender: str, folder: str) -> None:
    peers_reactor.echo(
        peers_reactor.vocabularyOf(contender), f"tls:{folder}:0:backlog=1024:interface=0.0.0.0"
    )


def tlsConnect(contender: str, folder: str, port: str, connections: str) -> None:
    if contender in BARE:
        loop = newLoop(contender)
        context = ssl.create_default_context(cafile=f"{folder}/authorities/root.pem")
        loop.run_until_complete(_bareVisits(loop, context, int(port), int(connections)))
        return
    v = peers_reactor.vocabularyOf(contender)
    endpoint = v.endpoints.clientFromString(
        v.reactor, f"tls:127.0.0.1:{port}:trustRoots={folder}/authorities"
    )

    class Visitor(v.protocol.Protocol):  # type: ignore[misc, name-defined]
        def connectionMade(self) -> None:
            self.transport.write(QUESTION)

        def dataReceived(self, data: bytes) -> None:
            self.transport.loseConnection()

        def connectionLost(self, reason: Any) -> None:
            self.factory.again()

    peers_reactor.visits(v, lambda: endpoint, Visitor, int(connections))


class _Visitor(asyncio.Protocol):
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.lost: asyncio.Future[None] = loop.create_future()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(QUESTION)

    def data_received(self, data: bytes) -> None:
        self.transport.close()

    def connection_lost(self, exc: BaseException | None) -> None:
        self.lost.set_result(None)


async def _bareVisits(loop: Any, context: ssl.SSLContext, port: int, connections: int) -> None:
    async def again() -> None:
        while True:
            _, visitor = await loop.create_connection(lambda: _Visitor(loop), "127.0.0.1", port, ssl=context)
            await visitor.lost

    await asyncio.gather(*(again() for _ in range(connections)))
