"""Child processes as streams: what `connect` fires with, what protocols are told, and that nothing stays."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from zope.interface import implementer

from tests.asyncioreactor.conftest import loop, reactor
from tests.asyncioreactor.logged import loggedErrors
from tests.asyncioreactor.process.children import ENVIRONMENT, nothingLeft, waitForChildren
from tests.faults.left import aWhile
from tests.running import run
from twisted_endpoints import clientFromString, connectProtocol, error
from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.defer import CancelledError, Deferred
from twisted_endpoints.endpoints import ProcessEndpoint, StandardErrorBehavior
from twisted_endpoints.failure import Failure
from twisted_endpoints.interfaces import IHalfCloseableProtocol
from twisted_endpoints.protocol import Factory, Protocol

__all__ = ["loop", "nothingLeft", "reactor"]


@pytest.fixture(autouse=True)
def _nothingLeft(request: pytest.FixtureRequest) -> None:
    if "reactor" in request.fixturenames:
        request.getfixturevalue("nothingLeft")


class Stream(Protocol):
    """Remembers what it hears; `until(word)` is a Deferred for what is to come."""

    def __init__(self) -> None:
        self.heard = b""
        self.told: list[str] = []
        self.reason: Any = None
        self.wire: Any = None
        self._waiting: list[tuple[Any, Deferred[None]]] = []

    def until(self, what: Any) -> Deferred[None]:
        """Wait for bytes, or for the name of a method that is called."""
        waiting: Deferred[None] = Deferred()
        self._waiting.append((what, waiting))
        self._look()
        return waiting

    def _look(self) -> None:
        for pair in self._waiting[:]:
            if pair[0] in (self.heard if isinstance(pair[0], bytes) else self.told):
                self._waiting.remove(pair)
                pair[1].callback(None)

    def tell(self, method: str) -> None:
        self.told.append(method)
        self._look()

    def connectionMade(self) -> None:
        self.wire = self.transport

    def dataReceived(self, data: bytes) -> None:
        self.heard += data
        self._look()

    def connectionLost(self, reason: Failure = None) -> None:  # type: ignore[assignment]
        self.reason = reason.value
        self.tell("connectionLost")


@implementer(IHalfCloseableProtocol)
class HalfCloseable(Stream):
    def readConnectionLost(self) -> None:
        self.tell("readConnectionLost")

    def writeConnectionLost(self) -> None:
        self.tell("writeConnectionLost")


def shell(reactor: Any, script: str, **options: Any) -> ProcessEndpoint:
    """Make an endpoint for a shell that runs a script."""
    options.setdefault("env", ENVIRONMENT)
    return ProcessEndpoint(reactor, "/bin/sh", ["sh", "-c", script], **options)


def whole(reactor: Any, script: str, kind: type[Stream] = Stream, **options: Any) -> Any:
    """Run a shell's script to its end; give its protocol."""

    async def main() -> Stream:
        protocol = kind()
        assert await connectProtocol(shell(reactor, script, **options), protocol) is protocol
        await protocol.until("connectionLost")
        return protocol

    return run(reactor, main)


def test_whatTheProcessWritesIsReceivedAndTheOtherWayRound(reactor: Any) -> None:
    async def main() -> Stream:
        stream: Any = await connectProtocol(shell(reactor, "tr a-z A-Z"), Stream())
        stream.wire.write(b"some ")
        stream.wire.writeSequence([b"wor", b"ds"])
        stream.wire.loseWriteConnection()
        await stream.until("connectionLost")
        return stream  # type: ignore[no-any-return]

    stream = run(reactor, main)
    assert stream.heard == b"SOME WORDS"
    assert type(stream.reason) is error.ConnectionDone
    assert stream.told == ["connectionLost"]


@pytest.mark.parametrize(
    ("script", "code", "number"),
    [("exit 3", 3, None), ("kill -KILL $$", None, signal.SIGKILL)],
    ids=["status 3", "killed"],
)
def test_anotherEndIsALostConnection(reactor: Any, script: str, code: int | None, number: int | None) -> None:
    reason = whole(reactor, script).reason
    assert isinstance(reason, error.ProcessTerminated)
    assert isinstance(reason, error.ConnectionLost)
    assert (reason.exitCode, reason.signal) == (code, number)


@pytest.mark.parametrize("path", ["missing", "text", "."])
def test_aProgramThatCantBeRunFailsConnectWithTheSystemsReason(
    reactor: Any, tmp_path: Path, path: str
) -> None:
    (tmp_path / "text").write_text("no program\n")
    stream = Stream()
    failures: list[Failure] = []
    connectProtocol(ProcessEndpoint(reactor, f"{tmp_path}/{path}"), stream).addErrback(failures.append)
    [failure] = failures
    raised: Any = failure.value
    assert type(raised) is (FileNotFoundError if path == "missing" else PermissionError)
    assert raised.filename == f"{tmp_path}/{path}"
    assert stream.wire is None


def test_aReactorWithoutProcessesFailsConnect() -> None:
    failures: list[Failure] = []
    connectProtocol(ProcessEndpoint(object(), "/bin/cat"), Stream()).addErrback(failures.append)
    assert failures[0].check(AttributeError)


# What factories and protocols do


def failed(reactor: Any, factory: Any, script: str = "exec sleep 60") -> Any:
    """Connect by a factory, which fails; give the error after a moment."""

    async def main() -> BaseException | None:
        try:
            await shell(reactor, script).connect(factory)
        except BaseException as e:
            while reactor._open:
                await aWhile(reactor)
            return e
        return None

    return run(reactor, main)


def test_aFactoryThatMakesNothingStartsNothing(reactor: Any, tmp_path: Path) -> None:
    factory: Any = Factory()
    factory.buildProtocol = lambda addr: None
    assert isinstance(failed(reactor, factory, f"mkdir {tmp_path}/made"), error.NoProtocol)
    assert not (tmp_path / "made").exists()


#: The second is no `Exception`.
@pytest.mark.parametrize("kind", [ZeroDivisionError, asyncio.CancelledError])
def test_aFactoryThatRaisesFailsConnect(reactor: Any, kind: type[BaseException]) -> None:
    def broken(addr: Any) -> Any:
        raise kind

    factory: Any = Factory()
    factory.buildProtocol = broken
    assert isinstance(failed(reactor, factory), kind)


@pytest.mark.parametrize("kind", [ZeroDivisionError, asyncio.CancelledError])
def test_connectionMadeThatRaisesFailsConnectAndKillsTheProcess(
    reactor: Any, kind: type[BaseException]
) -> None:
    class Broken(Stream):
        def connectionMade(self) -> None:
            raise kind

    made: list[Broken] = []
    factory: Any = Factory()
    factory.buildProtocol = lambda addr: made.append(Broken()) or made[0]  # type: ignore[func-returns-value]
    assert isinstance(failed(reactor, factory), kind)
    assert isinstance(made[0].reason, kind)


@pytest.mark.parametrize("kind", [ZeroDivisionError, asyncio.CancelledError])
@pytest.mark.parametrize("method", ["dataReceived", "readConnectionLost"])
def test_aProtocolThatRaisesLaterHasItsProcessKilled(
    reactor: Any, method: str, kind: type[BaseException]
) -> None:
    def fails(*args: Any) -> None:
        raise kind

    Broken = type("Broken", (HalfCloseable,), {method: fails})
    with loggedErrors() as logged:
        stream = whole(reactor, "echo; exec >&-; exec sleep 60", Broken)
    assert isinstance(stream.reason, kind)
    assert logged == [kind]


# Ends


def test_aProtocolThatCanBeHalfClosedIsToldOfEitherEnd(reactor: Any) -> None:
    async def main() -> list[str]:
        stream: Any = await connectProtocol(
            shell(reactor, "exec >&-; read word; exit $word"), HalfCloseable()
        )
        await stream.until("readConnectionLost")
        stream.wire.write(b"0\n")
        stream.wire.loseWriteConnection()
        await stream.until("connectionLost")
        assert type(stream.reason) is error.ConnectionDone
        return stream.told  # type: ignore[no-any-return]

    assert run(reactor, main) == ["readConnectionLost", "writeConnectionLost", "connectionLost"]


def test_outputIsClosedAndTheProcessLivesOn(reactor: Any) -> None:
    async def main() -> Any:
        script = "exec >&-; echo closed >&2; read word; exit $word"
        stream: Any = await connectProtocol(shell(reactor, script), Stream())
        process = stream.wire._process
        while 1 in process.pipes:
            await aWhile(reactor)
        assert stream.reason is None
        stream.wire.write(b"7\n")
        await stream.until("connectionLost")
        return stream.reason

    assert run(reactor, main).exitCode == 7


def test_whatTheProcessHasLeftBehindHoldsErrorOutputAndInput(reactor: Any) -> None:
    async def main() -> Stream:
        script = "sleep 60 <&3 3<&- >&- & echo $!; exit 0"
        endpoint = shell(reactor, script, childFDs={0: "w", 1: "r", 2: "r", 3: 0})
        stream: Any = await connectProtocol(endpoint, Stream())
        await stream.until("connectionLost")
        os.kill(int(stream.heard), signal.SIGKILL)
        return stream  # type: ignore[no-any-return]

    assert type(run(reactor, main).reason) is error.ConnectionDone


def test_theConnectionCanBeClosedOrAborted(reactor: Any) -> None:
    async def main() -> list[Any]:
        reasons = []
        for close in ("loseConnection", "stopProducing", "abortConnection"):
            stream: Any = await connectProtocol(shell(reactor, "echo; exec cat"), Stream())
            await stream.until(b"\n")
            getattr(stream.wire, close)()
            await stream.until("connectionLost")
            stream.wire.abortConnection()
            reasons.append(stream.reason)
        return reasons

    lost, stopped, aborted = run(reactor, main)
    assert type(lost) is type(stopped) is error.ConnectionDone
    assert aborted.signal == signal.SIGKILL


def test_anAbortDoesNotWaitForWhatIsUnsent(reactor: Any) -> None:
    """Not even if something that the process has started holds its input, and never reads it."""

    async def main() -> BaseException:
        stream: Any = await connectProtocol(shell(reactor, "sh -c 'echo $$; exec sleep 60'; true"), Stream())
        await stream.until(b"\n")
        stream.wire.write(bytes(1 << 20))
        stream.wire.loseConnection()
        stream.wire.abortConnection()
        await stream.until("connectionLost")
        os.kill(int(stream.heard), signal.SIGKILL)
        return stream.reason  # type: ignore[no-any-return]

    assert run(reactor, main).signal == signal.SIGKILL


def test_cancelledWhileStarting(reactor: Any) -> None:
    # A process is there at once, and only what is made of it can be cancelled: TLS, which never comes.
    async def main() -> BaseException | None:
        endpoint = clientFromString(reactor, "tls:localhost:443:endpoint=[process:/bin/sleep:60]")
        connecting = connectProtocol(endpoint, Stream())
        await aWhile(reactor)
        connecting.cancel()
        try:
            await connecting
        except (CancelledError, error.ConnectingCancelledError) as e:
            while reactor._open:
                await aWhile(reactor)
            return e
        return None

    assert run(reactor, main) is not None


def test_theReactorStopsWhileTheProcessRuns(reactor: Any) -> None:
    stream = Stream()
    connectProtocol(shell(reactor, "exec sleep 60"), stream)
    process = stream.wire._process
    reactor.callWhenRunning(reactor.stop)
    reactor.run(installSignalHandlers=False)
    assert stream.told == ["connectionLost"]
    assert isinstance(stream.reason, error.ConnectionLost)
    os.kill(process.pid, signal.SIGKILL)
    waitForChildren()


# Error output


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [(StandardErrorBehavior.LOG, 1), (StandardErrorBehavior.DROP, 0)],
    ids=["LOG", "DROP"],
)
def test_errorOutputIsLoggedOrDropped(
    reactor: Any, behaviour: Any, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts: list[str] = []
    monkeypatch.setattr(
        "twisted_endpoints.endpoints.process._log.warning", lambda text, **fields: texts.append(text)
    )
    assert whole(reactor, "echo out; printf 'a \\033 line' >&2", errFlag=behaviour).heard == b"out\n"
    assert len(texts) == expected
    assert all(
        "Process '/bin/sh' wrote stderr" in text and r"b'a \x1b line'" in text and text.isprintable()
        for text in texts
    )


def test_muchErrorOutputIsNotMuchOfALog(reactor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    monkeypatch.setattr(
        "twisted_endpoints.endpoints.process._log.warning", lambda text, **fields: sizes.append(len(text))
    )
    whole(reactor, "head -c 1000000 /dev/zero | tr '\\0' x >&2")
    assert 0 < max(sizes) < 2500


def test_errorOutputCanGoWhereThisProcesssGoes(reactor: Any, tmp_path: Path) -> None:
    with open(tmp_path / "errors", "wb") as file:
        childFDs = {0: "w", 1: "r", 2: file.fileno()}
        whole(reactor, "echo bad >&2", childFDs=childFDs)
    assert (tmp_path / "errors").read_bytes() == b"bad\n"


# Everything else


def test_theOtherArgumentsAreTheReactors(reactor: Any, tmp_path: Path) -> None:
    stream = whole(
        reactor, "pwd; tty; echo $A $MARK", env={"A": "1", **ENVIRONMENT}, path=str(tmp_path), usePTY=True
    )
    folder, terminal, variables = stream.heard.split(b"\r\n")[:3]
    assert (folder, variables) == (str(tmp_path).encode(), b"1")
    assert terminal.startswith(b"/dev/")


def test_itSaysWhatItRuns() -> None:
    endpoint = ProcessEndpoint(None, "/bin/echo", ["echo", "-n", "two words"])
    assert repr(endpoint) == "<ProcessEndpoint /bin/echo -n 'two words'>"
    assert repr(ProcessEndpoint(None, b"/bin/echo")) == "<ProcessEndpoint /bin/echo>"
    wrong: Any = ["echo", 1]
    assert repr(ProcessEndpoint(None, "/bin/echo", wrong)) == "<ProcessEndpoint /bin/echo 1>"


ON_TWISTEDS_REACTOR = """
from twisted.internet import reactor
from twisted_endpoints.endpoints import ProcessEndpoint, connectProtocol
from twisted_endpoints.protocol import Protocol

class Stream(Protocol):
    def connectionMade(self):
        self.transport.write(b"hello")
        self.transport.loseWriteConnection()
    def dataReceived(self, data):
        print(data.decode())
    def connectionLost(self, reason):
        print(reason.type.__name__)
        connectProtocol(ProcessEndpoint(reactor, "/nonexistent"), Stream()).addErrback(failed)

def failed(failure):
    print(failure.type.__name__)
    reactor.stop()

connectProtocol(ProcessEndpoint(reactor, "/bin/cat", ["cat"]), Stream())
reactor.run()
"""


@pytest.mark.skipif(vocabulary != "twisted", reason="Twisted isn't what this process speaks")
def test_itWorksOnTwistedsOwnReactors() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", ON_TWISTEDS_REACTOR], capture_output=True, text=True, timeout=50, check=True
    )
    assert ran.stdout.split() == ["hello", "ConnectionDone", "FileNotFoundError"]
