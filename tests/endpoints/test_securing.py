"""TLS clients over others' endpoints, and what an operator hears of peers that were not let in."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.address import IPv4Address
from twisted_endpoints.endpoints import _securing
from twisted_endpoints.endpoints.tls import TLSClientEndpoint
from twisted_endpoints.error import ConnectionLost
from twisted_endpoints.failure import Failure
from twisted_endpoints.protocol import Factory, Protocol
from twisted_endpoints.ssl import optionsForClientTLS
from twisted_endpoints.task import Clock


@pytest.mark.parametrize("kind", [RuntimeError, asyncio.CancelledError])
def test_anEndpointWhoseConnectRaises(kind: type[BaseException]) -> None:
    class Broken:
        def connect(self, factory: Any) -> Any:
            raise kind

    clock = Clock()
    results: list[Any] = []
    endpoint = TLSClientEndpoint(Broken(), optionsForClientTLS("localhost"), clock, deadline=60)
    endpoint.connect(Factory.forProtocol(Protocol)).addBoth(results.append)

    assert [result.type for result in results] == [kind]
    assert clock.getDelayedCalls() == []


def lose() -> None:
    factory: Any = Factory.forProtocol(Protocol)
    awaiting = _securing.AwaitingFactory(factory).buildProtocol(IPv4Address("TCP", "192.0.2.1", 4711))
    awaiting.connectionLost(Failure(ConnectionLost()))


TEXT = "the peer closed the connection before the TLS handshake was done"


def test_whoWasNotLetInIsSaid(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(_securing._log, "wantsInfo", lambda: True)
    monkeypatch.setattr(_securing._log, "info", said.append)
    lose()
    [text] = said
    assert text.startswith(f"no TLS connection from {IPv4Address('TCP', '192.0.2.1', 4711)}: ")
    assert TEXT in text


@pytest.mark.skipif(vocabulary == "twisted", reason="Twisted's observers decide what they read")
@pytest.mark.parametrize("level", [logging.INFO, logging.WARNING], ids=["info", "warning"])
def test_nothingIsSaidToNobody(
    level: int, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    explained: list[Failure] = []
    real = _securing.explained
    monkeypatch.setattr(_securing, "explained", lambda reason: explained.append(reason) or real(reason))
    with caplog.at_level(level, _securing.__name__):
        lose()
    expected = int(level == logging.INFO)
    assert (len(explained), len(caplog.records)) == (expected, expected)
