"""
A listening port: a socket that listens from the first moment, and a server of the event loop on it.

The socket is made here and not by the loop, so that an address that can't be listened on is an exception of
the call that asked for it, whether or not the loop runs.  Connections wait in the kernel until it does.
How they are accepted is `accepting`'s matter.
"""

from __future__ import annotations

import socket as socketlib
from typing import TYPE_CHECKING, Any, Literal

from zope.interface import implementer

from .._log import Logger
from ..defer import Deferred
from ..failure import Failure
from ..interfaces import IListeningPort, ILoggingContext, IPushProducer
from .accepting import Acceptor
from .acceptreader import ReaderAcceptor
from .acceptserver import ServerAcceptor
from .errors import cannotListen
from .raised import logRaised
from .stream import Stream, logPrefixOf

if TYPE_CHECKING:
    from .core import Core

_log = Logger(__name__)


@implementer(IListeningPort, ILoggingContext, IPushProducer)
class Port:
    """
    What all listening ports have in common; subclasses open the socket and know addresses.

    Attributes:
        reactor: the reactor.
        factory: makes the protocols.
        port: the number or the path that was asked for.
        backlog: how many connections may wait in the kernel.
        connected: it listens.
        disconnecting: `stopListening` has been called, and its Deferred has yet to fire.
        disconnected: it has listened, and doesn't any more.
        socket: the listening socket, None while it doesn't listen.
        sessionno: how many connections were accepted.
        whenFull: what becomes of who comes while descriptors run out: ``"wait"`` in the kernel's queue, or
            ``"drop"``: be accepted and closed, for a load balancer to try elsewhere.
    """

    _type = "TCP"
    port: Any
    connected = False
    disconnecting = False
    disconnected = False
    socket: socketlib.socket | None = None
    sessionno = 0
    whenFull: Literal["wait", "drop"] = "wait"

    def __init__(self, reactor: Core, factory: Any, backlog: int) -> None:
        self.reactor: Any = reactor
        self.factory = factory
        self.backlog = backlog
        self._acceptor: Acceptor | None = None
        self._stopped: Deferred[None] | None = None

    # What subclasses say

    def _openSocket(self) -> socketlib.socket:
        """Make a socket that listens, or raise `CannotListenError` and leave nothing behind."""
        raise NotImplementedError

    def _closing(self) -> None:
        """Tidy up what `_openSocket` made besides the socket; the socket still listens.  Raises nothing."""

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
        name = f"{self._type} port {self._name()!r}"
        self._acceptor = (ReaderAcceptor if self.reactor._onAsyncio else ServerAcceptor)(
            self.reactor._loop,
            self._makeStream,
            self.socket,
            self.backlog,
            name,
            lambda: self.whenFull == "drop",
        )
        try:
            self._acceptor.start()
        except BaseException as e:
            self._closeSocket()
            if isinstance(e, OSError):
                raise cannotListen(getattr(self, "interface", None), self.port, e) from e
            raise
        try:
            _log.info(f"{self.logPrefix()} starting on {self._name()!r}")
            self.factory.doStart()
        except BaseException:
            self._closeSocket()
            raise
        self.connected = True
        self.disconnected = False
        self.reactor._open[self] = None

    def stopListening(self) -> Deferred[None] | None:
        """
        Stop listening: nobody is accepted any more, and the socket is closed in the loop's next round.

        Connections that have their protocol live on.

        Returns:
            A Deferred that fires with None when the event loop is done with the port too; None if it doesn't
            listen.
        """
        if not self.connected:
            return None
        if self._stopped is None:
            self._stopped = Deferred()
            self.disconnecting = True
            assert self._acceptor is not None
            self._acceptor.close()
            self.reactor._loop.call_soon(self._refuse, self._acceptor.handingOver)
        return self._stopped

    def loseConnection(self, connDone: object = None) -> Deferred[None] | None:
        """Stop listening: see `stopListening`."""
        return self.stopListening()

    def pauseProducing(self) -> None:
        """
        Accept nobody: peers wait in the kernel's queue.

        Those that the event loop has accepted in this round get their protocol all the same.
        """
        if self._acceptor is not None:
            self._acceptor.close()

    def resumeProducing(self) -> None:
        """Accept again, after `pauseProducing`."""
        if self._acceptor is not None and not self.disconnecting:
            self._acceptor.resume()

    def stopProducing(self) -> None:
        """Stop listening: see `stopListening`."""
        self.stopListening()

    startReading = resumeProducing
    stopReading = pauseProducing

    def _refuse(self, rounds: int) -> None:
        # Not when the loop is done: who comes meanwhile would be kept waiting, and then reset.
        if self.disconnecting:
            self._closeSocket()
        self._handOver(rounds)

    def _handOver(self, rounds: int) -> None:
        """Stop when the loop is done with what it had accepted."""
        if rounds:
            self.reactor._loop.call_soon(self._handOver, rounds - 1)
        elif self._stopped is not None:
            # Else it was closed meanwhile: it may even listen again.
            self._stop()

    def _stop(self) -> None:
        """Close the socket, and tell who waits for it."""
        stopped, self._stopped = self._stopped, None
        try:
            self.connectionLost()
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException:
            if stopped is None:
                _log.failure(f"while closing {self!r}")
            else:
                stopped.errback(Failure())
        else:
            if stopped is not None:
                stopped.callback(None)
        finally:
            # A callback may raise, and the traceback would hold this frame.
            del stopped

    def connectionLost(self, reason: object = None) -> None:
        """Stop listening at once; what the factory's `doStop` raises, this raises."""
        if not self.connected:
            return
        _log.info(f"({self._type} Port {self._name()} Closed)")
        self.connected = False
        self.disconnected = True
        self.reactor._open.pop(self, None)
        try:
            self._closeSocket()
        finally:
            try:
                self.factory.doStop()
            finally:
                self.disconnecting = False

    def _closeSocket(self) -> None:
        sock, self.socket = self.socket, None
        acceptor, self._acceptor = self._acceptor, None
        # Neither is there after `_refuse`.
        if sock is not None and acceptor is not None:
            self._closing()
            acceptor.close()
            sock.close()

    _shutdown = _stop

    # For the streams: see stream.Owner

    def _buildProtocol(self, stream: Stream) -> Any:
        if not self.connected or self.disconnecting:
            return None
        try:
            peer = stream.getPeer()
        except ConnectionResetError:
            # It is gone already, and nobody can tell who it was.
            return None
        stream.sessionno = self.sessionno
        self.sessionno += 1
        try:
            return self.factory.buildProtocol(peer)
        except BaseException:
            logRaised(self.reactor._loop, f"{self!r}: buildProtocol failed, the connection is closed")
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
        return self.connected and not self.disconnecting and self._accepting

    @property
    def _accepting(self) -> bool:
        return self._acceptor is not None and self._acceptor.accepting

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
    return f"{type(instance).__module__}.{type(instance).__name__}"
