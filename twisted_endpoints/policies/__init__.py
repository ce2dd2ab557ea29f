"""
Factories that stand before another one, and protocols that stand between a protocol and its transport.

The twin of `twisted.protocols.policies`.  Nothing is defined here: each subject has a file.
"""

from __future__ import annotations

from ._limiting import LimitConnectionsByPeer, LimitTotalConnectionsFactory
from ._spying import SpewingFactory, SpewingProtocol, TrafficLoggingFactory, TrafficLoggingProtocol
from ._throttling import ThrottlingFactory, ThrottlingProtocol
from ._timeouts import TimeoutFactory, TimeoutMixin, TimeoutProtocol
from ._wrapping import WP as WP
from ._wrapping import ProtocolWrapper, WrappingFactory
from ._wrapping import _wrappedLogPrefix as _wrappedLogPrefix

__all__ = [
    "LimitConnectionsByPeer",
    "LimitTotalConnectionsFactory",
    "ProtocolWrapper",
    "SpewingFactory",
    "SpewingProtocol",
    "ThrottlingFactory",
    "ThrottlingProtocol",
    "TimeoutFactory",
    "TimeoutMixin",
    "TimeoutProtocol",
    "TrafficLoggingFactory",
    "TrafficLoggingProtocol",
    "WrappingFactory",
]
