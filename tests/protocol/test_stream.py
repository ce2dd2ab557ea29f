from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from zope.interface.verify import verifyObject

from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.error import ConnectionDone
from twisted_endpoints.interfaces import ILoggingContext, IProcessProtocol, IProtocol
from twisted_endpoints.protocol import ProcessProtocol, Protocol, connectionDone


def test_providesItsInterfaces() -> None:
    assert verifyObject(IProtocol, Protocol())
    assert verifyObject(ILoggingContext, Protocol())
    assert Protocol().logPrefix() == "Protocol"


def test_connectionMadeHasTheTransport() -> None:
    seen = []

    class Seeing(Protocol):
        def connectionMade(self) -> None:
            seen.append((self.transport, self.connected))

    transport = object()
    made = Seeing()
    assert (made.connected, made.transport) == (0, None)
    made.makeConnection(transport)  # type: ignore[arg-type]
    assert seen == [(transport, 1)]


def test_connectionLostNeedsNoReason() -> None:
    Protocol().connectionLost()
    assert connectionDone.check(ConnectionDone) is ConnectionDone


def test_eventsGoToTheirMethods() -> None:
    events: list[Any] = []

    class Recording(ProcessProtocol):
        def outReceived(self, data: bytes) -> None:
            events.append(("out", data))

        def errReceived(self, data: bytes) -> None:
            events.append(("err", data))

        def inConnectionLost(self) -> None:
            events.append("in lost")

        def outConnectionLost(self) -> None:
            events.append("out lost")

        def errConnectionLost(self) -> None:
            events.append("err lost")

    made = Recording()
    assert verifyObject(IProcessProtocol, made)
    for descriptor in (1, 2, 3):
        made.childDataReceived(descriptor, b"x")
    for descriptor in (0, 1, 2, 3):
        made.childConnectionLost(descriptor)
    assert events == [("out", b"x"), ("err", b"x"), "in lost", "out lost", "err lost"]


@pytest.mark.skipif(vocabulary == "twisted", reason="how Twisted imports is not ours to say")
def test_importIsLight() -> None:
    code = (
        "import sys, twisted_endpoints; before = set(sys.modules); import twisted_endpoints.protocol;"
        "new = set(sys.modules) - before;"
        "print(sorted(new & {'asyncio', 'random', 'logging', 'OpenSSL', 'ssl'}))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)

    assert (ran.stdout, ran.stderr) == ("[]\n", "")
