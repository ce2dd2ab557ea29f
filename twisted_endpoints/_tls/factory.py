"""The factory that puts TLS before the connections of another."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from .._installed import reactorOr
from ..interfaces import ILoggingContext
from ..policies import WrappingFactory
from .buffering import BufferingTLSTransport
from .creators import _convertToAppropriateFactory
from .sni import SNIConnectionCreator

if TYPE_CHECKING:
    from ..interfaces import IAddress, IReactorTime


def _get_default_clock() -> IReactorTime:
    """Return the reactor of the process."""
    return cast("IReactorTime", reactorOr(None))


class TLSMemoryBIOFactory(WrappingFactory[Any]):
    """
    Puts TLS before the connections of a factory.

    Args:
        contextFactory: what makes OpenSSL's connections: for a server `ssl.CertificateOptions`, for a client
            what `ssl.optionsForClientTLS` returns, or another provider of `IOpenSSLServerConnectionCreator`
            or `IOpenSSLClientConnectionCreator`.
        isClient: this end says hello.
        wrappedFactory: makes the protocols inside of TLS.
        clock: None for the reactor of the process.

    Attributes:
        handshakeTimeout: seconds for the handshake; None for no limit.
        closeTimeout: seconds for the peer to answer our close_notify; None for no limit.
    """

    protocol: Callable[..., Any] = BufferingTLSTransport
    noisy = False

    handshakeTimeout: float | None = None
    closeTimeout: float | None = None

    def __init__(
        self, contextFactory: Any, isClient: bool, wrappedFactory: Any, clock: IReactorTime | None = None
    ) -> None:
        super().__init__(wrappedFactory)
        self._creatorCallable = _convertToAppropriateFactory(isClient, contextFactory)
        self._isClient = isClient
        #: Tells of what a client says first whether it is refused, without OpenSSL; None if nobody is.
        self._refuses: Callable[[bytes], bool] | None = None
        if not isClient and isinstance(contextFactory, SNIConnectionCreator):
            self._refuses = contextFactory.refuses
        self._clock = _get_default_clock() if clock is None else clock

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Put TLS before what the wrapped factory makes; None where that refuses the connection."""
        # Twisted's own WrappingFactory wraps the None too.
        wrapped = self.wrappedFactory.buildProtocol(addr)
        return None if wrapped is None else self.protocol(self, wrapped)

    def logPrefix(self) -> str:
        """Name the wrapped factory, and TLS."""
        wrapped = self.wrappedFactory
        name = wrapped.logPrefix() if ILoggingContext.providedBy(wrapped) else type(wrapped).__name__
        return f"{name} (TLS)"
