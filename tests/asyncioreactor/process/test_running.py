"""What is told of a child process and its end, whatever its protocol does."""

from __future__ import annotations

import gc
import os
import signal
import threading
from typing import Any

import pytest

from tests.faults.left import aWhile
from tests.running import run
from twisted_endpoints import error

from ..logged import loggedErrors
from .children import Watched, openDescriptors, played, shell, start, waitForChildren

pytestmark = pytest.mark.usefixtures("nothingLeft")


@pytest.mark.parametrize(
    ("script", "code", "number"),
    [
        ("exit 3", 3, None),
        ("kill -TERM $$", None, signal.SIGTERM),
        ("kill -KILL $$", None, signal.SIGKILL),
    ],
    ids=["status 3", "TERM", "KILL"],
)
def test_theReasonSaysHowItEnded(reactor: Any, script: str, code: int | None, number: int | None) -> None:
    reason = played(reactor, script).reason
    assert isinstance(reason, error.ProcessTerminated)
    assert (reason.exitCode, reason.signal) == (code, number)


@pytest.mark.parametrize(
    ("wanted", "number"),
    [("HUP", 1), ("SIGUSR1", signal.SIGUSR1), ("KILL", 9), (15, 15)],
    ids=["HUP", "SIGUSR1", "KILL", "15"],
)
def test_signalsAreSentByNameAndNumber(reactor: Any, wanted: str | int, number: int) -> None:
    async def main() -> Watched:
        protocol: Any = shell(reactor, "echo; exec sleep 60")
        await protocol.told(1)
        for none in ("_DFL", 999, None):
            with pytest.raises(ValueError, match=f"there is no signal {none!r}"):
                protocol.transport.signalProcess(none)
        protocol.transport.signalProcess(0)
        protocol.transport.signalProcess(wanted)
        await protocol.told("ended")
        assert protocol.transport.pid is None
        with pytest.raises(error.ProcessExitedAlready):
            protocol.transport.signalProcess("KILL")
        return protocol  # type: ignore[no-any-return]

    assert run(reactor, main).reason.signal == number


def test_twoHundredAtOnceLeaveNothing(reactor: Any) -> None:
    threads = threading.active_count()

    async def main() -> list[Watched]:
        protocols = [start(reactor, ["/bin/echo", str(number)]) for number in range(200)]
        for protocol in protocols:
            await protocol.told("ended")
        return protocols

    for number, protocol in enumerate(run(reactor, main)):
        assert protocol.written == {1: b"%d\n" % number}
        assert isinstance(protocol.reason, error.ProcessDone)
    assert threading.active_count() == threads


def test_nothingIsLeftToTheGarbageCollector(reactor: Any) -> None:
    async def main() -> int:
        gc.collect()
        gc.disable()
        try:
            for _ in range(20):
                protocol: Any = shell(reactor, "exec cat")
                protocol.transport.write(b"x" * 100_000)
                protocol.transport.closeStdin()
                await protocol.told("ended")
                del protocol
            gc.set_debug(gc.DEBUG_SAVEALL)
            gc.collect()
            return sum(type(each).__module__.startswith("twisted_endpoints.async") for each in gc.garbage)
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
            gc.enable()

    assert run(reactor, main) == 0


@pytest.mark.parametrize(
    "method", ["connectionMade", "childDataReceived", "childConnectionLost", "processExited", "processEnded"]
)
def test_errorsOfAProtocolAreLoggedAndTheProcessIsSeenToItsEnd(reactor: Any, method: str) -> None:
    def fails(*args: Any) -> None:
        raise ZeroDivisionError

    async def main() -> list[type[BaseException]]:
        protocol: Any = Watched()
        ended = protocol.told("ended")
        setattr(protocol, method, fails)
        if method == "processEnded":
            ended.callback(None)
        with loggedErrors() as found:
            process = reactor.spawnProcess(protocol, "/bin/echo", ["echo", "word"])
            await ended
            while process.proto is not None:
                await aWhile(reactor)
        return found

    found = run(reactor, main)
    assert {*found} == {ZeroDivisionError}
    assert len(found) == (3 if method == "childConnectionLost" else 1)


def test_systemExitInAProtocolEndsTheReactor(reactor: Any) -> None:
    class Exits(Watched):
        def childDataReceived(self, childFD: int, data: bytes) -> None:
            raise SystemExit(3)

    reactor.callWhenRunning(reactor.spawnProcess, Exits(), "/bin/echo", ["echo", "word"])
    with pytest.raises(SystemExit):
        reactor.run(installSignalHandlers=False)
    reactor.disconnectAll()
    waitForChildren()


def test_theReactorStopsWhileAProcessRuns(reactor: Any) -> None:
    protocol = shell(reactor, "trap '' TERM HUP PIPE; cat; exec sleep 60")
    reactor.callWhenRunning(reactor.stop)
    before = openDescriptors()
    reactor.run(installSignalHandlers=False)
    assert protocol.events == ["made", "lost 0", "lost 1", "lost 2"]
    assert openDescriptors() == before - 4
    os.kill(protocol.transport.pid, signal.SIGKILL)
    waitForChildren()


def test_reprSaysWhichProcess(reactor: Any) -> None:
    async def main() -> None:
        protocol = start(reactor, ["/bin/cat"])
        process = protocol.transport
        assert repr(process) == f"<Process '/bin/cat' pid={process.pid}>"
        process.closeStdin()
        await protocol.told("ended")
        assert repr(process) == "<Process '/bin/cat' status=0>"

    run(reactor, main)
