"""The reactor's own tests run on each loop that is installed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from twisted_endpoints.asyncioreactor import AsyncioReactor

try:
    import uvloop
except ImportError:
    LOOPS = {"asyncio": asyncio.new_event_loop}
else:
    LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(params=LOOPS.values(), ids=LOOPS)
def loop(request: pytest.FixtureRequest) -> Iterator[asyncio.AbstractEventLoop]:
    made: asyncio.AbstractEventLoop = request.param()
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
