"""What tests of commands that show parsers share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.strings.distributions import Site
from twisted_endpoints.strings import registry


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Give a folder to install fake distributions in; Twisted's plugins are hidden."""
    monkeypatch.setattr(registry, "vocabulary", "builtin")
    registry.refresh()
    yield Site(tmp_path, monkeypatch)
    monkeypatch.undo()
    registry.refresh()
