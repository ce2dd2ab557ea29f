"""UNIX endpoints: what the reactor is asked for, and one connection on a socket."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.running import run
from twisted_endpoints import error
from twisted_endpoints.endpoints import UNIXClientEndpoint, UNIXServerEndpoint
from twisted_endpoints.protocol import Factory, Protocol
from twisted_endpoints.testing import MemoryReactorClock

from .scenario import GreeterFactory
from .test_tcp import Collect, Echo


def test_connectAsksForAConnection() -> None:
    reactor = MemoryReactorClock()

    UNIXClientEndpoint(reactor, "/run/server").connect(GreeterFactory())
    UNIXClientEndpoint(reactor, "/run/server", timeout=2.5, checkPID=True).connect(GreeterFactory())

    asked = [(path, timeout, checkPID) for path, _, timeout, checkPID in reactor.unixClients]
    assert asked == [("/run/server", 30, 0), ("/run/server", 2.5, True)]


def test_listenAsksForASocket() -> None:
    reactor = MemoryReactorClock()
    factory = GreeterFactory()

    UNIXServerEndpoint(reactor, "/run/server").listen(factory)
    UNIXServerEndpoint(reactor, "/run/server", 7, 0o600, True).listen(factory)

    assert reactor.unixServers == [
        ("/run/server", factory, 50, 0o666, 0),
        ("/run/server", factory, 7, 0o600, True),
    ]


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        (UNIXClientEndpoint(None, "/run/server"), "<UNIXClientEndpoint '/run/server'>"),
        (UNIXServerEndpoint(None, "\0name"), "<UNIXServerEndpoint '\\x00name'>"),
    ],
)
def test_repr(endpoint: Any, expected: str) -> None:
    assert repr(endpoint) == expected


def test_bytesGoThereAndBack(reactor: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "socket")

    async def main() -> Any:
        port = await UNIXServerEndpoint(reactor, path, mode=0o600).listen(Factory.forProtocol(Echo))
        protocol: Any = await UNIXClientEndpoint(reactor, path).connect(Factory.forProtocol(Collect))
        got = await protocol.closed
        await port.stopListening()
        return got

    assert run(reactor, main) == b"hello"
    assert not Path(path).exists()


def test_aPathWithoutAServerIsAConnectError(reactor: Any, tmp_path: Path) -> None:
    async def main() -> Any:
        await UNIXClientEndpoint(reactor, str(tmp_path / "nobody")).connect(Factory.forProtocol(Protocol))

    with pytest.raises(error.ConnectError):
        run(reactor, main)
