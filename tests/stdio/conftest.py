"""Standard input and output are tested on each loop, and where Twisted is there on its epoll reactor too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.installing import install
from tests.loops import LOOPS
from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.asyncioreactor import AsyncioReactor

from .bed import Ends

REACTORS = [*LOOPS, *(["epoll"] if vocabulary == "twisted" else [])]


@pytest.fixture(params=REACTORS)
def reactor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    if request.param == "epoll":
        yield from _twisteds(monkeypatch)
    else:
        loop = LOOPS[request.param]()
        made = AsyncioReactor(loop)
        yield made
        assert made.getReaders() + made.getWriters() + made.getDelayedCalls() == []
        loop.close()


def _twisteds(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    from twisted.internet.epollreactor import EPollReactor

    made = EPollReactor()
    # It polls files by a LoopingCall, which imports the installed one.
    install(monkeypatch, made)
    yield made
    for reader in made._internalReaders:
        made.removeReader(reader)
        reader.connectionLost(None)
    assert made.getReaders() + made.getWriters() + made.getDelayedCalls() == []
    made._poller.close()


@pytest.fixture
def ends(tmp_path: Path) -> Iterator[Ends]:
    made = Ends(tmp_path)
    yield made
    made.close()
