"""TLS, by OpenSSL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import Attribute, Interface

from ._transports import ITCPTransport

if TYPE_CHECKING:
    from OpenSSL.SSL import Connection, Context

    from ..protocol import ClientFactory, P, ServerFactory
    from ._tcp import IConnector, IListeningPort


class IReactorSSL(Interface):
    """A reactor that speaks TLS over TCP by itself."""

    def connectSSL(
        host: str,
        port: int,
        factory: ClientFactory[P],
        contextFactory: Any,
        timeout: float,
        bindAddress: tuple[str, int] | None,
    ) -> IConnector:
        """
        Connect to a port and begin TLS.

        Args:
            host: a name, or an IPv4 or IPv6 literal.
            port: the port's number.
            factory: told of each step, and makes the protocol.
            contextFactory: how TLS is done.
            timeout: seconds after which the attempt has failed.
            bindAddress: the local host and port to connect from; None lets the system choose.
        """

    def listenSSL(
        port: int,
        factory: ServerFactory[P],
        contextFactory: IOpenSSLContextFactory,
        backlog: int = 50,
        interface: str = "",
    ) -> IListeningPort:
        """
        Take connections that begin with TLS.

        Args:
            port: 0...65535, where 0 lets the system choose.
            factory: makes a protocol for each connection.
            contextFactory: how TLS is done.
            backlog: how many connections may wait to be taken.
            interface: the address to bind; ``""`` for all of IPv4.

        Raises:
            error.CannotListenError: the port can't be bound.
        """


class IOpenSSLServerConnectionCreator(Interface):
    """Makes the OpenSSL object of each connection that a server takes."""

    def serverConnectionForTLS(tlsProtocol: Any) -> Connection:
        """
        Make an OpenSSL connection that is ready for its handshake.

        Args:
            tlsProtocol: the protocol that will drive it.
        """


class IOpenSSLClientConnectionCreator(Interface):
    """Makes the OpenSSL object of each connection that a client opens."""

    def clientConnectionForTLS(tlsProtocol: Any) -> Connection:
        """
        Make an OpenSSL connection that is ready for its handshake.

        Args:
            tlsProtocol: the protocol that will drive it.
        """


class IProtocolNegotiationFactory(Interface):
    """A factory that knows which protocols its connections can speak, for ALPN."""

    def acceptableProtocols() -> list[bytes]:
        """Return the protocols' registered names, the most wanted first."""


class IOpenSSLContextFactory(Interface):
    """Has the settings of TLS in the form of an OpenSSL context."""

    def getContext() -> Context:
        """Return the context."""


class ITLSTransport(ITCPTransport):
    """A transport that can begin TLS in the middle of the stream, and is an `ISSLTransport` from then on."""

    def startTLS(contextFactory: IOpenSSLClientConnectionCreator | IOpenSSLServerConnectionCreator) -> None:
        """
        Begin TLS after what was written so far.

        Args:
            contextFactory: how TLS is done; an `IOpenSSLContextFactory` will do as well.
        """


class ISSLTransport(ITCPTransport):
    """A transport that speaks TLS."""

    def getPeerCertificate() -> object:
        """Return the peer's certificate, an OpenSSL object; None where it has shown none."""


class INegotiated(ISSLTransport):
    """A transport that speaks TLS and settles the protocol by ALPN."""

    negotiatedProtocol: bytes | None = Attribute(
        "The name of the protocol that was settled, or None.  Before the first data has come, a None may "
        "only mean that the handshake isn't done."
    )


class ICipher(Interface):
    """A cipher suite."""

    fullName: str = Attribute("The suite's name, as OpenSSL writes it.")


class IAcceptableCiphers(Interface):
    """Decides which cipher suites may be used."""

    def selectCiphers(availableCiphers: tuple[ICipher, ...]) -> tuple[ICipher, ...]:
        """
        Choose.

        Args:
            availableCiphers: what the TLS library has.

        Returns:
            Those that may be used, the most wanted first.
        """
