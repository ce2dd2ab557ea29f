"""UNIX-domain stream sockets."""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from ..defer import Deferred
from ..interfaces import (
    IListeningPort,
    IProtocol,
    IProtocolFactory,
    IStreamClientEndpoint,
    IStreamServerEndpoint,
)
from .wrapping import startConnecting, startListening


class Unsaid(int):
    """A number that is a default, and that nobody has chosen."""


#: The mode of a socket by default.  Our reactor warns of it where every user of the machine can connect.
OPEN_TO_ALL = Unsaid(0o666)


@implementer(IStreamServerEndpoint)
class UNIXServerEndpoint:
    """
    Listens on a UNIX-domain socket.

    Args:
        reactor: an `IReactorUNIX`.
        address: the path of the socket; on Linux, one that begins with a NUL is an abstract name.
        backlog: how many connections may wait to be accepted.
        mode: the socket file's permissions.  The default lets every user of the machine connect, as Twisted's
            does, and `AsyncioReactor` warns of it where they can; give ``0o600``, or use a private folder.
        wantPID: hold lock files beside the socket, so that a socket left by a dead server is replaced and
            that of a living one is not.
    """

    def __init__(
        self,
        reactor: Any,
        address: str | bytes,
        backlog: int = 50,
        mode: int = OPEN_TO_ALL,
        wantPID: bool | int = 0,
    ) -> None:
        self._reactor = reactor
        self._address = address
        self._backlog = backlog
        self._mode = mode
        self._wantPID = wantPID

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._address!r}>"

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """Listen; the Deferred has fired with the port, or failed, with `error.CannotListenError` mostly."""
        return startListening(
            lambda: self._reactor.listenUNIX(
                self._address,
                protocolFactory,
                backlog=self._backlog,
                mode=self._mode,
                wantPID=self._wantPID,
            )
        )


@implementer(IStreamClientEndpoint)
class UNIXClientEndpoint:
    """
    Connects to a UNIX-domain socket.

    Args:
        reactor: an `IReactorUNIX`.
        path: the path of the socket; on Linux, one that begins with a NUL is an abstract name.
        timeout: seconds after which an attempt has failed; None for no limit.
        checkPID: first see by the server's lock file whether the server lives; for one with ``wantPID``.
    """

    def __init__(
        self, reactor: Any, path: str | bytes, timeout: float | None = 30, checkPID: bool | int = 0
    ) -> None:
        self._reactor = reactor
        self._path = path
        self._timeout = timeout
        self._checkPID = checkPID

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._path!r}>"

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """Connect; what the Deferred fires with, and what a cancel does, is `startConnecting`'s contract."""
        return startConnecting(
            protocolFactory,
            lambda factory: self._reactor.connectUNIX(
                self._path, factory, timeout=self._timeout, checkPID=self._checkPID
            ),
        )
