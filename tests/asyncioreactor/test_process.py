"""Child processes with pipes: what is started, what its protocol is told, and that nothing is left of it."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from zope.interface.verify import verifyObject

from tests.faults.left import aWhile
from tests.loops import LOOPS
from tests.running import run
from twisted_endpoints import error
from twisted_endpoints.asyncioreactor import AsyncioReactor
from twisted_endpoints.interfaces import IConsumer, IProcessTransport, IPushProducer, IReactorProcess

from .logged import loggedErrors
from .processes import ENVIRONMENT, Watched, nothingLeft, openDescriptors, shell, start, waitForChildren

__all__ = ["nothingLeft"]

pytestmark = pytest.mark.usefixtures("nothingLeft")


def played(reactor: Any, script: str, **options: Any) -> Watched:
    """Run a shell's script until all is over; give its protocol."""

    async def main() -> Watched:
        protocol: Watched = shell(reactor, script, **options)
        await protocol.told("ended")
        return protocol

    return run(reactor, main)  # type: ignore[no-any-return]


def test_theInterfacesAreProvided(reactor: Any) -> None:
    verifyObject(IReactorProcess, reactor)

    async def main() -> None:
        protocol = shell(reactor, "exec cat")
        for interface in (IProcessTransport, IConsumer, IPushProducer):
            verifyObject(interface, protocol.transport)
        protocol.transport.loseConnection()
        await protocol.told("ended")

    run(reactor, main)


def test_whatIsWrittenIsReadAndTheOtherWayRound(reactor: Any) -> None:
    async def main() -> Watched:
        protocol: Any = shell(reactor, "tr a-z A-Z; echo bad >&2")
        assert protocol.events == ["made"]
        protocol.transport.write(b"one ")
        protocol.transport.writeSequence([b"two ", b"three "])
        protocol.transport.writeToChild(0, b"four")
        protocol.transport.closeStdin()
        await protocol.told("ended")
        return protocol  # type: ignore[no-any-return]

    protocol = run(reactor, main)
    assert protocol.written == {1: b"ONE TWO THREE FOUR", 2: b"bad\n"}
    assert sorted(map(str, protocol.events[1:-1])) == ["1", "2", "exited", "lost 0", "lost 1", "lost 2"]
    assert protocol.events[-1] == "ended"
    assert isinstance(protocol.reason, error.ProcessDone)


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
        with pytest.raises(ValueError, match="there is no signal '_DFL'"):
            protocol.transport.signalProcess("_DFL")
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


# Ends and streams


def test_outputIsClosedAndTheProcessLivesOn(reactor: Any) -> None:
    async def main() -> Watched:
        protocol: Any = shell(reactor, "exec >&- 2>&-; read word; exit $word")
        await protocol.told("lost 1")
        await protocol.told("lost 2")
        assert "exited" not in protocol.events
        protocol.transport.write(b"7\n")
        await protocol.told("ended")
        return protocol  # type: ignore[no-any-return]

    assert run(reactor, main).reason.exitCode == 7


def test_inputIsClosedByTheProcess(reactor: Any) -> None:
    async def main() -> Watched:
        protocol: Any = shell(reactor, "exec <&-; echo; exec sleep 60")
        await protocol.told("lost 0")
        protocol.transport.write(b"nobody reads this")
        with pytest.raises(KeyError):
            protocol.transport.writeToChild(0, b"")
        await protocol.told(1)
        protocol.transport.signalProcess("TERM")
        await protocol.told("ended")
        return protocol  # type: ignore[no-any-return]

    assert run(reactor, main).reason.signal == signal.SIGTERM


def test_inputThatNobodyReadsIsLostWithTheProcess(reactor: Any) -> None:
    async def main() -> Watched:
        protocol: Any = shell(reactor, "exec sleep 60")
        protocol.transport.write(b"x" * 1_000_000)
        assert reactor.getWriters() == [protocol.transport]
        protocol.transport.closeStdin()
        protocol.transport.signalProcess("KILL")
        await protocol.told("ended")
        return protocol  # type: ignore[no-any-return]

    assert "lost 0" in run(reactor, main).events


def test_theProcessHasExitedAndItsChildGoesOnWriting(reactor: Any) -> None:
    async def main() -> Watched:
        protocol: Any = shell(reactor, "(read word; echo $word) <&3 3<&- & exit 4", childFDs={3: "w", 1: "r"})
        await protocol.told("exited")
        assert "lost 1" not in protocol.events
        protocol.transport.writeToChild(3, b"late\n")
        await protocol.told("ended")
        return protocol  # type: ignore[no-any-return]

    protocol = run(reactor, main)
    assert protocol.written == {1: b"late\n"}
    assert protocol.reason.exitCode == 4


def test_whatWasWrittenGoesOutBeforeTheInputIsClosed(reactor: Any) -> None:
    async def main() -> Watched:
        protocol: Any = shell(reactor, "exec wc -c")
        protocol.transport.write(b"x" * 3_000_000)
        protocol.transport.write(b"y")
        protocol.transport.closeStdin()
        await protocol.told("ended")
        return protocol  # type: ignore[no-any-return]

    assert run(reactor, main).written[1].split() == [b"3000001"]


def test_aSlowReaderIsGivenTheOutputAsItReads(reactor: Any) -> None:
    size = 4_000_000

    class Slow(Watched):
        count = 0

        def childDataReceived(self, childFD: int, data: bytes) -> None:
            transport: Any = self.transport
            assert not self.paused
            self.count += len(data)
            self.paused = True
            transport.pauseProducing()
            reactor.callLater(0, self.goOn)

        paused = False

        def goOn(self) -> None:
            self.paused = False
            self.transport.resumeProducing()  # type: ignore[union-attr]

    async def main() -> int:
        protocol = Slow()
        reactor.spawnProcess(protocol, "/bin/sh", ["sh", "-c", f"head -c {size} /dev/zero"], ENVIRONMENT)
        await protocol.told("ended")
        return protocol.count

    assert run(reactor, main) == size


def test_producersAreThrottled(reactor: Any) -> None:
    class Push:
        def __init__(self, transport: Any) -> None:
            self.transport = transport
            self.calls: list[str] = []

        def resumeProducing(self) -> None:
            self.calls.append("resume")
            self.transport.unregisterProducer()
            self.transport.closeStdin()

        def pauseProducing(self) -> None:
            self.calls.append("pause")

        def stopProducing(self) -> None:
            self.calls.append("stop")

    async def main() -> tuple[list[str], list[str], bytes]:
        protocol: Any = shell(reactor, "wc -c; exec sleep 60")
        producer = Push(protocol.transport)
        protocol.transport.registerProducer(producer, True)
        protocol.transport.write(b"x" * 1_000_000)
        await protocol.told(1)
        late = Push(protocol.transport)
        protocol.transport.registerProducer(late, True)
        protocol.transport.unregisterProducer()
        protocol.transport.signalProcess("KILL")
        await protocol.told("ended")
        return producer.calls, late.calls, protocol.written[1]

    assert run(reactor, main) == (["pause", "resume"], ["stop"], b"1000000\n")


def test_pullProducersAreAskedUntilTheyEnd(reactor: Any) -> None:
    class Pull:
        left = 5

        def __init__(self, transport: Any) -> None:
            self.transport = transport

        def resumeProducing(self) -> None:
            self.left -= 1
            self.transport.write(b"x" * 100_000)
            if not self.left:
                self.transport.unregisterProducer()

    async def main() -> bytes:
        protocol: Any = shell(reactor, "exec wc -c")
        protocol.transport.registerProducer(Pull(protocol.transport), False)
        protocol.transport.closeStdin()
        await protocol.told("ended")
        return protocol.written[1]  # type: ignore[no-any-return]

    assert run(reactor, main) == b"500000\n"


@pytest.mark.parametrize("close", ["loseConnection", "stopProducing"])
def test_allPipesCanBeClosed(reactor: Any, close: str) -> None:
    async def main() -> Watched:
        protocol: Any = shell(reactor, "trap '' PIPE; echo; read x; echo y; exit 5")
        await protocol.told(1)
        getattr(protocol.transport, close)()
        protocol.transport.closeChildFD(1)
        protocol.transport.resumeProducing()
        await protocol.told("ended")
        return protocol  # type: ignore[no-any-return]

    protocol = run(reactor, main)
    assert protocol.written[1] == b"\n"
    assert protocol.events[-1] == "ended"


# What is started


def test_descriptorsAreWhatTheyAreSaidToBe(reactor: Any, tmp_path: Path) -> None:
    descriptors: dict[int, Any] = {0: "w", 1: "r", 2: "r", 5: "w", 4: "r"}
    with open(tmp_path / "file", "wb") as file:
        os.set_inheritable(file.fileno(), True)

        async def main() -> Watched:
            protocol: Any = shell(
                reactor,
                "read a; read b <&5; echo $b >&4; echo $a; ls /proc/self/fd >&2; echo filed >&7",
                childFDs={**descriptors, 7: file.fileno()},
            )
            protocol.transport.write(b"in\n")
            protocol.transport.writeToChild(5, b"five\n")
            with pytest.raises(KeyError):
                protocol.transport.writeToChild(4, b"it is read from")
            await protocol.told("ended")
            return protocol  # type: ignore[no-any-return]

        protocol = run(reactor, main)
    assert (protocol.written[1], protocol.written[4]) == (b"in\n", b"five\n")
    assert {"0", "1", "2", "4", "5", "7"} >= {*protocol.written[2].decode().split()} - {"3"}
    assert (tmp_path / "file").read_bytes() == b"filed\n"


@pytest.mark.parametrize(
    "childFDs",
    [{0: "w", 1: "r", 2: "r"}, {0: "w", 1: "r"}, {1: "r", 0: 0, 2: 2}],
    ids=["the usual", "no error output", "inherited"],
)
def test_nothingElseIsOpen(reactor: Any, childFDs: dict[int, Any]) -> None:
    before = os.dup(2)
    os.set_inheritable(before, True)
    try:
        written = played(reactor, "exec ls /proc/self/fd", childFDs=childFDs).written[1]
    finally:
        os.close(before)
    # One that is free is what ls itself has opened.
    assert len(written.split()) == len(childFDs) + 1
    assert max(map(int, written.split())) <= 3


def test_aProcessWithoutPipesNeedsNoProtocol(reactor: Any, tmp_path: Path) -> None:
    async def main() -> None:
        process = reactor.spawnProcess(None, "/bin/mkdir", ["mkdir", f"{tmp_path}/made"], childFDs={})
        while process.pid is not None:
            await aWhile(reactor)

    run(reactor, main)
    assert (tmp_path / "made").is_dir()
    with pytest.raises(ValueError, match="needs a protocol"):
        reactor.spawnProcess(None, "/bin/true")


def test_theEnvironmentIsWhatIsGiven(reactor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARK", "mine")

    async def main() -> list[bytes]:
        given: list[dict[str, Any]] = [{}, {"env": None}, {"env": {b"A": b"1", b"B": "ä"}}]
        protocols = []
        for options in given:
            protocol: Any = Watched()
            reactor.spawnProcess(protocol, "/usr/bin/env", **options)
            protocols.append(protocol)
            await protocol.told("ended")
        return [protocol.written.get(1, b"") for protocol in protocols]

    empty, inherited, own = run(reactor, main)
    assert empty == b""
    assert b"MARK=mine\n" in inherited
    assert sorted(own.split()) == [b"A=1", "B=ä".encode()]


@pytest.mark.parametrize("more", [{}, {"childFDs": {1: "r", 3: 0}}], ids=["usual", "launched"])
def test_theFolderIsWhatIsGiven(reactor: Any, tmp_path: Path, more: dict[str, Any]) -> None:
    assert played(reactor, "pwd", path=str(tmp_path), **more).written[1] == f"{tmp_path}\n".encode()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("more", [{}, {"childFDs": {1: "r", 3: 0}}], ids=["usual", "launched"])
@pytest.mark.parametrize(
    ("ids", "expected"),
    [({"uid": 1}, b"1 0"), ({"gid": 2}, b"0 2"), ({"uid": 54321, "gid": 54322}, b"54321 54322")],
    ids=["user", "group", "nobody known"],
)
def test_theUserIsWhoIsGiven(
    reactor: Any, more: dict[str, Any], ids: dict[str, int], expected: bytes
) -> None:
    protocol = played(reactor, "echo $(id -ru) $(id -rg); id -u; id -G", **ids, **more)
    real, user, groups = protocol.written[1].splitlines()
    assert real == expected
    assert user == expected.split()[0]
    assert expected.split()[1] in groups.split()


def test_ignoredSignalsAreNotInherited(reactor: Any) -> None:
    before = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    try:
        written = played(reactor, "grep SigIgn /proc/self/status").written[1]
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert int(written.split()[1], 16) == 0


def test_aProgramIsLookedForInItsOwnPath(reactor: Any, tmp_path: Path) -> None:
    (tmp_path / "program").symlink_to("/bin/echo")

    async def main() -> Watched:
        protocol = start(reactor, ["program", "found"], env={"PATH": f"/nonexistent:{tmp_path}"})
        await protocol.told("ended")
        return protocol  # type: ignore[no-any-return]

    assert run(reactor, main).written == {1: b"found\n"}


def unexecutable(folder: Path) -> dict[str, str]:
    (folder / "text").write_text("no program\n")
    (folder / "garbage").write_bytes(b"\x7fELF garbage")
    (folder / "garbage").chmod(0o700)
    (folder / "orphan").write_text("#!/nonexistent/interpreter\n")
    (folder / "orphan").chmod(0o700)
    return {name: f"{folder}/{name}" for name in ("missing", "text", "garbage", "orphan", "text/below", ".")}


@pytest.mark.parametrize(
    "more", [{}, {"childFDs": {1: "r", 3: 0}}, {"usePTY": True}], ids=["usual", "launched", "PTY"]
)
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("missing", FileNotFoundError),
        ("orphan", FileNotFoundError),
        ("text", PermissionError),
        (".", PermissionError),
        ("text/below", NotADirectoryError),
        ("garbage", OSError),
    ],
    ids=["missing", "no interpreter", "not executable", "a folder", "below a file", "garbage"],
)
def test_whyItCantBeRunIsTheSystemsReason(
    reactor: Any, tmp_path: Path, more: dict[str, Any], name: str, expected: type[OSError]
) -> None:
    path = unexecutable(tmp_path)[name]
    protocol = Watched()
    with pytest.raises(expected) as raised:
        reactor.spawnProcess(protocol, path, **more)
    assert raised.value.filename == path
    assert raised.value.strerror == os.strerror(raised.value.errno)
    assert protocol.events == []


@pytest.mark.parametrize("more", [{}, {"childFDs": {1: "r", 3: 0}}], ids=["usual", "launched"])
def test_aFolderThatIsNotThereIsTheReason(reactor: Any, more: dict[str, Any]) -> None:
    with pytest.raises(FileNotFoundError) as raised:
        reactor.spawnProcess(Watched(), "/bin/true", path="/nonexistent", **more)
    assert raised.value.filename == "/nonexistent"


def test_aProgramThatIsNowhereInThePath(reactor: Any) -> None:
    for more in ({}, {"childFDs": {1: "r"}}):
        with pytest.raises(FileNotFoundError) as raised:
            reactor.spawnProcess(Watched(), "nonexistent-program", env=ENVIRONMENT, **more)
        assert raised.value.filename == "nonexistent-program"


@pytest.mark.parametrize(
    ("arguments", "expected", "text"),
    [
        ({"executable": None}, TypeError, "executable must be text or bytes, not None"),
        ({"args": ["a", 1]}, TypeError, "an argument must be text or bytes, not 1"),
        ({"args": ["a\0b"]}, ValueError, "an argument can't have a NUL in it"),
        ({"env": {"A": "b\0"}}, ValueError, "a variable can't have a NUL in it"),
        ({"childFDs": {0: "rw"}}, ValueError, "descriptor 0 can be 'r', 'w' or a number, not 'rw'"),
        ({"usePTY": True, "childFDs": {}}, ValueError, "childFDs can't be combined with usePTY"),
    ],
    ids=["executable", "argument", "NUL", "variable", "descriptor", "PTY"],
)
def test_wrongArgumentsStartNothing(
    reactor: Any, arguments: dict[str, Any], expected: type[Exception], text: str
) -> None:
    with pytest.raises(expected, match=text):
        reactor.spawnProcess(Watched(), **{"executable": "/bin/true", **arguments})


# What protocols raise


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


# How their end is noticed


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


def test_theReactorStopsWhileAProcessRuns(reactor: Any) -> None:
    protocol = shell(reactor, "trap '' TERM HUP PIPE; cat; exec sleep 60")
    reactor.callWhenRunning(reactor.stop)
    before = openDescriptors()
    reactor.run(installSignalHandlers=False)
    assert protocol.events == ["made", "lost 0", "lost 1", "lost 2"]
    assert openDescriptors() == before - 4
    os.kill(protocol.transport.pid, signal.SIGKILL)
    waitForChildren()


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


def test_reprSaysWhichProcess(reactor: Any) -> None:
    async def main() -> None:
        protocol = start(reactor, ["/bin/cat"])
        process = protocol.transport
        assert repr(process) == f"<Process '/bin/cat' pid={process.pid}>"
        process.closeStdin()
        await protocol.told("ended")
        assert repr(process) == "<Process '/bin/cat' status=0>"

    run(reactor, main)


def test_withoutAPythonToStartThereIsAnErrorThatSaysSo(reactor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "")
    with pytest.raises(NotImplementedError, match="names no Python"):
        reactor.spawnProcess(Watched(), "/bin/true", childFDs={1: "r"})
