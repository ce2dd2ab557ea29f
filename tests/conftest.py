"""What every test has: a reactor of its own on request, and a check that it leaves nothing behind."""

from __future__ import annotations

import contextlib
import gc
import os
import threading
from collections import deque
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest

from tests.cli.running import Target
from tests.loops import LOOPS
from twisted_endpoints._vocabulary import vocabulary

# How long an example takes is the machine's affair; the first one may import half of OpenSSL.
hypothesis.settings.register_profile("tests", hypothesis.settings.default, deadline=None)
hypothesis.settings.load_profile("tests")

with contextlib.suppress(ImportError):
    import uvloop

    # libuv's pipe for signals comes with the first loop and stays for good: so before any test looks.
    uvloop.new_event_loop().close()


if vocabulary == "twisted":
    from twisted.logger import globalLogBeginner

    # Until somebody begins, Twisted keeps its last 200 events, and with them what earlier tests have left.
    globalLogBeginner._initialBuffer._buffer = deque(maxlen=0)


def _descriptors() -> dict[str, str]:
    """Map each open descriptor of this process to what it is, but for the one that lists them."""
    found = {}
    for number in os.listdir("/proc/self/fd"):
        try:
            found[number] = os.readlink(f"/proc/self/fd/{number}")
        except OSError:
            continue
    return found


@pytest.fixture(autouse=True)
def _leavesNothingBehind() -> Iterator[None]:
    """Fail a test that leaves a descriptor or a thread behind."""
    # Sockets and pipes by their inode: a number may be used again.  Other files belong to pytest's capturing.
    before, threads = set(_descriptors().values()), set(threading.enumerate())

    def left() -> list[str]:
        return [
            what
            for what in _descriptors().values()
            if what not in before and what.startswith(("socket", "pipe"))
        ]

    yield
    if left():
        # Only then: a collection after each of some thousand tests takes longer than all of them.
        gc.collect()
        assert not left(), f"descriptors left open: {left()}"
    others = [thread for thread in threading.enumerate() if thread not in threads]
    for thread in others:
        thread.join(5)  # it may have been told to end, and not had its turn
    alive = [thread for thread in others if thread.is_alive()]
    assert not alive, f"threads left running: {alive}"


@pytest.fixture
def reactor() -> Iterator[Any]:
    """
    A reactor on an event loop of its own: uvloop's where it is installed, else asyncio's.

    Run it with `tests.running.run`.  Afterwards no delayed call, reader or writer may be left.
    """
    from twisted_endpoints.asyncioreactor import AsyncioReactor
    from twisted_endpoints.asyncioreactor.loops import newEventLoop

    loop = newEventLoop()
    made = AsyncioReactor(loop)
    try:
        yield made
        assert made.getDelayedCalls() == []
        assert made.getReaders() == []
        assert made.getWriters() == []
    finally:
        loop.close()


@pytest.fixture(params=LOOPS)
def loop(request: pytest.FixtureRequest) -> str:
    """Name an event loop: for tests of the command, each on every loop."""
    return str(request.param)


@pytest.fixture
def target() -> Iterator[Target]:
    """Listen, for a relay to connect to."""
    with Target() as target:
        yield target
