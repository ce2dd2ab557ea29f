"""What a callback raises, and nobody hears of, is logged when that happens, whatever fired the Deferred."""

from __future__ import annotations

import gc
import logging
import socket
from collections.abc import Callable
from typing import Any

import pytest

from tests.faults.left import aWhile
from tests.running import run
from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.defer import Deferred, DeferredList, gatherResults, race
from twisted_endpoints.endpoints import (
    HostnameEndpoint,
    TCP4ClientEndpoint,
    TCP4ServerEndpoint,
    UNIXClientEndpoint,
    clientFromString,
)
from twisted_endpoints.protocol import Factory, Protocol

pytestmark = pytest.mark.skipif(vocabulary == "twisted", reason="Twisted's failures wait for the collector")


class Bug(Exception):
    """What the callback raises."""


def raising(result: Any) -> Any:
    raise Bug


class Quiet(Factory):
    noisy = False
    protocol = Protocol


def later(reactor: Any, combine: Callable[[list[Deferred[Any]]], Deferred[Any]], how: str) -> Deferred[Any]:
    each: list[Deferred[Any]] = [Deferred(), Deferred()]
    combined = combine(each)
    if how == "cancel":
        reactor.callLater(0, combined.cancel)
    else:
        for d in each:
            reactor.callLater(0, getattr(d, how), None if how == "callback" else Bug())
    return combined


def cancelled(reactor: Any, d: Deferred[Any]) -> Deferred[Any]:
    reactor.callLater(0, d.cancel)
    return d


#: What is given a callback and an errback that raise: reactor and the port of a server in, Deferred out.
FIRED: dict[str, Callable[[Any, int], Deferred[Any]]] = {
    "gathered": lambda r, _: later(r, gatherResults, "callback"),
    "gathered, failed": lambda r, _: later(r, lambda ds: gatherResults(ds, consumeErrors=True), "errback"),
    "gathered, cancelled": lambda r, _: later(r, lambda ds: gatherResults(ds, consumeErrors=True), "cancel"),
    "list": lambda r, _: later(r, DeferredList, "callback"),
    "race": lambda r, _: later(r, race, "callback"),
    "race, failed": lambda r, _: later(r, race, "errback"),
    "race, cancelled": lambda r, _: later(r, race, "cancel"),
    "connected": lambda r, port: TCP4ClientEndpoint(r, "127.0.0.1", port).connect(Quiet()),
    "connected by name": lambda r, port: HostnameEndpoint(r, "localhost", port).connect(Quiet()),
    "connected by string": lambda r, port: clientFromString(r, f"tcp:localhost:{port}").connect(Quiet()),
    "refused": lambda r, _: TCP4ClientEndpoint(r, "127.0.0.1", 1).connect(Quiet()),
    "refused by name": lambda r, _: HostnameEndpoint(r, "localhost", 1).connect(Quiet()),
    "refused by path": lambda r, _: UNIXClientEndpoint(r, "/nowhere/at/all").connect(Quiet()),
    "cancelled": lambda r, port: cancelled(r, TCP4ClientEndpoint(r, "127.0.0.1", port).connect(Quiet())),
    "cancelled by name": lambda r, port: cancelled(
        r, HostnameEndpoint(r, "localhost", port).connect(Quiet())
    ),
    "looked up": lambda r, _: r.resolve("localhost"),
    "looked up, failed": lambda r, _: r.resolve("name.invalid"),
    "listens": lambda r, _: TCP4ServerEndpoint(r, 0, interface="127.0.0.1").listen(Quiet()),
    "listens no more": lambda r, _: r.listenTCP(0, Quiet(), interface="127.0.0.1").stopListening(),
}


@pytest.mark.parametrize("what", FIRED)
def test_whatACallbackRaisesIsLoggedAtOnce(reactor: Any, what: str, caplog: pytest.LogCaptureFixture) -> None:
    def logged() -> int:
        return sum(
            record.exc_info is not None and record.exc_info[0] is Bug and "Unhandled" in record.getMessage()
            for record in caplog.records
        )

    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            FIRED[what](reactor, server.getsockname()[1]).addBoth(raising)
            for _ in range(200):
                await aWhile(reactor)
                if logged():
                    break
            assert logged() == 1
            for each in list(reactor._open):
                getattr(each, "stopListening", getattr(each, "loseConnection", lambda: None))()
            while reactor._open:
                await aWhile(reactor)

    gc.collect()
    gc.disable()
    try:
        with caplog.at_level(logging.ERROR):
            run(reactor, main)
    finally:
        gc.enable()
    assert logged() == 1
