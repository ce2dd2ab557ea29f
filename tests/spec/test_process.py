"""The table's rows about child processes."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from constantly import NamedConstant, Names
from zope.interface import Interface
from zope.interface.verify import verifyObject

from tests.endpoints.scenario import GreeterFactory
from tests.plugins.tlsfiles import Says
from tests.running import run
from twisted_endpoints.endpoints import (
    ProcessEndpoint,
    StandardErrorBehavior,
    _IProcessTransportWithConsumerAndProducer,
    _ProcessEndpointTransport,
    _WrapIProtocol,
    connectProtocol,
)
from twisted_endpoints.error import ConnectionDone, ProcessDone
from twisted_endpoints.failure import Failure
from twisted_endpoints.interfaces import (
    IConsumer,
    IProcessProtocol,
    IProcessTransport,
    IProtocol,
    IPushProducer,
    IStreamClientEndpoint,
    ITransport,
)
from twisted_endpoints.testing import MemoryReactorClock

from .recording import Records


class Spawned:
    """What a reactor's process transport does is noted here."""

    def __init__(self) -> None:
        self.called: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *args: self.called.append((name, *args))


def wrapping(behavior: NamedConstant = StandardErrorBehavior.DROP) -> tuple[Any, Records, Spawned]:
    """Connect a protocol to a process that isn't there."""
    protocol, process = Records(), Spawned()
    wrapped: Any = _WrapIProtocol(protocol, b"/bin/program", behavior)
    wrapped.makeConnection(process)
    return wrapped, protocol, process


# StandardErrorBehavior and ProcessEndpoint


def test_standardErrorBehaviorIsConstants() -> None:
    assert issubclass(StandardErrorBehavior, Names)
    assert [constant.name for constant in StandardErrorBehavior.iterconstants()] == ["LOG", "DROP"]


@pytest.mark.parametrize(("behavior", "logs"), [("LOG", True), ("DROP", False)])
def test_theyDecideWhatAProcessEndpointDoesWithStderr(
    behavior: str, logs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[str] = []
    monkeypatch.setattr(
        "twisted_endpoints.endpoints.process._log.warning", lambda text, **more: logged.append(text)
    )
    wrapped, protocol, _ = wrapping(getattr(StandardErrorBehavior, behavior))
    wrapped.childDataReceived(2, b"a complaint")

    assert [("a complaint" in text) for text in logged] == [True] * logs
    assert protocol.told == ["made"]


def test_aProcessEndpointConnectsToAChildProcess(reactor: Any) -> None:
    assert verifyObject(IStreamClientEndpoint, ProcessEndpoint(MemoryReactorClock(), sys.executable))
    program = "import sys; sys.stdout.write(sys.stdin.read(5))"
    endpoint = ProcessEndpoint(reactor, sys.executable, [sys.executable, "-c", program], env=None)

    async def main() -> Any:
        protocol = Says()
        assert await connectProtocol(endpoint, protocol) is protocol
        return await protocol.done, protocol.heard

    reason, heard = run(reactor, main)
    assert heard == b"hello"
    assert isinstance(reason, ConnectionDone)


# _IProcessTransportWithConsumerAndProducer and _ProcessEndpointTransport


def test_theInterfaceIsThoseOfProcessTransportConsumerAndPushProducer() -> None:
    assert issubclass(type(_IProcessTransportWithConsumerAndProducer), type(Interface))
    for base in (IProcessTransport, IConsumer, IPushProducer):
        assert _IProcessTransportWithConsumerAndProducer.extends(base)


@pytest.mark.parametrize("interface", [ITransport, IProcessTransport, IConsumer, IPushProducer])
def test_aProcessEndpointsTransportProvides(interface: Any) -> None:
    transport: Any = _ProcessEndpointTransport(Spawned())
    assert interface.providedBy(transport)
    assert all(callable(getattr(transport, name)) for name in interface.names(all=True) if name != "pid")


def test_theTransportIsForTheProtocolPassedToTheEndpoint() -> None:
    _, protocol, process = wrapping()
    transport: Any = protocol.transport
    transport.write(b"data")

    assert isinstance(transport, _ProcessEndpointTransport)
    assert process.called == [("write", b"data")]


# _WrapIProtocol


def test_itProvidesIProcessProtocol() -> None:
    wrapped, _, _ = wrapping()
    assert verifyObject(IProcessProtocol, wrapped)


def test_itWrapsAnIProtocol() -> None:
    wrapped, protocol, _ = wrapping()
    wrapped.childDataReceived(1, b"output")
    wrapped.processEnded(Failure(ProcessDone(0)))

    assert IProtocol.providedBy(protocol)
    assert protocol.told == ["made", b"output", ConnectionDone]


def test_theEndpointGivesTheReactorThatWrapper() -> None:
    spawned: list[Any] = []
    endpoint = ProcessEndpoint(MemoryReactorClock(), "/bin/program", ["program", "-x"])
    endpoint._spawnProcess = lambda *args, **options: spawned.append(args)
    factory = GreeterFactory()
    endpoint.connect(factory)

    [(wrapped, executable, args)] = spawned
    assert isinstance(wrapped, _WrapIProtocol)
    assert wrapped.protocol is factory.made[0]
    assert (executable, args) == ("/bin/program", ["program", "-x"])
