"""Who may come in, and when: the factory for a listening port, and who hears what it does."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .._log import Logger
from ..defer import Deferred
from ..endpoints.wrapping import announces, speakingFor
from ..protocol import Factory
from ._streams import End, Stream

if TYPE_CHECKING:
    from ..interfaces import IAddress, IStreamClientEndpoint

log = Logger("twisted_endpoints.relay")


class Observer:
    """Hears what becomes of the streams of a relay.  Override what you want to know."""

    def opened(self, stream: Stream) -> None:
        """Both ends are connected, and bytes flow."""

    def halfEnded(self, stream: Stream) -> None:
        """One end's peer has sent all that it will send, and is told on; the other may go on."""

    def failed(self, stream: Stream) -> None:
        """The outgoing connection could not be made (`Stream.reason`); the accepted one is aborted."""
        log.warning(
            f"relay: no connection for {stream.peer}: {stream.reason and stream.reason.getErrorMessage()}"
        )

    def closed(self, stream: Stream) -> None:
        """Both ends are gone, or the accepted one after a failure.  Once for each stream, last of all."""


class RelayFactory(Factory):
    """
    For each connection that it is given, makes one by an endpoint and copies both ways.

    Args:
        endpoint: where each accepted connection is connected to.  One that sends the PROXY protocol, as those
            of ``haproxy:`` do, tells for whom: the peer of the accepted connection.
        maxConnections: how many streams may be open at once; above that, accepted connections wait, paused
            and not yet connected on, in the order in which they came.  None: no limit.
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
        observer: Observer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if maxConnections is not None and maxConnections < 1:
            raise ValueError(f"maxConnections must be 1 or more, not {maxConnections}")
        self.endpoint = endpoint
        self._announces = announces(endpoint)
        self.maxConnections = maxConnections
        self.observer = observer if observer is not None else Observer()
        self.clock = clock
        self.open: set[Stream] = set()
        self.accepted = 0
        self._waiting: OrderedDict[Stream, None] = OrderedDict()
        self._carried = 0
        self._refusing = False
        self._idle: list[Deferred[None]] = []

    @property
    def waiting(self) -> int:
        """How many accepted connections wait until another stream has ended."""
        return len(self._waiting)

    @property
    def carried(self) -> int:
        """How many bytes have been copied so far, both ways."""
        return self._carried + sum(stream.sent + stream.returned for stream in self.open)

    def buildProtocol(self, addr: IAddress | None) -> End:
        return Stream(self).accepted

    def refuse(self) -> None:
        """Take no more: who waits, and who comes from now on, is aborted.  Open streams go on."""
        self._refusing = True
        for stream in list(self._waiting):
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

    def _admit(self, stream: Stream) -> None:
        stream.started = self.clock()
        self.accepted += 1
        if self._refusing:
            self._waiting[stream] = None
            stream.abort()
        elif self.maxConnections is not None and len(self.open) >= self.maxConnections:
            self._waiting[stream] = None
        else:
            self._begin(stream)

    def _begin(self, stream: Stream) -> None:
        self.open.add(stream)
        endpoint: Any = self.endpoint
        if self._announces:
            endpoint = speakingFor(endpoint, stream.peer, stream.host)
        stream._connect(endpoint)

    def _finish(self, stream: Stream) -> None:
        if stream in self.open:
            self.open.remove(stream)
            self._carried += stream.sent + stream.returned
            if self._waiting and not self._refusing:
                self._begin(self._waiting.popitem(last=False)[0])
        else:
            self._waiting.pop(stream, None)
        self._tell("closed", stream)
        self._tellIfIdle()

    def _tell(self, event: str, stream: Stream) -> None:
        # An observer that raises must not leave a stream half joined.
        try:
            getattr(self.observer, event)(stream)
        except Exception:
            log.failure(f"the observer of a relay failed at {event!r}")

    def _tellIfIdle(self) -> None:
        if not self.open and not self._waiting:
            idle, self._idle = self._idle, []
            for deferred in idle:
                deferred.callback(None)
