"""
Stand-ins for what a test must not have: networks, reactors, a log; the twin of `twisted.internet.testing`.

- `_transports`  transports that keep what is written to them, and a producer
- `_protocols`   protocols that keep what they receive
- `_reactors`    reactors that keep what they are asked for, or refuse it
- `_events`      an observer that keeps what is logged
"""

from __future__ import annotations

from ._events import EventLoggingObserver
from ._protocols import AccumulatingProtocol, LineSendingProtocol, waitUntilAllDisconnected
from ._reactors import (
    MemoryReactor,
    MemoryReactorClock,
    RaisingMemoryReactor,
    SynchronousResolver,
    _FakeConnector,
    _FakePort,
)
from ._transports import (
    FakeDatagramTransport,
    NonStreamingProducer,
    StringIOWithoutClosing,
    StringTransport,
    StringTransportWithDisconnection,
)

__all__ = [
    "AccumulatingProtocol",
    "EventLoggingObserver",
    "FakeDatagramTransport",
    "LineSendingProtocol",
    "MemoryReactor",
    "MemoryReactorClock",
    "NonStreamingProducer",
    "RaisingMemoryReactor",
    "StringIOWithoutClosing",
    "StringTransport",
    "StringTransportWithDisconnection",
    "SynchronousResolver",
    "_FakeConnector",
    "_FakePort",
    "waitUntilAllDisconnected",
]
