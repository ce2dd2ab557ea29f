"""How attempts to connect begin: alone at once, and behind one another while others are under way."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import pytest
from zope.interface import implementer

from tests.faults.left import aWhile
from tests.running import run
from twisted_endpoints import error
from twisted_endpoints.asyncioreactor.tcp import TCPConnector
from twisted_endpoints.defer import Deferred, fail
from twisted_endpoints.endpoints import TCP4ClientEndpoint
from twisted_endpoints.failure import Failure
from twisted_endpoints.interfaces import IResolverSimple
from twisted_endpoints.protocol import Factory, Protocol

WHO: ContextVar[str] = ContextVar("who", default="nobody")


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        yield listening


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note the contexts in which attempts begin."""
    noted: list[str] = []
    real = TCPConnector._open

    def _open(self: TCPConnector, stream: Any) -> Any:
        noted.append(WHO.get())
        return real(self, stream)

    monkeypatch.setattr(TCPConnector, "_open", _open)
    return noted


class Quiet(Factory):
    noisy = False
    protocol = Protocol


def connecting(reactor: Any, server: socket.socket, who: str, factory: Any = None) -> Deferred[Any]:
    """Begin to connect, in a context of one's own."""
    token = WHO.set(who)
    try:
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", server.getsockname()[1])
        return endpoint.connect(factory or Quiet())
    finally:
        WHO.reset(token)


async def settled(reactor: Any) -> None:
    """Close what is open, and wait until nobody knows of it any more."""
    while reactor._open:
        for each in list(reactor._open):
            getattr(each, "loseConnection", lambda: None)()
        await aWhile(reactor)
    assert reactor._underWay == 0


def test_eachBeginsInTheContextOfWhoAskedForIt(reactor: Any, server: socket.socket, begun: list[str]) -> None:
    async def main() -> None:
        await aWhile(reactor)  # until the loop runs
        attempts = [connecting(reactor, server, who) for who in ("first", "second", "third")]
        # Nobody was under way when the first was asked for.
        assert begun == ["first"]
        for attempt in attempts:
            await attempt
        await connecting(reactor, server, "alone")
        await settled(reactor)

    run(reactor, main)
    assert begun == ["first", "second", "third", "alone"]


def test_oneThatIsCancelledBeforeItHasBegunNeverDoes(
    reactor: Any, server: socket.socket, begun: list[str]
) -> None:
    async def main() -> None:
        first, second, third = (connecting(reactor, server, who) for who in ("first", "second", "third"))
        second.cancel()
        with pytest.raises(error.ConnectingCancelledError):
            await second
        await first
        await third
        await settled(reactor)

    run(reactor, main)
    assert begun == ["first", "third"]


@pytest.mark.parametrize("method", ["buildProtocol", "connectionMade"])
def test_theyAreCountedHoweverTheyEnd(reactor: Any, server: socket.socket, method: str) -> None:
    def broken(*args: Any) -> Any:
        raise asyncio.CancelledError

    async def main() -> None:
        factory: Any = Quiet()
        if method == "buildProtocol":
            factory.buildProtocol = broken
        else:
            factory.protocol = type("Broken", (Protocol,), {method: broken})
        # A plain factory too: what wraps an endpoint's raises nothing.
        plain = Plain()
        plain.buildProtocol = broken  # type: ignore[method-assign]
        reactor.connectTCP("127.0.0.1", server.getsockname()[1], plain)
        with pytest.raises(asyncio.CancelledError):
            await connecting(reactor, server, "broken", factory)
        number = server.getsockname()[1]
        server.close()
        with pytest.raises(error.ConnectionRefusedError):
            await TCP4ClientEndpoint(reactor, "127.0.0.1", number).connect(Quiet())
        await settled(reactor)

    run(reactor, main)


class Plain(Quiet):
    def startedConnecting(self, connector: Any) -> None:
        """See IProtocolFactory."""

    def clientConnectionFailed(self, connector: Any, reason: Any) -> None:
        """See IProtocolFactory."""


@implementer(IResolverSimple)
class Raising:
    """A resolver with an error of its own for each name."""

    errors = {"cancelled.example": asyncio.CancelledError, "closed.example": GeneratorExit}

    def getHostByName(self, name: str, timeout: Any = None) -> Deferred[str]:
        return fail(Failure(self.errors[name]()))


@pytest.mark.parametrize(("name", "raised"), Raising.errors.items())
def test_whatIsNoExceptionEndsAnAttemptToo(reactor: Any, name: str, raised: type[BaseException]) -> None:
    """Nobody has given it up, so it isn't taken for cancelled, and doesn't wait for its timeout."""

    async def main() -> None:
        reactor.installResolver(Raising())
        with pytest.raises(raised):
            await TCP4ClientEndpoint(reactor, name, 7, timeout=None).connect(Quiet())
        await settled(reactor)

    run(reactor, main)
