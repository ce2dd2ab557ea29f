"""
Sockets that somebody else opened: the reactor's `IReactorSocket`.

The descriptor of one that is refused stays as it was.  The reactor works on a copy; the caller closes its
own.
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
from .raised import logRaised
from .stream import Stream, attach
from .tcp import TCPPort, TCPStream
from .udp import UDP, DatagramPort
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
        reactor._open[self] = None
        self._start = reactor._loop.call_soon(self._begin)
        kind = UNIXStream if sock.family == socket.AF_UNIX else TCPStream
        self.stream: Stream = kind(reactor, self)

    def _begin(self) -> None:
        self._task = self._reactor._loop.create_task(self._connect())

    async def _connect(self) -> None:
        try:
            await attach(self._reactor._loop, self.stream, self._sock)
        except Exception:
            self._reactor._open.pop(self, None)
            self._sock.close()
            _log.failure("An adopted connection was lost before its protocol was made")

    def _buildProtocol(self, stream: Stream) -> Any:
        self._reactor._open.pop(self, None)
        try:
            return self._factory.buildProtocol(stream.getPeer())
        except BaseException:
            logRaised(self._reactor._loop, "buildProtocol failed, the adopted connection is closed")
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
class Adopted(UDP):
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
        given, blocking = _adopt(fileDescriptor, addressFamily)
        try:
            if not given.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                reason = f"descriptor {fileDescriptor} is a socket that doesn't listen"
                raise cannotListen(None, fileDescriptor, reason)
            kind = AdoptedUNIXPort if addressFamily == socket.AF_UNIX else AdoptedTCPPort
            port: Port = kind(self, given, factory)
            given.setblocking(False)
            port.startListening()
        except BaseException:
            _giveBack(fileDescriptor, given, blocking)
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
        given, blocking = _adopt(fileDescriptor, addressFamily)
        try:
            given.getpeername()
            given.setblocking(False)
            return _Adoption(self, given, factory).stream
        except BaseException:
            _giveBack(fileDescriptor, given, blocking)
            raise

    def adoptDatagramPort(
        self, fileDescriptor: int, addressFamily: int, protocol: Any, maxPacketSize: int = 8192
    ) -> Any:
        """
        Take and send datagrams on a UDP socket that somebody else has bound.

        Args:
            fileDescriptor: its descriptor; the reactor works on a copy.
            addressFamily: `socket.AF_INET` or `AF_INET6`.
            protocol: takes the datagrams.
            maxPacketSize: bytes; of a longer datagram the rest is lost.

        Raises:
            UnsupportedAddressFamily: it is of another family.
            UnsupportedSocketType: it has no datagrams.
            OSError: there is no such descriptor, or it is no socket.
        """
        given, _ = _adopt(fileDescriptor, addressFamily, _FAMILIES[:2], socket.SOCK_DGRAM)
        given.setblocking(False)
        host, number = given.getsockname()[:2]
        port = DatagramPort(self, number, protocol, host, maxPacketSize)
        port.listenOn(given)
        return port


def _adopt(
    fileDescriptor: int,
    addressFamily: int,
    families: tuple[int, ...] = _FAMILIES,
    kind: socket.SocketKind = socket.SOCK_STREAM,
) -> tuple[socket.socket, bool]:
    """
    Make a socket of a copy of a descriptor, and tell whether it blocks.

    Args:
        fileDescriptor: it.
        addressFamily: the family that it is to be of.
        families: those that can be adopted.
        kind: what the socket is to be.
    """
    if addressFamily not in families:
        raise error.UnsupportedAddressFamily(addressFamily)
    copy = os.dup(fileDescriptor)
    try:
        blocking = os.get_blocking(copy)
        given = socket.socket(fileno=copy)
    except OSError:
        os.close(copy)
        raise
    problem: Exception | None = None
    if given.family != addressFamily:
        problem = error.UnsupportedAddressFamily(
            f"descriptor {fileDescriptor} is of {given.family!r}, not {addressFamily!r}"
        )
    elif given.type != kind:
        problem = error.UnsupportedSocketType(
            f"descriptor {fileDescriptor} is of {given.type!r}, not {kind.name}"
        )
    if problem is not None:
        _giveBack(fileDescriptor, given, blocking)
        raise problem
    return given, blocking


def _giveBack(fileDescriptor: int, given: socket.socket, blocking: bool) -> None:
    """Leave a socket as it was: a copy shares whether it blocks with the original."""
    given.close()
    os.set_blocking(fileDescriptor, blocking)
