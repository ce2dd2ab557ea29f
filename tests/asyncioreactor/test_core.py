from __future__ import annotations

import asyncio
import contextvars
import gc
import os
import signal
import subprocess
import sys
import threading
from typing import Any

import pytest
from zope.interface.verify import verifyObject

from twisted_endpoints import error, interfaces
from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.asyncioreactor import AsyncioReactor
from twisted_endpoints.defer import Deferred

from .logged import loggedErrors


class Opened:
    """Something that a reactor keeps account of."""

    _reading = True
    _writing = False

    def __init__(self, reactor: Any, trouble: Exception | None = None) -> None:
        self.reactor = reactor
        self.trouble = trouble
        self.closed = False
        reactor._open[self] = None

    def _shutdown(self) -> None:
        self.closed = True
        self.reactor._open.pop(self, None)
        if self.trouble:
            raise self.trouble


@pytest.mark.parametrize(
    "name",
    [
        "IReactorCore",
        "IReactorFDSet",
        "IReactorFromThreads",
        "IReactorInThreads",
        "IReactorPluggableNameResolver",
        "IReactorPluggableResolver",
        "IReactorSocket",
        "IReactorTCP",
        "IReactorThreads",
        "IReactorTime",
        "IReactorUNIX",
        "_ISupportsExitSignalCapturing",
    ],
)
def test_itProvidesTheReactorInterfaces(reactor: Any, name: str) -> None:
    assert verifyObject(getattr(interfaces, name), reactor)


def test_aReactorIsMadeWithoutTouchingAnythingElse(loop: asyncio.AbstractEventLoop) -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    AsyncioReactor(loop)
    assert {number: signal.getsignal(number) for number in before} == before
    assert asyncio._get_running_loop() is None


def test_triggersAreCalledPhaseByPhase(reactor: Any) -> None:
    events: list[str] = []
    waited: Deferred[None] = Deferred()

    def before() -> Deferred[None]:
        events.append("before shutdown")
        reactor.callLater(0, waited.callback, None)
        return waited

    for phase in ("after", "during", "before"):
        reactor.addSystemEventTrigger(phase, "startup", events.append, f"{phase} startup")
    reactor.addSystemEventTrigger("after", "shutdown", events.append, "after shutdown")
    reactor.addSystemEventTrigger("during", "shutdown", lambda: events.append(f"waited: {waited.called}"))
    reactor.addSystemEventTrigger("before", "shutdown", before)
    reactor.callWhenRunning(events.append, "running")
    reactor.callWhenRunning(reactor.stop)
    reactor.run(installSignalHandlers=False)
    assert events == [
        "before startup",
        "during startup",
        "after startup",
        "running",
        "before shutdown",
        "waited: True",
        "after shutdown",
    ]


def test_aTriggerThatRaisesIsLoggedAndKeepsNothingBack(reactor: Any) -> None:
    events: list[str] = []
    for phase in ("before", "during", "after"):
        reactor.addSystemEventTrigger(phase, "test", lambda: 1 / 0)
        reactor.addSystemEventTrigger(phase, "test", sys.exit, 3)
        reactor.addSystemEventTrigger(phase, "test", events.append, phase)
    with loggedErrors() as errors:
        reactor.fireSystemEvent("test")
    assert events == ["before", "during", "after"]
    assert errors == [ZeroDivisionError, SystemExit] * 3


@pytest.mark.skipif(vocabulary == "twisted", reason="Twisted's failures wait for the collector")
@pytest.mark.parametrize("how", ["callLater", "callFromThread", "callWhenRunning"])
def test_anErrorThatNobodyHandlesIsLoggedAtOnce(reactor: Any, how: str) -> None:
    left: list[list[type[BaseException]]] = []

    def start() -> None:
        failing: Deferred[Any] = Deferred()
        failing.addCallback(lambda _: 1 / 0)
        call: Any = {"callLater": (0,)}.get(how, ())
        getattr(reactor, how)(*call, failing.callback, None)

    gc.collect()
    gc.disable()
    try:
        with loggedErrors() as errors:
            if how == "callWhenRunning":
                start()
            else:
                reactor.callWhenRunning(start)
            reactor.callLater(0.001, lambda: left.append(list(errors)))
            reactor.callLater(0.002, reactor.stop)
            reactor.run(installSignalHandlers=False)
    finally:
        gc.enable()
    assert left == [[ZeroDivisionError]]


def test_aTriggerThatWasTakenBackIsNotCalled(reactor: Any) -> None:
    called: list[int] = []
    for phase in ("before", "during", "after"):
        handle = reactor.addSystemEventTrigger(phase, "test", called.append, 1)
        reactor.removeSystemEventTrigger(handle)
        with pytest.raises(ValueError, match="not in list"):
            reactor.removeSystemEventTrigger(handle)
    reactor.fireSystemEvent("test")
    assert called == []


def test_aTriggerThatWasCalledInTheSamePhaseIsTakenBackWithAWarning(reactor: Any) -> None:
    first = reactor.addSystemEventTrigger("before", "test", int)
    reactor.addSystemEventTrigger("before", "test", lambda: reactor.removeSystemEventTrigger(first))
    with pytest.warns(DeprecationWarning, match="called already"):
        reactor.fireSystemEvent("test")


def test_aBadTriggerIsRefused(reactor: Any) -> None:
    with pytest.raises(KeyError):
        reactor.addSystemEventTrigger("sometimes", "shutdown", int)
    with pytest.raises(AssertionError, match="not callable"):
        reactor.addSystemEventTrigger("before", "shutdown", None)


def test_stopAndRunAreRefusedInTheWrongState(reactor: Any) -> None:
    with pytest.raises(error.ReactorNotRunning):
        reactor.stop()
    refused: list[type[BaseException]] = []

    def check() -> None:
        with pytest.raises(error.ReactorAlreadyRunning) as caught:
            reactor.run()
        refused.append(caught.type)
        reactor.stop()
        with pytest.raises(error.ReactorNotRunning):
            reactor.stop()

    reactor.callWhenRunning(check)
    reactor.run(installSignalHandlers=False)
    assert refused == [error.ReactorAlreadyRunning]
    with pytest.raises(error.ReactorNotRestartable):
        reactor.run()


def test_crashEndsRunWithoutShutdownAndItMayRunAgain(reactor: Any) -> None:
    events: list[str] = []
    reactor.addSystemEventTrigger("before", "shutdown", events.append, "shutdown")
    reactor.callWhenRunning(reactor.crash)
    reactor.run(installSignalHandlers=False)
    assert events == []
    assert not reactor.running
    reactor.callLater(0, reactor.crash)
    reactor.run(installSignalHandlers=False)
    assert events == []
    reactor.callWhenRunning(reactor.stop)
    reactor.run(installSignalHandlers=False)
    assert events == ["shutdown"]


def test_whatIsAskedForAtShutdownIsNotCalled(reactor: Any) -> None:
    called: list[str] = []

    def ask(phase: str) -> None:
        reactor.callLater(0, called.append, f"delayed, {phase}")
        reactor.callFromThread(called.append, f"from a thread, {phase}")

    for phase in ("during", "after"):
        reactor.addSystemEventTrigger(phase, "shutdown", ask, phase)
    reactor.callWhenRunning(reactor.stop)
    reactor.run(installSignalHandlers=False)
    assert called == []
    assert len(reactor.getDelayedCalls()) == 2
    reactor.iterate()
    assert sorted(called) == [
        "delayed, after",
        "delayed, during",
        "from a thread, after",
        "from a thread, during",
    ]


def test_whatWasAskedForBeforeACrashIsCalledWhenItRunsAgain(reactor: Any) -> None:
    called: list[str] = []

    def crash() -> None:
        reactor.crash()
        reactor.callLater(0, called.append, "delayed")
        reactor.callFromThread(called.append, "from a thread")

    reactor.callLater(0, crash)
    reactor.run(installSignalHandlers=False)
    assert called == []
    reactor.callLater(0.001, reactor.stop)
    reactor.run(installSignalHandlers=False)
    assert sorted(called) == ["delayed", "from a thread"]


def test_theLoopsOwnStopEndsRun(reactor: Any) -> None:
    reactor.callWhenRunning(reactor._loop.stop)
    reactor.run(installSignalHandlers=False)
    assert not reactor.running


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_whatEndsAProgramEndsRun(reactor: Any, kind: type[BaseException]) -> None:
    def end() -> None:
        raise kind("enough")

    reactor.callLater(0, end)
    with pytest.raises(kind, match="enough"):
        reactor.run(installSignalHandlers=False)
    assert not reactor.running


def test_whatRunsAtStartupFindsTheLoopRunning(reactor: Any) -> None:
    async def main() -> None:
        await asyncio.sleep(0)
        reactor.stop()

    tasks: list[Any] = []
    reactor.callWhenRunning(lambda: tasks.append(asyncio.get_running_loop().create_task(main())))
    reactor.run(installSignalHandlers=False)
    assert tasks[0].done()
    assert asyncio._get_running_loop() is None


def test_contextVariablesAreThoseOfWhoRunsIt(reactor: Any) -> None:
    variable = contextvars.ContextVar("variable", default="unset")
    seen: list[str] = []

    def look(where: str) -> None:
        seen.append(f"{where}: {variable.get()}")

    def start() -> None:
        look("startup")
        variable.set("startup")
        contextvars.Context().run(reactor.callLater, 0, look, "delayed")
        thread = threading.Thread(target=reactor.callFromThread, args=(look, "from a thread"))
        thread.start()
        thread.join()
        reactor.callLater(0.001, reactor.stop)

    reactor.callWhenRunning(start)
    contextvars.Context().run(reactor.callLater, 0, look, "early")
    contextvars.copy_context().run(lambda: (variable.set("main"), reactor.run(installSignalHandlers=False)))
    assert seen[0] == "startup: main"
    assert sorted(seen[1:]) == ["delayed: startup", "early: startup", "from a thread: startup"]


def test_callWhenRunningCallsAtOnceInARunningReactor(reactor: Any) -> None:
    events: list[str] = []

    def start() -> None:
        assert reactor.callWhenRunning(events.append, "inner") is None
        events.append("outer")
        reactor.stop()

    assert reactor.callWhenRunning(start) is not None
    reactor.run(installSignalHandlers=False)
    assert events == ["inner", "outer"]


def test_iterateRunsWhatIsDue(reactor: Any) -> None:
    called: list[int] = []
    reactor.callLater(0, called.append, 1)
    reactor.iterate()
    assert called == [1]
    reactor.callLater(0.001, called.append, 2)
    reactor.iterate(0.05)
    assert called == [1, 2]


def test_itRunsInAnotherThread(reactor: Any) -> None:
    seen: list[threading.Thread] = []
    reactor.callWhenRunning(lambda: (seen.append(threading.current_thread()), reactor.stop()))
    thread = threading.Thread(target=reactor.run, kwargs={"installSignalHandlers": False})
    thread.start()
    thread.join()
    assert seen == [thread]


def test_whatIsOpenIsClosedAtShutdown(reactor: Any) -> None:
    opened = [Opened(reactor, ValueError("bad")), Opened(reactor)]
    assert reactor.getReaders() == opened
    assert reactor.getWriters() == []
    reactor.callWhenRunning(reactor.stop)
    with loggedErrors() as errors:
        reactor.run(installSignalHandlers=False)
    assert [each.closed for each in opened] == [True, True]
    assert errors == [ValueError]


def test_removeAllForgetsWhatIsOpen(reactor: Any) -> None:
    opened = Opened(reactor)
    assert reactor.removeAll() == [opened]
    assert reactor.removeAll() == []
    reactor.disconnectAll()
    assert not opened.closed


async def _live(rounds: list[str]) -> None:
    loop = asyncio.get_running_loop()
    reactor = AsyncioReactor()
    assert reactor._loop is loop
    assert reactor.running
    opened = Opened(reactor)
    called, down = loop.create_future(), loop.create_future()
    reactor.callInThread(reactor.callFromThread, called.set_result, "from a thread")
    rounds.append(await called)
    reactor.addSystemEventTrigger("after", "shutdown", down.set_result, "down")
    reactor.stop()
    rounds.append(await down)
    assert opened.closed
    assert not reactor.running
    with pytest.raises(error.ReactorNotRestartable):
        reactor.run()


def test_itLivesInALoopThatRunsTwiceInOneProcess(loop: asyncio.AbstractEventLoop) -> None:
    rounds: list[str] = []
    loop.run_until_complete(_live(rounds))
    loop.run_until_complete(_live(rounds))
    assert rounds == ["from a thread", "down"] * 2


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_aSignalStopsItAndThePreviousHandlerIsBack(reactor: Any, name: str) -> None:
    number = getattr(signal, name)
    before = signal.getsignal(number)
    reactor.callLater(0, os.kill, os.getpid(), number)
    reactor.run()
    assert reactor._exitSignal == number
    assert signal.getsignal(number) is before


def test_someoneElsesHandlerOfSIGINTStays(reactor: Any) -> None:
    got: list[int] = []

    def handle(number: int, frame: object) -> None:
        got.append(number)
        reactor.stop()

    before = signal.signal(signal.SIGINT, handle)
    try:
        reactor.callLater(0, os.kill, os.getpid(), signal.SIGINT)
        reactor.run()
    finally:
        signal.signal(signal.SIGINT, before)
    assert got == [signal.SIGINT]
    assert reactor._exitSignal is None


def test_aSecondSignalDuringShutdownChangesNothing(reactor: Any) -> None:
    ended: Deferred[None] = Deferred()
    reactor.addSystemEventTrigger("before", "shutdown", lambda: ended)

    def again() -> None:
        reactor.sigTerm(signal.SIGTERM)
        reactor.callLater(0, ended.callback, None)

    reactor.callWhenRunning(reactor.sigTerm, signal.SIGTERM)
    reactor.callLater(0, again)
    with loggedErrors() as errors:
        reactor.run(installSignalHandlers=False)
    assert errors == []


def test_aReactorClosesTheLoopThatItMade() -> None:
    program = """if True:
        from twisted_endpoints.asyncioreactor import AsyncioReactor
        reactor = AsyncioReactor()
        loop = reactor._loop
        reactor.callLater(0, reactor.stop)
        reactor.run()
        assert not loop.is_closed()
        import gc
        del reactor
        gc.collect()
        assert loop.is_closed()
        AsyncioReactor()
    """
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert (done.returncode, done.stderr) == (0, "")
