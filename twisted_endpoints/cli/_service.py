"""The running `relay` command: from the first listen to the last signal, and what it writes meanwhile."""

from __future__ import annotations

import argparse
import math
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

from ..defer import Deferred, DeferredList, maybeDeferred
from ..error import ConnectingCancelledError
from ..relay import Observer, RelayFactory, RelayFull, Stream
from ..stdio import PipeAddress, StandardIO
from ._memory import Thrift
from ._report import Report, openReport
from ._text import addressText, reasonText, sizeText, visible

if TYPE_CHECKING:
    from ..failure import Failure
    from ..interfaces import IDelayedCall, IListeningPort, IStreamClientEndpoint, IStreamServerEndpoint

#: Seconds between two lines about failed connections, where nobody asked for all of them.
FAILURE_INTERVAL = 1.0

#: Seconds between two states of the live line.
LIVE_INTERVAL = 0.5


class Diary(Observer):
    """
    Writes down what becomes of each stream.

    A failure to connect is always worth a line.  But one a second will do where nobody asked for every
    connection: a service that is down can be asked for a thousand times a second.

    Args:
        report: where to write.
        target: the string that each stream is connected to.
        verbose: write lines for each connection.
        clock: gives the time in seconds.
        opened: called with a stream that is connected.
        ended: called with a stream that has ended.
        halfEnded: called with a stream that has ended in one direction.
    """

    def __init__(
        self,
        report: Report,
        target: str,
        verbose: bool,
        clock: Callable[[], float],
        opened: Callable[[Stream], object] = lambda stream: None,
        ended: Callable[[Stream], object] = lambda stream: None,
        halfEnded: Callable[[Stream], object] = lambda stream: None,
    ) -> None:
        self._report = report
        self._opened = opened
        self._ended = ended
        self._halfEnded = halfEnded
        self._target = visible(target)
        self._verbose = verbose
        self._clock = clock
        self._numbers: dict[Stream, int] = {}
        self._count = 0
        self._nextFailure = -math.inf
        self._unsaid = 0

    def opened(self, stream: Stream) -> None:
        self._opened(stream)
        if self._verbose:
            self._count += 1
            self._numbers[stream] = self._count
            self._report.line(f"[{self._count}] {addressText(stream.peer)} connected to {self._target}")

    def halfEnded(self, stream: Stream) -> None:
        self._halfEnded(stream)

    def failed(self, stream: Stream) -> None:
        now = self._clock()
        if not self._verbose and now < self._nextFailure:
            self._unsaid += 1
            return
        self._nextFailure = now + FAILURE_INTERVAL
        more = f" (and {self._unsaid} more that failed)" if self._unsaid else ""
        self._unsaid = 0
        kind = stream.reason and stream.reason.check(RelayFull, ConnectingCancelledError)
        if kind is ConnectingCancelledError:
            said = f"cut off before it was connected to {self._target}"
        else:
            what = "turned away" if kind else f"cannot connect to {self._target}"
            said = f"{what}: {reasonText(stream.reason)}"
        self._report.line(f"{addressText(stream.peer)}: {said}{more}")

    def closed(self, stream: Stream) -> None:
        self._ended(stream)
        number = self._numbers.pop(stream, None)
        if number is None:
            return
        ending = "closed" if stream.reason is None else f"cut off ({reasonText(stream.reason)})"
        self._report.line(
            f"[{number}] {addressText(stream.peer)} {ending}: {sizeText(stream.sent)} sent, "
            f"{sizeText(stream.returned)} returned, {self._clock() - stream.started:.3f} s"
        )


class Service:
    """
    Listens, relays, and stops when a signal says so.

    Args:
        reactor: what it runs on.
        server: where to listen.
        client: where to connect each connection to.
        options: the command's arguments.
    """

    def __init__(
        self,
        reactor: Any,
        server: IStreamServerEndpoint,
        client: IStreamClientEndpoint,
        options: argparse.Namespace,
    ) -> None:
        self._reactor = reactor
        self._server = server
        self._options = options
        self._report = openReport()
        self._thrift = Thrift(reactor)
        diary = Diary(
            self._report,
            options.connect,
            options.verbose,
            reactor.seconds,
            self._streamOpened,
            self._streamEnded,
            self._streamHalfEnded,
        )
        self._relay = RelayFactory(
            client,
            maxConnections=options.max_connections,
            whenFull=options.when_full,
            observer=diary,
            clock=reactor.seconds,
        )
        self._listen: Deferred[IListeningPort] | None = None
        self._port: IListeningPort | None = None
        self._stopping = False
        self._status = 0
        #: There is one stream, that of standard input and output, and the command ends with it.
        self._single = False
        #: The stream that has ended last.
        self._last: Stream | None = None
        self._liveCall: IDelayedCall | None = None
        self._seen = (0.0, 0)

    def run(self) -> int:
        """Run the reactor until the end; return the exit status."""
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            # A script's shell makes what it starts with `&` ignore it, and reactors leave it so.  But we
            # promise to end by it.
            signal.signal(signal.SIGINT, signal.default_int_handler)
        self._reactor.callWhenRunning(self._start)
        self._reactor.addSystemEventTrigger("before", "shutdown", self._stop)
        try:
            self._reactor.run()
        finally:
            self._report.close()
        return self._status

    def _start(self) -> None:
        self._listen = self._relay.listen(self._server)
        self._listen.addCallbacks(self._listening, self._notListening)

    def _streamOpened(self, stream: Stream) -> None:
        self._thrift.count(len(self._relay.open))

    def _streamEnded(self, stream: Stream) -> None:
        if self._single or self._port is None:
            self._last = stream
        self._thrift.count(len(self._relay.open))

    def _listening(self, port: IListeningPort) -> None:
        self._port = port
        if isinstance(port, StandardIO):
            self._single = True
            # What could be said on standard output would be among the bytes of the stream.
            port.whenLost().addCallback(lambda _: self._relay.whenIdle()).addCallback(self._onlyStreamEnded)
            return
        try:
            print(f"listening on {addressText(port.getHost())}", flush=True)
        except OSError:
            pass  # whoever wanted to read it has gone; the service is there all the same
        if self._report.isLive:
            self._seen = (self._reactor.seconds(), 0)
            self._showLive()

    def _streamHalfEnded(self, stream: Stream) -> None:
        # A terminal doesn't end by itself, and whoever sits there sees that the far end has.
        farEnded = stream.outgoing is not None and stream.outgoing.ended
        if farEnded and isinstance(stream.peer, PipeAddress) and sys.stdin is not None and sys.stdin.isatty():
            stream.close()

    def _onlyStreamEnded(self, _: object) -> None:
        stream = self._last
        if stream is None:
            self._status = 1  # its layer, such as TLS, hasn't let it come to that
        elif stream.reason is not None:
            self._status = 1
            if stream.outgoing is not None and not self._options.verbose:
                why = "stopped by a signal" if self._stopping else reasonText(stream.reason)
                self._report.line(f"twisted-endpoints relay: cut off: {why}")
        if not self._stopping:
            self._reactor.stop()

    def _notListening(self, reason: Failure) -> None:
        if self._stopping:
            return
        cause = getattr(reason.value, "socketError", reason.value)
        # Of an OSError without the number and the names of files: one of them may be the lock's, which nobody
        # has asked for.
        why = getattr(cause, "strerror", None) or reasonText(cause)
        self._report.line(f"twisted-endpoints relay: cannot listen on {visible(self._options.listen)}: {why}")
        self._status = 1
        self._reactor.stop()

    def _showLive(self) -> None:
        relay, (then, before) = self._relay, self._seen
        now, carried = self._reactor.seconds(), relay.carried
        rate = (carried - before) / (now - then) / 1e6 if now > then else 0.0
        self._seen = (now, carried)
        waiting = f", {relay.waiting} waiting" if relay.waiting else ""
        self._report.live(
            f"{len(relay.open)} open{waiting}, {relay.accepted} accepted; "
            f"{rate:.1f} MB/s, {sizeText(carried)} in all"
        )
        self._liveCall = self._reactor.callLater(LIVE_INTERVAL, self._showLive)

    def _stop(self) -> Deferred[Any]:
        """Take no more, and let the reactor stop when the open streams have ended or are cut."""
        self._stopping = True
        self._relay.refuse()
        limit = self._reactor.callLater(self._options.grace, self._cut, "the grace is over")
        for number in (signal.SIGINT, signal.SIGTERM):
            # The reactor's own handlers would stop what is stopping already.
            signal.signal(number, self._secondSignal)
        waits = [self._relay.whenIdle()]
        if self._single:
            # Nobody else is served, and who stops the command means this stream.
            self._relay.abort()
        elif self._port is not None:
            waits.append(maybeDeferred(self._port.stopListening).addBoth(self._sayWhatIsOpen))
        elif self._listen is not None:
            self._listen.cancel()

        def over(_: object) -> None:
            self._thrift.stop()
            for call in (limit, self._liveCall):
                if call is not None and call.active():
                    call.cancel()

        return DeferredList(waits, consumeErrors=True).addCallback(over)

    def _sayWhatIsOpen(self, _: object) -> None:
        if self._relay.open:
            self._report.line(
                f"stopping: {_streams(len(self._relay.open))} open, with {self._options.grace:g} s to end; "
                "a second signal cuts them"
            )

    def _secondSignal(self, number: int, frame: FrameType | None) -> None:
        self._reactor.callFromThread(self._cut, "a second signal came")

    def _cut(self, why: str) -> None:
        if self._relay.open:
            self._report.line(f"{why}: {_streams(len(self._relay.open))} cut off")
        self._relay.abort()


def _streams(count: int) -> str:
    return "1 stream" if count == 1 else f"{count} streams"
