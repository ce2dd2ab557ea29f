"""``haproxy:`` on real sockets: alone, around TLS and in it, with whole peers and with stalled ones."""

from __future__ import annotations

import socket
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.asyncioreactor.streams import HalfCloseable, OneFactory, Peer, Recorder
from tests.faults.left import aWhile
from tests.faults.test_thousand import garbage
from tests.plugins.tlsfiles import LEAF, EchoFactory, Files, Talk, listening, talk
from tests.running import run
from twisted_endpoints.address import IPv4Address, UNIXAddress
from twisted_endpoints.endpoints import clientFromString, connectProtocol, serverFromString
from twisted_endpoints.endpoints.wrapping import announces, speakingFor
from twisted_endpoints.error import ConnectError, ConnectionDone, NoProtocol
from twisted_endpoints.haproxy import ProxyClientEndpoint, complaints, v1, v2
from twisted_endpoints.haproxy.sending import announcing
from twisted_endpoints.protocol import Factory, Protocol
from twisted_endpoints.relay import RelayFactory
from twisted_endpoints.ssl import PrivateCertificate

from .headers import V4_ADDRESSES

LOCAL = "tcp:0:interface=127.0.0.1"
BELIEVING = f"haproxy:{LOCAL}:trusted=127.0.0.1"

#: Written by a client, in whatever pieces.
HEADERS = {"v1": v1.build(*V4_ADDRESSES), "v2": v2.build(*V4_ADDRESSES, [(2, b"example.com")], checksum=True)}

eachHeader = pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)


class Greets(Recorder):
    """Speaks first, as servers of mail do."""

    def connectionMade(self) -> None:
        super().connectionMade()
        transport: Any = self.transport
        self.addresses = transport.getPeer(), transport.getHost()
        transport.write(b"220 welcome\r\n")


@pytest.fixture(autouse=True)
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is logged about peers."""
    lines: list[str] = []
    monkeypatch.setattr(complaints._log, "warning", lines.append)
    return lines


def serve(
    reactor: Any, string: str, factory: Any, main: Callable[[Callable[[], Peer], Any], Awaitable[Any]]
) -> None:
    """Listen, and run a coroutine function with a function that connects a plain socket, and the port."""

    async def whole() -> None:
        port = await serverFromString(reactor, string).listen(factory)
        address: Any = port.getHost()
        peers: list[Peer] = []

        def connect() -> Peer:
            isUNIX = isinstance(address, UNIXAddress)
            sock = socket.socket(socket.AF_UNIX if isUNIX else socket.AF_INET)
            sock.connect(address.name if isUNIX else ("127.0.0.1", address.port))
            peers.append(Peer(reactor, sock))
            return peers[-1]

        try:
            await main(connect, port)
        finally:
            for peer in peers:
                peer.close()
            await port.stopListening()

    run(reactor, whole)


@eachHeader
def test_aServerThatSpeaksFirstWaitsForTheHeader(reactor: Any, header: bytes) -> None:
    protocol = Greets()

    async def main(connect: Callable[[], Peer], port: Any) -> None:
        peer = connect()
        for byte in header[:-1]:
            await peer.send(bytes([byte]))
        assert protocol.events == []
        with pytest.raises(BlockingIOError):
            peer.sock.recv(1)
        await peer.send(header[-1:] + b"EHLO\r\n")
        assert await peer.receive(13) == b"220 welcome\r\n"
        await protocol.size(6)
        assert protocol.addresses == V4_ADDRESSES
        peer.end()
        assert await protocol.lost is ConnectionDone
        assert protocol.received == b"EHLO\r\n"

    serve(reactor, BELIEVING, OneFactory(protocol), main)


def test_aHalfCloseReachesTheProtocol(reactor: Any) -> None:
    protocol = HalfCloseable()

    async def main(connect: Callable[[], Peer], port: Any) -> None:
        peer = connect()
        await peer.send(HEADERS["v2"] + b"question")
        peer.end()
        await protocol.readLost
        transport: Any = protocol.transport
        transport.write(b"answer")
        transport.loseWriteConnection()
        await protocol.writeLost
        assert await peer.receive(100) == b"answer"
        transport.loseConnection()
        await protocol.lost
        assert protocol.events == ["made", "read lost", "write lost", "lost"]

    serve(reactor, BELIEVING, OneFactory(protocol), main)


def test_anEndWithinTheHeaderEndsTheConnection(reactor: Any, said: list[str]) -> None:
    protocol = HalfCloseable()

    async def main(connect: Callable[[], Peer], port: Any) -> None:
        peer = connect()
        await peer.send(HEADERS["v2"][:20])
        peer.end()
        assert await peer.receive(1) == b""
        assert protocol.events == []

    serve(reactor, BELIEVING, OneFactory(protocol), main)
    assert len(said) == 1
    assert said[0].endswith("it has ended within its header")


async def goneWithout(peer: Peer) -> None:
    """Wait until a connection is closed without a word."""
    try:
        assert await peer.receive(1) == b""
    except ConnectionResetError:
        pass


@pytest.mark.parametrize(
    ("string", "data"),
    [
        (BELIEVING, b"GET / HTTP/1.1\r\n\r\n"),
        (BELIEVING, b"PROXY TCP4 " + b"1" * 100_000),
        (f"haproxy:{LOCAL}:trusted=10.0.0.0/8", HEADERS["v2"]),
        (f"haproxy:{LOCAL}:trusted=unix", b""),
        (f"haproxy:{LOCAL}:trusted=any:headerLimit=20", HEADERS["v2"]),
        (f"haproxy:{LOCAL}:trusted=any:headerTimeout=0.05", HEADERS["v2"][:-1]),
    ],
    ids=["no header", "no end", "a stranger", "a stranger who waits", "too long", "too slow"],
)
def test_turnedAway(reactor: Any, string: str, data: bytes, said: list[str]) -> None:
    protocol = Greets()

    async def main(connect: Callable[[], Peer], port: Any) -> None:
        peer = connect()
        with suppress(OSError):
            await peer.send(data)
        await goneWithout(peer)
        assert protocol.events == []

    serve(reactor, string, OneFactory(protocol), main)
    assert len(said) == 1


def test_aFloodOfStalledPeersGoesAtTheDeadline(reactor: Any, said: list[str]) -> None:
    class Never(Factory):
        noisy = False

        def buildProtocol(self, addr: Any) -> Any:
            raise AssertionError("nobody has sent a header")

    count = 150

    async def main(connect: Callable[[], Peer], port: Any) -> None:
        peers = [connect() for _ in range(count)]
        for number, peer in enumerate(peers):
            with suppress(OSError):  # on a busy machine it may be turned away already
                await peer.send([b"", b"PROXY TC", HEADERS["v2"][:16]][number % 3])
        for peer in peers:
            await goneWithout(peer)
        assert len(reactor.getDelayedCalls()) == 1  # the limit of the test's own time

    serve(reactor, f"haproxy:{LOCAL}:backlog=200:trusted=any:headerTimeout=0.3", Never(), main)
    assert 1 <= len(said) <= 30


@pytest.mark.parametrize("version", [1, 2])
def test_clientAndServer(reactor: Any, version: int) -> None:
    server, client = Greets(), Recorder()

    async def main(connect: Callable[[], Peer], port: Any) -> None:
        number = port.getHost().port
        endpoint = clientFromString(reactor, f"haproxy:tcp:127.0.0.1:{number}:version={version}")
        assert await connectProtocol(endpoint, client) is client
        transport: Any = client.transport
        transport.write(b"hello")
        await client.size(13)
        await server.size(5)
        assert server.addresses == (transport.getHost(), transport.getPeer())
        transport.loseConnection()
        assert await server.lost is ConnectionDone
        assert await client.lost is ConnectionDone
        assert (server.received, client.received) == (b"hello", b"220 welcome\r\n")

    serve(reactor, BELIEVING, OneFactory(server), main)


def test_aUNIXSocketsClientHasNoName(reactor: Any, tmp_path: Path) -> None:
    server, client = Greets(), Recorder()

    async def main(connect: Callable[[], Peer], port: Any) -> None:
        await connectProtocol(clientFromString(reactor, f"haproxy:unix:{tmp_path}/s"), client)
        await client.size(13)
        assert server.addresses == (UNIXAddress(None), UNIXAddress(f"{tmp_path}/s"))
        client.transport.loseConnection()  # type: ignore[union-attr]
        await server.lost
        await client.lost

    serve(reactor, f"haproxy:unix:{tmp_path}/s:mode=600", OneFactory(server), main)


def test_whereNobodyListens(reactor: Any) -> None:
    async def main() -> None:
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            endpoint = clientFromString(reactor, f"haproxy:tcp:127.0.0.1:{sock.getsockname()[1]}")
            with pytest.raises(ConnectError, match="refused"):
                await connectProtocol(endpoint, Recorder())

    run(reactor, main)


def test_aClientsFactoryMayMakeNoProtocol(reactor: Any) -> None:
    async def main(connect: Callable[[], Peer], port: Any) -> None:
        endpoint = clientFromString(reactor, f"haproxy:tcp:127.0.0.1:{port.getHost().port}")
        with pytest.raises(NoProtocol):
            await endpoint.connect(OneFactory(None))

    serve(reactor, LOCAL, OneFactory(Recorder()), main)


#: For each: the server's string without the port's, and the client's.
LAYERS = {
    "outside tls": (
        "tls:{files.served}:endpoint=[haproxy:tcp:0:interface=127.0.0.1:trusted=127.0.0.1]",
        "tls:localhost:443:trustRoots={files.root_pem}:endpoint=[haproxy:tcp:127.0.0.1:{port}]",
    ),
    "inside tls": (
        "haproxy:tls:{files.served}:0:interface=127.0.0.1:trusted=127.0.0.1",
        "haproxy:tls:localhost:{port}:trustRoots={files.root_pem}",
    ),
    "inside tls, in brackets": (
        "haproxy:endpoint=[tls:{files.served}:0:interface=127.0.0.1]:trusted=127.0.0.1",
        "haproxy:endpoint=[tls:localhost:{port}:trustRoots={files.root_pem}]:version=1",
    ),
    "outside tls and inside": (
        "haproxy:tls:{files.served}:endpoint=[haproxy:tcp:0:interface=127.0.0.1:trusted=any]:trusted=any",
        "haproxy:tls:localhost:443:trustRoots={files.root_pem}:endpoint=[haproxy:tcp:127.0.0.1:{port}]",
    ),
}


@pytest.mark.parametrize(("server", "client"), LAYERS.values(), ids=LAYERS)
def test_aroundTLSAndInIt(reactor: Any, files: Files, server: str, client: str) -> None:
    source, destination = V4_ADDRESSES
    factory = EchoFactory()

    async def main() -> None:
        async with listening(reactor, server.format(files=files), factory) as port:
            string = client.format(files=files, port=port)
            plain = await talk(reactor, string, Talk(b"x" * 100_000))
            assert plain.heard == b"x" * 100_000
            endpoint = speakingFor(clientFromString(reactor, string), source, destination)
            protocol = Talk()
            await connectProtocol(endpoint, protocol)
            await protocol.done
        transports = [seen.transport for seen in factory.seen]
        assert [transport.getPeer() == source for transport in transports] == [False, True]
        assert [transport.getHost() == destination for transport in transports] == [False, True]
        assert transports[1].proxyInfo.source == source

    run(reactor, main)


class BeginsTLS(Recorder):
    """Begins TLS itself, as soon as it is connected, and answers in it."""

    def __init__(self, options: Any) -> None:
        super().__init__()
        self.options = options

    def connectionMade(self) -> None:
        super().connectionMade()
        self.transport.startTLS(self.options)  # type: ignore[union-attr]
        self.transport.write(b"secret")  # type: ignore[union-attr]


@eachHeader
def test_tlsThatTheProtocolBeginsGetsWhatCameWithTheHeader(reactor: Any, files: Files, header: bytes) -> None:
    context = ssl.create_default_context(cafile=files.root_pem)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    server = BeginsTLS(PrivateCertificate.loadPEM(LEAF.pem).options())

    async def main(connect: Callable[[], Peer], port: Any) -> None:
        peer, ahead, heard = connect(), header, b""
        while not heard:
            with suppress(ssl.SSLWantReadError):
                heard = client.read(100)
            await peer.send(ahead + outgoing.read())
            ahead = b""
            if not heard:
                incoming.write(await peer._do(reactor._loop.sock_recv(peer.sock, 1 << 16)))
        assert heard == b"secret"
        client.write(b"hello")
        await peer.send(outgoing.read())
        await server.size(5)
        assert server.received == b"hello"
        transport: Any = server.transport
        assert (transport.getPeer(), transport.getHost()) == V4_ADDRESSES
        peer.close()
        await server.lost

    serve(reactor, BELIEVING, OneFactory(server), main)


def test_aHeaderIsAheadOfTLSUnlessItsStringSaysOtherwise(reactor: Any, files: Files) -> None:
    tcp = clientFromString(reactor, "tcp:127.0.0.1:80")
    tls = clientFromString(reactor, f"tls:localhost:443:trustRoots={files.root_pem}")
    inside = clientFromString(reactor, f"haproxy:tls:localhost:443:trustRoots={files.root_pem}")
    assert [announces(each) for each in (tcp, tls, inside, object())] == [False, False, True, False]
    changed = announcing(tls, 1)
    assert type(changed) is type(tls)
    assert isinstance(changed._wrappedEndpoint, ProxyClientEndpoint)
    assert not announces(tls)
    assert isinstance(announcing(tcp, 2), ProxyClientEndpoint)
    with pytest.raises(ValueError, match="versions 1 and 2"):
        announcing(tcp, 3)


@pytest.mark.parametrize("version", [1, 2])
def test_aRelayTellsWhomItSpeaksFor(reactor: Any, version: int) -> None:
    """Two relays in a row: the first is connected to by a client, the second by the first."""
    server = Greets()

    async def main(connect: Callable[[], Peer], port: Any) -> None:
        strings = [
            f"haproxy:tcp:127.0.0.1:{port.getHost().port}:version={version}",
            "haproxy:tcp:127.0.0.1:{}",
        ]
        relays = [RelayFactory(clientFromString(reactor, strings[0]))]
        ports = [await serverFromString(reactor, BELIEVING).listen(relays[0])]
        relays.append(RelayFactory(clientFromString(reactor, strings[1].format(ports[0].getHost().port))))
        ports.append(await serverFromString(reactor, LOCAL).listen(relays[1]))
        with socket.create_connection(("127.0.0.1", ports[1].getHost().port)) as sock:
            client = Peer(reactor, sock)
            await client.send(b"x" * 100_000)
            assert await client.receive(13) == b"220 welcome\r\n"
            await server.size(100_000)
            assert server.addresses == tuple(
                IPv4Address("TCP", *name) for name in (sock.getsockname(), sock.getpeername())
            )
            client.end()
            await server.lost
            assert await client.receive(1) == b""
        for port in ports:
            await port.stopListening()
        for relay in relays:
            await relay.whenIdle()
        assert server.received == b"x" * 100_000

    serve(reactor, BELIEVING, OneFactory(server), main)


class Ends(Protocol):
    """Closes when it has heard something."""

    def dataReceived(self, data: bytes) -> None:
        self.transport.loseConnection()  # type: ignore[union-attr]


async def leftBy(reactor: Any, server: str, client: str, data: bytes) -> Counter[str]:
    """Count what of ours some connections leave to the garbage collector."""
    port = await serverFromString(reactor, server).listen(Factory.forProtocol(Ends))

    async def work() -> None:
        for _ in range(4):
            endpoint = clientFromString(reactor, client.format(port=port.getHost().port))
            protocol: Any = await endpoint.connect(Factory.forProtocol(Protocol))
            protocol.transport.write(data)
            while protocol.connected and not protocol.transport.disconnected:
                await aWhile(reactor)
            del protocol, endpoint
        await aWhile(reactor, 0.02)

    found = await garbage(work)
    await port.stopListening()
    return Counter(
        {name: count for name, count in found.items() if name.startswith(("twisted_endpoints", "tests"))}
    )


@pytest.mark.parametrize(
    ("server", "client", "data"),
    [
        (BELIEVING, "haproxy:tcp:127.0.0.1:{port}", b"data"),
        (BELIEVING, "haproxy:tcp:127.0.0.1:{port}:version=1", b"data"),
        (BELIEVING, "tcp:127.0.0.1:{port}", HEADERS["v2"] + b"data"),
        (BELIEVING, "tcp:127.0.0.1:{port}", b"GET /"),
        (f"haproxy:{LOCAL}:trusted=unix", "tcp:127.0.0.1:{port}", b"GET /"),
        (f"haproxy:{LOCAL}:trusted=any:headerTimeout=0.01", "tcp:127.0.0.1:{port}", b"PROXY"),
    ],
    ids=["v2", "v1", "in one piece", "no header", "stranger", "too slow"],
)
def test_noMoreGarbageThanWithout(reactor: Any, server: str, client: str, data: bytes) -> None:
    async def main() -> None:
        found = await leftBy(reactor, server, client, data)
        if found:
            # asyncio's own transports are circles, and hold what is ours.
            assert found - await leftBy(reactor, LOCAL, "tcp:127.0.0.1:{port}", b"data") == Counter()

    run(reactor, main)
