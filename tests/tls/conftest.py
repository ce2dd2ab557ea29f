"""TLS is played on each loop that is installed."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.plugins.conftest import ignoreTwistedsWarnings
from twisted_endpoints.asyncioreactor import AsyncioReactor


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ignoreTwistedsWarnings(items, Path(__file__).parent)


@pytest.fixture(params=["asyncio"] + (["uvloop"] if importlib.util.find_spec("uvloop") else []))
def reactor(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "uvloop":
        import uvloop

        loop = uvloop.new_event_loop()
    else:
        loop = asyncio.new_event_loop()
    try:
        made = AsyncioReactor(loop)
        yield made
        assert made.getDelayedCalls() == []
    finally:
        loop.close()
