"""One client connection without a factory of one's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..defer import Deferred
from ._factory import ClientFactory

if TYPE_CHECKING:
    from ..failure import Failure
    from ..interfaces import IAddress, IConnector, IDelayedCall


class _InstanceFactory(ClientFactory[Any]):
    """
    Hands out one protocol that exists already, and reports to a Deferred how connecting went.

    The report waits for the reactor's next turn: when the Deferred fires, the protocol has its transport.

    Args:
        reactor: gives the turn.
        instance: the protocol.
        deferred: fires with the protocol, or fails with the reason.
    """

    noisy = False

    def __init__(self, reactor: Any, instance: Any, deferred: Deferred[Any]) -> None:
        self.reactor = reactor
        self.instance = instance
        self.deferred: Deferred[Any] | None = deferred
        self.pending: IDelayedCall | None = None

    def __repr__(self) -> str:
        return f"<ClientCreator factory: {self.instance!r}>"

    def buildProtocol(self, addr: IAddress | None) -> Any:
        assert self.deferred is not None
        self._report(self.deferred.callback, self.instance)
        return self.instance

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:
        assert self.deferred is not None
        self._report(self.deferred.errback, reason)

    def _report(self, function: Callable[[Any], None], result: Any) -> None:
        self.deferred = None
        self.pending = self.reactor.callLater(0, self.fire, function, result)

    def fire(self, func: Callable[[Any], None], value: Any) -> None:
        """
        Make the report.

        Args:
            func: the Deferred's ``callback`` or ``errback``.
            value: the protocol, or the reason.
        """
        # The call refers to this factory: no circle may be left.
        self.pending = None
        func(value)


class ClientCreator:
    """
    Connects a new protocol, without a factory, for connections that share nothing and are not repeated.

    Endpoints do the same and more: `endpoints.connectProtocol`.

    Args:
        reactor: connects.
        protocolClass: makes the protocol.
        *args: its arguments.
        **kwargs: its keyword arguments.
    """

    def __init__(self, reactor: Any, protocolClass: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        self.reactor = reactor
        self.protocolClass = protocolClass
        self.args = args
        self.kwargs = kwargs

    def _connect(self, method: Callable[..., IConnector], *args: Any, **kwargs: Any) -> Deferred[Any]:
        """
        Begin to connect.

        Args:
            method: the reactor's, to be called with a factory.
            *args: its other arguments.
            **kwargs: its keyword arguments.

        Returns:
            A Deferred that fires with the protocol, connected, or fails with the reason why it can't be.
            Cancelling it gives the attempt up, or closes the connection.
        """

        def cancel(_: Deferred[Any]) -> None:
            connector.disconnect()
            if factory.pending is not None:
                factory.pending.cancel()

        connected: Deferred[Any] = Deferred(cancel)
        factory = _InstanceFactory(self.reactor, self.protocolClass(*self.args, **self.kwargs), connected)
        connector = method(*args, factory=factory, **kwargs)
        return connected

    def connectTCP(
        self, host: str, port: int, timeout: float = 30, bindAddress: tuple[str, int] | None = None
    ) -> Deferred[Any]:
        """
        Connect to a TCP port.

        Args:
            host: a name, or an IP literal.
            port: the port's number.
            timeout: seconds after which the attempt has failed.
            bindAddress: the local host and port; None lets the system choose.

        Returns:
            A Deferred that fires with the protocol, connected; cancelling it disconnects.
        """
        method = self.reactor.connectTCP
        return self._connect(method, host, port, timeout=timeout, bindAddress=bindAddress)

    def connectUNIX(self, address: str, timeout: float = 30, checkPID: bool = False) -> Deferred[Any]:
        """
        Connect to a UNIX socket.

        Args:
            address: its path.
            timeout: seconds after which the attempt has failed.
            checkPID: fail if no server holds the socket's lock file.

        Returns:
            A Deferred that fires with the protocol, connected; cancelling it disconnects.
        """
        return self._connect(self.reactor.connectUNIX, address, timeout=timeout, checkPID=checkPID)

    def connectSSL(
        self,
        host: str,
        port: int,
        contextFactory: Any,
        timeout: float = 30,
        bindAddress: tuple[str, int] | None = None,
    ) -> Deferred[Any]:
        """
        Connect to a TCP port and begin TLS.

        Args:
            host: a name, or an IP literal.
            port: the port's number.
            contextFactory: how TLS is done.
            timeout: seconds after which the attempt has failed.
            bindAddress: the local host and port; None lets the system choose.

        Returns:
            A Deferred that fires with the protocol, connected; cancelling it disconnects.
        """
        options = {"contextFactory": contextFactory, "timeout": timeout, "bindAddress": bindAddress}
        return self._connect(self.reactor.connectSSL, host, port, **options)
