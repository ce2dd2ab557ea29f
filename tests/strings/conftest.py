"""What tests of the mini-language share."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from twisted_endpoints.strings import registry

from .distributions import Site


@pytest.fixture
def onlyBuiltin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hide what is installed beside this package: then a table of messages holds on every machine."""
    monkeypatch.setattr(registry, "vocabulary", "builtin")
    monkeypatch.setattr("twisted_endpoints.strings._distributions._scan", lambda group: iter(()))
    registry.refresh()
    yield
    registry.refresh()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Give a folder to install fake distributions in; afterwards they are forgotten."""
    known = set(sys.modules)
    registry.refresh()
    yield Site(tmp_path, monkeypatch)
    monkeypatch.undo()
    for name in set(sys.modules) - known:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]
    registry.refresh()
