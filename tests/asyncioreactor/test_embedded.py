"""The reactor inside a program of asyncio's; and what signals do to it, there and when it runs the loop."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.loops import LOOPS
from twisted_endpoints import clientFromString, connectProtocol, serverFromString
from twisted_endpoints.asyncioreactor import AsyncioReactor
from twisted_endpoints.defer import Deferred
from twisted_endpoints.protocol import Factory, Protocol

from .logged import loggedErrors

Run = Callable[[Coroutine[Any, Any, Any]], Any]

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=LOOPS)
def run(request: pytest.FixtureRequest) -> Run:
    """`asyncio.run` or `uvloop.run`: they own the loop."""
    if request.param == "asyncio":
        return asyncio.run
    import uvloop

    return uvloop.run  # type: ignore[no-any-return]


class Echo(Protocol):
    def dataReceived(self, data: bytes) -> None:
        self.transport.write(data)  # type: ignore[union-attr]


class Client(Protocol):
    """Passes on what it receives, and that its connection was lost."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[bytes] = asyncio.Queue()
        self.lost: list[Any] = []

    def dataReceived(self, data: bytes) -> None:
        self.received.put_nowait(data)

    def connectionLost(self, reason: Any = None) -> None:
        self.lost.append(reason.type)


async def connected(reactor: Any) -> tuple[Any, Client]:
    """Connect a client to an echo server; return the server's port and the client."""
    loop = asyncio.get_running_loop()
    server = serverFromString(reactor, "tcp:0:interface=127.0.0.1")
    port: Any = await server.listen(Factory.forProtocol(Echo)).asFuture(loop)
    endpoint = clientFromString(reactor, f"tcp:127.0.0.1:{port.getHost().port}")
    client: Any = await connectProtocol(endpoint, Client()).asFuture(loop)
    return port, client


def refuses(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) != 0


def test_itRunsBesideOtherTasksTwiceInOneProcess(run: Run) -> None:
    async def main() -> set[bytes]:
        reactor: Any = AsyncioReactor()
        answers: set[bytes] = set()

        async def ask(client: Client, number: int) -> None:
            for each in range(20):
                client.transport.write(b"%d %d." % (number, each))  # type: ignore[union-attr]
                answers.add(await client.received.get())
                await asyncio.sleep(0)

        ports, clients = zip(*[await connected(reactor) for _ in range(3)], strict=True)
        numbers = [port.getHost().port for port in ports]
        await asyncio.gather(*[ask(client, number) for number, client in enumerate(clients)])
        down = asyncio.get_running_loop().create_future()
        reactor.addSystemEventTrigger("after", "shutdown", down.set_result, None)
        reactor.stop()
        await down
        assert not reactor.running
        assert all(map(refuses, numbers))
        assert asyncio.all_tasks() == {asyncio.current_task()}
        # The loop isn't the reactor's, and goes on.
        await asyncio.sleep(0.001)
        assert [len(client.lost) for client in clients] == [1, 1, 1]
        return answers

    for _ in range(2):
        assert run(main()) == {b"%d %d." % (number, each) for number in range(3) for each in range(20)}


@pytest.mark.parametrize("how", ["returns", "raises", "cancelled", "stopped before"])
def test_theEndOfTheProgramIsTheEndOfTheReactor(run: Run, how: str) -> None:
    events: list[str] = []
    seen: list[Any] = []

    async def main() -> None:
        reactor: Any = AsyncioReactor()
        waited: Deferred[None] = Deferred()

        def before() -> Deferred[None]:
            events.append("before")
            reactor.callLater(0.001, waited.callback, None)
            return waited

        reactor.addSystemEventTrigger("before", "shutdown", before)
        reactor.addSystemEventTrigger("after", "shutdown", lambda: events.append(f"after: {waited.called}"))
        reactor.callInThread(lambda: seen.append(threading.current_thread()))
        port, client = await connected(reactor)
        seen.extend([reactor, port.getHost().port, client])
        if how == "stopped before":
            reactor.stop()
        elif how == "raises":
            raise KeyError("main")
        elif how == "cancelled":
            task: Any = asyncio.current_task()
            task.cancel()
            await asyncio.sleep(60)

    expected = {"raises": KeyError, "cancelled": asyncio.CancelledError}.get(how)
    if expected is None:
        run(main())
    else:
        with pytest.raises(expected):
            run(main())
    assert events == ["before", "after: True"]
    thread = next(each for each in seen if isinstance(each, threading.Thread))
    reactor, port, client = (each for each in seen if each is not thread)
    assert not reactor.running
    assert refuses(port)
    assert len(client.lost) == 1
    assert not thread.is_alive()


def test_aReactorThatCrashedIsLeftAlone(run: Run) -> None:
    events: list[str] = []

    async def main() -> None:
        reactor: Any = AsyncioReactor()
        reactor.addSystemEventTrigger("before", "shutdown", events.append, "shutdown")
        reactor.crash()

    run(main())
    assert events == []


def test_onceStoppedItMakesNoDelayedCall(run: Run) -> None:
    called: list[str] = []

    async def main() -> None:
        reactor: Any = AsyncioReactor()
        down = asyncio.get_running_loop().create_future()
        # A shutdown that takes its time may count on them.
        waited: Deferred[None] = Deferred()
        reactor.addSystemEventTrigger("before", "shutdown", lambda: waited)
        reactor.addSystemEventTrigger("after", "shutdown", down.set_result, None)
        reactor.callLater(0.01, waited.callback, None)
        reactor.callLater(0.1, called.append, "later")
        reactor.stop()
        await down
        reactor.callLater(0, called.append, "afterwards")
        reactor.callFromThread(called.append, "thread")
        await asyncio.sleep(0.15)

    run(main())
    assert called == ["thread"]


def test_whatRaisesIsLoggedAndKillsNothing(run: Run) -> None:
    async def main() -> str:
        reactor: Any = AsyncioReactor()
        beside = asyncio.ensure_future(asyncio.sleep(0.01, "beside"))
        reactor.callLater(0, lambda: {}["delayed"])
        reactor.callFromThread(lambda: [][0])
        reactor.callInThread(lambda: 1 / 0)
        reactor.addSystemEventTrigger("before", "shutdown", lambda: int("trigger"))
        _port, client = await connected(reactor)
        client.dataReceived = lambda data: (_ for _ in ()).throw(EOFError())  # type: ignore[method-assign]
        client.transport.write(b"x")  # type: ignore[union-attr]
        assert await beside == "beside"
        _, other = await connected(reactor)
        other.transport.write(b"y")  # type: ignore[union-attr]
        assert await other.received.get() == b"y"
        assert client.lost == [EOFError]
        return "end"

    with loggedErrors() as errors:
        assert run(main()) == "end"
    wanted = [KeyError, IndexError, ZeroDivisionError, EOFError, ValueError]
    assert sorted(kind.__name__ for kind in errors) == sorted(kind.__name__ for kind in wanted)


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize(
    ("mode", "number", "says", "status"),
    [
        ("run", signal.SIGINT, "before after end", 0),
        ("run", signal.SIGTERM, "before after end", 0),
        ("embedded", signal.SIGINT, "before after end", 0),
        ("embedded", signal.SIGTERM, "before after end", 0),
        ("cancelled", signal.SIGINT, "before after KeyboardInterrupt end", 0),
        ("cancelled", signal.SIGTERM, "before after CancelledError end", 0),
        ("plain", signal.SIGINT, "finally before after KeyboardInterrupt end", 0),
        ("plain", signal.SIGTERM, "finally before after", 128 + signal.SIGTERM),
    ],
)
def test_aSignalEndsAProgramCleanly(
    loop: str, mode: str, number: signal.Signals, says: str, status: int
) -> None:
    with started(mode, loop) as (child, port):
        child.send_signal(number)
        output, errors = child.communicate(timeout=30)
    assert output.split() == says.split()
    assert errors == ""
    assert child.returncode == status
    assert refuses(port)


@pytest.mark.parametrize("loop", LOOPS)
def test_aSecondSIGTERMKillsAProgramThatDoesNotComeToItsEnd(loop: str) -> None:
    with started("stuck", loop) as (child, _port):
        child.send_signal(signal.SIGTERM)
        assert child.stdout is not None
        assert child.stdout.readline() == "before\n"
        child.send_signal(signal.SIGTERM)
        output, errors = child.communicate(timeout=30)
    assert (output, errors, child.returncode) == ("", "", -signal.SIGTERM)


@contextmanager
def started(mode: str, loop: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Start `signalled`, and wait until it listens."""
    command = [sys.executable, "-X", "dev", "-W", "error", "-m", "tests.asyncioreactor.signalled", mode, loop]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        try:
            assert child.stdout is not None
            yield child, int(child.stdout.readline())
        finally:
            child.kill()
