from __future__ import annotations

import asyncio
import sys
import time
from unittest.mock import Mock

import pytest

from twisted_endpoints.asyncioreactor import loops
from twisted_endpoints.asyncioreactor.loops import closeEventLoop, liveClock, newEventLoop, timerAllowance
from twisted_endpoints.asyncioreactor.writing import Writer

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


def test_exhaustionIsLoggedOnceASecond(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(loops._log, "error", said.append)
    loop = newEventLoop(asyncio.new_event_loop)
    times = iter([10.0, 10.5, 10.9, 11.0])
    loop.set_exception_handler(loops._LogUnhandled(lambda: next(times)))
    exhausted = {"message": "out of system resource", "exception": OSError(24, "no more"), "socket": object()}
    try:
        with loggedErrors() as errors:
            for _ in range(4):
                loop.call_exception_handler(exhausted)
    finally:
        monkeypatch.undo()
        loop.close()
    assert said == ["connections wait to be accepted: no more"] * 2
    assert errors == []


def test_anErrorWithoutAWordIsLogged() -> None:
    handle = loops._LogUnhandled(time.monotonic)
    with loggedErrors() as errors:
        handle(Mock(), {"exception": OSError(5, "broken")})
    assert errors == [OSError]


def test_aConnectionThatCannotBeWatchedEnds() -> None:
    class Transport(asyncio.Transport):
        aborted = False

        def addReader(self) -> None:
            raise OSError(12, "no memory")

        def get_protocol(self) -> asyncio.BaseProtocol:
            return stream

        def abort(self) -> None:
            self.aborted = True

    loop = newEventLoop(asyncio.new_event_loop)
    stream, transport = Writer(None), Transport()  # type: ignore[arg-type]
    stream._transport = transport
    loop.call_soon(transport.addReader)
    loop.call_soon(loop.stop)
    with loggedErrors() as errors:
        loop.run_forever()
    loop.close()
    assert transport.aborted
    assert stream._reason is not None
    assert "no memory" in stream._reason.getErrorMessage()
    assert errors == []


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
