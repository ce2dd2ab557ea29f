"""
UNIX sockets: the reactor's `IReactorUNIX`.

What becomes of their files is the affair of `socketfile`, and of their locks that of `socketlock`.  Abstract
names have neither.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import stat
import warnings
from typing import Any

from zope.interface import implementer

from .. import error
from ..address import UNIXAddress
from ..endpoints.unix import OPEN_TO_ALL, Unsaid
from ..interfaces import IFileDescriptorReceiver, IReactorUNIX, ITCPTransport, IUNIXTransport
from .connectors import Connector
from .core import Core
from .errors import cannotListen
from .passing import DescriptorTransport
from .ports import Port, qualifiedName
from .socketfile import SocketFile, isOpenToAll
from .socketlock import SocketLock, isServed
from .stream import Owner, Stream, attach

#: The most bytes of a path, of the 108 with the closing NUL that an address has room for.
_LONGEST = 107
#: Seconds between two attempts to connect while the server's queue is full.
_BUSY_DELAY = 0.02
_NO_SOCKET = "what is there is no socket: move it away, or choose another path"


class SocketModeWarning(UserWarning):
    """Every user of the machine can connect to a UNIX socket, and nobody has said that they may."""


# As in Twisted, and as programs set these options on any stream.
@implementer(IUNIXTransport, ITCPTransport)
class UNIXStream(Stream):
    """
    A connection over a UNIX socket.

    Args:
        peer: what a client has connected to; None where the peer connected to us.
    """

    __slots__ = ("_peer",)

    def __init__(self, reactor: Core, owner: Owner, peer: UNIXAddress | None = None) -> None:
        super().__init__(reactor, owner)
        self._peer = peer

    def _start(self) -> None:
        if IFileDescriptorReceiver.providedBy(self.protocol):
            self._transport = DescriptorTransport(self.reactor._loop, self._transport, self)
        super()._start()

    def sendFileDescriptor(self, descriptor: int) -> None:
        """
        Send a copy of an open descriptor to the peer.

        Write at least one byte for each, in the same round of the event loop: the connection is lost with a
        `FileDescriptorOverrun` otherwise.

        Args:
            descriptor: its number; keep it open until it is sent.
        """
        if not self._writable:
            return
        if not isinstance(self._transport, DescriptorTransport):
            self._transport = DescriptorTransport(self.reactor._loop, self._transport, self)
        self._transport.sendDescriptor(descriptor)
        if self.producer is not None:
            self._produced()

    def getPeer(self) -> UNIXAddress:  # type: ignore[override]  # ITCPTransport's are of IP
        if self._peer is None:
            self._peer = UNIXAddress(self._transport.get_extra_info("peername") or None)
        return self._peer

    def getHost(self) -> UNIXAddress:  # type: ignore[override]
        return UNIXAddress(self._transport.get_extra_info("sockname") or None)

    @property
    def hostname(self) -> Any:
        return self.getPeer().name

    def getTcpNoDelay(self) -> bool:
        """Say no: there is nothing to delay."""
        return False

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Do nothing: there is nothing to delay."""


class UNIXPort(Port):
    """
    Listens on a UNIX socket.

    Attributes:
        port: the path, or an abstract name with a leading NUL.
        mode: the permissions of the file, exactly.
        wantPID: hold a lock file beside it.
        lockFile: that lock, None while it isn't held.
    """

    _type = "UNIX"
    addressFamily = socket.AF_UNIX

    def __init__(
        self,
        reactor: Core,
        address: Any,
        factory: Any,
        backlog: int,
        mode: int = OPEN_TO_ALL,
        wantPID: bool = False,
    ) -> None:
        super().__init__(reactor, factory, backlog)
        self.port = UNIXAddress(address).name or b""
        self.mode = mode
        self.wantPID = wantPID
        self.lockFile: SocketLock | None = None
        self._file: SocketFile | None = None

    def _openSocket(self) -> socket.socket:
        problem = _unusable(self.port)
        if problem:
            raise cannotListen(None, self.port, problem)
        listening = None
        try:
            if not _isAbstract(self.port):
                self._file = SocketFile(self.port)
                if self.wantPID:
                    self._lock(self._file)
            listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            listening.setblocking(False)
            if self._file is None:
                listening.bind(self.port)
            else:
                self._file.bind(listening, self.mode)
                self._warn(self._file)
            listening.listen(self.backlog)
        except BaseException as e:
            self._closing()
            if listening is not None:
                listening.close()
            if isinstance(e, OSError):
                inTheWay = e.errno == errno.EADDRINUSE and _isNoSocket(self.port)
                raise cannotListen(None, self.port, e, _NO_SOCKET if inTheWay else None) from e
            raise
        return listening

    def _lock(self, file: SocketFile) -> None:
        lock = SocketLock(file.place, file.answers)
        if not lock.lock():
            raise cannotListen(None, self.port, "Cannot acquire lock, another process holds it")
        self.lockFile = lock
        file.removeDead(certainly=not lock.clean)

    def _warn(self, file: SocketFile) -> None:
        if isinstance(self.mode, Unsaid) and isOpenToAll(os.path.dirname(file.place)):
            warnings.warn(
                f"every user of this machine can connect to {self._name()!r}, as no mode was given:"
                " write mode 600, or 660 for a group, or 666 if that is what you want (octal)",
                SocketModeWarning,
                stacklevel=5,  # whoever called listenUNIX
            )

    def _closing(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.remove()
        lock, self.lockFile = self.lockFile, None
        if lock is not None:
            lock.unlock()

    def _makeStream(self) -> Stream:
        return UNIXStream(self.reactor, self)

    def _name(self) -> str:
        return os.fsdecode(self.port)

    def getHost(self) -> UNIXAddress:
        """
        Tell the address that is listened on.

        Raises:
            NotListeningError: it doesn't listen.
        """
        if self.socket is None:
            raise error.NotListeningError(repr(self))
        return UNIXAddress(self.socket.getsockname() or None)

    def __repr__(self) -> str:
        where = f"on {self._name()!r}" if self.connected else "(not listening)"
        return f"<{qualifiedName(self.factory)} {where}>"


class UNIXConnector(Connector):
    """
    Connects to a UNIX socket.

    Attributes:
        address: the path, or an abstract name with a leading NUL.
        checkPID: fail unless a running process holds the lock file.
    """

    def __init__(
        self, reactor: Core, address: Any, factory: Any, timeout: float | None, checkPID: bool
    ) -> None:
        super().__init__(reactor, factory, timeout)
        self.address = address
        self.checkPID = checkPID

    def getDestination(self) -> UNIXAddress:
        return UNIXAddress(self.address)

    def _target(self) -> bytes | None:
        return self.getDestination().name

    def _makeStream(self) -> Stream:
        return UNIXStream(self.reactor, self, self.getDestination())

    async def _open(self, stream: Stream) -> None:
        path = self.getDestination().name or b""
        problem = _unusable(path)
        if problem:
            raise error.ConnectError(string=f"{os.fsdecode(path)!r}: {problem}")
        if self.checkPID and not _isAbstract(path) and not isServed(path):
            raise error.BadFileError(string=f"{os.fsdecode(path)!r}: no running server holds its lock file")
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            while True:
                try:
                    sock.connect(path)
                    break
                except BlockingIOError:
                    # The server's queue is full, and nothing would tell when it no longer is.
                    await asyncio.sleep(_BUSY_DELAY)
        except BaseException:
            sock.close()
            raise
        await attach(self.reactor._loop, stream, sock)


@implementer(IReactorUNIX)
class UNIX(Core):
    """The part of the reactor that listens on and connects to UNIX sockets."""

    def listenUNIX(
        self, address: Any, factory: Any, backlog: int = 50, mode: int = OPEN_TO_ALL, wantPID: bool = False
    ) -> UNIXPort:
        """
        Listen on a UNIX socket.

        Args:
            address: the path, of at most 107 bytes; or an abstract name with a leading NUL.
            factory: makes a protocol for each connection.
            backlog: how many connections may wait in the kernel.
            mode: the permissions of the file, whatever the umask.  The default is Twisted's 0o666; where
                every user of the machine can connect by that, a `SocketModeWarning` says so.
            wantPID: hold locks beside it, ``PATH.lock`` and ``PATH.flock``, so that a second server is
                refused and a dead one's socket replaced; not for abstract names, which the kernel tidies up
                itself.

        Returns:
            The listening port.

        Raises:
            CannotListenError: another server is there, or the path can't be used.
        """
        port = UNIXPort(self, address, factory, backlog, mode, wantPID)
        port.startListening()
        return port

    def connectUNIX(
        self, address: Any, factory: Any, timeout: float | None = 30, checkPID: bool = False
    ) -> UNIXConnector:
        """
        Connect to a UNIX socket.

        Args:
            address: the path, or an abstract name with a leading NUL.
            factory: makes the protocol, and hears how the attempt ended.
            timeout: seconds for the attempt, None for no limit.
            checkPID: fail unless a running process holds the server's lock file; not for abstract names.

        Returns:
            The connector, which has begun its first attempt.
        """
        connector = UNIXConnector(self, address, factory, timeout, checkPID)
        connector.connect()
        return connector


def _isAbstract(path: bytes) -> bool:
    return path[:1] == b"\0"


def _isNoSocket(path: bytes) -> bool:
    try:
        return not stat.S_ISSOCK(os.lstat(path).st_mode)
    except (OSError, ValueError):
        # Gone, or an abstract name.
        return False


def _unusable(path: bytes) -> str:
    """Say why a path can't be a UNIX socket's; nothing if it can."""
    if not path:
        return "the path is empty"
    if _isAbstract(path):
        return (
            "" if len(path) <= _LONGEST + 1 else f"the name has {len(path)} bytes, of {_LONGEST + 1} possible"
        )
    if b"\0" in path:
        return "a path has no NUL byte but a first one, for an abstract name"
    if len(path) > _LONGEST:
        return (
            f"the path has {len(path)} bytes, of {_LONGEST} possible: try one relative to the current folder"
        )
    return ""
