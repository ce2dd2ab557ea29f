"""Child processes for tests: a protocol that remembers what it is told, and what may not be left behind."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from tests.running import run
from twisted_endpoints.asyncioreactor.process import ending
from twisted_endpoints.defer import Deferred
from twisted_endpoints.failure import Failure
from twisted_endpoints.protocol import ProcessProtocol

#: What shells and programs of the tests need.
ENVIRONMENT = {"PATH": os.environ.get("PATH", os.defpath)}


class Watched(ProcessProtocol):
    """
    Remembers what it is told, in order, and what was written by descriptor.

    `told(event)` is a Deferred for something that is still to come.
    """

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.written: dict[int, bytes] = {}
        self._waiting: list[tuple[Any, Deferred[None]]] = []
        self.reason: Any = None

    def told(self, event: Any) -> Deferred[None]:
        """Wait until this event has come."""
        waiting: Deferred[None] = Deferred()
        self._waiting.append((event, waiting))
        self._fire()
        return waiting

    def _tell(self, event: Any) -> None:
        self.events.append(event)
        self._fire()

    def _fire(self) -> None:
        ready = [pair for pair in self._waiting if pair[0] in self.events]
        for pair in ready:
            self._waiting.remove(pair)
            pair[1].callback(None)

    def connectionMade(self) -> None:
        self._tell("made")

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        self.written[childFD] = self.written.get(childFD, b"") + data
        if childFD not in self.events:
            self._tell(childFD)

    def childConnectionLost(self, childFD: int) -> None:
        self._tell(f"lost {childFD}")

    def processExited(self, reason: Failure) -> None:
        self._tell("exited")

    def processEnded(self, reason: Failure) -> None:
        self.reason = reason.value
        self._tell("ended")


def played(reactor: Any, script: str, **options: Any) -> Watched:
    """Run a shell's script until all is over; give its protocol."""

    async def main() -> Watched:
        protocol: Watched = shell(reactor, script, **options)
        await protocol.told("ended")
        return protocol

    return run(reactor, main)  # type: ignore[no-any-return]


def openDescriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.fixture
def nothingLeft(reactor: Any) -> Iterator[None]:
    """Fail a test that leaves a child, a descriptor of any kind or another handler for SIGCHLD."""
    before = openDescriptors(), signal.getsignal(signal.SIGCHLD)
    yield
    assert psutil.Process().children() == []
    assert (openDescriptors(), signal.getsignal(signal.SIGCHLD)) == before


def shell(reactor: Any, script: str, **options: Any) -> Any:
    """Start a shell that runs a script; give its protocol."""
    return start(reactor, ["/bin/sh", "-c", script], **options)


def start(reactor: Any, line: list[str], **options: Any) -> Any:
    """Start a program; give its protocol."""
    protocol = Watched()
    options.setdefault("env", ENVIRONMENT)
    reactor.spawnProcess(protocol, line[0], line, **options)
    return protocol


def waitForChildren() -> None:
    """Wait for processes that outlived their reactor, as the next one that is started does."""
    for pid in list(ending._left):
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    ending.reapLeft()
