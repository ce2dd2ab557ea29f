"""
Sockets that listen before this program has begun, or that another part of it has opened.

Whoever opened one may be wrong about it, and a descriptor is only a number, behind which there may be another
file a moment later.  So parsers look what it is (`familyOfListener`), and an endpoint sees to it that what it
adopts is what was there when it was made.
"""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from zope.interface import implementer

from ..defer import Deferred
from ..error import AlreadyListened
from ..interfaces import IListeningPort, IProtocolFactory, IStreamServerEndpoint
from .wrapping import startListening

#: What else a descriptor may be, by the type in its mode.
_FILES = {
    stat.S_IFREG: "a file",
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}

#: The kinds of sockets, in words.
_TYPES = {
    socket.SOCK_DGRAM: "for datagrams (SOCK_DGRAM)",
    socket.SOCK_RAW: "for raw packets (SOCK_RAW)",
    socket.SOCK_SEQPACKET: "for packets (SOCK_SEQPACKET)",
}

#: The families that a reactor can listen on.
FAMILIES: dict[str, socket.AddressFamily] = {
    name.removeprefix("AF_"): getattr(socket, name)
    for name in ("AF_INET", "AF_INET6", "AF_UNIX")
    if hasattr(socket, name)
}


class NotAListener(ValueError):
    """A descriptor is none of a stream socket that listens; the text says what it is."""


def familyOfListener(descriptor: int) -> int:
    """
    Look at a stream socket that listens, and leave it as it is.

    Args:
        descriptor: its number.

    Returns:
        Its family: `socket.AF_INET`, `AF_INET6` or `AF_UNIX`.

    Raises:
        NotAListener: it is something else.
    """
    try:
        kind = stat.S_IFMT(os.fstat(descriptor).st_mode)
    except (OSError, OverflowError):
        raise NotAListener(f"descriptor {descriptor} isn't open") from None
    if kind != stat.S_IFSOCK:
        what = "a terminal" if os.isatty(descriptor) else _FILES.get(kind, "an object of the kernel's")
        raise NotAListener(f"descriptor {descriptor} is {what}, and no socket")
    try:
        with _borrowed(descriptor) as sock:
            problem, family = _problem(sock), sock.family
    except OSError as e:
        raise NotAListener(f"descriptor {descriptor} is a socket of no use: {e.strerror}") from e
    if problem:
        raise NotAListener(f"descriptor {descriptor} is {problem}")
    return family


@contextmanager
def _borrowed(descriptor: int) -> Iterator[socket.socket]:
    """
    Make a socket object of a descriptor, for a look.

    Raises:
        OSError: it isn't open, or no socket.
    """
    blocking = os.get_blocking(descriptor)
    sock = socket.socket(fileno=descriptor)
    try:
        yield sock
    finally:
        sock.detach()
        # If the program has set a default timeout, the object has made it non-blocking.
        os.set_blocking(descriptor, blocking)


def _problem(sock: socket.socket) -> str:
    """Tell what a socket is if it can't be listened on, else nothing."""
    if sock.family not in FAMILIES.values():
        return f"a socket of {getattr(sock.family, 'name', f'family {sock.family}')}"
    if sock.type != socket.SOCK_STREAM:
        return f"a socket {_TYPES.get(sock.type, f'of type {sock.type}')}, and not for streams"
    if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        return ""
    try:
        sock.getpeername()
    except OSError:
        return "a socket that doesn't listen"
    return "a connection, and no socket that listens (in a unit of systemd's, write Accept=no)"


def identityOf(descriptor: int) -> tuple[int, int] | None:
    """Tell what is behind a descriptor, to compare it later; None if it isn't open."""
    try:
        status = os.fstat(descriptor)
    except (OSError, OverflowError):
        return None
    return status.st_dev, status.st_ino


@implementer(IStreamServerEndpoint)
class AdoptedStreamServerEndpoint:
    """
    Listens on a stream socket that listens already: systemd's, a parent process's, or one that came over a
    UNIX socket.

    The socket is the endpoint's from then on: when `listen` has succeeded, the descriptor is closed (the port
    has a copy of its own).  When it has failed, the descriptor is as it was, and `listen` can be tried again.

    Args:
        reactor: an `IReactorSocket`.
        fileno: the socket's descriptor.
        addressFamily: the socket's, such as `socket.AF_INET6`.
    """

    _close = staticmethod(os.close)

    def __init__(self, reactor: Any, fileno: int, addressFamily: int) -> None:
        self.reactor = reactor
        self.fileno = fileno
        self.addressFamily = addressFamily
        self._used = False
        self._identity = identityOf(fileno)

    def __repr__(self) -> str:
        family = getattr(self.addressFamily, "name", self.addressFamily)
        return f"<{type(self).__name__} of descriptor {self.fileno}, {family}>"

    @staticmethod
    def _setNonBlocking(fileno: int) -> None:
        os.set_blocking(fileno, False)

    def listen(self, factory: IProtocolFactory) -> Deferred[IListeningPort]:
        """
        Listen; it works once.

        Returns:
            A Deferred that has fired with the port, or failed: with `error.AlreadyListened` if this endpoint
            has listened before, or the descriptor isn't what it was when this endpoint was made; else with
            what the reactor says, as `error.CannotListenError`.
        """
        return startListening(lambda: self._adopt(factory))

    def _adopt(self, factory: IProtocolFactory) -> IListeningPort:
        """
        Do what `listen` does.

        Raises:
            AlreadyListened: that was done before.
        """
        if self._used:
            raise AlreadyListened()
        if self._identity is not None and identityOf(self.fileno) != self._identity:
            raise AlreadyListened(f"descriptor {self.fileno} was closed, perhaps by who has listened on it")
        blocking = _isBlocking(self.fileno)
        file = _SocketFile(self.fileno)
        self._used = True
        try:
            self._setNonBlocking(self.fileno)
            port: IListeningPort = self.reactor.adoptStreamPort(self.fileno, self.addressFamily, factory)
            file.restore()
        except BaseException:
            self._used = False
            if blocking:
                os.set_blocking(self.fileno, True)
            raise
        try:
            self._close(self.fileno)
        except OSError:
            # The port listens on its copy, and Linux has closed the descriptor whatever it says.
            pass
        return port


class _SocketFile:
    """
    The file of a UNIX socket, whose permissions are its maker's affair; and nothing for any other descriptor.

    Twisted's own reactors let everybody connect to what they adopt (Twisted's issue 12785).

    Args:
        descriptor: the socket's.
    """

    def __init__(self, descriptor: int) -> None:
        self._path = ""
        self._status: os.stat_result | None = None
        try:
            self._path = _pathOf(descriptor)
            if self._path:
                self._status = os.lstat(self._path)
        except OSError:
            # It isn't open, or no socket, or its file is gone.
            pass

    def restore(self) -> None:
        """Give the file the permissions that it had."""
        if self._status is None:
            return
        try:
            now = os.lstat(self._path)
            if os.path.samestat(now, self._status) and now.st_mode != self._status.st_mode:
                os.chmod(self._path, stat.S_IMODE(self._status.st_mode))
        except OSError:
            # Whoever has changed it could have; so it is gone, and nobody can connect.
            pass


def _pathOf(descriptor: int) -> str:
    """
    Find the file of a UNIX socket; the empty text if it has none.

    Raises:
        OSError: that is no open socket.
    """
    with _borrowed(descriptor) as sock:
        # An abstract name is bytes.
        name = sock.getsockname() if sock.family == FAMILIES.get("UNIX") else ""
    return name if isinstance(name, str) else ""


def _isBlocking(descriptor: int) -> bool:
    try:
        return os.get_blocking(descriptor)
    except OSError:
        return False
