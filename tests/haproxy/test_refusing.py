"""The server's side in memory: who is turned away, when, and what is logged of it."""

from __future__ import annotations

from typing import Any

import pytest

from twisted_endpoints.address import IPv4Address, UNIXAddress
from twisted_endpoints.haproxy import HAProxyWrappingFactory, Trust
from twisted_endpoints.task import Clock

from .headers import V4, fixed
from .scene import PROXY, Recording, Scene, Transport, eachTransport


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n",
        b"PROXY TCP4 1.2.3.4\r\n",
        b"\r\n\r\nx",
        fixed(length=65535),
        b"PROXY ".ljust(107),
    ],
    ids=["http", "half", "blank", "long", "no end"],
)
@eachTransport
def test_anythingElseIsTurnedAwayAtOnce(kind: type[Transport], data: bytes, said: list[str]) -> None:
    scene = Scene(transport=kind)
    scene.transport.receive(data)
    assert scene.transport.aborted
    assert scene.clock.getDelayedCalls() == []
    scene.transport.receive(fixed(rest=V4))  # a transport may have more that it has read already
    scene.transport.lose()
    assert scene.events == []
    assert len(said) == 1
    assert said[0].startswith(f"PROXY protocol: closed the connection from {PROXY}: ")


def test_theHeaderHasADeadlineAndBytesDontMoveIt(said: list[str]) -> None:
    scene = Scene()
    for byte in b"PROXY TCP4":
        scene.clock.advance(0.4)
        scene.transport.receive(bytes([byte]))
    assert not scene.transport.aborted
    scene.clock.advance(1.0)
    assert scene.transport.aborted
    assert said[0].endswith("its header wasn't complete in 5 seconds")
    scene.transport.lose()
    assert (scene.events, len(said)) == ([], 1)


def test_afterTheHeaderThereIsNoDeadline() -> None:
    scene = Scene()
    scene.transport.receive(fixed(rest=V4))
    assert scene.clock.getDelayedCalls() == []
    scene.clock.advance(100)
    assert not scene.transport.aborted


def test_withoutADeadlineNothingIsScheduled() -> None:
    factory = HAProxyWrappingFactory(Recording())
    wrapper: Any = factory.buildProtocol(PROXY)
    wrapper.makeConnection(Transport())
    assert wrapper in factory.protocols


def test_whoWaitsForAHeaderIsKnownAndForgotten() -> None:
    scene = Scene()
    assert list(scene.factory.protocols) == [scene.wrapper]
    scene.transport.receive(fixed(rest=V4))
    assert scene.factory.protocols == {}
    other = Scene()
    other.transport.lose()
    assert (other.factory.protocols, other.clock.getDelayedCalls(), other.events) == ({}, [], [])


@pytest.mark.parametrize(("begun", "lines"), [(b"", 0), (b"PROXY TCP4", 1)], ids=["nothing", "half"])
def test_whoLeavesWithoutAWordIsNotWorthOne(begun: bytes, lines: int, said: list[str]) -> None:
    scene = Scene()
    scene.transport.receive(begun)
    scene.transport.lose()
    assert len(said) == lines


def test_strangersAreTurnedAwayWithoutAProtocol(said: list[str]) -> None:
    factory = HAProxyWrappingFactory(Recording(), Trust.parse("10.0.0.0/8"), clock=Clock())
    assert factory.buildProtocol(PROXY) is not None
    assert factory.buildProtocol(IPv4Address("TCP", "192.0.2.9", 1)) is None
    assert factory.buildProtocol(UNIXAddress(None)) is None
    assert factory.protocols == {}
    assert len(said) == 1
    assert "192.0.2.9" in said[0]
    assert said[0].endswith("it isn't one of those whose headers are believed, 10.0.0.0/8")


def test_manyPeersAreOneLineASecond(said: list[str]) -> None:
    clock = Clock()
    factory = HAProxyWrappingFactory(Recording(), Trust(), clock=clock)
    for _ in range(1000):
        factory.buildProtocol(PROXY)
    assert len(said) == 1
    clock.advance(1)
    factory.buildProtocol(PROXY)
    factory.buildProtocol(PROXY)
    assert len(said) == 2
    assert said[1].endswith(" (and 999 more were closed)")
    clock.advance(1)
    factory.buildProtocol(PROXY)
    assert said[2].endswith(" (and 1 more were closed)")


def test_whatAPeerSaysIsOneLineInTheLog(said: list[str]) -> None:
    scene = Scene()
    scene.transport.receive(b"PROXY TCP4 1.2.3.4\n[-]FAKE\x1b[31m 1.2.3.4 1 2\r\n")
    assert said[0].isprintable()
