"""
A server that is made to suffer: a program of its own, as limits and faults hold for a process.

    python -m tests.faults.subject asyncio|uvloop LIMIT

LIMIT is how many descriptors it may have, 0 for as many as whoever starts it.

It echoes over TCP and a UNIX socket, and does what the lines of its standard input say; one line of JSON
answers each.  A line on standard error is a record of its log, with the type of what was raised in brackets.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import resource
import socket
import sys
import tempfile
from typing import Any

from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.asyncioreactor import AsyncioReactor
from twisted_endpoints.asyncioreactor.loops import newEventLoop
from twisted_endpoints.defer import Deferred
from twisted_endpoints.endpoints import TCP4ClientEndpoint, UNIXClientEndpoint
from twisted_endpoints.protocol import Factory, Protocol
from twisted_endpoints.relay import RelayFactory
from twisted_endpoints.strings import clientFromString, serverFromString

#: The strings of servers and clients, by kind; ``{0}`` is the folder of certificates.
TLS = {
    "tls": (
        "tls:{0}/served:endpoint=[{1}]",
        "tls:localhost:{1}:trustRoots={0}/root.pem:endpoint=[tcp:127.0.0.1:{1}]",
    ),
    "files": (
        "tls:privateKey={0}/key.pem:certKey={0}/cert.pem:endpoint=[{1}]",
        "ssl:127.0.0.1:{1}:caCertsDir={0}/root.pem:hostname=localhost",
    ),
}


class Echo(Protocol):
    def dataReceived(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data)


class EchoFactory(Factory):
    noisy = False
    protocol = Echo


class Subject:
    """
    Does what it is told.

    Args:
        reactor: the reactor.
        folder: for the sockets' files.
    """

    def __init__(self, reactor: Any, folder: str) -> None:
        self._reactor = reactor
        self._path = os.path.join(folder, "s")
        self._count = 0
        self._taken: list[int] = []
        self._relay: Any = None
        self._certificates = ""
        self._secured: dict[str, Any] = {}
        self._tcp = reactor.listenTCP(0, EchoFactory(), interface="127.0.0.1", backlog=1000)
        self._unix = reactor.listenUNIX(self._path, EchoFactory(), backlog=1000)

    async def where(self) -> Any:
        """Tell where it listens."""
        secured = {kind: port.getHost().port for kind, port in self._secured.items()}
        return {"tcp": self._tcp.getHost().port, "unix": self._path, **secured}

    async def secure(self, folder: str, seconds: str) -> Any:
        """Serve TLS too, with the certificates in a folder; after so many seconds, look for new ones."""
        from twisted_endpoints._tls import renewal

        renewal.INTERVAL = float(seconds)
        self._certificates = folder
        for kind in TLS:
            self._secured[kind] = await self._serverOf(kind, "tcp:0:interface=127.0.0.1").listen(
                EchoFactory()
            )

    def _serverOf(self, kind: str, listening: str) -> Any:
        """Make an endpoint of one kind of TLS that listens on another."""
        return serverFromString(self._reactor, TLS[kind][0].format(self._certificates, listening))

    async def relay(self, port: str) -> Any:
        """Relay to a port of somebody else's; tell where that can be had."""
        factory = RelayFactory(TCP4ClientEndpoint(self._reactor, "127.0.0.1", int(port)))
        self._relay = self._reactor.listenTCP(0, factory, interface="127.0.0.1", backlog=1000)
        return self._relay.getHost().port

    async def unrelay(self) -> Any:
        """Relay no more."""
        await self._relay.stopListening()

    async def take(self, leave: str) -> Any:
        """Take all descriptors but a few, as some other part of a program might."""
        try:
            while True:
                self._taken.append(os.dup(0))
        except OSError:
            pass
        await self.free(leave)

    async def free(self, count: str) -> Any:
        """Give some of them back."""
        for _ in range(min(int(count), len(self._taken))):
            os.close(self._taken.pop())

    async def whenFull(self, what: str) -> Any:
        """Let peers wait or drop them where descriptors run out."""
        self._tcp.whenFull = self._unix.whenFull = what

    async def listen(self, kind: str) -> Any:
        """Listen and stop; tell how that went."""
        try:
            port: Any
            if kind == "tcp":
                port = self._reactor.listenTCP(0, EchoFactory(), interface="127.0.0.1")
            elif kind in TLS:
                port = await self._serverOf(kind, "tcp:0:interface=127.0.0.1").listen(EchoFactory())
            else:
                self._count += 1
                port = self._reactor.listenUNIX(f"{self._path}{self._count}", EchoFactory())
            await port.stopListening()
        except Exception as e:
            return f"{type(e).__name__}: {e}"
        return "done"

    async def adopt(self, kind: str) -> Any:
        """Listen on a socket that is open, and stop; tell how that went."""
        given = socket.socket(socket.AF_UNIX if kind == "unix" else socket.AF_INET)
        if kind == "unix":
            given.bind("")  # an abstract name that is free
        given.listen()
        number = given.detach()
        try:
            listening = f"fd:{number}"
            secured = kind in TLS
            endpoint = (
                self._serverOf(kind, listening) if secured else serverFromString(self._reactor, listening)
            )
            port: Any = await endpoint.listen(EchoFactory())
            await port.stopListening()
        except Exception as e:
            os.close(number)  # a refused one is still open
            return f"{type(e).__name__}: {e}"
        return "done"

    async def connect(self, kind: str) -> Any:
        """Connect to itself; tell how that went."""
        protocol = Protocol()
        lost: Deferred[None] = Deferred()
        protocol.connectionLost = lambda reason=None: lost.callback(None)  # type: ignore[method-assign]
        try:
            await self._clientOf(kind).connect(Factory.forProtocol(lambda: protocol))
        except Exception as e:
            return f"{type(e).__name__}: {e}"
        assert protocol.transport is not None
        protocol.transport.loseConnection()
        await lost
        return "done"

    def _clientOf(self, kind: str) -> Any:
        if kind == "tcp":
            return TCP4ClientEndpoint(self._reactor, "127.0.0.1", self._tcp.getHost().port, 5)
        if kind == "unix":
            return UNIXClientEndpoint(self._reactor, self._path, 5)
        string = TLS[kind][1].format(self._certificates, self._secured[kind].getHost().port)
        return clientFromString(self._reactor, string)

    async def end(self) -> Any:
        """Stop."""
        self._reactor.stop()

    def do(self) -> None:
        """Read a line, and do what it says."""
        line = bytearray(4096)
        # Not `read`: this call must not fail when those of the loop do.
        count = os.readv(0, [line])
        name, *arguments = line[:count].decode().split() or ["end"]
        done = Deferred.fromCoroutine(getattr(self, name)(*arguments))
        done.addBoth(lambda result: _write(1, json.dumps(result, default=str)))


class Lines(logging.Handler):
    """Writes a line for each record of the standard log."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno > logging.INFO:
            _say(record.name, record.getMessage(), record.exc_info and record.exc_info[0])


def observe(event: dict[str, Any]) -> None:
    """Write a line for each record of Twisted's log."""
    from twisted.logger import LogLevel, formatEvent

    if event["log_level"] > LogLevel.info:
        failure = event.get("log_failure")
        _say(event["log_namespace"], formatEvent(event), failure and failure.type)


def _say(where: str, text: str, raised: Any) -> None:
    line = f"{where}: {text}" + (f" [{raised.__name__}]" if raised else "")
    _write(2, line.replace("\n", " "))


def _write(number: int, line: str) -> None:
    # Where it is, without `write`: see `Subject.do`.
    os.pwritev(number, [line.encode() + b"\n"], -1)


def main() -> None:
    logging.getLogger().addHandler(Lines())
    if vocabulary == "twisted":
        from twisted.logger import globalLogBeginner

        globalLogBeginner.beginLoggingTo([observe], redirectStandardIO=False, discardBuffer=True)
    name, limit = sys.argv[1], int(sys.argv[2])
    if limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    if name == "asyncio":
        loop = newEventLoop(asyncio.new_event_loop)
    else:
        import uvloop

        loop = newEventLoop(uvloop.new_event_loop)
    reactor = AsyncioReactor(loop)
    with tempfile.TemporaryDirectory() as folder:
        subject = Subject(reactor, folder)
        loop.add_reader(0, subject.do)
        loop.call_soon(_write, 1, "ready")
        reactor.run()


if __name__ == "__main__":
    main()
