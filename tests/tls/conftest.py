"""TLS is played on each loop that is installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.loops import LOOPS
from tests.plugins.conftest import ignoreTwistedsWarnings
from twisted_endpoints.asyncioreactor import AsyncioReactor


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ignoreTwistedsWarnings(items, Path(__file__).parent)


@pytest.fixture(params=LOOPS)
def reactor(request: pytest.FixtureRequest) -> Iterator[Any]:
    loop = LOOPS[request.param]()
    try:
        made = AsyncioReactor(loop)
        yield made
        assert made.getDelayedCalls() == []
    finally:
        loop.close()
