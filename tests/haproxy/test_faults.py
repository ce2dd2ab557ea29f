"""What a user's code raises behind ``haproxy:``: the tests for all endpoints, on both sides of a header."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.faults.bed import Bed, Play, playedOn
from tests.faults.test_raising import test_aMistakeInAClient, test_aMistakeInAServer
from twisted_endpoints.haproxy import ProxyClientEndpoint, proxyEndpoint

__all__ = ["test_aMistakeInAClient", "test_aMistakeInAServer"]


class ProxyBed(Bed):
    """Its clients send a header, which its servers read."""

    def client(self, address: Any, timeout: float = 30, **options: Any) -> Any:
        return ProxyClientEndpoint(super().client(address, timeout, **options))

    def server(self, address: Any) -> Any:
        return proxyEndpoint(super().server(address), trusted="127.0.0.1")


@pytest.fixture
def play(reactor: Any, tmp_path: Path) -> Play:
    return playedOn(ProxyBed(reactor, "tcp", tmp_path))
