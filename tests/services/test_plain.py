"""`TCPServer` and its like, on a reactor in memory."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from twisted_endpoints import services
from twisted_endpoints.protocol import ClientFactory
from twisted_endpoints.testing import MemoryReactorClock


@pytest.mark.parametrize(
    ("name", "args", "asked"),
    [
        ("TCPServer", (80,), "tcpServers"),
        ("UNIXServer", ("/s",), "unixServers"),
        ("SSLServer", (443,), "sslServers"),
    ],
)
def test_aServerListensWhileItRuns(name: str, args: tuple[Any, ...], asked: str) -> None:
    reactor, factory = MemoryReactorClock(), ClientFactory()
    rest = (None,) if name == "SSLServer" else ()
    service = getattr(services, name)(*args, factory, *rest, reactor=reactor)
    service.privilegedStartService()
    service.startService()
    assert [row[:2] for row in getattr(reactor, asked)] == [(*args, factory)]
    # A copy isn't listening.
    assert copy.copy(service)._port is None
    service.stopService()
    assert (service._port, bool(service.running)) == (None, False)
    service.startService()
    assert len(getattr(reactor, asked)) == 2


@pytest.mark.parametrize(
    ("name", "args", "asked"),
    [
        ("TCPClient", ("a", 80), "tcpClients"),
        ("UNIXClient", ("/s",), "unixClients"),
        ("SSLClient", ("a", 443), "sslClients"),
    ],
)
def test_aClientIsConnectedWhileItRuns(name: str, args: tuple[Any, ...], asked: str) -> None:
    reactor, factory = MemoryReactorClock(), ClientFactory()
    rest = (None,) if name == "SSLClient" else ()
    service = getattr(services, name)(*args, factory, *rest, reactor=reactor)
    service.startService()
    assert [row[: len(args) + 1] for row in getattr(reactor, asked)] == [(*args, factory)]
    service.stopService()
    assert reactor.connectors[0]._disconnected
    assert (service._connection, bool(service.running)) == (None, False)


def test_whatIsNotListeningCanBeStopped() -> None:
    for name in ("UDPServer", "MulticastServer", "TCPServer", "TCPClient"):
        service = getattr(services, name)(1, None, reactor=MemoryReactorClock())
        assert service.stopService() is None
        assert not service.running
