"""Files with certificates, for strings that name them; and an echo server and its clients."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.tls.authority import make, root
from twisted_endpoints.defer import Deferred
from twisted_endpoints.endpoints import clientFromString, connectProtocol, serverFromString
from twisted_endpoints.failure import Failure
from twisted_endpoints.protocol import Factory, Protocol

LEAF = root().issue("localhost", "127.0.0.1")
CLIENT = root().issue("the client")
STRANGER = make(["stranger"])


class Echo(Protocol):
    """Answers each piece of data with itself, and remembers what there was to see."""

    def connectionMade(self) -> None:
        self.factory.seen.append(self)  # type: ignore[union-attr]

    def connectionLost(self, reason: Failure = None) -> None:  # type: ignore[assignment]
        self.factory.lost(self)  # type: ignore[union-attr]

    def dataReceived(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data)


class Says(Protocol):
    """Says something, and closes when it has heard as much."""

    def __init__(self, text: bytes = b"hello") -> None:
        self.text = text
        self.heard = b""
        self.done: Deferred[Any] = Deferred()

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(self.text)

    def dataReceived(self, data: bytes) -> None:
        self.heard += data
        if len(self.heard) >= len(self.text):
            assert self.transport is not None
            self.transport.loseConnection()

    def connectionLost(self, reason: Failure = None) -> None:  # type: ignore[assignment]
        self.done.callback(reason.value)


class Talk(Says):
    """Looks with whom it talks, and how."""

    negotiated: bytes | None = None
    shown: Any = None
    version = ""

    def connectionMade(self) -> None:
        transport: Any = self.transport
        self.negotiated = transport.negotiatedProtocol
        self.shown = transport.getPeerCertificate().to_cryptography()
        handle = transport.getHandle()
        self.version, self.cipher = handle.get_protocol_version_name(), handle.get_cipher_name()
        super().connectionMade()


class EchoFactory(Factory):
    """Makes `Echo`s."""

    noisy = False
    protocol = Echo

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.built = 0
        self._gone = 0
        self._idle: Deferred[None] | None = None

    def lost(self, protocol: Any) -> None:
        self._gone += 1
        if self._idle is not None and self._gone == self.built:
            self._idle.callback(None)

    async def idle(self) -> None:
        """Wait until each connection is lost."""
        if self._gone < self.built:
            self._idle = Deferred()
            await self._idle

    def buildProtocol(self, addr: Any) -> Any:
        self.built += 1
        return super().buildProtocol(addr)


@asynccontextmanager
async def listening(reactor: Any, description: str, factory: Any) -> Any:
    """Listen on what a string says; gives the port's number, or its address where it has none."""
    port = await serverFromString(reactor, description).listen(factory)
    address: Any = port.getHost()
    try:
        yield getattr(address, "port", address)
    finally:
        await port.stopListening()
        await factory.idle()


async def talk(reactor: Any, description: str, protocol: Talk | None = None) -> Talk:
    """Connect to what a string says, and exchange some bytes."""
    protocol = protocol or Talk()
    await connectProtocol(clientFromString(reactor, description), protocol)
    protocol.lost = await protocol.done  # type: ignore[attr-defined]
    return protocol


class Files:
    """A folder with the files that strings of these tests name."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.served = path / "served"
        self.served.mkdir()
        (self.served / "leaf.pem").write_bytes(LEAF.pem)
        for name, issued in (("leaf", LEAF), ("client", CLIENT), ("stranger", STRANGER)):
            self.write(f"{name}.pem", issued.pem)
            self.write(f"{name}.crt", issued.certificatePEM)
            self.write(f"{name}.key", issued.keyPEM)
        self.write("root.pem", root().certificatePEM)

    def write(self, name: str, content: bytes) -> str:
        (self.path / name).write_bytes(content)
        return str(self.path / name)

    def __getattr__(self, name: str) -> str:
        return f"{self.path}/{name.replace('_', '.')}"
