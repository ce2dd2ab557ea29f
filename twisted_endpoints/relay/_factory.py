"""Who may come in, and when: the factory for a listening port, and who hears what it does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from .._log import Logger, Seldom
from ..defer import Deferred, maybeDeferred
from ..endpoints.wrapping import announces, clockOf, speakingFor
from ..error import ConnectError
from ..failure import Failure
from ..interfaces import IListeningPort, IPushProducer
from ..protocol import Factory
from ..stdio import StandardIO
from ._streams import End, Stream
from ._waiting import Waiting

if TYPE_CHECKING:
    from ..interfaces import IAddress, IReactorTime, IStreamClientEndpoint, IStreamServerEndpoint

log = Logger("twisted_endpoints.relay")


class RelayFull(ConnectError):
    """A connection was turned away, as there were as many as there may be."""

    MESSAGE = "The relay is full"


class Observer:
    """Hears what becomes of the streams of a relay.  Override what you want to know."""

    _seldom: Seldom | None = None

    def opened(self, stream: Stream) -> None:
        """Both ends are connected, and bytes flow."""

    def halfEnded(self, stream: Stream) -> None:
        """One end's peer has sent all that it will send, and is told on; the other may go on."""

    def failed(self, stream: Stream) -> None:
        """
        The outgoing connection could not be made (`Stream.reason`); the accepted one is aborted.

        By default that is logged, once a second at most.
        """
        self._seldom = self._seldom or Seldom(time.monotonic)
        if self._seldom():
            why = stream.reason and stream.reason.getErrorMessage()
            log.warning(f"relay: no connection for {stream.peer}: {why}")

    def closed(self, stream: Stream) -> None:
        """Both ends are gone, or the accepted one after a failure.  Once for each stream, last of all."""


class RelayFactory(Factory):
    """
    For each connection that it is given, makes one by an endpoint and copies both ways.

    Args:
        endpoint: where each accepted connection is connected to.  One that sends the PROXY protocol, as those
            of ``haproxy:`` do, tells for whom: the peer of the accepted connection.
        maxConnections: how many streams may be open at once.  None: no limit.
        whenFull: what becomes of more connections than that, and, with `listen`, of those that come while
            the process runs out of descriptors.  ``"wait"``: until it is their turn, those that are accepted
            already paused and not yet connected on.  ``"drop"``: they are accepted and reset at once, with a
            `RelayFull` or a line in the log of the port, for a load balancer to try elsewhere.
        observer: hears what happens; by default failures are logged.
        clock: gives the time in seconds.

    Attributes:
        open: the streams that are connecting or connected.
        accepted: how many connections have been accepted so far.
    """

    noisy = False

    def __init__(
        self,
        endpoint: IStreamClientEndpoint,
        *,
        maxConnections: int | None = None,
        whenFull: Literal["wait", "drop"] = "wait",
        observer: Observer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if maxConnections is not None and maxConnections < 1:
            raise ValueError(f"maxConnections must be 1 or more, not {maxConnections}")
        if whenFull not in ("wait", "drop"):
            raise ValueError(f"whenFull must be 'wait' or 'drop', not {whenFull!r}")
        self.endpoint = endpoint
        self._announces = announces(endpoint)
        self.maxConnections = maxConnections
        self.whenFull = whenFull
        self.observer = observer if observer is not None else Observer()
        self.clock = clock
        self.open: set[Stream] = set()
        self.accepted = 0
        self._waiting = Waiting(_clockOf(endpoint))
        self._ports: list[Any] = []
        self._paused = False
        self._carried = 0
        self._refusing = False
        self._idle: list[Deferred[None]] = []

    @property
    def waiting(self) -> int:
        """How many accepted connections wait until another stream has ended; the kernel may have more."""
        return len(self._waiting)

    @property
    def carried(self) -> int:
        """How many bytes have been copied so far, both ways."""
        return self._carried + sum(stream.sent + stream.returned for stream in self.open)

    def listen(self, server: IStreamServerEndpoint) -> Deferred[Any]:
        """
        Listen by an endpoint, and heed `whenFull` better than a factory alone could.

        Nobody is accepted only to wait: the port is paused meanwhile, but for ports that can't be.

        Args:
            server: where.  It may be done with several.

        Returns:
            What the endpoint's ``listen`` returns: a Deferred that fires with the port.
        """
        return maybeDeferred(server.listen, self).addCallback(self._listening)

    def buildProtocol(self, addr: IAddress | None) -> End:
        return Stream(self).accepted

    def refuse(self) -> None:
        """Take no more: who waits, and who comes from now on, is aborted.  Open streams go on."""
        self._refusing = True
        self._pauseIfFull()
        for stream in self._waiting:
            stream.abort()

    def abort(self) -> None:
        """Cut every stream at once, and take no more."""
        self.refuse()
        for stream in list(self.open):
            stream.abort()

    def whenIdle(self) -> Deferred[None]:
        """
        Wait until no stream is open and none waits.

        Returns:
            A Deferred that fires with None; a cancel stops the waiting and nothing else.
        """
        idle: Deferred[None] = Deferred(self._idle.remove)
        self._idle.append(idle)
        self._tellIfIdle()
        return idle

    def _listening(self, port: Any) -> Any:
        # Standard input and output are a port that is its own only connection.
        if IListeningPort.providedBy(port) and not isinstance(port, StandardIO):
            if hasattr(port, "whenFull"):
                port.whenFull = self.whenFull
            if IPushProducer.providedBy(port):
                self._ports.append(port)
                if self._paused:
                    port.pauseProducing()
        return port

    def _isFull(self) -> bool:
        return self.maxConnections is not None and len(self.open) >= self.maxConnections

    def _pauseIfFull(self) -> None:
        paused = self.whenFull == "wait" and self._isFull() and not self._refusing
        if paused != self._paused:
            self._paused = paused
            for port in self._ports:
                if paused:
                    port.pauseProducing()
                else:
                    port.resumeProducing()

    def _admit(self, stream: Stream) -> None:
        stream.started = self.clock()
        self.accepted += 1
        if self._refusing:
            self._waiting.add(stream)
            stream.abort()
        elif not self._isFull():
            self._begin(stream)
        elif self.whenFull == "wait":
            self._waiting.add(stream)
        else:
            reason = RelayFull(string=f"{len(self.open)} open, as many as may be")
            stream._notConnected(Failure(reason))

    def _begin(self, stream: Stream) -> None:
        self.open.add(stream)
        self._pauseIfFull()
        endpoint: Any = self.endpoint
        if self._announces:
            endpoint = speakingFor(endpoint, stream.peer, stream.host)
        self._waiting.connects(stream)
        stream._connect(endpoint)

    def _finish(self, stream: Stream) -> None:
        if stream in self.open:
            self.open.remove(stream)
            self._carried += stream.sent + stream.returned
            following = None if self._refusing else self._waiting.next()
            if following is not None:
                self._begin(following)
            self._pauseIfFull()
        else:
            self._waiting.discard(stream)
        self._tell("closed", stream)
        self._tellIfIdle()

    def _tell(self, event: str, stream: Stream) -> None:
        # An observer that raises must not leave a stream half joined.
        try:
            getattr(self.observer, event)(stream)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException:
            log.failure(f"the observer of a relay failed at {event!r}")

    def _tellIfIdle(self) -> None:
        if not self.open and not self._waiting:
            idle, self._idle = self._idle, []
            for deferred in idle:
                deferred.callback(None)


def _clockOf(endpoint: Any) -> IReactorTime | None:
    """Find the reactor of an endpoint, or of one that it wraps."""
    while endpoint is not None and clockOf(endpoint) is None:
        endpoint = getattr(endpoint, "_wrappedEndpoint", None)
    return endpoint and clockOf(endpoint)
