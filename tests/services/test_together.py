"""A client and a server as services, on real sockets."""

from __future__ import annotations

from typing import Any

from tests.asyncioreactor.conftest import loop, reactor
from tests.running import run
from twisted_endpoints import strports
from twisted_endpoints.defer import Deferred
from twisted_endpoints.protocol import Factory, Protocol
from twisted_endpoints.service import MultiService
from twisted_endpoints.services import ClientService
from twisted_endpoints.strings import clientFromString

__all__ = ["loop", "reactor"]


class Line(Protocol):
    """Tells its factory when it has received a line."""

    factory: Any

    def connectionMade(self) -> None:
        self.transport.write(b"hello\n")  # type: ignore[union-attr]

    def dataReceived(self, data: bytes) -> None:
        if data.endswith(b"\n"):
            self.factory.heard.append(self)
            if self.factory.waiting is not None:
                waiting, self.factory.waiting = self.factory.waiting, None
                waiting.callback(self)

    def connectionLost(self, reason: Any = None) -> None:
        self.factory.lost += 1


class Lines(Factory):
    noisy = False
    protocol: Any = Line
    lost = 0

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.waiting: Deferred[Any] | None = None

    def next(self) -> Deferred[Any]:
        self.waiting = Deferred()
        return self.waiting


def test_aClientComesBackUntilBothAreStopped(reactor: Any) -> None:
    served, connected = Lines(), Lines()

    async def main() -> None:
        whole = MultiService()
        server = strports.service("tcp:0:interface=127.0.0.1", served, reactor)
        server.setServiceParent(whole)
        whole.privilegedStartService()
        port = await server._waitingForPort  # type: ignore[misc]
        # Given back: who stops the service waits for the port in it.
        server._waitingForPort.addCallback(lambda _: port)  # type: ignore[union-attr]
        endpoint = clientFromString(reactor, f"tcp:127.0.0.1:{port.getHost().port}")
        client = ClientService(endpoint, connected, lambda failures: 0.0, reactor)
        client.setServiceParent(whole)
        whole.startService()
        for _ in range(3):
            heard = connected.next()
            (await heard).transport.abortConnection()
        last: Any = await connected.next()
        assert last is await client.whenConnected()
        await whole.stopService()
        assert (connected.lost, port.connected) == (4, False)

    run(reactor, main)
    assert len(connected.heard) == 4
