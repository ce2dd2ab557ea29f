"""An instance of each class of the vocabulary that users make or are given, in this process's vocabulary."""

from __future__ import annotations

import io
from typing import Any

from twisted_endpoints import (
    address,
    defer,
    endpoints,
    error,
    failure,
    plugin,
    protocol,
    service,
    services,
    task,
    testing,
)


def everyKind() -> dict[str, Any]:
    """Make one of each, by name."""
    clock = task.Clock()
    cooperator = task.Cooperator(started=False)
    try:
        raise ValueError("a failure with a traceback")
    except ValueError:
        raised = failure.Failure()
    here = address.IPv4Address("TCP", "127.0.0.1", 80)
    endpoint = endpoints.TCP4ClientEndpoint(clock, "127.0.0.1", 80)
    made: list[Any] = [
        here,
        address.IPv6Address("TCP", "::1", 80),
        address.HostnameAddress(b"example.com", 80),
        address.UNIXAddress(b"/a"),
        defer.Deferred(),
        defer.DeferredList([]),
        defer.DeferredLock(),
        defer.DeferredSemaphore(1),
        defer.DeferredQueue(),
        defer.DeferredFilesystemLock("/a", scheduler=clock),
        defer.FirstError(raised, 0),
        defer.FailureGroup([raised]),
        defer.DebugInfo(),
        error.ConnectError(1, "a"),
        error.ConnectionLost("a"),
        error.CannotListenError("a", 1, OSError()),
        error.ProcessTerminated(1, 2, 3),
        error.ProcessDone(0),
        error.MessageLengthError("a"),
        failure.Failure(ValueError()),
        plugin.CachedDropin("a", "b"),
        protocol.Protocol(),
        protocol.ProcessProtocol(),
        protocol.DatagramProtocol(),
        protocol.ConnectedDatagramProtocol(),
        protocol.Factory(),
        protocol.ServerFactory(),
        protocol.ClientFactory(),
        protocol.ReconnectingClientFactory(),
        protocol.ClientCreator(clock, protocol.Protocol),
        protocol.FileWrapper(io.BytesIO()),
        service.Service(),
        service.MultiService(),
        services.ClientService(endpoint, protocol.Factory(), clock=clock),
        services.CooperatorService(),
        services.StreamServerEndpointService(here, protocol.Factory()),
        services.TCPServer(80, protocol.Factory()),
        services.TCPClient("a", 80, protocol.Factory()),
        services.TimerService(1, int),
        clock,
        clock.callLater(1, int),
        task.LoopingCall(int),
        cooperator,
        cooperator.cooperate(iter([1])),
        testing.AccumulatingProtocol(),
        testing.EventLoggingObserver(),
        testing.FakeDatagramTransport(),
        testing.LineSendingProtocol([]),
        testing.MemoryReactor(),
        testing.MemoryReactorClock(),
        testing.NonStreamingProducer(None),
        testing.RaisingMemoryReactor(),
        testing.StringIOWithoutClosing(),
        testing.StringTransport(),
        testing.StringTransportWithDisconnection(),
        testing._FakeConnector(here),
        testing._FakePort(here),
    ]
    return {type(each).__name__: each for each in made} | {"Failure with a traceback": raised}
