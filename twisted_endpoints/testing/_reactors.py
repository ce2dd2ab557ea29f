"""Reactors that keep what they are asked for, or refuse it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from socket import AF_INET, AF_INET6, inet_pton
from typing import Any, Literal, NoReturn

from zope.interface import implementer

from ..address import IPv4Address, IPv6Address, UNIXAddress
from ..defer import Deferred
from ..error import UnsupportedAddressFamily
from ..interfaces import (
    IAddress,
    IConnector,
    IHostnameResolver,
    IHostResolution,
    IListeningPort,
    IReactorCore,
    IReactorFDSet,
    IReactorPluggableNameResolver,
    IReactorSocket,
    IReactorSSL,
    IReactorTCP,
    IReactorUNIX,
    IReadDescriptor,
    IResolutionReceiver,
    IWriteDescriptor,
)
from ..task import Clock


@implementer(IListeningPort)
class _FakePort:
    """A port that listens nowhere, at the address that it was given."""

    def __init__(self, hostAddress: IAddress) -> None:
        self._hostAddress = hostAddress

    def startListening(self) -> None:
        """Do nothing."""

    def stopListening(self) -> Deferred[None] | None:
        """Do nothing; None says that it is done."""
        return None

    def getHost(self) -> IAddress:
        return self._hostAddress


@implementer(IConnector)
class _FakeConnector:
    """
    A connector to an address, that never connects.

    Attributes:
        stoppedConnecting: `stopConnecting` was called.
    """

    stoppedConnecting = False
    _disconnected = False

    def __init__(self, address: IAddress) -> None:
        self._address = address

    def connect(self) -> None:
        """Do nothing."""

    def stopConnecting(self) -> None:
        self.stoppedConnecting = True

    def disconnect(self) -> None:
        self._disconnected = True

    def getDestination(self) -> IAddress:
        return self._address


@implementer(IHostResolution)
@dataclass
class _SynchronousResolution:
    """A look-up that was over before anybody could cancel it."""

    name: str

    def cancel(self) -> None:
        raise RuntimeError(f"the look-up of {self.name!r} is over")


@implementer(IHostnameResolver)
class SynchronousResolver:
    """A resolver that gives 127.0.0.1 for every name, with the port asked for, at once."""

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        address = IPv4Address("TCP", "127.0.0.1", portNumber)
        over = _SynchronousResolution(hostName)
        resolutionReceiver.resolutionBegan(over)
        resolutionReceiver.addressResolved(address)
        resolutionReceiver.resolutionComplete()
        return over


@implementer(
    IReactorCore,
    IReactorTCP,
    IReactorSSL,
    IReactorUNIX,
    IReactorSocket,
    IReactorFDSet,
    IReactorPluggableNameResolver,
)
class MemoryReactor:
    """
    A reactor that opens nothing: it keeps what it is asked for, for the test to look at.

    A connection that is asked for neither succeeds nor fails; the test does that, by calling the factory.

    Attributes:
        tcpServers: ``(port, factory, backlog, interface)`` for each `listenTCP`.
        tcpClients: ``(host, port, factory, timeout, bindAddress)`` for each `connectTCP`.
        sslServers: ``(port, factory, contextFactory, backlog, interface)`` for each `listenSSL`.
        sslClients: ``(host, port, factory, contextFactory, timeout, bindAddress)`` for each `connectSSL`.
        unixServers: ``(address, factory, backlog, mode, wantPID)`` for each `listenUNIX`.
        unixClients: ``(address, factory, timeout, checkPID)`` for each `connectUNIX`.
        adoptedPorts: ``(fileno, family, factory)`` for each `adoptStreamPort`, and ``(fileno, family,
            protocol, maxPacketSize)`` for each `adoptDatagramPort`.
        adoptedStreamConnections: ``(fileno, family, factory)`` for each `adoptStreamConnection`.
        connectors: what the connect methods gave.
        readers, writers: what was added and not removed.
        nameResolver: the resolver, a `SynchronousResolver` until another is installed.
        whenRunningHooks: ``(callable, args, kw)`` for each `callWhenRunning` before `run`.
        triggers: ``(callable, args, kw)`` for each `addSystemEventTrigger`, by phase and then by event.
        running: in `run`; None after `crash`.
        hasRun, hasStopped, hasCrashed, hasInstalled: whether `run`, `stop`, `crash`, `install` was called.
    """

    def __init__(self) -> None:
        self.hasInstalled = self.hasRun = self.hasStopped = self.hasCrashed = False
        self.running: bool | None = False
        self.whenRunningHooks: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = []
        self.triggers: dict[str, dict[str, list[tuple[Callable[..., Any], Any, Any]]]] = {}
        self.tcpServers: list[tuple[int, Any, int, str]] = []
        self.tcpClients: list[tuple[str, int, Any, float, Any]] = []
        self.sslServers: list[tuple[int, Any, Any, int, str]] = []
        self.sslClients: list[tuple[str, int, Any, Any, float, Any]] = []
        self.unixServers: list[tuple[Any, Any, int, int, bool | int]] = []
        self.unixClients: list[tuple[Any, Any, float, bool | int]] = []
        self.adoptedPorts: list[tuple[Any, ...]] = []
        self.adoptedStreamConnections: list[tuple[int, int, Any]] = []
        self.connectors: list[_FakeConnector] = []
        self.readers: set[Any] = set()
        self.writers: set[Any] = set()
        self.nameResolver: IHostnameResolver = SynchronousResolver()

    def install(self) -> None:
        """Do as a reactor's module does; only noted."""
        self.hasInstalled = True

    def run(self) -> None:
        """Call what waits for the reactor to run, then stop."""
        assert self.running is False
        self.running = self.hasRun = True
        for function, args, kw in self.whenRunningHooks:
            function(*args, **kw)
        self.stop()

    def stop(self) -> None:
        self.running = False
        self.hasStopped = True

    def crash(self) -> None:
        self.running = None
        self.hasCrashed = True

    def callWhenRunning(self, callable: Callable[..., Any], *args: object, **kw: object) -> None:
        """Keep a call until `run`; call at once after that, although this reactor does not run for long."""
        if self.running or self.hasRun:
            callable(*args, **kw)
        else:
            self.whenRunningHooks.append((callable, args, kw))

    def addSystemEventTrigger(
        self, phase: str, eventType: str, callable: Callable[..., Any], *args: object, **kw: object
    ) -> None:
        self.triggers.setdefault(phase, {}).setdefault(eventType, []).append((callable, args, kw))

    def resolve(self, name: str, timeout: Any = 10) -> NoReturn:
        raise NotImplementedError

    def iterate(self, delay: float = 0) -> NoReturn:
        raise NotImplementedError

    def fireSystemEvent(self, eventType: str) -> NoReturn:
        raise NotImplementedError

    def removeSystemEventTrigger(self, triggerID: Any) -> NoReturn:
        raise NotImplementedError

    def installNameResolver(self, resolver: IHostnameResolver) -> IHostnameResolver:
        previous, self.nameResolver = self.nameResolver, resolver
        return previous

    def listenTCP(self, port: int, factory: Any, backlog: int = 50, interface: str = "") -> IListeningPort:
        self.tcpServers.append((port, factory, backlog, interface))
        if _isIPv6(interface):
            return _FakePort(IPv6Address("TCP", interface, port))
        return _FakePort(IPv4Address("TCP", "0.0.0.0", port))

    def connectTCP(
        self, host: str, port: int, factory: Any, timeout: float = 30, bindAddress: Any = None
    ) -> IConnector:
        self.tcpClients.append((host, port, factory, timeout, bindAddress))
        kind = IPv6Address if _isIPv6(host) else IPv4Address
        return self._connecting(factory, kind("TCP", host, port))

    def listenSSL(
        self, port: int, factory: Any, contextFactory: Any, backlog: int = 50, interface: str = ""
    ) -> IListeningPort:
        self.sslServers.append((port, factory, contextFactory, backlog, interface))
        return _FakePort(IPv4Address("TCP", "0.0.0.0", port))

    def connectSSL(
        self,
        host: str,
        port: int,
        factory: Any,
        contextFactory: Any,
        timeout: float = 30,
        bindAddress: Any = None,
    ) -> IConnector:
        self.sslClients.append((host, port, factory, contextFactory, timeout, bindAddress))
        return self._connecting(factory, IPv4Address("TCP", host, port))

    def listenUNIX(
        self, address: Any, factory: Any, backlog: int = 50, mode: int = 0o666, wantPID: bool | int = 0
    ) -> IListeningPort:
        self.unixServers.append((address, factory, backlog, mode, wantPID))
        return _FakePort(UNIXAddress(address))

    def connectUNIX(
        self, address: Any, factory: Any, timeout: float = 30, checkPID: bool | int = 0
    ) -> IConnector:
        self.unixClients.append((address, factory, timeout, checkPID))
        return self._connecting(factory, UNIXAddress(address))

    def adoptStreamPort(self, fileno: int, addressFamily: int, factory: Any) -> IListeningPort:
        port = _FakePort(_anyAddress("TCP", addressFamily))
        self.adoptedPorts.append((fileno, addressFamily, factory))
        return port

    def adoptStreamConnection(self, fileDescriptor: int, addressFamily: int, factory: Any) -> None:
        self.adoptedStreamConnections.append((fileDescriptor, addressFamily, factory))

    def adoptDatagramPort(
        self, fileno: int, addressFamily: int, protocol: Any, maxPacketSize: int = 8192
    ) -> IListeningPort:
        port = _FakePort(_anyAddress("UDP", addressFamily))
        self.adoptedPorts.append((fileno, addressFamily, protocol, maxPacketSize))
        return port

    def addReader(self, reader: IReadDescriptor) -> None:
        self.readers.add(reader)

    def addWriter(self, writer: IWriteDescriptor) -> None:
        self.writers.add(writer)

    def removeReader(self, reader: IReadDescriptor) -> None:
        self.readers.discard(reader)

    def removeWriter(self, writer: IWriteDescriptor) -> None:
        self.writers.discard(writer)

    def getReaders(self) -> list[IReadDescriptor]:
        return list(self.readers)

    def getWriters(self) -> list[IWriteDescriptor]:
        return list(self.writers)

    def removeAll(self) -> list[IReadDescriptor | IWriteDescriptor]:
        removed = list(self.readers | self.writers)
        self.readers.clear()
        self.writers.clear()
        return removed

    def _connecting(self, factory: Any, destination: IAddress) -> IConnector:
        connector = _FakeConnector(destination)
        factory.startedConnecting(connector)
        self.connectors.append(connector)
        return connector


class MemoryReactorClock(MemoryReactor, Clock):
    """A MemoryReactor with a clock that the test moves."""

    def __init__(self) -> None:
        MemoryReactor.__init__(self)
        Clock.__init__(self)


@implementer(IReactorTCP, IReactorSSL, IReactorUNIX, IReactorSocket, IReactorPluggableNameResolver)
class RaisingMemoryReactor:
    """
    A reactor that refuses all that it is asked for.

    Args:
        listenException: what the listen methods and `adoptStreamPort` raise.
        connectException: what the connect methods and the other adopt methods raise.
    """

    def __init__(
        self, listenException: Exception | None = None, connectException: Exception | None = None
    ) -> None:
        self._listenException = listenException
        self._connectException = connectException
        self.nameResolver: IHostnameResolver = SynchronousResolver()

    def installNameResolver(self, nameResolver: IHostnameResolver) -> IHostnameResolver:
        previous, self.nameResolver = self.nameResolver, nameResolver
        return previous

    def listenTCP(self, port: int, factory: Any, backlog: int = 50, interface: str = "") -> NoReturn:
        self._refuse(self._listenException)

    def connectTCP(
        self, host: str, port: int, factory: Any, timeout: float = 30, bindAddress: Any = None
    ) -> NoReturn:
        self._refuse(self._connectException)

    def listenSSL(
        self, port: int, factory: Any, contextFactory: Any, backlog: int = 50, interface: str = ""
    ) -> NoReturn:
        self._refuse(self._listenException)

    def connectSSL(
        self,
        host: str,
        port: int,
        factory: Any,
        contextFactory: Any,
        timeout: float = 30,
        bindAddress: Any = None,
    ) -> NoReturn:
        self._refuse(self._connectException)

    def listenUNIX(
        self, address: Any, factory: Any, backlog: int = 50, mode: int = 0o666, wantPID: bool | int = 0
    ) -> NoReturn:
        self._refuse(self._listenException)

    def connectUNIX(
        self, address: Any, factory: Any, timeout: float = 30, checkPID: bool | int = 0
    ) -> NoReturn:
        self._refuse(self._connectException)

    def adoptStreamPort(self, fileno: int, addressFamily: int, factory: Any) -> NoReturn:
        self._refuse(self._listenException)

    def adoptStreamConnection(self, fileDescriptor: int, addressFamily: int, factory: Any) -> NoReturn:
        self._refuse(self._connectException)

    def adoptDatagramPort(
        self, fileDescriptor: int, addressFamily: int, protocol: Any, maxPacketSize: int
    ) -> NoReturn:
        self._refuse(self._connectException)

    def _refuse(self, error: Exception | None) -> NoReturn:
        if error is None:
            raise TypeError("this RaisingMemoryReactor was given no exception to raise for that")
        raise error


def _isIPv6(host: str) -> bool:
    try:
        # Without its zone, which inet_pton does not know.
        inet_pton(AF_INET6, host.partition("%")[0])
    except (OSError, ValueError):
        return False
    return True


def _anyAddress(transport: Literal["TCP", "UDP"], family: int) -> IPv4Address | IPv6Address:
    """Give the address of an adopted port: any interface, and a port number that is as good as any other."""
    if family == AF_INET:
        return IPv4Address(transport, "0.0.0.0", 1234)
    if family == AF_INET6:
        return IPv6Address(transport, "::", 1234)
    raise UnsupportedAddressFamily
