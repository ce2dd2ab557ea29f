"""The reactor's own tests run on each loop that is installed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.loops import LOOPS
from twisted_endpoints.asyncioreactor import AsyncioReactor

from .streams import Play, Scene, playedOn


@pytest.fixture(params=LOOPS)
def loop(request: pytest.FixtureRequest) -> Iterator[asyncio.AbstractEventLoop]:
    made: asyncio.AbstractEventLoop = LOOPS[request.param]()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def reactor(loop: asyncio.AbstractEventLoop) -> Iterator[Any]:
    made = AsyncioReactor(loop)
    yield made
    assert made.getDelayedCalls() == []
    assert made.getReaders() == []
    assert made.getWriters() == []


@pytest.fixture
def play(reactor: Any, kind: str, tmp_path: Path) -> Play:
    """Run a test's coroutine function on a scene; the test's module says of which `kind`."""

    return playedOn(Scene(reactor, kind, tmp_path))
