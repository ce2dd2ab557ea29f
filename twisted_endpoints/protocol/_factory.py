"""What makes a protocol for each connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic
from typing import Protocol as TypingProtocol

from zope.interface import implementer

from .._log import Logger
from ..interfaces import ILoggingContext, IProtocol, IProtocolFactory

if TYPE_CHECKING:
    from typing_extensions import Self, TypeVar

    from ..failure import Failure
    from ..interfaces import IAddress, IConnector, ITransport

    P = TypeVar("P", bound="_ProtoWithFactory", default="_ProtoWithFactory")
else:
    # The default, by which `Factory` can stand without brackets, is only for type checkers: it is of 3.13.
    from typing import TypeVar

    P = TypeVar("P", bound="_ProtoWithFactory")

_log = Logger("twisted_endpoints.protocol")


@implementer(IProtocol)
class _ProtoWithFactory(TypingProtocol):
    """What a factory makes: a protocol that can be told which factory made it."""

    @property
    def factory(self) -> Factory[Self]: ...

    @factory.setter
    def factory(self, value: Any) -> None: ...

    def dataReceived(self, data: bytes) -> None: ...

    def connectionLost(self, reason: Failure) -> None: ...

    def makeConnection(self, transport: ITransport) -> None: ...

    def connectionMade(self) -> None: ...


@implementer(IProtocolFactory, ILoggingContext)
class Factory(Generic[P]):
    """
    Makes the protocols, and outlives them: the place for what connections share.

    Attributes:
        protocol: the class to make, or any function that makes one; set it, or override `buildProtocol`.
        numPorts: how many ports and connectors use it.
        noisy: log its start and stop.
    """

    protocol: Callable[..., P] | None = None
    numPorts = 0
    noisy = True

    @classmethod
    def forProtocol(cls, protocol: Callable[..., P], *args: Any, **kwargs: Any) -> Factory[P]:
        """
        Make a factory for a class of protocol, which then need not be derived from.

        Args:
            protocol: the class.
            *args: what the factory itself wants.
            **kwargs: what the factory itself wants.
        """
        made = cls(*args, **kwargs)
        made.protocol = protocol
        return made

    def logPrefix(self) -> str:
        """Return the name of the class."""
        return self.__class__.__name__

    def doStart(self) -> None:
        """Count one more user, and call `startFactory` at the first.  Ports and connectors call it."""
        if not self.numPorts:
            if self.noisy:
                _log.info(f"Starting factory {self!r}")
            self.startFactory()
        self.numPorts += 1

    def doStop(self) -> None:
        """Count one user less, and call `stopFactory` at the last.  Ports and connectors call it."""
        if not self.numPorts:
            # One stop too many is a caller's mistake, and no reason to break a program's shutdown.
            return
        self.numPorts -= 1
        if not self.numPorts:
            if self.noisy:
                _log.info(f"Stopping factory {self!r}")
            self.stopFactory()

    def startFactory(self) -> None:
        """Learn that the first port or connector is about to use this factory: override it to get ready."""

    def stopFactory(self) -> None:
        """Learn that no port or connector uses this factory any more: override it to clean up."""

    def buildProtocol(self, addr: IAddress | None) -> P | None:
        """
        Make the protocol for a new connection.

        Args:
            addr: where the peer is; None where that can't be known.

        Returns:
            The protocol, its ``factory`` set to this factory.  An override may return None to close the
            connection.
        """
        protocol = self.protocol
        assert protocol is not None, f"{self!r} has no protocol: set it, or override buildProtocol"
        made = protocol()
        made.factory = self
        return made


class ClientFactory(Factory[P]):
    """Makes the protocol of a client, and is told how connecting goes."""

    def startedConnecting(self, connector: IConnector) -> None:
        """
        Learn that an attempt has begun.

        Args:
            connector: its ``stopConnecting`` gives the attempt up.
        """

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:
        """
        Learn that an attempt has failed.

        Args:
            connector: its ``connect`` tries again.
            reason: why.
        """

    def clientConnectionLost(self, connector: IConnector, reason: Failure) -> None:
        """
        Learn that the connection is over.

        Args:
            connector: its ``connect`` connects again.
            reason: why.
        """


class ServerFactory(Factory[P]):
    """Makes the protocols of a server; a name to say so."""
