"""Listening on and connecting to TCP ports; and what comes of it, a port or a connector."""

from __future__ import annotations

from typing import TYPE_CHECKING, NewType, NoReturn

from zope.interface import Interface

from .._fields import _Fields

if TYPE_CHECKING:
    from ..defer import Deferred
    from ..protocol import ClientFactory, P, ServerFactory
    from ._core import IAddress


class IListeningPort(Interface):
    """A place that takes connections, or datagrams."""

    def startListening() -> None:
        """
        Begin to listen.

        Raises:
            error.CannotListenError: it can't be; most often the address is in use.
        """

    def stopListening() -> Deferred[None] | None:
        """Close the port; where that isn't done on return, return a Deferred that fires when it is."""

    def getHost() -> IAddress:
        """Return the address that it listens on."""


class IConnector(Interface):
    """One client connection, before, while and after it is open."""

    def stopConnecting() -> None:
        """
        Give up the attempt to connect.

        Raises:
            error.NotConnectingError: there is none going on.
        """

    def disconnect() -> None:
        """Close the connection, or give up the attempt to connect."""

    def connect() -> None:
        """Attempt to connect, for the first time or again."""

    def getDestination() -> IAddress:
        """Return where it connects to."""


class _Binding(_Fields):
    """Which local address and port to bind, and with which socket options; it can't be changed."""

    __match_args__ = ("_address", "_port", "_reuseAddress", "_reusePort")

    def __init__(
        self, address: str | None = None, port: int = 0, reuseAddress: bool = False, reusePort: bool = False
    ) -> None:
        vars(self).update(_address=address, _port=port, _reuseAddress=reuseAddress, _reusePort=reusePort)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a Binding can't be changed: {name} = {value!r}")


Binding = NewType("Binding", _Binding)


class IReactorTCP(Interface):
    """A reactor that speaks TCP."""

    def listenTCP(
        port: int, factory: ServerFactory, backlog: int = 50, interface: str = ""
    ) -> IListeningPort:
        """
        Take connections on a port.

        Args:
            port: 0...65535, where 0 lets the system choose.
            factory: makes a protocol for each connection.
            backlog: how many connections may wait to be taken.
            interface: the address to bind, an IP literal; ``""`` for all of IPv4, ``"::"`` for all of IPv6.

        Raises:
            error.CannotListenError: the port can't be bound.
        """

    def connectTCP(
        host: str,
        port: int,
        factory: ClientFactory[P],
        timeout: float = 30.0,
        bindAddress: tuple[str, int] | None = None,
    ) -> IConnector:
        """
        Connect to a port.

        Args:
            host: a name, or an IPv4 or IPv6 literal.
            port: the port's number.
            factory: told of each step, and makes the protocol.
            timeout: seconds after which the attempt has failed.
            bindAddress: the local host and port to connect from; None lets the system choose.
        """


class IReactorTCP2(IReactorTCP):
    """A reactor that also takes a `Binding`, with which socket options can be set, for where to bind."""

    def listenTCP(
        port: _Binding | int, factory: ServerFactory, backlog: int = 50, interface: str | None = None
    ) -> IListeningPort:
        """
        Take connections.

        Args:
            port: what to bind; or a number, as in `IReactorTCP`.
            factory: makes a protocol for each connection.
            backlog: how many connections may wait to be taken.
            interface: nothing, where `port` is a `Binding`.

        Raises:
            error.CannotListenError: the port can't be bound.
        """

    def connectTCP(
        host: str,
        port: int,
        factory: ClientFactory[P],
        timeout: float = 30.0,
        bindAddress: _Binding | tuple[str, int] | None = None,
    ) -> IConnector:
        """
        Connect to a port.

        Args:
            host: a name, or an IPv4 or IPv6 literal.
            port: the port's number.
            factory: told of each step, and makes the protocol.
            timeout: seconds after which the attempt has failed.
            bindAddress: what to bind before connecting.
        """
