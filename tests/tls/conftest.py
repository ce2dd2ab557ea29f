"""TLS is played on each loop that is installed."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.asyncioreactor import AsyncioReactor


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if vocabulary == "twisted":
        for item in items:
            if item.path.is_relative_to(Path(__file__).parent):
                # Twisted's own calls of pyOpenSSL.
                item.add_marker(pytest.mark.filterwarnings("ignore:.*:DeprecationWarning:OpenSSL"))
                item.add_marker(pytest.mark.filterwarnings("ignore:.*:DeprecationWarning:twisted"))


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
