"""When a server's OpenSSL begins its handshake: not before there is something to do for it."""

from __future__ import annotations

import pytest

from .test_buffering import Pair

BEFORE = b"before SSL initialization"


def test_aServerBeginsWhenTheFirstRecordIsWhole() -> None:
    pair = Pair([b"hello"], [])
    (hello,) = pair.toServer.take()
    for place in range(len(hello) - 1):
        pair.server.dataReceived(hello[place : place + 1])
    assert pair.server.getHandle().get_state_string() == BEFORE
    assert pair.toClient.pieces == []

    pair.server.dataReceived(hello[-1:])
    assert len(pair.toClient.pieces) == 1
    pair.move()
    pair.move()
    assert pair.server.wrappedProtocol.heard == b"hello"


@pytest.mark.parametrize(
    "data",
    [b"G", b"\x80\x2e", b"\x15\x03\x01", b"\x16\x03\x01\xff\xff"],
    ids=["text", "SSLv2", "alert", "huge"],
)
def test_whatIsNoTLSIsRefusedAtOnce(data: bytes) -> None:
    pair = Pair([], [])
    pair.server.dataReceived(data + b"x" * 100)
    assert pair.toClient.disconnecting


@pytest.mark.parametrize("end", ["loseConnection", "abortConnection"])
def test_aServerThatHasNotBegunCanBeClosed(end: str) -> None:
    pair = Pair([], [])
    pair.server.dataReceived(b"\x16\x03")
    getattr(pair.server, end)()
    assert pair.toClient.disconnecting or pair.toClient.disconnected
