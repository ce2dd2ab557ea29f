"""Ports and services of strings, whatever their parser is."""

from __future__ import annotations

import importlib
import subprocess
import sys
from typing import Any

import pytest

from tests.strings.conftest import site
from tests.strings.distributions import Site
from twisted_endpoints import strports
from twisted_endpoints.defer import CancelledError, Deferred
from twisted_endpoints.error import CannotListenError
from twisted_endpoints.interfaces import IListeningPort
from twisted_endpoints.protocol import Factory
from twisted_endpoints.services import StreamServerEndpointService
from twisted_endpoints.strings import DescriptionError
from twisted_endpoints.testing import MemoryReactorClock, RaisingMemoryReactor

from .running import run

__all__ = ["site"]

#: A parser for strings of somebody else's, whose endpoint does what the string says.
THEIRS = """
    from twisted_endpoints.defer import Deferred, succeed
    from twisted_endpoints.plugins import ServerParser

    class Endpoint:
        def __init__(self, reactor, soon):
            self.reactor, self.soon = reactor, soon
            self.listening = []
        def listen(self, factory):
            self.listening.append(succeed("a port") if self.soon else Deferred())
            return self.listening[-1]

    class Parser(ServerParser):
        prefix = "theirs"
        made = []
        def build(self, reactor, soon: bool = True):
            self.made.append(Endpoint(reactor, soon))
            return self.made[-1]

    parser = Parser()
"""


@pytest.fixture
def parser(site: Site) -> Any:
    site.module("theirs", THEIRS)
    site.server("their-dist", "theirs = theirs:parser")
    return importlib.import_module("theirs").parser


def test_aPortListensAtOnce(reactor: Any) -> None:
    port = strports.listen("tcp:0:interface=127.0.0.1", Factory(), reactor)
    assert IListeningPort.providedBy(port)
    assert port.getHost().port > 0

    async def main() -> None:
        await port.stopListening()

    run(reactor, main)


def test_bytesAreGoodTooAndPrefixesThatArePluginsInTwisted() -> None:
    reactor = MemoryReactorClock()
    strports.listen(b"tcp6:80", Factory(), reactor)
    assert [row[0] for row in reactor.tcpServers] == [80]


def test_aPluginsPortListensAtOnce(parser: Any) -> None:
    assert strports.listen("theirs", Factory(), object()) == "a port"  # type: ignore[comparison-overlap]


def test_anEndpointThatTakesItsTimeIsRefused(parser: Any) -> None:
    with pytest.raises(RuntimeError, match=r"'theirs:0' can't be listened on at once: use serverFromString"):
        strports.listen("theirs:0", Factory(), object())
    [listening] = parser.made[0].listening
    assert listening.called


def test_whatCannotBeListenedOnIsRaised() -> None:
    reactor = RaisingMemoryReactor(CannotListenError(None, 80, OSError()))
    with pytest.raises(CannotListenError):
        strports.listen("tcp:80", Factory(), reactor)


@pytest.mark.parametrize("make", [strports.listen, strports.service], ids=["listen", "service"])
def test_aBadStringIsRaised(make: Any) -> None:
    with pytest.raises(DescriptionError, match="port must be a number"):
        make("tcp:http", Factory(), MemoryReactorClock())


def test_aServiceListensWhenItStarts() -> None:
    reactor, factory = MemoryReactorClock(), Factory()
    service = strports.service("tcp:80", factory, reactor)
    assert isinstance(service, StreamServerEndpointService)
    assert reactor.tcpServers == []
    service.startService()
    assert reactor.tcpServers == [(80, factory, 50, "")]
    service.stopService()


def test_aServiceThatCannotListenDoesNotStart() -> None:
    reactor = RaisingMemoryReactor(CannotListenError(None, 80, OSError()))
    with pytest.raises(CannotListenError):
        strports.service("tcp:80", Factory(), reactor).startService()


def test_aServiceOfAnEndpointThatTakesItsTime(parser: Any) -> None:
    service = strports.service("theirs:0", Factory(), object())
    service.startService()
    listening: Deferred[Any] = parser.made[0].listening[0]
    causes: list[Any] = []
    listening.addErrback(lambda reason: causes.append(reason.type))
    service.stopService()
    assert listening.called
    assert causes in ([], [CancelledError])


def test_theReactorOfTheProcessIsTheDefault() -> None:
    program = """
from twisted_endpoints import strports
from twisted_endpoints.protocol import Factory
port = strports.listen("tcp:0:interface=127.0.0.1", Factory())
service = strports.service("tcp:0:interface=127.0.0.1", Factory())
from twisted_endpoints import reactor
print(service.endpoint._reactor is reactor, port.getHost().port > 0)
port.stopListening().addCallback(lambda _: reactor.stop())
reactor.run()
"""
    ran = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert (ran.stdout, ran.stderr) == ("True True\n", "")
