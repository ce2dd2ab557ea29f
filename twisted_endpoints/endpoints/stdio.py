"""Standard input and output."""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from ..defer import Deferred
from ..error import NoProtocol
from ..interfaces import IListeningPort, IProtocolFactory, IStreamServerEndpoint
from ..stdio import PipeAddress, StandardIO
from .wrapping import startListening


@implementer(IStreamServerEndpoint)
class StandardIOEndpoint:
    """
    Serves whoever is at standard input and output: one connection, which is there at once.

    Args:
        reactor: an `IReactorFDSet`.
    """

    #: What connects a protocol: it is called with the protocol and the keyword ``reactor``.
    _stdio: Any = StandardIO

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def listen(self, stdioProtocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """
        Connect one protocol of the factory's.

        Args:
            stdioProtocolFactory: its ``buildProtocol`` is called with a `PipeAddress`.

        Returns:
            A Deferred that has fired with the `StandardIO`, which is the protocol's transport and a port that
            accepts nothing more; or failed, with `error.AlreadyListened` while another protocol is connected,
            with `error.NoProtocol` if the factory made none, or with what it or ``connectionMade`` raised.
        """
        return startListening(lambda: self._connect(stdioProtocolFactory))

    def _connect(self, factory: IProtocolFactory) -> Any:
        protocol = factory.buildProtocol(PipeAddress())
        if protocol is None:
            raise NoProtocol()
        return self._stdio(protocol, reactor=self._reactor)
