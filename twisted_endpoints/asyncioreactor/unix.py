"""
UNIX sockets: the reactor's `IReactorUNIX`.

A socket in the file system is a file that outlives its server, and its path may have been taken by others.
So:

- Its permissions are right from the moment that it is there: set on the socket before it is bound, and
  never wider than asked for.  What the umask took away is given back to the file that was bound, and not to
  whatever the path leads to by then.
- It is removed at the end only if the path still leads to it, which is looked up while the listener is
  held: a new file may get the same inode number as soon as the old one is gone.
- A socket that a dead server left is replaced only if its lock file says so, and nobody answers there.
"""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from typing import Any

from zope.interface import implementer

from .. import error
from .._lockfile import FilesystemLock, _isRunning
from ..address import UNIXAddress
from ..interfaces import IFileDescriptorReceiver, IReactorUNIX, IUNIXTransport
from .connectors import Connector
from .core import Core
from .errors import cannotListen
from .passing import DescriptorTransport
from .ports import Port, qualifiedName
from .stream import Owner, Stream, attach

#: The most bytes of a path, of the 108 with the closing NUL that an address has room for.
_LONGEST = 107
#: Seconds between two attempts to connect while the server's queue is full.
_BUSY_DELAY = 0.02


@implementer(IUNIXTransport)
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

    def getPeer(self) -> UNIXAddress:
        if self._peer is None:
            self._peer = UNIXAddress(self._transport.get_extra_info("peername") or None)
        return self._peer

    def getHost(self) -> UNIXAddress:
        return UNIXAddress(self._transport.get_extra_info("sockname") or None)

    @property
    def hostname(self) -> Any:
        return self.getPeer().name

    # Programs set these on any stream.

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
        mode: int = 0o666,
        wantPID: bool = False,
    ) -> None:
        super().__init__(reactor, factory, backlog)
        self.port = UNIXAddress(address).name or b""
        self.mode = mode
        self.wantPID = wantPID
        self.lockFile: FilesystemLock | None = None
        self._file: tuple[int, int] | None = None

    def _openSocket(self) -> socket.socket:
        problem = _unusable(self.port)
        if problem:
            raise cannotListen(None, self.port, problem)
        if _isAbstract(self.port):
            return self._bound()
        if self.wantPID:
            self._lock()
        try:
            return self._bound()
        except BaseException:
            self._unlock()
            raise

    def _lock(self) -> None:
        lock = FilesystemLock(self.port + b".lock")
        try:
            if not lock.lock():
                raise cannotListen(None, self.port, "Cannot acquire lock, another process holds it")
            if not lock.clean:
                _removeStale(self.port)
        except OSError as e:
            if lock.locked:
                lock.unlock()
            raise cannotListen(None, self.port, e) from e
        self.lockFile = lock

    def _unlock(self) -> None:
        lock, self.lockFile = self.lockFile, None
        if lock is not None:
            try:
                lock.unlock()
            except (OSError, ValueError):
                # Removed by somebody, or taken over: not ours to clean up.
                pass

    def _bound(self) -> socket.socket:
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listening.setblocking(False)
            os.fchmod(listening.fileno(), self.mode)
            listening.bind(self.port)
            if not _isAbstract(self.port):
                self._file = _setMode(self.port, self.mode)
            listening.listen(self.backlog)
        except BaseException as e:
            self._removeFile()
            listening.close()
            if isinstance(e, OSError):
                raise cannotListen(None, self.port, e) from e
            raise
        return listening

    def _removeFile(self) -> None:
        """Remove the socket's file if it is still the one that was bound; only while the socket is open."""
        identity, self._file = self._file, None
        try:
            if identity is not None and _identity(os.lstat(self.port)) == identity:
                os.unlink(self.port)
        except FileNotFoundError:
            # Somebody tidied up.
            pass

    def _closing(self) -> None:
        try:
            self._removeFile()
        finally:
            self._unlock()

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
        if self.checkPID and not _isAbstract(path) and not _isServed(path):
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
        self, address: Any, factory: Any, backlog: int = 50, mode: int = 0o666, wantPID: bool = False
    ) -> UNIXPort:
        """
        Listen on a UNIX socket.

        Args:
            address: the path, of at most 107 bytes; or an abstract name with a leading NUL.
            factory: makes a protocol for each connection.
            backlog: how many connections may wait in the kernel.
            mode: the permissions of the file, whatever the umask.
            wantPID: hold a lock file beside it, so that a second server is refused and a dead one's socket
                replaced; not for abstract names, which the kernel tidies up itself.

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


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _setMode(path: bytes, mode: int) -> tuple[int, int]:
    """
    Give the file of a socket that was just bound what the umask took away; return its identity.

    Raises:
        OSError: the path no longer leads to a socket, or it can't be changed.
    """
    if not hasattr(os, "O_PATH"):
        os.chmod(path, mode, follow_symlinks=False)
        return _identity(os.lstat(path))
    # A descriptor of the file itself, as chmod would follow a link that somebody put in its place.
    file = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        status = os.fstat(file)
        if not stat.S_ISSOCK(status.st_mode):
            raise OSError(f"{os.fsdecode(path)!r} was exchanged while it was bound")
        if stat.S_IMODE(status.st_mode) != mode:
            os.chmod(f"/proc/self/fd/{file}", mode)
        return _identity(status)
    finally:
        os.close(file)


def _removeStale(path: bytes) -> None:
    """Remove a socket that a dead server left: not what is no socket, nor one where somebody answers."""
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            return
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
        except OSError:
            # Busy, or not ours to ask: the bind will say.
            pass


def _isServed(path: bytes) -> bool:
    """Tell whether a running process holds a socket's lock file, and leave that as it is."""
    try:
        return _isRunning(os.readlink(path + b".lock"))
    except OSError:
        return False
