"""The server's side: who may connect, and how long he may take."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

from .._installed import reactorOr
from ..endpoints.wrapping import _WrapperServerEndpoint, clockOf, negotiateFor
from ..interfaces import ILoggingContext
from ..policies import WrappingFactory
from .complaints import Complaints
from .tlv import LIMIT
from .trust import EVERYBODY, Trust
from .wrapper import HAProxyProtocolWrapper

if TYPE_CHECKING:
    from ..interfaces import IReactorTime, IStreamServerEndpoint

#: Seconds that a header may take: the text wants three at least, for one lost packet.
HEADER_TIMEOUT = 5.0


class HAProxyWrappingFactory(WrappingFactory[Any]):
    """
    Reads a header ahead of the connections of a factory.

    Args:
        wrappedFactory: the user's; is asked for a protocol when a header is read, with the client's address.
        trusted: whose headers are believed; anybody else is turned away without a word.
        headerTimeout: seconds for the header; None for no limit.
        headerLimit: how many bytes may follow the fixed part of a header of version 2.
        clock: calls later; None for the reactor of the process.

    Attributes:
        protocols: the connections that wait for their header, as keys.
    """

    protocol = HAProxyProtocolWrapper
    noisy = False

    def __init__(
        self,
        wrappedFactory: Any,
        trusted: Trust = EVERYBODY,
        headerTimeout: float | None = None,
        headerLimit: int = LIMIT,
        clock: IReactorTime | None = None,
    ) -> None:
        super().__init__(wrappedFactory)
        negotiateFor(self, wrappedFactory)
        self.trusted = trusted
        self.headerTimeout = headerTimeout
        self.headerLimit = headerLimit
        self._clock: Any = clock
        self.complaints = Complaints(time.monotonic if clock is None else clock.seconds)

    @property
    def clock(self) -> Any:
        """What calls later."""
        return reactorOr(self._clock)

    def logPrefix(self) -> str:
        """Name the wrapped factory, and the protocol around it."""
        wrapped = self.wrappedFactory
        prefix = wrapped.logPrefix() if ILoggingContext.providedBy(wrapped) else type(wrapped).__name__
        return f"{prefix} (PROXY)"

    def buildProtocol(self, addr: Any) -> HAProxyProtocolWrapper | None:
        """Make what waits for the header; None, which closes the connection, for who isn't trusted."""
        if addr in self.trusted:
            return self.protocol(self, addr)
        self.complaints.about(addr, f"it isn't one of those whose headers are believed, {self.trusted}")
        return None


class ProxyServerEndpoint(_WrapperServerEndpoint):
    """
    Listens on another endpoint, and reads a header ahead of each connection.

    Args:
        wrappedEndpoint: takes the connections.
        trusted: whose headers are believed.
        headerTimeout: seconds for a header; None for no limit.
        headerLimit: how many bytes may follow the fixed part of a header of version 2.
        clock: calls later; None for the reactor of the wrapped endpoint, or else of the process.
    """

    def __init__(
        self,
        wrappedEndpoint: IStreamServerEndpoint,
        trusted: Trust = EVERYBODY,
        headerTimeout: float | None = HEADER_TIMEOUT,
        headerLimit: int = LIMIT,
        clock: IReactorTime | None = None,
    ) -> None:
        make = partial(
            HAProxyWrappingFactory,
            trusted=trusted,
            headerTimeout=headerTimeout,
            headerLimit=headerLimit,
            clock=clock or clockOf(wrappedEndpoint),
        )
        super().__init__(wrappedEndpoint, make)
        self._trusted = trusted

    def __repr__(self) -> str:
        return f"<{type(self).__name__} around {self._wrappedEndpoint!r}, trusts {self._trusted}>"
