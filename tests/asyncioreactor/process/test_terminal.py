"""Child processes on a terminal."""

from __future__ import annotations

import os
import pty
import signal
from typing import Any

import pytest
from zope.interface.verify import verifyObject

from tests.faults.left import aWhile
from tests.running import run
from twisted_endpoints import error
from twisted_endpoints.interfaces import IConsumer, IProcessTransport, IPushProducer

from .children import Watched, played, shell, waitForChildren

pytestmark = pytest.mark.usefixtures("nothingLeft")


def ended(reactor: Any, script: str, **options: Any) -> Watched:
    """Run a shell's script on a terminal until all is over; give its protocol."""
    return played(reactor, script, **{"usePTY": True, **options})


def test_itsThreeDescriptorsAreATerminalOfItsOwn(reactor: Any) -> None:
    protocol = ended(reactor, "tty && tty <&1 && tty <&2; echo mine >/dev/tty; exit 3")
    lines = protocol.written[1].split()
    assert lines[0].startswith(b"/dev/pts/")
    assert lines == [lines[0]] * 3 + [b"mine"]
    assert protocol.reason.exitCode == 3
    assert sorted(map(str, protocol.events)) == ["1", "ended", "exited", "made"]


def test_errorOutputIsInTheStream(reactor: Any) -> None:
    assert ended(reactor, "echo one; echo two >&2; echo three").written == {1: b"one\r\ntwo\r\nthree\r\n"}


def test_nothingElseIsOpen(reactor: Any) -> None:
    written = ended(reactor, "exec ls /proc/self/fd").written[1]
    assert written.split() == [b"0", b"1", b"2", b"3"]


def test_whatIsTypedIsReadAndSignalsAreSent(reactor: Any) -> None:
    async def main() -> Watched:
        protocol: Any = shell(
            reactor, "stty -echo; echo; read word; echo got $word; exec sleep 60", usePTY=True
        )
        verified = [IProcessTransport, IConsumer, IPushProducer]
        assert all(verifyObject(interface, protocol.transport) for interface in verified)
        await protocol.told(1)
        protocol.transport.write(b"a ")
        protocol.transport.writeSequence([b"few ", b"words\n"])
        while b"words\r\n" not in protocol.written[1]:
            await aWhile(reactor)
        protocol.transport.write(b"\x03")
        await protocol.told("ended")
        return protocol  # type: ignore[no-any-return]

    protocol = run(reactor, main)
    assert protocol.written[1] == b"\r\ngot a few words\r\n"
    assert protocol.reason.signal == signal.SIGINT


def test_toLoseTheConnectionHangsUp(reactor: Any) -> None:
    async def main() -> Watched:
        protocol: Any = shell(reactor, "echo; exec sleep 60", usePTY=True)
        await protocol.told(1)
        protocol.transport.loseConnection()
        await protocol.told("ended")
        assert protocol.transport.fileno() == -1
        protocol.transport.write(b"nobody")
        return protocol  # type: ignore[no-any-return]

    assert run(reactor, main).reason.signal == signal.SIGHUP


def test_singleDescriptorsCantBeClosed(reactor: Any) -> None:
    async def main() -> Watched:
        protocol: Any = shell(reactor, "read word; exit $word", usePTY=True)
        transport = protocol.transport
        transport.closeStdin()
        transport.closeStdout()
        transport.closeStderr()
        for refused in (lambda: transport.closeChildFD(0), lambda: transport.writeToChild(0, b"")):
            with pytest.raises(NotImplementedError):
                refused()
        transport.pauseProducing()
        transport.resumeProducing()
        transport.write(b"5\n")
        await protocol.told("ended")
        return protocol  # type: ignore[no-any-return]

    assert run(reactor, main).reason.exitCode == 5


def test_aTerminalCanBeGiven(reactor: Any) -> None:
    ours, theirs = pty.openpty()
    name = os.ttyname(theirs)
    protocol = ended(reactor, "tty", usePTY=(ours, theirs, name))
    assert protocol.written[1].decode().strip() == name
    assert isinstance(protocol.reason, error.ProcessDone)


def test_aTerminalThatWasGivenStaysOpenIfNothingCanBeRun(reactor: Any) -> None:
    ours, theirs = pty.openpty()
    with pytest.raises(FileNotFoundError):
        reactor.spawnProcess(Watched(), "/nonexistent", usePTY=(ours, theirs, ""))
    os.close(ours)
    os.close(theirs)


def test_theFolderAndTheUserAreWhatIsGiven(reactor: Any) -> None:
    assert ended(reactor, "pwd", path="/").written == {1: b"/\r\n"}


def test_muchOutputComesWhole(reactor: Any) -> None:
    assert len(ended(reactor, "stty raw; head -c 300000 /dev/zero").written[1]) == 300_000


def test_theReactorStopsWhileAProcessRuns(reactor: Any) -> None:
    # Without the trap it may end of the hang-up before the reactor looks.
    protocol = shell(reactor, "trap '' HUP; echo; exec sleep 60", usePTY=True)
    protocol.told(1).addCallback(lambda _: reactor.stop())
    reactor.run(installSignalHandlers=False)
    assert protocol.events == ["made", 1]
    os.kill(protocol.transport.pid, signal.SIGKILL)
    waitForChildren()
