"""Makes an object of a test's own the reactor that this process has installed."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import pytest

from twisted_endpoints._vocabulary import vocabulary


def install(monkeypatch: pytest.MonkeyPatch, reactor: Any) -> None:
    """
    Let ``from twisted_endpoints import reactor`` give this object until the end of the test.

    In Twisted's vocabulary Twisted's modules do the import, of `twisted.internet.reactor`.
    """
    package = "twisted.internet" if vocabulary == "twisted" else "twisted_endpoints"
    monkeypatch.setitem(sys.modules, f"{package}.reactor", reactor)
    monkeypatch.setattr(importlib.import_module(package), "reactor", reactor, raising=False)
