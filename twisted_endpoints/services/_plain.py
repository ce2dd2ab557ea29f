"""Services for the methods of reactors that listen and connect, by the names that Twisted has for them."""

from __future__ import annotations

from typing import Any

from .._installed import reactorOr
from ._passing import _PassingService


class _Plain(_PassingService):
    """
    What these have in common.

    Args:
        *args: for the reactor's method.
        **kwargs: for the reactor's method; and ``reactor``, by default the one of the process.

    Attributes:
        method: what the name of the reactor's method ends with.
    """

    method = ""
    reactor: Any = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args = args
        if "reactor" in kwargs:
            self.reactor = kwargs.pop("reactor")
        self.kwargs = kwargs

    def _call(self, verb: str) -> Any:
        return getattr(reactorOr(self.reactor), verb + self.method)(*self.args, **self.kwargs)


class _Server(_Plain):
    """Listens while it runs, by a method of the reactor's; where it is privileged to start, from then on."""

    volatile = ["_port"]
    _port: Any = None

    def privilegedStartService(self) -> None:
        super().privilegedStartService()
        self._port = self._getPort()

    def startService(self) -> None:
        super().startService()
        if self._port is None:
            self._port = self._getPort()

    def stopService(self) -> Any:
        super().stopService()
        port, self._port = self._port, None
        return None if port is None else port.stopListening()

    def _getPort(self) -> Any:
        return self._call("listen")


class _Client(_Plain):
    """Connects when it starts, by a method of the reactor's, and disconnects when it stops."""

    volatile = ["_connection"]
    _connection: Any = None

    def startService(self) -> None:
        super().startService()
        self._connection = self._getConnection()

    def stopService(self) -> None:
        super().stopService()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.disconnect()

    def _getConnection(self) -> Any:
        return self._call("connect")


class TCPServer(_Server):
    """Listens with `listenTCP`."""

    method = "TCP"


class TCPClient(_Client):
    """Connects with `connectTCP`."""

    method = "TCP"


class UNIXServer(_Server):
    """Listens with `listenUNIX`."""

    method = "UNIX"


class UNIXClient(_Client):
    """Connects with `connectUNIX`."""

    method = "UNIX"


class SSLServer(_Server):
    """Listens with `listenSSL`."""

    method = "SSL"


class SSLClient(_Client):
    """Connects with `connectSSL`."""

    method = "SSL"


class UDPServer(_Server):
    """Takes and sends datagrams with `listenUDP`."""

    method = "UDP"


class MulticastServer(_Server):
    """Takes and sends datagrams, to groups too, with `listenMulticast`."""

    method = "Multicast"
