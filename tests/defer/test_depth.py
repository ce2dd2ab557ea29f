"""However many Deferreds wait for each other, nothing recurses; however long it goes on, nothing grows."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest

from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.defer import (
    CancelledError,
    Deferred,
    DeferredQueue,
    ensureDeferred,
    fail,
    inlineCallbacks,
    succeed,
)
from twisted_endpoints.failure import Failure
from twisted_endpoints.task import Clock, deferLater

builtinOnly = pytest.mark.skipif(vocabulary == "twisted", reason="Twisted's recurses, or makes cycles")

DEEP = 100_000


async def awaits(d: Deferred[Any]) -> Any:
    return await d


@inlineCallbacks
def yields(d: Deferred[Any]) -> Generator[Any, Any, Any]:
    return (yield d)


def returns(d: Deferred[Any]) -> Deferred[Any]:
    return succeed(None).addCallback(lambda _: d)


def chains(d: Deferred[Any]) -> Deferred[Any]:
    other: Deferred[Any] = Deferred()
    d.chainDeferred(other)
    return other


#: Ways to make a Deferred that waits for another one, and does so in its turn.
LINKS: dict[str, list[Callable[[Deferred[Any]], Deferred[Any]]]] = {
    "coroutines": [lambda d: ensureDeferred(awaits(d))],
    "generators": [yields],
    "returned": [returns],
    "chained": [chains],
    "mixed": [lambda d: ensureDeferred(awaits(d)), yields, returns, chains],
}


def linked(kind: str, depth: int) -> tuple[Deferred[Any], Deferred[Any]]:
    """Make a row of Deferreds that wait for each other; return the one all wait for, and the last."""
    first = last = Deferred[Any]()
    for number in range(depth):
        last = LINKS[kind][number % len(LINKS[kind])](last)
    return first, last


def outcome(d: Deferred[Any]) -> Any:
    found: list[Any] = []
    d.addBoth(found.append)
    assert found, "it hasn't fired"
    return found[0]


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=builtinOnly) for kind in LINKS if kind != "returned"]
)
def test_aResultGoesThroughAnyNumber(kind: str) -> None:
    first, last = linked(kind, DEEP if kind == "mixed" else DEEP // 10)
    first.callback("result")
    assert outcome(last) == "result"


@builtinOnly
@pytest.mark.parametrize("kind", LINKS)
def test_aFailureGoesThroughAnyNumber(kind: str) -> None:
    first, last = linked(kind, DEEP // 10)
    error = KeyError()
    first.errback(error)
    assert outcome(last).value is error


@builtinOnly
@pytest.mark.parametrize("kind", [kind for kind in LINKS if kind not in ("chained", "mixed")])
def test_aCancellationGoesThroughAnyNumber(kind: str) -> None:
    first, last = linked(kind, DEEP // 10)
    last.cancel()
    assert isinstance(outcome(last), Failure)
    assert outcome(first) is None


@pytest.mark.parametrize("kind", LINKS)
def test_anyNumberCanBeForgotten(kind: str) -> None:
    first, last = linked(kind, DEEP // 10)
    del first, last
    gc.collect()


@builtinOnly
def test_aFunctionMayEndWithACallOfItselfForEver() -> None:
    clock = Clock()
    depth = 0

    async def again() -> str:
        nonlocal depth
        depth += 1
        await deferLater(clock, 1, int)
        return "end" if depth == DEEP // 10 else await ensureDeferred(again())

    running = ensureDeferred(again())
    while clock.getDelayedCalls():
        clock.advance(1)
    assert outcome(running) == "end"


def test_aCallbackMayEndWithItselfForEver() -> None:
    clock = Clock()
    depth = 0

    def again(_: Any) -> Any:
        nonlocal depth
        depth += 1
        return "end" if depth == DEEP // 10 else deferLater(clock, 1, int).addCallback(again)

    running = succeed(None).addCallback(again)
    while clock.getDelayedCalls():
        clock.advance(1)
    assert outcome(running) == "end"


def test_twoThatAnswerEachOtherTakeNoStack() -> None:
    ping: DeferredQueue[int] = DeferredQueue()
    pong: DeferredQueue[int] = DeferredQueue()
    count = 0

    async def answer(asked: DeferredQueue[int], answers: DeferredQueue[int]) -> None:
        nonlocal count
        while count < DEEP // 10:
            await asked.get()
            count += 1
            answers.put(count)

    players = [ensureDeferred(answer(ping, pong)), ensureDeferred(answer(pong, ping))]
    ping.put(0)
    assert count >= DEEP // 10
    for player in players:
        player.addErrback(lambda _: None)
        player.cancel()


# Growth


@pytest.fixture
def blocks() -> Iterator[Callable[[], int]]:
    """Count the blocks of memory that Python holds, while no collector runs."""
    gc.collect()
    gc.disable()
    try:
        yield sys.getallocatedblocks
    finally:
        gc.enable()


def waitFired(_: list[Any]) -> Deferred[int]:
    return succeed(1)


def waitFailed(_: list[Any]) -> Deferred[int]:
    return fail(KeyError())


def waitLater(pending: list[Any]) -> Deferred[int]:
    pending.append(Deferred())
    return pending[-1]  # type: ignore[no-any-return]


def waitNested(pending: list[Any]) -> Deferred[int]:
    return ensureDeferred(awaits(waitLater(pending)))


@pytest.mark.parametrize("make", [waitFired, waitFailed, waitLater, waitNested])
@pytest.mark.parametrize("style", ["await", "yield"])
def test_aFunctionThatWaitsForEverDoesNotGrow(make: Any, style: str, blocks: Callable[[], int]) -> None:
    if (make, style, vocabulary) == (waitFailed, "await", "twisted"):
        pytest.skip("Twisted's makes a cycle for each failure that is awaited")
    pending: list[Any] = []
    readings: list[int] = []
    rounds = DEEP // 10

    def look(number: int) -> None:
        if number in (rounds // 10, rounds - 1):
            readings.append(blocks())

    async def coroutine() -> None:
        for number in range(rounds):
            try:
                await make(pending)
            except KeyError:
                pass
            look(number)

    def generator() -> Generator[Any, Any, None]:
        for number in range(rounds):
            try:
                yield make(pending)
            except KeyError:
                pass
            look(number)

    running = ensureDeferred(coroutine()) if style == "await" else inlineCallbacks(generator)()
    while pending:
        pending.pop().callback(1)
    assert running.called
    early, late = readings
    # Less than one block a hundred rounds: what else Python does meanwhile has room in it.
    assert late - early < rounds // 100


def test_aDeferredThatIsChainedForEverDoesNotGrow(blocks: Callable[[], int]) -> None:
    readings: list[int] = []
    d: Deferred[Any] = succeed(0)
    rounds = DEEP // 5
    for number in range(rounds):
        inner: Deferred[int] = Deferred()
        d.addCallback(lambda _, inner=inner: inner)
        inner.callback(number)
        if number in (rounds // 10, rounds - 1):
            readings.append(blocks())
    assert outcome(d) == rounds - 1
    assert readings[1] - readings[0] < rounds // 100


@builtinOnly
@pytest.mark.parametrize("kind", LINKS)
def test_aLongRowIsFreedWithoutTheCollector(kind: str, blocks: Callable[[], int]) -> None:
    def through() -> None:
        first, last = linked(kind, 1000)
        first.callback(1)
        assert outcome(last) == 1

    through()
    before = blocks()
    for _ in range(5):
        through()
    assert blocks() - before < 500


@builtinOnly
def test_whatIsCancelledIsFreedWithoutTheCollector(blocks: Callable[[], int]) -> None:
    def cancelled() -> None:
        d: Deferred[Any] = Deferred()
        running = ensureDeferred(awaits(yields(d)))
        running.cancel()
        assert outcome(running).check(CancelledError)

    for _ in range(10):
        cancelled()
    before = blocks()
    for _ in range(1000):
        cancelled()
    assert blocks() - before < 500
