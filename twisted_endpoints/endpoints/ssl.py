"""
What the strings ``ssl:`` make: TLS over one TCP connection, with all that ``tls:`` has.

They are what Twisted's strings make, `SSL4ServerEndpoint` and `SSL4ClientEndpoint`, with the same attributes.
But they don't ask the reactor for TLS: they put it around TCP endpoints, so that a handshake has a limit of
time, and nobody hears of a connection before its end, whichever reactor it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..defer import Deferred
from ..interfaces import IListeningPort, IProtocol, IProtocolFactory, IStreamServerEndpoint
from .tcp import TCP4ClientEndpoint, TCP4ServerEndpoint, TCP6ClientEndpoint
from .tls import HANDSHAKE_TIMEOUT, SSL4ClientEndpoint, SSL4ServerEndpoint, TLSClientEndpoint, wrapServerTLS
from .tlsfolder import RenewingServerEndpoint

if TYPE_CHECKING:
    from .._tls.renewal import CertificateFiles


class SSLServerEndpoint(SSL4ServerEndpoint):
    """
    Listens for TLS on a TCP port.

    Args:
        reactor: an `IReactorTCP` and `IReactorTime`.
        port: the port number; 0 for any that is free.
        sslContextFactory: `ssl.CertificateOptions`, or what else `wrapServerTLS` takes.
        backlog: how many connections may wait to be accepted.
        interface: the address to listen on, "" for all of IPv4.
        handshakeTimeout: seconds for the handshake; None for no limit.
        files: what `sslContextFactory` shows, as files that may be renewed.
    """

    def __init__(
        self,
        reactor: Any,
        port: int,
        sslContextFactory: Any,
        backlog: int = 50,
        interface: str = "",
        handshakeTimeout: float | None = HANDSHAKE_TIMEOUT,
        files: CertificateFiles | None = None,
    ) -> None:
        super().__init__(reactor, port, sslContextFactory, backlog, interface)
        self._handshakeTimeout = handshakeTimeout
        self._files = files

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """Listen, as `TCP4ServerEndpoint` does."""
        tcp = TCP4ServerEndpoint(self._reactor, self._port, self._backlog, self._interface)
        timeout = self._handshakeTimeout
        secured: IStreamServerEndpoint
        if self._files is None:
            secured = wrapServerTLS(self._sslContextFactory, tcp, self._reactor, handshakeTimeout=timeout)
        else:
            secured = RenewingServerEndpoint(self._reactor, tcp, self._files, self._files, timeout)
        return secured.listen(protocolFactory)


class SSLClientEndpoint(SSL4ClientEndpoint):
    """
    Connects over TCP, and does TLS.

    Args:
        reactor: an `IReactorTCP` and `IReactorTime`.
        host: a name or an address.
        port: the port number.
        sslContextFactory: what makes the connections, and checks the server, or doesn't.
        timeout: seconds after which an attempt to connect has failed.
        bindAddress: a pair of the local address to connect from, and a port or 0; None for any.
        handshakeTimeout: seconds for the handshake; None for no limit.
        deadline: seconds for all of it; None for no limit.
    """

    def __init__(
        self,
        reactor: Any,
        host: str,
        port: int,
        sslContextFactory: Any,
        timeout: float = 30,
        bindAddress: Any = None,
        handshakeTimeout: float | None = HANDSHAKE_TIMEOUT,
        deadline: float | None = None,
    ) -> None:
        super().__init__(reactor, host, port, sslContextFactory, timeout, bindAddress)
        self._handshakeTimeout = handshakeTimeout
        self._deadline = deadline

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """Connect; as `TLSClientEndpoint.connect`."""
        make = TCP6ClientEndpoint if ":" in self._host else TCP4ClientEndpoint
        return TLSClientEndpoint(
            make(self._reactor, self._host, self._port, self._timeout, self._bindAddress),
            self._sslContextFactory,
            self._reactor,
            self._handshakeTimeout,
            self._deadline,
        ).connect(protocolFactory)
