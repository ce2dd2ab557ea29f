"""`_lines.LineReceiver`: the same lines, however the stream is cut."""

from __future__ import annotations

from typing import Any

import pytest

from twisted_endpoints._lines import LineReceiver
from twisted_endpoints.testing import StringTransport


class Lines(LineReceiver):
    MAX_LENGTH = 8

    def __init__(self) -> None:
        self.got: list[bytes] = []

    def lineReceived(self, line: bytes) -> None:
        self.got.append(line)


def connected(protocol: Any) -> Any:
    protocol.makeConnection(StringTransport())
    return protocol


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
@pytest.mark.parametrize(
    ("stream", "lines"),
    [
        (b"one\r\ntwo\r\n", [b"one", b"two"]),
        (b"\r\n\r\nend", [b"", b""]),
        (b"a\rb\nc\r\n", [b"a\rb\nc"]),
        (b"12345678\r\n", [b"12345678"]),
        (b"\r\r\n", [b"\r"]),
    ],
    ids=["lines", "empty ones", "halves of the delimiter", "the longest", "a return before the end"],
)
def test_linesAreTheSameHoweverTheyArrive(size: int, stream: bytes, lines: list[bytes]) -> None:
    protocol = connected(Lines())
    for start in range(0, len(stream), size):
        protocol.dataReceived(stream[start : start + size])
    assert protocol.got == lines
    assert not protocol.transport.disconnecting


def test_anotherDelimiter() -> None:
    protocol = connected(Lines())
    protocol.delimiter = b"\n"
    protocol.dataReceived(b"a\r\nb\n")
    protocol.sendLine(b"c")
    assert protocol.got == [b"a\r", b"b"]
    assert protocol.transport.value() == b"c\n"


@pytest.mark.parametrize("size", [1, 4, 100])
@pytest.mark.parametrize(
    "stream", [b"ok\r\n123456789\r\nmore\r\n", b"ok\r\n" + b"x" * 40], ids=["with its end", "without an end"]
)
def test_aLineThatIsTooLongClosesTheConnection(size: int, stream: bytes) -> None:
    protocol = connected(Lines())
    for start in range(0, len(stream), size):
        protocol.dataReceived(stream[start : start + size])
        if protocol.transport.disconnecting:
            break
    assert protocol.got == [b"ok"]
    assert protocol.transport.disconnecting


def test_afterTheConnectionIsClosedNoLineIsDelivered() -> None:
    class Quits(Lines):
        def lineReceived(self, line: bytes) -> None:
            super().lineReceived(line)
            self.transport.loseConnection()  # type: ignore[union-attr]

    protocol = connected(Quits())
    protocol.dataReceived(b"one\r\ntwo\r\n")
    assert protocol.got == [b"one"]


def test_dataThatArrivesWhileALineIsDeliveredWaitsItsTurn() -> None:
    class Echoes(Lines):
        def lineReceived(self, line: bytes) -> None:
            if line == b"one":
                self.dataReceived(b"more\r\nla")
            super().lineReceived(line)

    protocol = connected(Echoes())
    protocol.dataReceived(b"one\r\ntwo\r\n")
    protocol.dataReceived(b"st\r\n")
    assert protocol.got == [b"one", b"two", b"more", b"last"]


def test_anErrorInALineDoesNotLeaveItDeaf() -> None:
    class Fails(Lines):
        def lineReceived(self, line: bytes) -> None:
            super().lineReceived(line)
            if line == b"bad":
                raise KeyError(line)

    protocol = connected(Fails())
    with pytest.raises(KeyError):
        protocol.dataReceived(b"bad\r\n")
    protocol.dataReceived(b"good\r\n")
    assert protocol.got == [b"bad", b"good"]


def test_aSubclassMustSayWhatToDo() -> None:
    with pytest.raises(NotImplementedError, match="LineReceiver does not say what to do with a line"):
        connected(LineReceiver()).dataReceived(b"\r\n")
