"""
Protocols and the factories that make them: the base classes of what a program writes.

The twin of `twisted.internet.protocol`.  Nothing is defined here: each subject has a file.
"""

from __future__ import annotations

from ._adapters import ConsumerToProtocolAdapter, FileWrapper, ProtocolToConsumerAdapter
from ._creator import ClientCreator
from ._creator import _InstanceFactory as _InstanceFactory
from ._datagram import AbstractDatagramProtocol, ConnectedDatagramProtocol, DatagramProtocol
from ._factory import ClientFactory, Factory, ServerFactory
from ._factory import P as P
from ._factory import _ProtoWithFactory as _ProtoWithFactory
from ._reconnecting import ReconnectingClientFactory
from ._stream import BaseProtocol, ProcessProtocol, Protocol, connectionDone

__all__ = [
    "AbstractDatagramProtocol",
    "BaseProtocol",
    "ClientCreator",
    "ClientFactory",
    "ConnectedDatagramProtocol",
    "ConsumerToProtocolAdapter",
    "DatagramProtocol",
    "Factory",
    "FileWrapper",
    "ProcessProtocol",
    "Protocol",
    "ProtocolToConsumerAdapter",
    "ReconnectingClientFactory",
    "ServerFactory",
    "connectionDone",
]
