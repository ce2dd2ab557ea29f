"""The table's rows about standard input and output."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from zope.interface.verify import verifyObject

from twisted_endpoints.endpoints import StandardIOEndpoint, _StandardIOParser
from twisted_endpoints.interfaces import IStreamServerEndpoint
from twisted_endpoints.testing import MemoryReactorClock

#: Serves an echo, and stops when its one connection is lost.
PROGRAM = """
from twisted_endpoints.asyncioreactor import AsyncioReactor
from twisted_endpoints.endpoints import serverFromString
from twisted_endpoints.protocol import Factory, Protocol

class Echo(Protocol):
    def dataReceived(self, data):
        self.transport.write(data)
    def connectionLost(self, reason):
        reactor.stop()

reactor = AsyncioReactor()
reactor.callWhenRunning(lambda: serverFromString(reactor, "stdio:").listen(Factory.forProtocol(Echo)))
reactor.run()
"""


def test_standardIOIsAServerEndpoint() -> None:
    assert verifyObject(IStreamServerEndpoint, StandardIOEndpoint(MemoryReactorClock()))


def test_itsParserMakesIt() -> None:
    parser: Any = _StandardIOParser()
    assert isinstance(parser.parseStreamServer(MemoryReactorClock()), StandardIOEndpoint)


def test_itServesStandardInputAndOutput() -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM], input=b"hello", capture_output=True, timeout=50)
    assert (ran.stdout, ran.stderr, ran.returncode) == (b"hello", b"", 0)
