"""What tests of the mini-language share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from twisted_endpoints.strings import registry


@pytest.fixture
def onlyBuiltin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hide what is installed beside this package: then a table of messages holds on every machine."""
    monkeypatch.setattr(registry, "vocabulary", "builtin")
    monkeypatch.setattr("twisted_endpoints.strings._distributions._scan", lambda group: iter(()))
    registry.refresh()
    yield
    registry.refresh()
