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
    raw = connected(LineReceiver())
    raw.setRawMode()
    with pytest.raises(NotImplementedError, match="LineReceiver does not say what to do with raw data"):
        raw.dataReceived(b"x")


class Bodies(LineReceiver):
    """A line that is a number says how many bytes of raw data follow; `pause` pauses."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.body = b""
        self.left = 0

    def lineReceived(self, line: bytes) -> None:
        self.got.append(line)
        if line.isdigit():
            self.left = int(line)
            self.setRawMode()
        elif line == b"pause":
            self.pauseProducing()

    def rawDataReceived(self, data: bytes) -> None:
        self.body += data[: self.left]
        rest = data[self.left :]
        self.left -= len(data) - len(rest)
        if not self.left:
            self.got.append(b"<" + self.body + b">")
            self.body = b""
            self.setLineMode(rest)


STREAM = b"a\r\n5\r\n1\r\n34b\r\npause\r\n2\r\n\r\nc\r\n"


@pytest.mark.parametrize("first", range(len(STREAM) + 1))
def test_linesRawDataAndPausesAreTheSameWhereverTheStreamIsCut(first: int) -> None:
    protocol = connected(Bodies())
    for data in (STREAM[:first], STREAM[first:]):
        protocol.dataReceived(data)
    assert protocol.got == [b"a", b"5", b"<1\r\n34>", b"b", b"pause"]
    assert protocol.paused
    assert protocol.transport.producerState == "paused"
    protocol.resumeProducing()
    assert protocol.got[5:] == [b"2", b"<\r\n>", b"c"]
    assert not protocol.paused
    assert protocol.transport.producerState == "producing"


def test_theyAreTheSameByteByByte() -> None:
    protocol = connected(Bodies())
    for number in STREAM:
        protocol.dataReceived(bytes([number]))
    protocol.resumeProducing()
    assert protocol.got == [b"a", b"5", b"<1\r\n34>", b"b", b"pause", b"2", b"<\r\n>", b"c"]


def test_whoStopsProducingGetsNothingMore() -> None:
    class Stops(Lines):
        def lineReceived(self, line: bytes) -> None:
            super().lineReceived(line)
            self.stopProducing()

    protocol = connected(Stops())
    protocol.dataReceived(b"one\r\ntwo\r\n")
    assert protocol.got == [b"one"]
    assert protocol.transport.producerState == "stopped"


def test_whatHasArrivedCanBeTakenBack() -> None:
    class Clears(Lines):
        def lineReceived(self, line: bytes) -> None:
            super().lineReceived(line)
            self.got.append(self.clearLineBuffer())

    protocol = connected(Clears())
    protocol.dataReceived(b"one\r\ntwo\r\nth")
    protocol.dataReceived(b"four\r\n")
    assert protocol.got == [b"one", b"two\r\nth", b"four", b""]


def test_aLineThatIsTooLongComesWithAllThatFollowsIt() -> None:
    class Complains(Lines):
        def lineLengthExceeded(self, line: bytes) -> None:
            self.got.append(b"too long: " + line)

    protocol = connected(Complains())
    protocol.dataReceived(b"ok\r\n123456789\r\nmore\r\nand")
    protocol.dataReceived(b"ok\r\n1234567890")
    assert protocol.got == [b"ok", b"too long: 123456789\r\nmore\r\nand", b"ok", b"too long: 1234567890"]


def test_aTrueResultKeepsTheRestForLater() -> None:
    class Enough(Lines):
        def lineReceived(self, line: bytes) -> str:  # type: ignore[override]
            super().lineReceived(line)
            return "enough"

    protocol = connected(Enough())
    assert protocol.dataReceived(b"one\r\ntwo\r\n") == "enough"
    assert protocol.got == [b"one"]
    protocol.dataReceived(b"")
    assert protocol.got == [b"one", b"two"]
