"""SIGTERM in a program of asyncio's: whose it is, and what becomes of it where there is no loop to end."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from twisted_endpoints.asyncioreactor import AsyncioReactor

Run = Callable[[Coroutine[Any, Any, Any]], Any]


def handler() -> Any:
    return signal.getsignal(signal.SIGTERM)


@pytest.fixture(autouse=True)
def nobodys() -> Iterator[None]:
    """SIGTERM is the system's, before and after."""
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    assert signal.signal(signal.SIGTERM, before) is signal.SIG_DFL


async def stopped(reactor: Any) -> None:
    """Stop a reactor, and wait until it has."""
    down = asyncio.get_running_loop().create_future()
    reactor.addSystemEventTrigger("after", "shutdown", down.set_result, None)
    reactor.stop()
    await down


def test_itIsLookedAfterWhileTheReactorRuns() -> None:
    async def main() -> None:
        reactor: Any = AsyncioReactor()
        assert handler() is not signal.SIG_DFL
        await stopped(reactor)
        assert handler() is signal.SIG_DFL
        AsyncioReactor()
        assert handler() is not signal.SIG_DFL

    asyncio.run(main())


def test_itIsLookedAfterAsLongAsOneReactorRuns() -> None:
    async def main() -> None:
        reactors: list[Any] = [AsyncioReactor(), AsyncioReactor(), AsyncioReactor()]
        for reactor in reactors:
            assert handler() is not signal.SIG_DFL
            await stopped(reactor)
        assert handler() is signal.SIG_DFL

    asyncio.run(main())


def test_aProgramsOwnHandlerStays() -> None:
    got: list[str] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, got.append, "before")
        AsyncioReactor()
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0.01)
        loop.remove_signal_handler(signal.SIGTERM)

        AsyncioReactor()
        loop.add_signal_handler(signal.SIGTERM, got.append, "after")
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0.01)
        loop.remove_signal_handler(signal.SIGTERM)

    asyncio.run(main())
    assert got == ["before", "after"]


def test_oneThatWasPutThereLaterIsNotTakenOff() -> None:
    async def main() -> None:
        AsyncioReactor()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    asyncio.run(main())
    assert signal.signal(signal.SIGTERM, signal.SIG_DFL) is signal.SIG_IGN


def test_inAnotherThreadItIsNobodys() -> None:
    async def main() -> None:
        AsyncioReactor()
        assert handler() is signal.SIG_DFL

    asyncio.run(asyncio.to_thread(asyncio.run, main()))


def test_aReactorThatRunsItsLoopHasItWhileItRuns() -> None:
    reactor: Any = AsyncioReactor()
    assert handler() is signal.SIG_DFL
    reactor.callLater(0, os.kill, os.getpid(), signal.SIGTERM)
    reactor.run()
    reactor._loop.close()


FORKED = """
import asyncio, os, signal, time
from twisted_endpoints.asyncioreactor import AsyncioReactor

async def main():
    # Kept: Python 3.10 says that a task was destroyed, if a reactor is collected just as the loop ends.
    global reactor
    reactor = AsyncioReactor()
    reads, writes = os.pipe()
    child = os.fork()
    if not child:
        os.write(writes, b"here")  # what came before, fork would forget
        time.sleep(20)
        os._exit(1)
    os.read(reads, 4)
    os.kill(child, signal.SIGTERM)
    print(os.WTERMSIG(os.waitpid(child, 0)[1]), reactor.running)

asyncio.run(main())
"""

LEFT = """
import asyncio, os, signal
from twisted_endpoints.asyncioreactor import AsyncioReactor

async def main():
    global reactor
    reactor = AsyncioReactor()

loop = asyncio.new_event_loop()
loop.run_until_complete(main())
loop.close()
"""

KILLED = (
    LEFT
    + """
os.kill(os.getpid(), signal.SIGTERM)
"""
)

ANOTHER = (
    LEFT
    + """
async def another():
    global second
    second = AsyncioReactor()
    second.addSystemEventTrigger("before", "shutdown", print, "shutdown")
    os.kill(os.getpid(), signal.SIGTERM)
    try:
        await asyncio.sleep(20)
    finally:
        print("finally")

asyncio.run(another())
"""
)


@pytest.mark.parametrize(
    ("program", "says", "status"),
    [
        pytest.param(FORKED, "15 True\n", 0, id="a child that was forked"),
        pytest.param(KILLED, "", -signal.SIGTERM, id="a loop that was left without an end"),
        pytest.param(ANOTHER, "finally\nshutdown\n", 143, id="another loop after that"),
    ],
)
def test_itEndsTheLoopThatRunsAndElseKillsAsBefore(program: str, says: str, status: int) -> None:
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    assert (ran.stdout, ran.stderr, ran.returncode) == (says, "", status)
