"""`task.deferLater` and `task.react`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from twisted_endpoints.defer import CancelledError, Deferred, fail, succeed
from twisted_endpoints.error import ReactorNotRunning
from twisted_endpoints.task import Clock, deferLater, react


def outcome(deferred: Deferred[Any]) -> list[Any]:
    results: list[Any] = []
    deferred.addBoth(results.append)
    return results


def test_deferLaterFiresWithTheResult() -> None:
    clock = Clock()
    results = outcome(deferLater(clock, 3, lambda a, b: (a, b), 1, b=2))
    clock.advance(2)
    assert results == []
    clock.advance(1)
    assert results == [(1, 2)]


def test_deferLaterFailsWithTheError() -> None:
    clock = Clock()
    results = outcome(deferLater(clock, 0, lambda: 1 / 0))
    clock.advance(0)
    assert results[0].check(ZeroDivisionError)


def test_deferLaterWithoutAFunctionIsAPause() -> None:
    clock = Clock()
    results = outcome(deferLater(clock, 1))
    clock.advance(1)
    assert results == [None]


def test_deferLaterCanBeCancelled() -> None:
    clock = Clock()
    called: list[None] = []
    later = deferLater(clock, 1, called.append, None)
    results = outcome(later)

    later.cancel()

    assert results[0].check(CancelledError)
    assert clock.getDelayedCalls() == []
    clock.advance(1)
    assert called == []


Calls = tuple[Callable[..., Any], tuple[Any, ...]]


class FakeReactor(Clock):
    """A reactor that runs until it is stopped, and jumps from one call to the next."""

    def __init__(self) -> None:
        super().__init__()
        self.running = False
        self._early: list[Calls] = []
        self._triggers: dict[str, list[Calls]] = {"before": [], "during": []}

    def callWhenRunning(self, callable: Callable[..., Any], *args: Any) -> None:
        if self.running:
            callable(*args)
        else:
            self._early.append((callable, args))

    def addSystemEventTrigger(self, phase: str, event: str, callable: Callable[..., Any], *args: Any) -> None:
        assert event == "shutdown"
        self._triggers[phase].append((callable, args))

    def run(self) -> None:
        self.running = True
        for function, args in self._early:
            function(*args)
        while self.running:
            self.advance(self.calls[0].getTime() - self.seconds())
        for function, args in self._triggers["before"] + self._triggers["during"]:
            function(*args)

    def stop(self) -> None:
        if not self.running:
            raise ReactorNotRunning
        self.running = False


def exitStatus(main: Any, argv: Any = ()) -> tuple[Any, float]:
    """Run `react`; give the exit status, and the time when the reactor had stopped."""
    reactor = FakeReactor()
    with pytest.raises(SystemExit) as caught:
        react(main, argv, _reactor=reactor)  # type: ignore[arg-type]
    return caught.value.code, reactor.seconds()


def test_reactRunsUntilTheDeferredFires() -> None:
    assert exitStatus(lambda reactor: deferLater(reactor, 2)) == (0, 2)


def test_reactRunsUntilTheCoroutineEnds() -> None:
    async def main(reactor: Any) -> None:
        await deferLater(reactor, 2)
        await deferLater(reactor, 1)

    assert exitStatus(main) == (0, 3)


def test_reactStopsAtOnceForADeferredThatHasFired() -> None:
    assert exitStatus(lambda reactor: succeed(None)) == (0, 0)


def test_reactPassesArguments() -> None:
    got: list[Any] = []

    def main(reactor: Any, *args: Any) -> Deferred[None]:
        got.extend(args)
        return succeed(None)

    exitStatus(main, ["one", 2])
    assert got == ["one", 2]


@pytest.mark.parametrize("status", [3, None, "a message"])
def test_reactExitsWithTheStatusOfASystemExit(status: Any) -> None:
    assert exitStatus(lambda reactor: fail(SystemExit(status))) == (status, 0)


def test_reactLetsSomebodyElseStopTheReactor() -> None:
    def main(reactor: Any) -> Deferred[None]:
        reactor.callLater(1, reactor.stop)
        return Deferred()

    assert exitStatus(main) == (0, 1)


def test_reactDoesNotStopAReactorThatIsStopping() -> None:
    def main(reactor: Any) -> Deferred[None]:
        reactor.callLater(1, reactor.stop)
        ended: Deferred[None] = Deferred()
        reactor.addSystemEventTrigger("during", "shutdown", ended.callback, None)
        return ended

    assert exitStatus(main) == (0, 1)


def test_reactBearsAStopInTheSameTurn() -> None:
    def main(reactor: Any) -> Deferred[None]:
        ended: Deferred[None] = Deferred()

        def stop() -> None:
            reactor.stop()
            # The shutdown triggers have not run yet.
            ended.callback(None)

        reactor.callLater(1, stop)
        return ended

    assert exitStatus(main) == (0, 1)


def test_reactRaisesWhatTheFunctionRaises() -> None:
    with pytest.raises(ZeroDivisionError):
        react(lambda reactor: 1 / 0, _reactor=FakeReactor())  # type: ignore[arg-type, return-value]


PROGRAM = """
import sys
from twisted_endpoints import reactor
from twisted_endpoints.task import deferLater, react

async def main(given, text):
    assert given is reactor
    await deferLater(given, 0)
    print(text)
    raise ValueError("at the end")

react(main, ["hello"])
"""


def test_reactTakesTheInstalledReactorAndLogsAnError() -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60)

    assert (ran.stdout, ran.returncode) == ("hello\n", 1)
    assert "main function encountered error" in ran.stderr
    assert "ValueError: at the end" in ran.stderr
