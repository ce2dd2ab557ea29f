"""
TLS between any transport and any protocol.

The twin of `twisted.protocols.tls`.  Nothing is defined here: the subjects are in `_tls`.
"""

from __future__ import annotations

from ._tls.buffering import BufferingTLSTransport
from ._tls.buffering import _AggregateSmallWrites as _AggregateSmallWrites
from ._tls.creators import SomeConnectionCreator as SomeConnectionCreator
from ._tls.factory import TLSMemoryBIOFactory
from ._tls.factory import _get_default_clock as _get_default_clock
from ._tls.membio import TLSMemoryBIOProtocol
from ._tls.membio import _representsEOF as _representsEOF
from ._tls.producers import _ProducerMembrane as _ProducerMembrane
from ._tls.producers import _PullToPush as _PullToPush

__all__ = ["BufferingTLSTransport", "TLSMemoryBIOFactory", "TLSMemoryBIOProtocol"]
