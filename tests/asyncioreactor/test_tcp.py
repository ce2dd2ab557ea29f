"""Ports and connectors of TCP, and what ports and connectors of all kinds have in common."""

from __future__ import annotations

import asyncio
import errno
import gc
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from zope.interface import implementer
from zope.interface.verify import verifyObject

from tests.running import needsIPv6, run
from twisted_endpoints import error
from twisted_endpoints.address import IPv4Address, IPv6Address
from twisted_endpoints.defer import CancelledError, Deferred
from twisted_endpoints.endpoints import TCP4ServerEndpoint
from twisted_endpoints.error import (
    CannotListenError,
    ConnectBindError,
    ConnectError,
    ConnectionDone,
    DNSLookupError,
    NotConnectingError,
    ServiceNameUnknownError,
    UserError,
)
from twisted_endpoints.interfaces import (
    IConnector,
    IListeningPort,
    IReactorTCP,
    IResolverSimple,
    ITCPTransport,
)
from twisted_endpoints.protocol import ClientFactory, Protocol

from .logged import loggedErrors
from .streams import CountingFactory, OneClientFactory, OneFactory, Play, Recorder, Scene, descriptorsOpen


@pytest.fixture
def kind() -> str:
    return "tcp"


@pytest.fixture
def taken() -> Iterator[int]:
    """A port number that something else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


@pytest.fixture
def free() -> int:
    """A port number that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        return int(other.getsockname()[1])


# Ports


def test_aPortListensAtOnce(reactor: Any) -> None:
    port = reactor.listenTCP(0, OneFactory(None), interface="127.0.0.1")
    verifyObject(IReactorTCP, reactor)
    verifyObject(IListeningPort, port)
    address = port.getHost()
    assert address == IPv4Address("TCP", "127.0.0.1", address.port)
    assert port.connected
    assert str(address.port) in repr(port)
    # The loop has never run; the kernel takes the connection.
    socket.create_connection(("127.0.0.1", address.port)).close()

    async def main() -> None:
        await port.stopListening()

    run(reactor, main)
    assert "(not listening)" in repr(port)


def test_aPortThatNeverServedLeavesNothing(reactor: Any) -> None:
    port = reactor.listenTCP(0, CountingFactory())

    async def main() -> None:
        await port.stopListening()

    # Stopped in the loop's first round, before the server has begun.
    run(reactor, main)
    assert port.factory.calls == ["start", "stop"]
    assert not port.connected


def test_stopListeningClosesTheSocket(play: Play) -> None:
    async def main(scene: Scene) -> None:
        factory = CountingFactory()
        port = scene.listen(factory)
        number = port.getHost().port
        await scene.soon()
        await port.stopListening()
        assert factory.calls == ["start", "stop"]
        assert port.stopListening() is None
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", number))
        # Exclusively: without SO_REUSEADDR nobody else may have it.
        with socket.socket() as again:
            again.bind(("127.0.0.1", number))

    play(main)


def test_aPortThatStopsRefusesFromTheNextRound(play: Play) -> None:
    async def main(scene: Scene) -> None:
        port = scene.listen(CountingFactory())
        number = port.getHost().port
        await scene.soon()
        stopped = port.stopListening()
        assert port.getHost().port == number
        await scene.soon(1)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", number))
        await stopped

    play(main)


def test_stopListeningTwiceIsOneDeferred(play: Play) -> None:
    async def main(scene: Scene) -> None:
        port = scene.listen(CountingFactory())
        first = port.stopListening()
        assert port.stopListening() is first
        assert port.loseConnection() is first
        await first
        assert port.factory.calls == ["start", "stop"]

    play(main)


def test_aPortMayListenAgain(play: Play) -> None:
    async def main(scene: Scene) -> None:
        protocol = Recorder()
        port = scene.listen(CountingFactory(protocol))
        await scene.soon()
        await port.stopListening()
        port.startListening()
        scene.peer(port)
        await protocol.made
        assert port.factory.calls == ["start", "stop", "start"]

    play(main)


def test_aPortOfTheSameReactorHasItsProtocolFirst(play: Play) -> None:
    async def main(scene: Scene) -> None:
        accepted, connected = Recorder(), Recorder()
        port = scene.listen(OneFactory(accepted))
        await scene.soon()
        scene.reactor.connectTCP("127.0.0.1", port.getHost().port, OneClientFactory(connected))
        await connected.made
        assert accepted.events == ["made"]
        connected.transport.loseConnection()
        await accepted.lost
        await connected.lost

    play(main)


def test_acceptedConnectionsOutliveThePort(play: Play) -> None:
    async def main(scene: Scene) -> None:
        protocol, peer = await scene.recorded()
        await scene.ports[0].stopListening()
        await peer.send(b"x")
        await protocol.size(1)
        protocol.transport.write(b"y")
        assert await peer.receive(1) == b"y"

    play(main)


def test_aPortInUse(reactor: Any, taken: int) -> None:
    factory = CountingFactory()
    before = descriptorsOpen()
    with pytest.raises(CannotListenError) as caught:
        reactor.listenTCP(taken, factory, interface="127.0.0.1")
    assert caught.value.socketError.errno == errno.EADDRINUSE
    assert str(caught.value) == (
        f"Couldn't listen on 127.0.0.1:{taken}: [Errno 98] Address already in use "
        "(something else listens there: stop it, or choose another)."
    )
    assert descriptorsOpen() == before
    assert factory.calls == []


@pytest.mark.parametrize("interface", ["192.0.2.1", "2001:db8::1"])
def test_anAddressOfAnotherMachine(reactor: Any, interface: str) -> None:
    with pytest.raises(CannotListenError, match=r"this machine (has no such|doesn't speak this)"):
        reactor.listenTCP(0, OneFactory(None), interface=interface)


def test_anInterfaceThatDoesNotExist(reactor: Any) -> None:
    with pytest.raises(CannotListenError, match=r"Couldn't listen on no\.such\.host\.invalid:0"):
        reactor.listenTCP(0, OneFactory(None), interface="no.such.host.invalid")


@pytest.mark.parametrize("number", [-1, 65536])
def test_aPortNumberOutOfRange(reactor: Any, number: int) -> None:
    before = descriptorsOpen()
    with pytest.raises(OverflowError, match="port must be 0-65535"):
        reactor.listenTCP(number, OneFactory(None))
    assert descriptorsOpen() == before


@needsIPv6
def test_IPv6(play: Play) -> None:
    async def main(scene: Scene) -> None:
        server, client = Recorder(), Recorder()
        port = scene.reactor.listenTCP(0, OneFactory(server), interface="::1")
        scene.ports.append(port)
        assert port.getHost() == IPv6Address("TCP", "::1", port.getHost().port)
        connector = scene.reactor.connectTCP("::1", port.getHost().port, OneClientFactory(client))
        await client.made
        await server.made
        assert connector.getDestination() == IPv6Address("TCP", "::1", port.getHost().port)
        assert client.transport.getPeer() == server.transport.getHost() == port.getHost()
        assert client.transport.getHost() == server.transport.getPeer()
        client.transport.loseConnection()
        await server.lost
        await client.lost

    play(main)


def test_aFactoryThatWantsNoConnection(play: Play) -> None:
    async def main(scene: Scene) -> None:
        port = scene.listen(OneFactory(None))
        assert await scene.peer(port).receive(1) == b""

    play(main)


def test_aFactoryThatRaises(play: Play) -> None:
    class Raises(OneFactory):
        def buildProtocol(self, addr: Any) -> Any:
            raise ZeroDivisionError

    async def main(scene: Scene) -> None:
        port = scene.listen(Raises(None))
        with loggedErrors() as logged:
            assert await scene.peer(port).receive(1) == b""
        assert logged == [ZeroDivisionError]
        # And the port goes on.
        port.factory = OneFactory(Recorder())
        scene.peer(port)
        await port.factory.made.made

    play(main)


def test_connectionsAreNumbered(play: Play) -> None:
    async def main(scene: Scene) -> None:
        protocols = [Recorder() for _ in range(3)]
        factory = OneFactory(None)
        port = scene.listen(factory)
        for number, protocol in enumerate(protocols):
            factory.made = protocol
            peer = scene.peer(port)
            await protocol.made
            stream: Any = protocol.transport
            assert stream.sessionno == number
            assert repr(stream) == f"<Recorder #{number} on {port.getHost().port}>"
            assert stream.logPrefix() == f"Recorder,{number},127.0.0.1"
            assert stream.getPeer() == IPv4Address("TCP", *peer.sock.getsockname())

    play(main)


def test_stoppingTheReactorClosesThePort(reactor: Any) -> None:
    factory = CountingFactory()
    port = reactor.listenTCP(0, factory)

    async def main() -> None:
        assert port.connected

    run(reactor, main)
    assert factory.calls == ["start", "stop"]
    assert not port.connected


# Connectors


def test_connecting(play: Play) -> None:
    async def main(scene: Scene) -> None:
        server, client = Recorder(), Recorder()
        port = scene.listen(OneFactory(server))
        factory = OneClientFactory(client)
        connector = scene.reactor.connectTCP("127.0.0.1", port.getHost().port, factory)
        verifyObject(IConnector, connector)
        assert connector.state == "connecting"
        await client.made
        assert connector.state == "connected"
        assert connector.transport is client.transport
        verifyObject(ITCPTransport, client.transport)
        assert client.transport.getPeer() == port.getHost() == connector.getDestination()
        assert client.transport.logPrefix() == "Recorder,client"  # type: ignore[attr-defined]
        await server.made
        connector.disconnect()
        assert isinstance(await factory.lost, ConnectionDone)
        assert connector.state == "disconnected"
        assert factory.calls == ["start", "connecting", "build", "lost", "stop"]
        await server.lost

    play(main)


def test_refused(play: Play, free: int) -> None:
    async def main(scene: Scene) -> None:
        factory = OneClientFactory(None)
        scene.reactor.connectTCP("127.0.0.1", free, factory)
        reason = await factory.failed
        assert isinstance(reason, error.ConnectionRefusedError)
        assert str(reason) == "Connection was refused by other side: 111: Connection refused."
        assert factory.calls == ["start", "connecting", "failed", "stop"]

    play(main)


@pytest.mark.parametrize("port", [-1, 65536, 70000])
def test_portOutOfRange(play: Play, port: int) -> None:
    async def main(scene: Scene) -> None:
        factory = OneClientFactory(None)
        scene.reactor.connectTCP("127.0.0.1", port, factory)
        assert isinstance(await factory.failed, OverflowError)

    play(main)


@implementer(IResolverSimple)
class Silent:
    """A resolver that never answers."""

    def getHostByName(self, name: str, timeout: Any = None) -> Deferred[str]:
        return Deferred()


def test_timeout(play: Play) -> None:
    async def main(scene: Scene) -> None:
        scene.reactor.installResolver(Silent())
        factory = OneClientFactory(None)
        scene.reactor.connectTCP("name.invalid", 80, factory, timeout=0.01)
        assert isinstance(await factory.failed, error.TimeoutError)
        assert factory.calls == ["start", "connecting", "failed", "stop"]

    play(main)


@pytest.mark.parametrize("method", ["stopConnecting", "disconnect"])
def test_stopConnectingFailsTheAttemptAtOnce(play: Play, method: str) -> None:
    async def main(scene: Scene) -> None:
        scene.reactor.installResolver(Silent())
        factory = OneClientFactory(None)
        connector = scene.reactor.connectTCP("name.invalid", 80, factory)
        await scene.soon()
        getattr(connector, method)()
        assert factory.calls == ["start", "connecting", "failed", "stop"]
        assert isinstance(await factory.failed, UserError)
        with pytest.raises(NotConnectingError):
            connector.stopConnecting()

    play(main)


def test_stopConnectingWhileTheLoopConnects(play: Play) -> None:
    async def main(scene: Scene) -> None:
        server = Recorder()
        port = scene.listen(OneFactory(server))
        for rounds in range(6):
            factory = OneClientFactory(Recorder())
            connector = scene.reactor.connectTCP("127.0.0.1", port.getHost().port, factory)
            if rounds:
                await scene.soon(rounds)
            connector.disconnect()
            if connector.state == "connected":
                await factory.lost
                break
            assert factory.calls == ["start", "connecting", "failed", "stop"]
            await scene.soon(10)
            # It was not built after it had failed.
            assert factory.calls == ["start", "connecting", "failed", "stop"]

    play(main)


def test_stopConnectingInStartedConnecting(play: Play, free: int) -> None:
    class Stops(OneClientFactory):
        def startedConnecting(self, connector: Any) -> None:
            super().startedConnecting(connector)
            connector.stopConnecting()

    async def main(scene: Scene) -> None:
        factory = Stops(None)
        scene.reactor.connectTCP("127.0.0.1", free, factory)
        assert factory.calls == ["start", "connecting", "failed", "stop"]
        await scene.soon()

    play(main)


def test_connectingAgain(play: Play) -> None:
    class Again(OneClientFactory):
        def clientConnectionLost(self, connector: Any, reason: Any) -> None:
            super().clientConnectionLost(connector, reason)
            if self.calls.count("lost") == 1:
                connector.connect()

        def buildProtocol(self, addr: Any) -> Any:
            self.calls.append("build")
            protocol = Recorder()
            protocol.made.addCallback(lambda made: made.transport.loseConnection())
            return protocol

    async def main(scene: Scene) -> None:
        port = scene.listen(OneFactory(None))
        port.factory.buildProtocol = lambda addr: Recorder()
        factory = Again(None)
        scene.reactor.connectTCP("127.0.0.1", port.getHost().port, factory)
        await factory.lost
        once = ["connecting", "build", "lost"]
        assert factory.calls == ["start", *once, *once, "stop"]

    play(main)


def test_connectWhileConnectingIsAnError(play: Play, free: int) -> None:
    async def main(scene: Scene) -> None:
        factory = OneClientFactory(None)
        connector = scene.reactor.connectTCP("127.0.0.1", free, factory)
        with pytest.raises(RuntimeError, match="can't connect in this state"):
            connector.connect()
        await factory.failed

    play(main)


def test_aClientFactoryThatWantsNoProtocol(play: Play) -> None:
    async def main(scene: Scene) -> None:
        port = scene.listen(OneFactory(None))
        port.factory.buildProtocol = lambda addr: Recorder()
        factory = OneClientFactory(None)
        scene.reactor.connectTCP("127.0.0.1", port.getHost().port, factory)
        assert isinstance(await factory.lost, ConnectionDone)
        assert factory.calls == ["start", "connecting", "build", "lost", "stop"]

    play(main)


def test_aClientFactoryThatRaises(play: Play) -> None:
    class Raises(OneClientFactory):
        def buildProtocol(self, addr: Any) -> Any:
            raise ZeroDivisionError("on purpose")

    async def main(scene: Scene) -> None:
        port = scene.listen(OneFactory(None))
        port.factory.buildProtocol = lambda addr: Recorder()
        factory = Raises(None)
        with loggedErrors() as logged:
            scene.reactor.connectTCP("127.0.0.1", port.getHost().port, factory)
            reason = await factory.failed
        assert isinstance(reason, ConnectError)
        assert "on purpose" in str(reason)
        assert logged == [ZeroDivisionError]
        assert factory.calls == ["start", "connecting", "failed", "stop"]
        await scene.soon(5)

    play(main)


@implementer(IResolverSimple)
class Table:
    """A resolver with one answer."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def getHostByName(self, name: str, timeout: Any = None) -> Deferred[str]:
        done: Deferred[str] = Deferred()
        done.callback(self.answer) if isinstance(self.answer, str) else done.errback(self.answer)
        return done


def test_namesAreResolved(play: Play) -> None:
    async def main(scene: Scene) -> None:
        scene.reactor.installResolver(Table("127.0.0.1"))
        server, client = Recorder(), Recorder()
        port = scene.listen(OneFactory(server))
        connector = scene.reactor.connectTCP("name.invalid", port.getHost().port, OneClientFactory(client))
        await client.made
        assert client.transport.getPeer() == port.getHost()
        assert connector.getDestination().host == "name.invalid"
        client.transport.loseConnection()
        await client.lost

    play(main)


def test_aNameThatIsUnknown(play: Play) -> None:
    async def main(scene: Scene) -> None:
        scene.reactor.installResolver(Table(DNSLookupError("unknown")))
        factory = OneClientFactory(None)
        scene.reactor.connectTCP("name.invalid", 80, factory)
        reason = await factory.failed
        assert type(reason) is DNSLookupError
        assert "unknown" in str(reason)

    play(main)


def test_connectingFromANameWaitsForNoOtherThing(play: Play) -> None:
    async def main(scene: Scene) -> None:
        server, client = Recorder(), Recorder()
        number = scene.listen(OneFactory(server)).getHost().port
        scene.reactor.installResolver(Silent())
        factory = OneClientFactory(None)
        # Nothing tells the name: bind() would ask the system, and everything would wait for its answer.
        scene.reactor.connectTCP("127.0.0.1", number, factory, timeout=0.01, bindAddress=("name.invalid", 0))
        assert type(await factory.failed) is error.TimeoutError
        scene.reactor.installResolver(Table(DNSLookupError("unknown")))
        factory = OneClientFactory(None)
        scene.reactor.connectTCP("127.0.0.1", number, factory, bindAddress=("name.invalid", 0))
        reason = await factory.failed
        assert type(reason) is ConnectBindError
        assert "'name.invalid' is to be connected from: " in str(reason)
        scene.reactor.installResolver(Table("127.0.0.9"))
        scene.reactor.connectTCP(
            "127.0.0.1", number, OneClientFactory(client), bindAddress=("name.invalid", 0)
        )
        await server.made
        await client.made
        assert server.transport.getPeer().host == "127.0.0.9"
        client.transport.loseConnection()
        await client.lost

    play(main)


def test_listeningAtANameWaitsForNoOtherThing(play: Play) -> None:
    async def main(scene: Scene) -> None:
        endpoint = TCP4ServerEndpoint(scene.reactor, 0, interface="name.invalid")
        scene.reactor.installResolver(Silent())
        listening = endpoint.listen(OneFactory(Recorder()))
        assert not listening.called
        listening.cancel()
        with pytest.raises(CancelledError):
            await listening
        scene.reactor.installResolver(Table(DNSLookupError("unknown")))
        with pytest.raises(CannotListenError, match=r"on name\.invalid:0: DNS lookup failed: no IPv4"):
            await endpoint.listen(OneFactory(Recorder()))
        scene.reactor.installResolver(Table("127.0.0.9"))
        port = await endpoint.listen(OneFactory(Recorder()))
        assert port.getHost().host == "127.0.0.9"
        await port.stopListening()

    play(main)


def test_serviceNames(reactor: Any) -> None:
    with pytest.raises(ServiceNameUnknownError, match="no-such-service"):
        reactor.connectTCP("127.0.0.1", "no-such-service", OneClientFactory(None))
    connector = reactor.connectTCP("127.0.0.1", "http", OneClientFactory(None))
    assert connector.getDestination().port == 80
    connector.stopConnecting()


class Binding:
    """As Twisted's ``makeBinding`` makes them."""

    _address = "127.0.0.1"
    _reuseAddress = True
    _reusePort = True

    def __init__(self, port: int) -> None:
        self._port = port


@pytest.mark.parametrize("form", ["pair", "binding"])
def test_bindAddress(play: Play, free: int, form: str) -> None:
    async def main(scene: Scene) -> None:
        client = Recorder()
        port = scene.listen(OneFactory(Recorder()))
        address = ("127.0.0.1", free) if form == "pair" else Binding(free)
        scene.reactor.connectTCP("127.0.0.1", port.getHost().port, OneClientFactory(client), 30, address)
        await client.made
        stream: Any = client.transport
        assert stream.getHost() == IPv4Address("TCP", "127.0.0.1", free)
        reuse = stream.getHandle().getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT)
        assert bool(reuse) == (form == "binding")
        stream.abortConnection()
        await client.lost

    play(main)


def test_aBoundClientThatAbortsAtOnceClosesItsSocketOnce(play: Play, free: int) -> None:
    class Aborts(Recorder):
        def connectionMade(self) -> None:
            self.transport.abortConnection()
            super().connectionMade()

    async def main(scene: Scene) -> None:
        client = Aborts()
        port = scene.listen(OneFactory(Recorder()))
        address = ("127.0.0.1", free)
        scene.reactor.connectTCP("127.0.0.1", port.getHost().port, OneClientFactory(client), 30, address)
        await client.lost
        # These take the number that became free: a second close would hit them.
        pairs = [socket.socketpair() for _ in range(8)]
        await scene.soon(5)
        gc.collect()
        for one, other in pairs:
            one.send(b"x")
            assert other.recv(1) == b"x"
            one.close()
            other.close()

    play(main)


def test_aBindAddressInUse(play: Play, taken: int) -> None:
    async def main(scene: Scene) -> None:
        factory = OneClientFactory(None)
        port = scene.listen(OneFactory(None))
        scene.reactor.connectTCP("127.0.0.1", port.getHost().port, factory, 30, ("127.0.0.1", taken))
        reason = await factory.failed
        assert isinstance(reason, ConnectBindError)
        assert "Address already in use" in str(reason)

    play(main)


def test_listeningOnABinding(reactor: Any, free: int) -> None:
    port = reactor.listenTCP(Binding(free), OneFactory(None))
    again = reactor.listenTCP(Binding(free), OneFactory(None))
    assert port.getHost() == again.getHost() == IPv4Address("TCP", "127.0.0.1", free)
    with pytest.raises(ValueError, match="Inconsistent"):
        reactor.listenTCP(Binding(free), OneFactory(None), interface="127.0.0.2")

    async def main() -> None:
        await port.stopListening()
        await again.stopListening()

    run(reactor, main)


def test_aPortThatIsNoNumber(reactor: Any) -> None:
    with pytest.raises(TypeError, match="port must be a number, not '80'"):
        reactor.listenTCP("80", OneFactory(None))


def test_stoppingTheReactorFailsTheAttempt(reactor: Any) -> None:
    factory = OneClientFactory(None)
    reactor.installResolver(Silent())

    async def main() -> None:
        reactor.connectTCP("name.invalid", 80, factory)

    run(reactor, main)
    assert factory.calls == ["start", "connecting", "failed", "stop"]
    assert isinstance(factory.failed.result, ConnectError)


# Options


class Prompt(Recorder):
    """Notes whether small pieces are sent at once."""

    prompt: bool | None = None

    def connectionMade(self) -> None:
        stream: Any = self.transport
        self.prompt = stream.getTcpNoDelay()
        super().connectionMade()


@pytest.mark.parametrize("listens", ["made", "adopted"])
@pytest.mark.parametrize("connects", ["by address", "by name", "bound", "adopted"])
def test_smallPiecesAreSentAtOnce(play: Play, listens: str, connects: str) -> None:
    async def main(scene: Scene) -> None:
        reactor, server, client = scene.reactor, Prompt(), Prompt()
        with socket.create_server(("127.0.0.1", 0)) as listening:
            if listens == "made":
                port = scene.listen(OneFactory(server))
            else:
                port = reactor.adoptStreamPort(listening.fileno(), socket.AF_INET, OneFactory(server))
        number = port.getHost().port
        if connects == "adopted":
            with socket.create_connection(("127.0.0.1", number)) as connected:
                reactor.adoptStreamConnection(connected.fileno(), socket.AF_INET, OneFactory(client))
        else:
            host = "localhost" if connects == "by name" else "127.0.0.1"
            bound = ("127.0.0.1", 0) if connects == "bound" else None
            reactor.connectTCP(host, number, OneClientFactory(client), 30, bound)
        await client.made
        await server.made
        assert (server.prompt, client.prompt) == (True, True)
        client.transport.loseConnection()  # type: ignore[union-attr]
        await client.lost
        await server.lost
        await port.stopListening()

    play(main)


def test_socketOptions(play: Play) -> None:
    async def main(scene: Scene) -> None:
        protocol = Recorder()
        await scene.connected(protocol)
        stream: Any = protocol.transport
        for enabled in (True, False, True):
            stream.setTcpNoDelay(enabled)
            assert stream.getTcpNoDelay() is enabled
            stream.setTcpKeepAlive(enabled)
            assert stream.getTcpKeepAlive() is enabled

    play(main)


class Plain(Protocol):
    """Closes its connection at once."""

    def connectionMade(self) -> None:
        self.transport.loseConnection()


class Counter(ClientFactory):
    """Tells when its attempts have ended.  With no Deferred in it: those have circles of their own."""

    noisy = False
    protocol = Plain

    def __init__(self, wanted: int) -> None:
        self.left = wanted
        self.done: Deferred[None] = Deferred()

    def clientConnectionLost(self, connector: Any, reason: Any) -> None:
        self.left -= 1
        if not self.left:
            self.done.callback(None)

    clientConnectionFailed = clientConnectionLost


@pytest.mark.parametrize("outcome", ["ok", "refused"])
def test_connectionsLeaveNoGarbageOfOurs(play: Play, free: int, outcome: str) -> None:
    async def main(scene: Scene) -> list[str]:
        port = scene.listen(OneFactory(None))
        port.factory.buildProtocol = lambda addr: Plain()
        number = port.getHost().port if outcome == "ok" else free

        async def several() -> None:
            counter = Counter(5)
            for _ in range(5):
                scene.reactor.connectTCP("127.0.0.1", number, counter)
            await counter.done
            await scene.soon(10)

        await several()
        gc.collect()
        gc.disable()
        gc.set_debug(gc.DEBUG_SAVEALL)
        try:
            await several()
            gc.collect()
            ours = "twisted_endpoints.asyncioreactor"
            return [type(found).__name__ for found in gc.garbage if type(found).__module__.startswith(ours)]
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
            gc.enable()

    assert play(main) == []


@pytest.mark.parametrize("kind", [ZeroDivisionError, asyncio.CancelledError])
def test_connectionLostOfAPortClosesItAtOnce(play: Play, kind: type[BaseException]) -> None:
    class Raises(CountingFactory):
        def doStop(self) -> None:
            raise kind

    async def main(scene: Scene) -> None:
        port = scene.listen(CountingFactory())
        waiting = port.stopListening()
        port.connectionLost(None)
        assert (port.connected, port.disconnected, port.disconnecting) == (False, True, False)
        assert port.factory.calls == ["start", "stop"]
        await waiting
        port = scene.listen(Raises())
        with pytest.raises(kind):
            port.connectionLost(None)
        assert not port.connected
        port = scene.listen(Raises())
        with pytest.raises(kind):
            await port.stopListening()
        assert not port.connected

    play(main)
