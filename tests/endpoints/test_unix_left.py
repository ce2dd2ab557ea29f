"""What is left of connections and attempts over UNIX sockets: nothing, and no garbage either."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.left import Held, aWhile, nothingIsLeft
from tests.running import run
from twisted_endpoints import error
from twisted_endpoints.asyncioreactor import AsyncioReactor
from twisted_endpoints.asyncioreactor.loops import newEventLoop
from twisted_endpoints.defer import CancelledError, Deferred
from twisted_endpoints.endpoints import UNIXClientEndpoint, UNIXServerEndpoint
from twisted_endpoints.protocol import Factory, Protocol

ROUNDS = 200


@pytest.fixture(params=["asyncio", "the fastest"])
def reactor(request: pytest.FixtureRequest) -> Iterator[Any]:
    loop = newEventLoop(asyncio.new_event_loop if request.param == "asyncio" else None)
    yield AsyncioReactor(loop)
    loop.close()


class Answer(Protocol):
    def dataReceived(self, data: bytes) -> None:
        self.transport.write(data)  # type: ignore[union-attr]


class Ask(Protocol):
    """Asks, and closes the connection when it has the answer."""

    def __init__(self) -> None:
        self.ended: list[Deferred[None]] = [Deferred()]

    def connectionMade(self) -> None:
        self.transport.write(b"?")  # type: ignore[union-attr]

    def dataReceived(self, data: bytes) -> None:
        self.transport.loseConnection()  # type: ignore[union-attr]

    def connectionLost(self, reason: Any = None) -> None:
        self.ended.pop().callback(None)


def factory(protocol: type[Protocol]) -> Factory:
    made: Factory = Factory.forProtocol(protocol)
    made.noisy = False
    return made


def dead(path: str) -> str:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(path)
    return path


@pytest.mark.parametrize(
    "case", ["ok", "refused", "missing", "no lock", "cancelled", "queue full", "listens", "can't listen"]
)
def test_nothingIsLeft(reactor: Any, tmp_path: Path, case: str) -> None:
    served, refused = str(tmp_path / "served"), dead(str(tmp_path / "refused"))

    def connect(path: str, **how: Any) -> Deferred[Any]:
        done: Deferred[Any] = UNIXClientEndpoint(reactor, path, **how).connect(factory(Ask))
        return done

    async def fails(attempt: Deferred[Any], *kinds: type[Exception]) -> None:
        # Not with pytest.raises, which keeps frames.
        outcome: list[Any] = []
        await attempt.addErrback(lambda failure: outcome.append(failure.check(*kinds)))
        assert outcome[0] is not None

    async def one() -> None:
        if case == "ok":
            await (await connect(served)).ended[0]
        elif case == "refused":
            await fails(connect(refused), error.ConnectionRefusedError)
        elif case == "missing":
            await fails(connect(str(tmp_path / "missing")), error.ConnectError)
        elif case == "no lock":
            await fails(connect(served, checkPID=True), error.BadFileError)
        elif case == "cancelled":
            attempt = connect(served)
            attempt.cancel()
            await fails(attempt, CancelledError, error.ConnectingCancelledError)
        elif case == "queue full":
            await fails(connect(str(tmp_path / "busy"), timeout=0), error.TimeoutError)
        elif case == "listens":
            endpoint = UNIXServerEndpoint(reactor, str(tmp_path / "other"), wantPID=True)
            await (await endpoint.listen(factory(Answer))).stopListening()
        else:
            await fails(UNIXServerEndpoint(reactor, refused).listen(factory(Answer)), error.CannotListenError)

    async def main() -> None:
        port = await UNIXServerEndpoint(reactor, served).listen(factory(Answer))
        for _ in range(5):
            await one()
        # Closed connections need some rounds of the loop, and their files with them.
        await aWhile(reactor, 0.05)
        gc.collect()
        before = Held.by(reactor)
        # What earlier tests have left is not looked at.
        gc.freeze()
        gc.disable()
        try:
            for _ in range(ROUNDS):
                await one()
            await nothingIsLeft(reactor, before)
            gc.set_debug(gc.DEBUG_SAVEALL)
            gc.collect()
            # asyncio's own transports are circles; what we make is none, nor hangs on one.
            ours = [each for each in gc.garbage if type(each).__module__.startswith("twisted")]
            # And uvloop never lets go of a transport that is given up just before it calls connection_made.
            assert ours == [] or case == "cancelled"
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
            gc.unfreeze()
            gc.enable()
        await port.stopListening()

    with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as waits:
        busy.bind(str(tmp_path / "busy"))
        busy.listen(0)
        waits.connect(str(tmp_path / "busy"))
        run(reactor, main)
