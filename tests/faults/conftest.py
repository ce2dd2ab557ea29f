"""Faults are played on each loop that is installed and with each kind of endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.loops import LOOPS
from twisted_endpoints.asyncioreactor import AsyncioReactor
from twisted_endpoints.asyncioreactor.loops import newEventLoop

from .bed import KINDS, Bed, Play, playedOn


@pytest.fixture(params=LOOPS)
def reactor(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A reactor on each loop, whose errors are logged as those of a loop of its own."""
    loop = newEventLoop(LOOPS[request.param])
    try:
        yield AsyncioReactor(loop)
    finally:
        loop.close()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def play(reactor: Any, kind: str, tmp_path: Path) -> Play:
    """Play a test's coroutine function on a bed of each kind; afterwards nothing may be left."""

    return playedOn(Bed(reactor, kind, tmp_path))
