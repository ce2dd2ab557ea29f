"""
A listening port: a socket that listens from the first moment, and a server of the event loop on it.

The socket is made here and not by the loop, so that an address that can't be listened on is an exception of
the call that asked for it, whether or not the loop runs.  Connections wait in the kernel until the loop
accepts them.
"""

from __future__ import annotations

import asyncio
import socket as socketlib
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from .._log import Logger
from ..defer import Deferred
from ..failure import Failure
from ..interfaces import IListeningPort, ILoggingContext
from .stream import Stream, logPrefixOf

if TYPE_CHECKING:
    from .core import Core

_log = Logger(__name__)


@implementer(IListeningPort, ILoggingContext)
class Port:
    """
    What all listening ports have in common; subclasses open the socket and know addresses.

    Attributes:
        reactor: the reactor.
        factory: makes the protocols.
        backlog: how many connections may wait in the kernel.
        connected: it listens.
        disconnecting: `stopListening` has been called, and the socket isn't closed yet.
        socket: the listening socket, None while it doesn't listen.
        sessionno: how many connections were accepted.
    """

    _type = "TCP"
    connected = False
    disconnecting = False
    socket: socketlib.socket | None = None
    sessionno = 0

    def __init__(self, reactor: Core, factory: Any, backlog: int) -> None:
        self.reactor: Any = reactor
        self.factory = factory
        self.backlog = backlog
        self._server: asyncio.AbstractServer | None = None
        # On the way to `_server`: a callback, as a task hangs in the air if the loop never runs; then a task.
        self._serving: asyncio.Handle | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopped: Deferred[None] | None = None

    # What subclasses say

    def _openSocket(self) -> socketlib.socket:
        """Make a socket that listens, or raise `CannotListenError` and leave nothing behind."""
        raise NotImplementedError

    def _closing(self) -> None:
        """Tidy up what `_openSocket` made besides the socket; the socket still listens."""

    def _makeStream(self) -> Stream:
        """Make the transport for a connection that is about to be accepted."""
        raise NotImplementedError

    def _name(self) -> int | str:
        """Tell the number or path for log entries and the `repr`."""
        raise NotImplementedError

    def getHost(self) -> Any:
        """Tell the address that is listened on."""
        raise NotImplementedError

    # IListeningPort

    def startListening(self) -> None:
        """
        Listen.

        Raises:
            CannotListenError: the address is in use, forbidden or not one of this machine's.
        """
        self.socket = self._openSocket()
        _log.info(f"{self.logPrefix()} starting on {self._name()!r}")
        self.connected = True
        self.reactor._track(self)
        self.factory.doStart()
        self._serving = self.reactor._loop.call_soon(self._serve)

    def stopListening(self) -> Deferred[None] | None:
        """
        Stop listening.  Connections that were accepted live on.

        Returns:
            A Deferred that fires with None when the socket is closed; None if it doesn't listen.
        """
        if not self.connected:
            return None
        if self._stopped is None:
            self._stopped = Deferred()
            self.disconnecting = True
            if self._serving is not None:
                self._serving.cancel()
            if self._task is None:
                self.reactor._loop.call_soon(self._stop)
        return self._stopped

    def loseConnection(self, connDone: object = None) -> Deferred[None] | None:
        """Stop listening: see `stopListening`."""
        return self.stopListening()

    def _serve(self) -> None:
        self._serving = None
        self._task = self.reactor._loop.create_task(self._startServer())

    async def _startServer(self) -> None:
        assert self.socket is not None
        try:
            # Not create_unix_server, for no kind: some versions of it remove the socket's file at the end.
            # asyncio accepts up to `backlog` connections a round: with 0, none.
            self._server = await self.reactor._loop.create_server(
                self._makeStream, sock=self.socket, backlog=max(1, self.backlog)
            )
        except Exception:
            _log.failure(f"{self!r} can't accept connections")
        self._task = None
        if self.disconnecting:
            self._stop()

    def _stop(self) -> None:
        """Close the socket, and tell who waits for it."""
        if not self.connected:
            return
        _log.info(f"({self._type} Port {self._name()} Closed)")
        self.connected = False
        stopped, self._stopped = self._stopped, None
        failure = None
        try:
            self._closing()
        except Exception:
            failure = Failure()
        self.reactor._untrack(self)
        if self._serving is not None:
            self._serving.cancel()
            self._serving = None
        if self._server is not None:
            self._server.close()
            self._server = None
        assert self.socket is not None
        self.socket.close()
        self.socket = None
        try:
            self.factory.doStop()
        except Exception:
            failure = Failure()
        self.disconnecting = False
        if stopped is not None:
            stopped.callback(None) if failure is None else stopped.errback(failure)
        elif failure is not None:
            _log.failure(f"while closing {self!r}", failure)

    def _shutdown(self) -> None:
        if self._task is None:
            self._stop()
        else:
            # The loop goes round once more after this: soon enough for the server that is about to start.
            self.disconnecting = True

    # For the streams: see stream.Owner

    def _buildProtocol(self, stream: Stream) -> Any:
        if not self.connected or self.disconnecting:
            return None
        stream.sessionno = self.sessionno
        self.sessionno += 1
        try:
            return self.factory.buildProtocol(stream.getPeer())
        except Exception:
            _log.failure(f"{self!r}: buildProtocol failed, the connection is closed")
            return None

    def _streamLost(self, stream: Stream, reason: Failure) -> None:
        """Nobody but the protocol wants to know."""

    def _target(self) -> None:
        """Nothing: a connection that was accepted was not asked for."""

    def _suffix(self, stream: Stream) -> str:
        return f"{stream.sessionno},{stream.hostname}"

    def _describe(self, stream: Stream) -> str:
        return f"<{type(stream.protocol).__name__} #{stream.sessionno} on {self._name()}>"

    # About the port

    @property
    def _reading(self) -> bool:
        return self.connected and not self.disconnecting

    _writing = False

    def getHandle(self) -> Any:
        """Return the listening socket."""
        return self.socket

    def fileno(self) -> int:
        """Return the number of the socket's descriptor, -1 when it doesn't listen."""
        return -1 if self.socket is None else self.socket.fileno()

    def logPrefix(self) -> str:
        """Name the factory in log entries."""
        return logPrefixOf(self.factory)

    def __repr__(self) -> str:
        where = f"on {self._name()}" if self.connected else "(not listening)"
        return f"<{type(self).__module__}.{type(self).__qualname__} of {qualifiedName(self.factory)} {where}>"


def qualifiedName(instance: object) -> str:
    """Name an object's class, with its module."""
    return f"{type(instance).__module__}.{type(instance).__qualname__}"
