"""The PROXY protocol is played on each loop that is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.asyncioreactor.conftest import loop, reactor
from tests.plugins.conftest import ignoreTwistedsWarnings
from tests.plugins.tlsfiles import Files
from twisted_endpoints.haproxy import complaints

__all__ = ["loop", "reactor"]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ignoreTwistedsWarnings(items, Path(__file__).parent)


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is logged about peers."""
    lines: list[str] = []
    monkeypatch.setattr(complaints._log, "warning", lines.append)
    return lines
