"""`_lines.LineReceiver`: the same lines, however the stream is cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from twisted_endpoints._lines import LineReceiver
from twisted_endpoints.testing import StringTransport


class Lines(LineReceiver):
    """
    Keeps its lines.

    Args:
        react: what it does with a line besides; what it returns, `lineReceived` does.
    """

    MAX_LENGTH = 8

    def __init__(self, react: Callable[[Any, bytes], Any] = lambda protocol, line: None) -> None:
        self.got: list[bytes] = []
        self.react = react

    def lineReceived(self, line: bytes) -> Any:
        self.got.append(line)
        return self.react(self, line)


class Bodies(Lines):
    """A line that is a number says how many bytes of raw data follow; `pause` pauses."""

    MAX_LENGTH = 100

    def __init__(self) -> None:
        super().__init__()
        self.body = b""
        self.left = 0

    def lineReceived(self, line: bytes) -> None:
        super().lineReceived(line)
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


class Complains(Lines):
    """Keeps lines that are too long too."""

    def lineLengthExceeded(self, line: bytes) -> None:
        self.got.append(b"too long: " + line)


def connected(protocol: Any) -> Any:
    protocol.makeConnection(StringTransport())
    return protocol


def fed(protocol: Any, *pieces: bytes) -> Any:
    """Connect a protocol, and give it data until its connection is closed."""
    connected(protocol)
    for data in pieces:
        protocol.dataReceived(data)
        if protocol.transport.disconnecting:
            break
    return protocol


def cut(stream: bytes, size: int) -> Iterator[bytes]:
    return (stream[start : start + size] for start in range(0, len(stream), size))


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 100])
@pytest.mark.parametrize(
    ("stream", "lines", "closed"),
    [
        (b"one\r\ntwo\r\n", [b"one", b"two"], False),
        (b"\r\n\r\nend", [b"", b""], False),
        (b"a\rb\nc\r\n", [b"a\rb\nc"], False),
        (b"12345678\r\n", [b"12345678"], False),
        (b"\r\r\n", [b"\r"], False),
        (b"ok\r\n123456789\r\nmore\r\n", [b"ok"], True),
        (b"ok\r\n" + b"x" * 40, [b"ok"], True),
    ],
    ids=[
        "lines",
        "empty ones",
        "halves of the delimiter",
        "the longest",
        "a return before the end",
        "too long, with its end",
        "too long, without an end",
    ],
)
def test_linesAreTheSameHoweverTheyArriveAndOneThatIsTooLongCloses(
    size: int, stream: bytes, lines: list[bytes], closed: bool
) -> None:
    protocol = fed(Lines(), *cut(stream, size))
    assert (protocol.got, protocol.transport.disconnecting) == (lines, closed)


def test_anotherDelimiter() -> None:
    protocol: Any = Lines()
    protocol.delimiter = b"\n"
    fed(protocol, b"a\r\nb\n").sendLine(b"c")
    assert protocol.got == [b"a\r", b"b"]
    assert protocol.transport.value() == b"c\n"


@pytest.mark.parametrize(
    ("react", "pieces", "got"),
    [
        (lambda protocol, line: protocol.transport.loseConnection(), [b"one\r\ntwo\r\n"], [b"one"]),
        (lambda protocol, line: protocol.stopProducing(), [b"one\r\ntwo\r\n"], [b"one"]),
        (
            lambda protocol, line: protocol.dataReceived(b"more\r\nla") if line == b"one" else None,
            [b"one\r\ntwo\r\n", b"st\r\n"],
            [b"one", b"two", b"more", b"last"],
        ),
        (
            lambda protocol, line: protocol.got.append(protocol.clearLineBuffer()),
            [b"one\r\ntwo\r\nth", b"four\r\n"],
            [b"one", b"two\r\nth", b"four", b""],
        ),
        (lambda protocol, line: "enough", [b"one\r\ntwo\r\n"], [b"one"]),
        (lambda protocol, line: "enough", [b"one\r\ntwo\r\n", b""], [b"one", b"two"]),
    ],
    ids=[
        "closed: no more lines",
        "stopped: no more lines",
        "data in between waits its turn",
        "what has arrived is taken back",
        "a true result keeps the rest",
        "and the rest comes later",
    ],
)
def test_whatLineReceivedDoesDecidesWhatComesNext(react: Any, pieces: list[bytes], got: list[bytes]) -> None:
    assert fed(Lines(react), *pieces).got == got


def test_whatLineReceivedReturnsIsHandedOn() -> None:
    assert connected(Lines(lambda protocol, line: "enough")).dataReceived(b"one\r\n") == "enough"


def test_whoStopsProducingTellsTheTransport() -> None:
    protocol = fed(Lines(lambda protocol, line: protocol.stopProducing()), b"one\r\n")
    assert protocol.transport.producerState == "stopped"


def test_anErrorInALineDoesNotLeaveItDeaf() -> None:
    def fail(protocol: Any, line: bytes) -> None:
        if line == b"bad":
            raise KeyError(line)

    protocol = connected(Lines(fail))
    with pytest.raises(KeyError):
        protocol.dataReceived(b"bad\r\n")
    protocol.dataReceived(b"good\r\n")
    assert protocol.got == [b"bad", b"good"]


def test_aLineThatIsTooLongComesWithAllThatFollowsIt() -> None:
    protocol = fed(Complains(), b"ok\r\n123456789\r\nmore\r\nand", b"ok\r\n1234567890")
    assert protocol.got == [b"ok", b"too long: 123456789\r\nmore\r\nand", b"ok", b"too long: 1234567890"]


@pytest.mark.parametrize(("raw", "what"), [(False, "a line"), (True, "raw data")])
def test_aSubclassMustSayWhatToDo(raw: bool, what: str) -> None:
    protocol = connected(LineReceiver())
    if raw:
        protocol.setRawMode()
    with pytest.raises(NotImplementedError, match=f"LineReceiver does not say what to do with {what}"):
        protocol.dataReceived(b"x\r\n")


STREAM = b"a\r\n5\r\n1\r\n34b\r\npause\r\n2\r\n\r\nc\r\n"


@pytest.mark.parametrize("first", range(len(STREAM) + 1))
def test_linesRawDataAndPausesAreTheSameWhereverTheStreamIsCut(first: int) -> None:
    protocol = fed(Bodies(), STREAM[:first], STREAM[first:])
    assert protocol.got == [b"a", b"5", b"<1\r\n34>", b"b", b"pause"]
    assert protocol.paused
    assert protocol.transport.producerState == "paused"
    protocol.resumeProducing()
    assert protocol.got[5:] == [b"2", b"<\r\n>", b"c"]
    assert not protocol.paused
    assert protocol.transport.producerState == "producing"


def test_theyAreTheSameByteByByte() -> None:
    protocol = fed(Bodies(), *cut(STREAM, 1))
    protocol.resumeProducing()
    assert protocol.got == [b"a", b"5", b"<1\r\n34>", b"b", b"pause", b"2", b"<\r\n>", b"c"]
