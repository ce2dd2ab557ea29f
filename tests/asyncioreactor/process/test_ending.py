"""The end of child processes: it is noticed, and nobody else's is."""

from __future__ import annotations

import asyncio
import os
import subprocess
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.loops import LOOPS
from tests.running import run
from twisted_endpoints import error
from twisted_endpoints.asyncioreactor import AsyncioReactor

from .children import Watched, played, shell, start

pytestmark = pytest.mark.usefixtures("nothingLeft")


def test_aThreadWaitsWhereThereIsNoDescriptorForIt(reactor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int) -> int:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(os, "pidfd_open", refuse)
    assert played(reactor, "exit 6").reason.exitCode == 6


def test_somebodyElseTookTheStatus(reactor: Any) -> None:
    class Taken(Watched):
        def connectionMade(self) -> None:
            os.waitpid(self.transport.pid, 0)  # type: ignore[union-attr,arg-type]

    async def main() -> Any:
        protocol = Taken()
        reactor.spawnProcess(protocol, "/bin/true")
        await protocol.told("ended")
        return protocol.reason

    reason = run(reactor, main)
    assert isinstance(reason, error.ProcessTerminated)
    assert (reason.exitCode, reason.signal, reason.status) == (None, None, None)


def test_aProcessThatIsStartedAndEndsBeforeTheReactorRuns(reactor: Any) -> None:
    protocol = start(reactor, ["/bin/echo", "early"])
    os.waitid(os.P_PID, protocol.transport.pid, os.WEXITED | os.WNOWAIT)
    assert protocol.events == ["made"]
    protocol.told("ended").addCallback(lambda _: reactor.stop())
    reactor.run(installSignalHandlers=False)
    assert protocol.written == {1: b"early\n"}


def test_anotherThreadsReactorHasProcessesToo(loop: Any) -> None:
    reasons: list[Any] = []

    def inThread() -> None:
        reactor = AsyncioReactor(loop)
        reasons.append(played(reactor, "exit 8").reason)

    thread = threading.Thread(target=inThread)
    thread.start()
    thread.join(30)
    assert reasons[0].exitCode == 8


@pytest.mark.parametrize("owner", LOOPS)
def test_besideTheProcessesOfALoopThatRunsAlready(owner: str) -> None:
    async def main() -> tuple[bytes, Any, int | None, int]:
        reactor = AsyncioReactor()
        theirs = await asyncio.create_subprocess_exec("/bin/echo", "theirs", stdout=subprocess.PIPE)
        protocol = shell(reactor, "exit 9")
        plain = subprocess.Popen(["/bin/sh", "-c", "exit 4"])
        ended = asyncio.get_running_loop().create_future()
        protocol.told("ended").addCallback(ended.set_result)
        await ended
        written, _ = await theirs.communicate()
        return written, protocol.reason, theirs.returncode, plain.wait()

    runner: Callable[[Any], Any] = asyncio.run
    if owner == "uvloop":
        import uvloop

        runner = uvloop.run
    written, reason, code, plain = runner(main())
    assert (written, reason.exitCode, code, plain) == (b"theirs\n", 9, 0, 4)
