"""The PROXY protocol is played on each loop that is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.asyncioreactor.conftest import loop, reactor
from tests.plugins.conftest import ignoreTwistedsWarnings
from tests.plugins.tlsfiles import Files

__all__ = ["loop", "reactor"]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ignoreTwistedsWarnings(items, Path(__file__).parent)
