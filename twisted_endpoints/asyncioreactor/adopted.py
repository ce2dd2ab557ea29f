"""
Sockets that somebody else opened: the reactor's `IReactorSocket`.

Each is checked before anything is changed, so that the descriptor of a refused socket is as it was.  The
reactor works on a copy; the caller closes its own.
"""

from __future__ import annotations

import asyncio
import os
import socket
from typing import Any

from zope.interface import implementer

from .. import error
from .._log import Logger
from ..failure import Failure
from ..interfaces import IReactorSocket
from .addresses import hostOf
from .core import Core
from .errors import cannotListen
from .ports import Port
from .stream import Stream, attach
from .tcp import TCPPort, TCPStream
from .unix import UNIXPort, UNIXStream

_log = Logger(__name__)

_FAMILIES = (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)


class AdoptedTCPPort(TCPPort):
    """Listens on a TCP socket that was listening before."""

    def __init__(self, reactor: Core, given: socket.socket, factory: Any) -> None:
        name = given.getsockname()
        super().__init__(reactor, name[1], factory, socket.SOMAXCONN, hostOf(name))
        self.addressFamily = given.family
        self._given: socket.socket | None = given

    def _openSocket(self) -> socket.socket:
        given, self._given = self._given, None
        if given is None:
            raise cannotListen(self.interface, self.port, "an adopted port listens only once")
        self._realPortNumber = self.port
        return given


class AdoptedUNIXPort(UNIXPort):
    """Listens on a UNIX socket that was listening before; its file, mode and lock are its maker's affair."""

    def __init__(self, reactor: Core, given: socket.socket, factory: Any) -> None:
        super().__init__(reactor, given.getsockname() or None, factory, socket.SOMAXCONN)
        self._given: socket.socket | None = given

    def _openSocket(self) -> socket.socket:
        given, self._given = self._given, None
        if given is None:
            raise cannotListen(None, self.port, "an adopted port listens only once")
        return given


class _Adoption:
    """The owner of an adopted connection: a factory that makes one protocol."""

    _reading = _writing = False

    def __init__(self, reactor: Any, sock: socket.socket, factory: Any) -> None:
        self._reactor = reactor
        self._sock = sock
        self._factory = factory
        self._task: asyncio.Task[None] | None = None
        reactor._track(self)
        self._start = reactor._loop.call_soon(self._begin)
        kind = UNIXStream if sock.family == socket.AF_UNIX else TCPStream
        self.stream: Stream = kind(reactor, self)

    def _begin(self) -> None:
        self._task = self._reactor._loop.create_task(self._connect())

    async def _connect(self) -> None:
        try:
            await attach(self._reactor._loop, self.stream, self._sock)
        except Exception:
            self._reactor._untrack(self)
            self._sock.close()
            _log.failure("An adopted connection was lost before its protocol was made")

    def _buildProtocol(self, stream: Stream) -> Any:
        self._reactor._untrack(self)
        try:
            return self._factory.buildProtocol(stream.getPeer())
        except Exception:
            _log.failure("buildProtocol failed, the adopted connection is closed")
            return None

    def _streamLost(self, stream: Stream, reason: Failure) -> None:
        """Nobody but the protocol wants to know."""

    def _target(self) -> None:
        """Nothing: a connection that was accepted was not asked for."""

    def _suffix(self, stream: Stream) -> str:
        return f"0,{stream.hostname}"

    def _describe(self, stream: Stream) -> str:
        return f"<{type(stream.protocol).__name__} on adopted {stream.getHost()}>"

    def _shutdown(self) -> None:
        self._start.cancel()
        if self._task is not None:
            self._task.cancel()
        self._sock.close()


@implementer(IReactorSocket)
class Adopted(Core):
    """The part of the reactor that takes over open sockets."""

    def adoptStreamPort(self, fileDescriptor: int, addressFamily: int, factory: Any) -> Port:
        """
        Take connections on a stream socket that listens, from systemd for example.

        Args:
            fileDescriptor: the socket's descriptor; the port works on a copy.
            addressFamily: `socket.AF_INET`, `AF_INET6` or `AF_UNIX`.
            factory: makes a protocol for each connection.

        Returns:
            The listening port.

        Raises:
            UnsupportedAddressFamily: that isn't the socket's family, or none that can be used.
            UnsupportedSocketType: it is no stream socket.
            CannotListenError: it doesn't listen.
            OSError: that is no socket.
        """
        given = _adopt(fileDescriptor, addressFamily)
        try:
            if not given.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                reason = f"descriptor {fileDescriptor} is a socket that doesn't listen"
                raise cannotListen(None, fileDescriptor, reason)
            kind = AdoptedUNIXPort if addressFamily == socket.AF_UNIX else AdoptedTCPPort
            port: Port = kind(self, given, factory)
            given.setblocking(False)
            port.startListening()
        except BaseException:
            given.close()
            raise
        return port

    def adoptStreamConnection(self, fileDescriptor: int, addressFamily: int, factory: Any) -> Any:
        """
        Speak over a stream socket that is connected.

        The protocol is made when the event loop goes round next.

        Args:
            fileDescriptor: the socket's descriptor; the stream works on a copy.
            addressFamily: `socket.AF_INET`, `AF_INET6` or `AF_UNIX`.
            factory: makes the protocol.

        Returns:
            The stream that will be the protocol's transport.

        Raises:
            UnsupportedAddressFamily: that isn't the socket's family, or none that can be used.
            UnsupportedSocketType: it is no stream socket.
            OSError: that is no socket, or none that is connected.
        """
        given = _adopt(fileDescriptor, addressFamily)
        try:
            given.getpeername()
            given.setblocking(False)
            return _Adoption(self, given, factory).stream
        except BaseException:
            given.close()
            raise

    def adoptDatagramPort(
        self, fileDescriptor: int, addressFamily: int, protocol: Any, maxPacketSize: int = 8192
    ) -> Any:
        """
        Refuse: this reactor has streams only.

        Raises:
            UnsupportedAddressFamily: the family has no datagrams in any reactor.
            OSError: there is no such descriptor.
            UnsupportedSocketType: in any other case.
        """
        if addressFamily not in (socket.AF_INET, socket.AF_INET6):
            raise error.UnsupportedAddressFamily(addressFamily)
        os.fstat(fileDescriptor)
        raise error.UnsupportedSocketType("This reactor can't adopt datagram sockets: it has streams only")


def _adopt(fileDescriptor: int, addressFamily: int) -> socket.socket:
    """Make a socket of a copy of a descriptor, if it is a stream of that family."""
    if addressFamily not in _FAMILIES:
        raise error.UnsupportedAddressFamily(addressFamily)
    copy = os.dup(fileDescriptor)
    try:
        given = socket.socket(fileno=copy)
    except OSError:
        os.close(copy)
        raise
    if given.family != addressFamily:
        family = given.family
        given.close()
        raise error.UnsupportedAddressFamily(
            f"descriptor {fileDescriptor} is of {family!r}, not {addressFamily!r}"
        )
    if given.type != socket.SOCK_STREAM:
        kind = given.type
        given.close()
        raise error.UnsupportedSocketType(f"descriptor {fileDescriptor} is of {kind!r}, not SOCK_STREAM")
    return given
