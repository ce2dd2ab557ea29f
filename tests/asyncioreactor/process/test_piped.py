"""Child processes with pipes: what goes through them, and when they are closed."""

from __future__ import annotations

import signal
from typing import Any

import pytest
from zope.interface.verify import verifyObject

from tests.running import run
from twisted_endpoints import error
from twisted_endpoints.interfaces import IConsumer, IProcessTransport, IPushProducer, IReactorProcess

from .children import ENVIRONMENT, Watched, shell

pytestmark = pytest.mark.usefixtures("nothingLeft")


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
