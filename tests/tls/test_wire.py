"""What goes wrong on the wire: a server of ours on real sockets, and peers that misbehave."""

from __future__ import annotations

import gc
import socket
import ssl
import struct
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from OpenSSL.SSL import Error
from zope.interface import implementer

from tests.running import run
from twisted_endpoints import error
from twisted_endpoints._tls.verification import ServerCheck, VerifyingClientOptions
from twisted_endpoints.defer import Deferred
from twisted_endpoints.endpoints import tls
from twisted_endpoints.endpoints.tcp import TCP4ClientEndpoint, TCP4ServerEndpoint
from twisted_endpoints.endpoints.tls import TLSClientEndpoint, wrapServerTLS
from twisted_endpoints.failure import Failure
from twisted_endpoints.interfaces import IHalfCloseableProtocol, IHandshakeListener
from twisted_endpoints.protocol import Factory, Protocol
from twisted_endpoints.ssl import Certificate, PrivateCertificate, trustRootFromCertificates
from twisted_endpoints.threads import deferToThreadPool

from .authority import root

LIMIT = 0.3


class Seen(Protocol):
    """Remembers what happens, and tells when it is over."""

    def __init__(self, over: Deferred[Any]) -> None:
        self.events: list[Any] = []
        self.heard = b""
        self.over = over

    def connectionMade(self) -> None:
        self.events.append("made")

    def dataReceived(self, data: bytes) -> None:
        self.heard += data

    def connectionLost(self, reason: Failure = None) -> None:  # type: ignore[assignment]
        self.events.append(type(reason.value))
        self.over.callback(self)


@implementer(IHalfCloseableProtocol)
class HalfClosed(Seen):
    def readConnectionLost(self) -> None:
        self.events.append("read lost")

    def writeConnectionLost(self) -> None:
        self.events.append("write lost")


class Bed:
    """A server of ours, and peers in threads."""

    def __init__(self, reactor: Any) -> None:
        self.reactor = reactor
        self.built: list[Any] = []
        self.over: Deferred[Any] = Deferred()
        self.port: Any = None

    async def listen(self, protocol: Callable[[Deferred[Any]], Any] = Seen) -> None:
        def build() -> Any:
            made = protocol(self.over)
            self.built.append(made)
            return made

        issued = root().issue("localhost")
        creator = PrivateCertificate.loadPEM(issued.pem).options()
        tcp = TCP4ServerEndpoint(self.reactor, 0, interface="127.0.0.1")
        endpoint = wrapServerTLS(creator, tcp, self.reactor, handshakeTimeout=LIMIT)
        self.port = await endpoint.listen(Factory.forProtocol(build))

    def client(self, **options: Any) -> TLSClientEndpoint:
        trust = trustRootFromCertificates([Certificate.loadPEM(root().certificatePEM)])
        tcp = TCP4ClientEndpoint(self.reactor, "127.0.0.1", self.port.getHost().port)
        creator = VerifyingClientOptions("localhost", ServerCheck(trust))
        return TLSClientEndpoint(tcp, creator, self.reactor, **options)

    def peer(self, play: Callable[[socket.socket], Any]) -> Deferred[Any]:
        """Connect in a thread, and play there."""
        address = ("127.0.0.1", self.port.getHost().port)

        def playing() -> Any:
            with socket.create_connection(address, timeout=10) as sock:
                return play(sock)

        return deferToThreadPool(self.reactor, self.reactor.getThreadPool(), playing)

    def tlsPeer(self, play: Callable[[ssl.SSLSocket], Any]) -> Deferred[Any]:
        """The same, with TLS of Python's own."""

        def secured(sock: socket.socket) -> Any:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_verify_locations(cadata=root().certificatePEM.decode())
            with context.wrap_socket(sock, server_hostname="localhost") as talking:
                return play(talking)

        return self.peer(secured)

    def later(self, seconds: float) -> Deferred[None]:
        waiting: Deferred[None] = Deferred()
        self.reactor.callLater(seconds, waiting.callback, None)
        return waiting


@pytest.fixture(autouse=True)
def _shortLimits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls, "CLOSE_TIMEOUT", LIMIT)


@pytest.fixture
def play(reactor: Any) -> Iterator[Callable[[Callable[[Bed], Any]], Any]]:
    def playing(main: Callable[[Bed], Any]) -> Any:
        bed = Bed(reactor)

        async def whole() -> Any:
            try:
                return await main(bed)
            finally:
                if bed.port is not None:
                    await bed.port.stopListening()

        return run(reactor, whole)

    return playing


def drained(sock: socket.socket) -> bytes:
    """Read until the peer closes, however it does."""
    found = b""
    try:
        while piece := sock.recv(65536):
            found += piece
    except ConnectionResetError:
        pass
    return found


HELLO = bytes.fromhex("16030100c8010000c4030300")

SILLY = {
    "nothing": [],
    "half a ClientHello": [HELLO],
    "a byte at a time": [bytes([byte]) for byte in HELLO],
    "garbage": [b"\x00\xff" * 500],
    "plain HTTP": [b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"],
    "a huge record": [b"\x16\x03\x01\xff\xff" + b"x" * 65535],
    "an alert": [b"\x15\x03\x01\x00\x02\x02\x28"],
    "application data": [b"\x17\x03\x03\x00\x05hello"],
}


@pytest.mark.parametrize("pieces", SILLY.values(), ids=SILLY)
def test_whoCantShakeHands(play: Any, pieces: list[bytes]) -> None:
    def silly(sock: socket.socket) -> bytes:
        try:
            for piece in pieces:
                sock.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return drained(sock)

    async def main(bed: Bed) -> None:
        await bed.listen()
        await bed.peer(silly)
        assert bed.built == []

    play(main)


def test_aPeerThatDribblesIsHeldToTheLimit(play: Any) -> None:
    def dribbling(sock: socket.socket) -> int:
        sock.settimeout(LIMIT / 10)
        for i in range(1000):
            try:
                sock.sendall(HELLO[i : i + 1] or b"x")
                if not sock.recv(1000):
                    return i
            except TimeoutError:
                continue
            except OSError:
                return i
        return 1000

    async def main(bed: Bed) -> None:
        await bed.listen()
        assert await bed.peer(dribbling) < 100

    play(main)


def test_closesInTheMiddleOfTheHandshake(play: Any) -> None:
    async def main(bed: Bed) -> None:
        await bed.listen()
        await bed.peer(lambda sock: sock.sendall(HELLO))
        await bed.later(0.05)
        assert bed.built == []

    play(main)


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (lambda talking: talking.unwrap(), error.ConnectionDone),
        # A truncation attack: the stream ends, and nobody has said that it does.
        (lambda talking: talking.shutdown(socket.SHUT_RDWR), error.ConnectionLost),
        (
            lambda talking: talking.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)),
            error.ConnectionLost,
        ),
    ],
    ids=["close_notify", "truncated", "reset"],
)
def test_howAStreamEnds(play: Any, end: Callable[[Any], Any], reason: type[Exception]) -> None:
    def peer(talking: ssl.SSLSocket) -> None:
        talking.sendall(b"x" * 100_000)
        end(talking)

    async def main(bed: Bed) -> None:
        await bed.listen()
        await bed.tlsPeer(peer)
        seen = await bed.over
        assert seen.events == ["made", reason]
        if reason is error.ConnectionDone:
            assert len(seen.heard) == 100_000

    play(main)


def test_halfClose(play: Any) -> None:
    class Answering(HalfClosed):
        def readConnectionLost(self) -> None:
            super().readConnectionLost()
            self.transport.write(b"the answer")  # type: ignore[union-attr]
            self.transport.loseConnection()  # type: ignore[union-attr]

    def peer(talking: ssl.SSLSocket) -> bytes:
        talking.sendall(b"the question")
        sock = talking.unwrap  # sends close_notify, and reads until the peer's comes
        try:
            sock()
        except ssl.SSLError as e:
            # Python wants nothing but the close_notify here.
            return str(e.reason).encode()
        return b""

    async def main(bed: Bed) -> None:
        await bed.listen(Answering)
        assert await bed.tlsPeer(peer) == b"APPLICATION_DATA_AFTER_CLOSE_NOTIFY"
        seen = await bed.over
        assert (seen.heard, seen.events) == (b"the question", ["made", "read lost", error.ConnectionDone])

    play(main)


def test_ourHalfClose(play: Any) -> None:
    class Ending(HalfClosed):
        def connectionMade(self) -> None:
            super().connectionMade()
            self.transport.write(b"all that I say")  # type: ignore[union-attr]
            self.transport.loseWriteConnection()  # type: ignore[union-attr]
            self.transport.write(b"never sent")  # type: ignore[union-attr]

    def peer(talking: ssl.SSLSocket) -> bytes:
        found = b""
        while piece := talking.recv(1000):  # until the close_notify
            found += piece
        talking.sendall(b"still heard")
        talking.unwrap()
        return found

    async def main(bed: Bed) -> None:
        await bed.listen(Ending)
        assert await bed.tlsPeer(peer) == b"all that I say"
        seen = await bed.over
        assert seen.heard == b"still heard"
        assert seen.events == ["made", "write lost", "read lost", error.ConnectionDone]

    play(main)


def test_keepsWritingAfterOurClose(play: Any) -> None:
    class Closing(Seen):
        def connectionMade(self) -> None:
            super().connectionMade()
            self.transport.write(b"bye")  # type: ignore[union-attr]
            self.transport.loseConnection()  # type: ignore[union-attr]

    def peer(talking: ssl.SSLSocket) -> bytes:
        said = talking.recv(10)
        talking.settimeout(5)
        try:
            while True:
                talking.sendall(b"x" * 10_000)
        except OSError:
            return said

    async def main(bed: Bed) -> None:
        await bed.listen(Closing)
        assert await bed.tlsPeer(peer) == b"bye"
        seen = await bed.over
        assert seen.events[0] == "made"
        assert len(seen.events) == 2

    play(main)


SIZE = 64 * 2**20


def test_everythingUnsentIsSentToASlowReader(play: Any) -> None:
    class Large(Seen):
        def connectionMade(self) -> None:
            super().connectionMade()
            self.transport.write(bytes(SIZE))  # type: ignore[union-attr]
            self.transport.loseConnection()  # type: ignore[union-attr]

    def peer(talking: ssl.SSLSocket) -> int:
        found = 0
        # Longer than a peer has to answer a close_notify that is sent.
        talking.settimeout(None)
        talking.recv(1)
        import time

        time.sleep(2 * LIMIT)
        while piece := talking.recv(2**20):
            found += len(piece)
        return found + 1

    async def main(bed: Bed) -> None:
        await bed.listen(Large)
        assert await bed.tlsPeer(peer) == SIZE
        await bed.over

    play(main)


def test_pausedMeansPaused(play: Any) -> None:
    class Pausing(Seen):
        calls = 0

        def dataReceived(self, data: bytes) -> None:
            self.calls += 1
            self.heard += data
            self.transport.pauseProducing()  # type: ignore[union-attr]

    def peer(talking: ssl.SSLSocket) -> None:
        talking.sendall(b"x" * 2_000_000)
        talking.unwrap()

    async def main(bed: Bed) -> None:
        await bed.listen(Pausing)
        playing = bed.tlsPeer(peer)
        while not (bed.built and bed.built[0].calls):
            await bed.later(0.01)
        seen = bed.built[0]
        for _ in range(5):
            calls = seen.calls
            await bed.later(0.02)
            assert seen.calls == calls
            seen.transport.resumeProducing()
            while seen.calls == calls:
                await bed.later(0.001)
        seen.dataReceived = lambda data: Seen.dataReceived(seen, data)
        seen.transport.resumeProducing()
        await bed.over
        await playing
        assert (len(seen.heard), seen.events) == (2_000_000, ["made", error.ConnectionDone])

    play(main)


def aborts(moment: str) -> type[Seen]:
    @implementer(IHandshakeListener)
    class Aborting(Seen):
        def _abort(self, here: str) -> None:
            if here == moment:
                self.transport.abortConnection()  # type: ignore[union-attr]
                self.transport.abortConnection()  # type: ignore[union-attr]
                self.transport.write(b"in vain")  # type: ignore[union-attr]
                self.transport.loseConnection()  # type: ignore[union-attr]

        def connectionMade(self) -> None:
            super().connectionMade()
            self._abort("made")

        def handshakeCompleted(self) -> None:
            self._abort("handshake")

        def dataReceived(self, data: bytes) -> None:
            super().dataReceived(data)
            self._abort("data")

        def connectionLost(self, reason: Failure = None) -> None:  # type: ignore[assignment]
            self._abort("lost")
            super().connectionLost(reason)

    return Aborting


@pytest.mark.parametrize("moment", ["made", "handshake", "data", "lost"])
def test_abort(play: Any, moment: str) -> None:
    def peer(talking: ssl.SSLSocket) -> bytes:
        try:
            talking.sendall(b"hello")
            talking.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        return drained(talking)

    async def main(bed: Bed) -> None:
        await bed.listen(aborts(moment))
        try:
            await bed.tlsPeer(peer)
        except OSError:
            pass
        seen = await bed.over
        assert seen.events[0] == "made"
        assert len(seen.events) == 2

    play(main)


def test_writesFromEveryCallback(play: Any) -> None:
    @implementer(IHandshakeListener)
    class Writing(Seen):
        def connectionMade(self) -> None:
            super().connectionMade()
            self.transport.write(b"made ")  # type: ignore[union-attr]

        def handshakeCompleted(self) -> None:
            self.transport.write(b"handshake ")  # type: ignore[union-attr]

        def dataReceived(self, data: bytes) -> None:
            self.transport.writeSequence([b"data", b" ", data])  # type: ignore[union-attr]
            self.transport.loseConnection()  # type: ignore[union-attr]

        def connectionLost(self, reason: Failure = None) -> None:  # type: ignore[assignment]
            self.transport.write(b"lost")  # type: ignore[union-attr]
            super().connectionLost(reason)

    def peer(talking: ssl.SSLSocket) -> bytes:
        talking.sendall(b"x")
        found = b""
        while piece := talking.recv(1000):
            found += piece
        return found

    async def main(bed: Bed) -> None:
        await bed.listen(Writing)
        assert await bed.tlsPeer(peer) == b"made handshake data x"
        await bed.over

    play(main)


async def refused(connecting: Deferred[Any]) -> BaseException:
    try:
        await connecting
    except BaseException as e:
        return e
    raise AssertionError("it is connected")


def server(play: Callable[[socket.socket], Any]) -> tuple[int, Callable[[], Any]]:
    """Make a server for one peer; return its port, and what plays it."""
    listening = socket.create_server(("127.0.0.1", 0))

    def playing() -> Any:
        with listening:
            sock, _ = listening.accept()
            with sock:
                return play(sock)

    return listening.getsockname()[1], playing


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b"", "the peer closed the connection before the TLS handshake was done"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "the peer doesn't speak TLS on this port"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "the peer refuses the handshake"),
        (
            b"\x15\x03\x03\x00\x02\x02\x46",
            "the peer allows none of the versions of TLS that are allowed here",
        ),
        (b"\x15\x03\x03\x00\x02\x02\x70", "the server has no certificate for this name"),
    ],
)
def test_aClientIsToldWhyTheHandshakeFailed(play: Any, answer: bytes, text: str) -> None:
    def answering(sock: socket.socket) -> None:
        sock.recv(65536)
        sock.sendall(answer)
        sock.shutdown(socket.SHUT_WR)
        drained(sock)

    async def main(bed: Bed) -> None:
        number, playing = server(answering)
        serving = deferToThreadPool(bed.reactor, bed.reactor.getThreadPool(), playing)
        tcp = TCP4ClientEndpoint(bed.reactor, "127.0.0.1", number)
        endpoint = TLSClientEndpoint(tcp, VerifyingClientOptions("localhost"), bed.reactor)
        why = await refused(endpoint.connect(Factory.forProtocol(lambda: Seen(bed.over))))
        await serving
        assert isinstance(why, (Error, error.ConnectionLost))
        assert text in str(why)

    play(main)


@pytest.mark.parametrize(
    ("options", "kind"),
    [({"handshakeTimeout": 0.1}, error.TimeoutError), ({"deadline": 0.1}, error.TimeoutError)],
)
def test_aServerThatSaysNothing(play: Any, options: dict[str, float], kind: type[Exception]) -> None:
    async def main(bed: Bed) -> None:
        number, playing = server(drained)
        serving = deferToThreadPool(bed.reactor, bed.reactor.getThreadPool(), playing)
        tcp = TCP4ClientEndpoint(bed.reactor, "127.0.0.1", number)
        endpoint = TLSClientEndpoint(tcp, VerifyingClientOptions("localhost"), bed.reactor, **options)
        why = await refused(endpoint.connect(Factory.forProtocol(lambda: Seen(bed.over))))
        await serving
        assert type(why) is kind

    play(main)


def test_cancelInTheHandshake(play: Any) -> None:
    async def main(bed: Bed) -> None:
        number, playing = server(drained)
        serving = deferToThreadPool(bed.reactor, bed.reactor.getThreadPool(), playing)
        tcp = TCP4ClientEndpoint(bed.reactor, "127.0.0.1", number)
        endpoint = TLSClientEndpoint(tcp, VerifyingClientOptions("localhost"), bed.reactor)
        connecting = endpoint.connect(Factory.forProtocol(lambda: Seen(bed.over)))
        bed.reactor.callLater(0.05, connecting.cancel)
        why = await refused(connecting)
        await serving
        assert isinstance(why, error.ConnectingCancelledError)

    play(main)


class Brief(Protocol):
    """Says a word, and that it is lost."""

    lost = False

    def connectionMade(self) -> None:
        self.transport.write(b"hello")  # type: ignore[union-attr]

    def connectionLost(self, reason: Failure = None) -> None:  # type: ignore[assignment]
        self.lost = True


def test_nothingKeepsAConnectionAlive(play: Any) -> None:
    async def layers(bed: Bed) -> list[Any]:
        client = await bed.client().connect(Factory.forProtocol(Brief))
        while not (bed.built and bed.built[0].heard):
            await bed.later(0.01)
        found = [weakref.ref(client.transport), weakref.ref(bed.built[0].transport)]
        client.transport.loseConnection()
        await bed.over
        while not client.lost:
            await bed.later(0.01)
        return found

    async def main(bed: Bed) -> None:
        await bed.listen()
        found = await layers(bed)
        # What a protocol of the test's holds is the test's: `over` holds it, and it `over`.
        del bed.built[0].over
        bed.built.clear()
        bed.over = Deferred()
        await bed.later(0.05)
        assert [layer() for layer in found] == [None, None]

    gc.collect()
    gc.disable()
    try:
        play(main)
    finally:
        gc.enable()
