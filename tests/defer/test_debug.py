from __future__ import annotations

import asyncio
import gc
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.defer import (
    CancelledError,
    Deferred,
    DeferredList,
    DeferredLock,
    ensureDeferred,
    fail,
    inlineCallbacks,
    logError,
    maybeDeferred,
    setDebugging,
    succeed,
)
from twisted_endpoints.failure import Failure
from twisted_endpoints.task import Clock, LoopingCall, deferLater

pytestmark = pytest.mark.skipif(vocabulary != "builtin", reason="Twisted's Deferred writes to Twisted's log")


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], list[logging.LogRecord]]]:
    """What was logged so far, while no collector runs: a Deferred must not need one to be freed."""
    gc.collect()
    gc.disable()
    caplog.set_level(logging.DEBUG, "twisted_endpoints")
    caplog.clear()
    try:
        yield lambda: caplog.records
    finally:
        gc.enable()


def raises(_: Any = None) -> Any:
    raise ValueError("unheard")


async def coroutine(waitsFor: Deferred[Any] | None = None) -> None:
    if waitsFor is not None:
        await waitsFor
    raise ValueError("unheard")


@inlineCallbacks
def generator() -> Any:
    yield 1
    raise ValueError("unheard")


def nested(d: Deferred[Any], depth: int) -> Deferred[Any]:
    """Let coroutines and generators wait for each other, and the innermost for a Deferred."""
    if not depth:
        return d
    return ensureDeferred(coroutine(inlineCallbacks(passesOn)(nested(d, depth - 1))))


def passesOn(d: Deferred[Any]) -> Any:
    return (yield d)


def later(make: Callable[[Deferred[Any]], Any]) -> None:
    """Make something of a Deferred that fails afterwards."""
    d: Deferred[Any] = Deferred()
    kept = make(d)
    d.errback(ValueError("unheard"))
    del kept


async def catchesAndRaises(d: Deferred[Any]) -> None:
    try:
        await d
    except ValueError as error:
        raise ValueError("unheard") from error


def timedOut() -> None:
    clock = Clock()
    Deferred(fails).addTimeout(1, clock)
    clock.advance(1)


def fails(d: Deferred[Any]) -> None:
    try:
        d.errback(ValueError("unheard"))
    finally:
        del d  # an exception keeps the frames below it: such is Python


def looping() -> None:
    loop = LoopingCall(raises)
    loop.clock = Clock()
    loop.start(1)


async def refusesToBeCancelled(d: Deferred[Any]) -> None:
    try:
        await d
    except CancelledError:
        raise ValueError("unheard") from None


def cancelled() -> None:
    ensureDeferred(refusesToBeCancelled(Deferred())).cancel()


def ofAFuture() -> None:
    loop = asyncio.new_event_loop()
    future: asyncio.Future[Any] = loop.create_future()
    d = Deferred.fromFuture(future)
    future.set_exception(ValueError("unheard"))
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    del d


CASES = {
    "errback": lambda: Deferred().errback(ValueError("unheard")),
    "fail": lambda: fail(ValueError("unheard")),
    "callback raises": lambda: Deferred().addCallback(raises).callback(1),
    "maybeDeferred": lambda: maybeDeferred(raises),
    "coroutine": lambda: ensureDeferred(coroutine()),
    "generator": lambda: generator(),
    "returned": lambda: Deferred().addCallback(lambda _: fail(ValueError("unheard"))).callback(1),
    "nested": lambda: later(lambda d: nested(d, 3)),
    "raised again": lambda: later(lambda d: ensureDeferred(catchesAndRaises(d))),
    "chained": lambda: later(lambda d: d.chainDeferred(Deferred())),
    "waited for": lambda: later(lambda d: succeed(1).addCallback(lambda _: d)),
    "in a list": lambda: later(lambda d: DeferredList([d])),
    "a coroutine, maybe": lambda: maybeDeferred(coroutine),
    "with a lock": lambda: DeferredLock().run(raises),
    "deferLater": lambda: failLater(),
    "timed out": timedOut,
    "LoopingCall": looping,
    "cancelled": cancelled,
    "of a Future": ofAFuture,
}


def failLater() -> None:
    clock = Clock()
    deferLater(clock, 1, raises)
    clock.advance(1)


@pytest.mark.parametrize("case", CASES)
def test_anUnheardFailureIsLoggedWhenTheDeferredGoes(case: str, logged: Any) -> None:
    CASES[case]()
    (record,) = logged()
    assert record.getMessage() == "Unhandled error in Deferred:"
    assert record.name == "twisted_endpoints.defer"
    assert record.levelno == logging.CRITICAL
    assert record.failure.check(ValueError)
    assert str(record.exc_info[1]) == "unheard"


def test_itIsLoggedOnlyWhenItGoes(logged: Any) -> None:
    d = fail(ValueError())
    assert logged() == []
    del d
    assert len(logged()) == 1


def test_itIsLoggedOnceHoweverManyPassItOn(logged: Any) -> None:
    def passOn() -> None:
        inner: Deferred[Any] = Deferred()
        outer = succeed(1).addCallback(lambda _: inner)
        ensureDeferred(coroutine(outer))
        inner.errback(KeyError())

    passOn()
    gc.collect()
    assert len(logged()) == 1


def test_aDeferredInACycleIsLoggedByTheCollector(logged: Any) -> None:
    d = fail(ValueError())
    d.itself = d
    del d
    assert logged() == []
    gc.collect()
    assert len(logged()) == 1


@pytest.mark.parametrize(
    "handles",
    [
        lambda d: d.addErrback(lambda f: None),
        lambda d: succeed(1).addCallback(lambda _: d).addErrback(lambda f: None),
        lambda d: DeferredList([d], consumeErrors=True),
        lambda d: d.addErrback(lambda f: Deferred()),
        lambda d: d.chainDeferred(Deferred().addErrback(lambda f: None)),
    ],
)
def test_whatIsHandledIsNotLogged(handles: Any, logged: Any) -> None:
    d: Deferred[Any] = Deferred()
    handles(d)
    d.errback(ValueError())
    del d
    gc.collect()
    assert logged() == []


def test_awaitingHandlesIt(logged: Any) -> None:
    async def catches() -> str:
        try:
            await fail(ValueError())
        except ValueError:
            return "caught"
        return "not raised"

    d = ensureDeferred(catches())
    assert d.result == "caught"
    gc.collect()
    assert logged() == []


def test_debuggingSaysWhoMadeIt(logged: Any) -> None:
    setDebugging(True)
    try:
        fail(ValueError())
    finally:
        setDebugging(False)
    (record,) = logged()
    text = record.getMessage()
    assert text.startswith("Unhandled error in Deferred:\n(debug:  C: Deferred was created:\n C:")
    assert " I: First Invoker was:\n I:" in text
    assert text.endswith(")")


def test_logErrorPassesTheFailureOn(logged: Any) -> None:
    failure = Failure(ValueError())
    assert logError(failure) is failure
    (record,) = logged()
    assert record.failure is failure


def test_whatIsLeftAtTheEndOfTheProgramIsLoggedToo() -> None:
    program = "from twisted_endpoints.defer import fail\nleft = fail(ValueError('unheard'))\n"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert ran.stderr.splitlines() == ["Unhandled error in Deferred:", "ValueError: unheard"]
    assert ran.returncode == 0
