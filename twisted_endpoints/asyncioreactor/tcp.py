"""TCP: the reactor's `IReactorTCP`."""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from ..interfaces import IReactorTCP
from .connectors import TCPConnector
from .core import Core
from .ports import TCPPort


@implementer(IReactorTCP)
class TCP(Core):
    """The part of the reactor that listens and connects over TCP."""

    def listenTCP(self, port: Any, factory: Any, backlog: int = 50, interface: str = "") -> TCPPort:
        """
        Listen on a TCP port.

        Args:
            port: the number, 0 for any that is free; or what Twisted's ``makeBinding`` makes.
            factory: makes a protocol for each connection; none is made, and the connection is closed, if it says None.
            backlog: how many connections may wait in the kernel.
            interface: the address to listen on, of IPv4 or IPv6; by default all of IPv4's.

        Returns:
            The listening port.

        Raises:
            CannotListenError: the address is in use, forbidden or not one of this machine's.
        """
        reuseAddress, reusePort = True, False
        if not isinstance(port, int) and port is not None:
            binding = port
            if interface not in ("", binding._address):
                raise ValueError("Inconsistent interface vs Binding specifiers")
            port, interface = binding._port, binding._address or ""
            reuseAddress, reusePort = binding._reuseAddress, binding._reusePort
        listening = TCPPort(self, port, factory, backlog, interface, reuseAddress, reusePort)
        listening.startListening()
        return listening

    def connectTCP(
        self, host: str, port: int | str, factory: Any, timeout: float | None = 30, bindAddress: Any = None
    ) -> TCPConnector:
        """
        Connect over TCP.

        Args:
            host: a name or an IP address.
            port: the number, or the name of a service.
            factory: makes the protocol, and hears how the attempt ended.
            timeout: seconds for the attempt, None for no limit.
            bindAddress: a pair of host and port to connect from.

        Returns:
            The connector, which has begun its first attempt.

        Raises:
            ServiceNameUnknownError: there is no service of this name.
        """
        connector = TCPConnector(self, host, port, factory, timeout, bindAddress)
        connector.connect()
        return connector
