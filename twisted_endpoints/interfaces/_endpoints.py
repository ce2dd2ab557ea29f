"""Endpoints, and the parsers that make them from strings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import Attribute, Interface

if TYPE_CHECKING:
    from ..defer import Deferred
    from ._core import IReactorCore
    from ._protocols import IProtocol, IProtocolFactory
    from ._tcp import IListeningPort


class IStreamClientEndpoint(Interface):
    """A place to connect to."""

    def connect(protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """
        Open one connection; each call opens another.

        Args:
            protocolFactory: makes the protocol.

        Returns:
            A Deferred that fires with the protocol, connected.  It fails with an `error.ConnectError`, or
            with `error.NoProtocol` if the factory made none.  Cancelling it gives the attempt up.
        """


class IStreamServerEndpoint(Interface):
    """A place to take connections."""

    def listen(protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """
        Begin to take connections.

        Args:
            protocolFactory: makes a protocol for each connection.

        Returns:
            A Deferred that fires with the port, or fails with `error.CannotListenError`.
        """


class IStreamServerEndpointStringParser(Interface):
    """Makes a server endpoint of a string that begins with its prefix: a plugin of `serverFromString`."""

    prefix: str = Attribute("What stands before the first colon of the strings that this parser takes.")

    def parseStreamServer(reactor: IReactorCore, *args: object, **kwargs: object) -> IStreamServerEndpoint:
        """
        Make the endpoint.

        Args:
            reactor: the reactor that was given to `serverFromString`.
            *args: the string's positional arguments, as text: of ``prefix:a:b:k=v``, ``"a"`` and ``"b"``.
            **kwargs: its keyword arguments: ``k="v"``.
        """


class IStreamClientEndpointStringParserWithReactor(Interface):
    """Makes a client endpoint of a string that begins with its prefix: a plugin of `clientFromString`."""

    prefix: str = Attribute("What stands before the first colon of the strings that this parser takes.")

    def parseStreamClient(reactor: IReactorCore, *args: object, **kwargs: object) -> IStreamClientEndpoint:
        """
        Make the endpoint.

        Args:
            reactor: the reactor that was given to `clientFromString`.
            *args: the string's positional arguments, as text: of ``prefix:a:b:k=v``, ``"a"`` and ``"b"``.
            **kwargs: its keyword arguments: ``k="v"``.
        """
