"""What the tests of the document share; and Twisted's own deprecated calls are none of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plugins.conftest import ignoreTwistedsWarnings
from tests.plugins.tlsfiles import Files
from tests.strings.conftest import site

__all__ = ["site"]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    """Give a folder with certificates and keys, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    return Files(tmp_path)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ignoreTwistedsWarnings(items, Path(__file__).parent)
