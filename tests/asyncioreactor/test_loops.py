from __future__ import annotations

import asyncio
import sys
import time

import pytest

from twisted_endpoints.asyncioreactor.loops import closeEventLoop, liveClock, newEventLoop, timerAllowance

from .logged import loggedErrors


def test_aNewLoopIsTheFastestAndNobodysCurrentOne() -> None:
    uvloop = pytest.importorskip("uvloop")
    loop = newEventLoop()
    assert isinstance(loop, uvloop.Loop)
    assert asyncio._get_running_loop() is None
    closeEventLoop(loop)
    assert loop.is_closed()


def test_aNewLoopIsAsynciosWithoutUvloop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    loop = newEventLoop()
    assert type(loop).__module__.startswith("asyncio.")
    closeEventLoop(loop)


def test_whatEscapesFromACallbackIsLogged() -> None:
    loop = newEventLoop()
    loop.call_soon(lambda: 1 / 0)
    loop.call_soon(loop.stop)
    with loggedErrors() as errors:
        loop.run_forever()
    assert errors == [ZeroDivisionError]
    loop.close()


def test_aLoopThatRunsIsNotClosed(loop: asyncio.AbstractEventLoop) -> None:
    async def main() -> None:
        closeEventLoop(loop)

    loop.run_until_complete(main())
    assert not loop.is_closed()


def test_theClockOfALoopGoesOn(loop: asyncio.AbstractEventLoop) -> None:
    clock = liveClock(loop)
    assert abs(clock() - loop.time()) < 1
    began = clock()
    while clock() == began:
        pass


def test_aLoopWithTimeOfItsOwnKeepsIt() -> None:
    class Loop(asyncio.SelectorEventLoop):
        def time(self) -> float:
            return 7.0

    loop = Loop()
    assert liveClock(loop)() == 7.0
    assert timerAllowance(loop) == 0
    assert liveClock(loop) is not time.monotonic
    loop.close()
