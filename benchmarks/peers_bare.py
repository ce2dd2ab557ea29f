"""The roles of `benchmarks.peers` as bare protocols of an event loop, without any layer above."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import Any

from .peers_race import ATTEMPT_DELAY, Addresses, report

Loop = asyncio.AbstractEventLoop

BLOCK = bytes(1 << 16)

#: Blocks that are written before others get their turn, should the kernel take them all.
TURN = 64


class _Connected(asyncio.Protocol):
    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport


class _Echo(_Connected):
    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


class _Receive(_Connected):
    def data_received(self, data: bytes) -> None:
        pass


class _Send(_Connected):
    full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._more()

    def pause_writing(self) -> None:
        self.full = True

    def resume_writing(self) -> None:
        self.full = False
        self._more()

    def _more(self) -> None:
        for _ in range(TURN):
            if self.full:
                return
            self.transport.write(BLOCK)
        self.loop.call_soon(self._more)


class _Visitor(_Connected):
    def __init__(self, loop: Loop) -> None:
        super().__init__(loop)
        self.lost: asyncio.Future[None] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()

    def connection_lost(self, exc: BaseException | None) -> None:
        self.lost.set_result(None)


def _serve(loop: Loop, protocol: Any, tls: Any) -> None:
    server: Any = loop.run_until_complete(
        loop.create_server(lambda: protocol(loop), "0.0.0.0", 0, backlog=1024, ssl=tls)
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    loop.run_forever()


def echo(loop: Loop, tls: Any = None) -> None:
    _serve(loop, _Echo, tls)


def send(loop: Loop, tls: Any = None) -> None:
    _serve(loop, _Send, tls)


def receive(loop: Loop, tls: Any = None) -> None:
    _serve(loop, _Receive, tls)


def connect(loop: Loop, how: str, port: str, connections: str) -> None:
    host = "localhost" if how == "localhost" else "127.0.0.1"

    async def again() -> None:
        while True:
            _, visitor = await loop.create_connection(lambda: _Visitor(loop), host, int(port))
            await visitor.lost

    async def all_() -> None:
        await asyncio.gather(*(again() for _ in range(int(connections))))

    loop.run_until_complete(all_())


def race(loop: Loop, first: str, attempts: str) -> None:
    addresses = Addresses(first)

    async def getaddrinfo(*args: Any, **kwargs: Any) -> Any:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 0, "", (host, addresses.port)) for host in addresses.hosts
        ]

    # asyncio asks the loop, by this name.
    loop.getaddrinfo = getaddrinfo  # type: ignore[method-assign]

    async def once() -> float:
        began = time.perf_counter()
        transport, _ = await loop.create_connection(
            asyncio.Protocol, "two.example", addresses.port, happy_eyeballs_delay=ATTEMPT_DELAY
        )
        took = time.perf_counter() - began
        transport.close()
        return took

    async def all_() -> list[float]:
        return [await once() for _ in range(int(attempts))]

    report(loop.run_until_complete(all_()))
