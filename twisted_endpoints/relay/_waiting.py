"""
The streams that were accepted and wait: for their turn, and then for the connection that is made for them.

They are paused, and no reactor looks at a connection that is paused: it wouldn't notice a reset.  So the
system is asked, when it is a stream's turn and else once a second.
"""

from __future__ import annotations

import select
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ..endpoints.wrapping import closeNow

if TYPE_CHECKING:
    from ..interfaces import IDelayedCall, IReactorTime
    from ._streams import Stream

#: Seconds between two looks.
INTERVAL = 1.0


class Waiting:
    """
    A queue of streams, and those which have left it and aren't connected yet.

    Args:
        clock: tells when to look for those that were reset; None: they are found when it is their turn.
    """

    def __init__(self, clock: IReactorTime | None) -> None:
        self._clock = clock
        self._streams: OrderedDict[Stream, None] = OrderedDict()
        self._connecting: dict[Stream, None] = {}
        self._call: IDelayedCall | None = None

    def __len__(self) -> int:
        return len(self._streams)

    def __iter__(self) -> Iterator[Stream]:
        return iter(list(self._streams))

    def add(self, stream: Stream) -> None:
        """Have it wait behind all others."""
        self._streams[stream] = None
        self._wait()

    def connects(self, stream: Stream) -> None:
        """Look after one that isn't in the queue, until it is discarded."""
        self._connecting[stream] = None
        self._wait()

    def discard(self, stream: Stream) -> None:
        """Let go of it, if it waits."""
        self._streams.pop(stream, None)
        self._connecting.pop(stream, None)
        self._wait()

    def next(self) -> Stream | None:
        """Let go of the first that is still connected; those before it are aborted.  None: there is none."""
        while self._streams:
            stream, _ = self._streams.popitem(last=False)
            self._wait()
            if not _reset([stream]):
                return stream
            stream.abort()
        return None

    def _wait(self) -> None:
        """Look in a while, if anybody waits."""
        anybody = self._streams or self._connecting
        if anybody and self._call is None and self._clock is not None:
            self._call = self._clock.callLater(INTERVAL, self._look)
        elif not anybody and self._call is not None:
            self._call.cancel()
            self._call = None

    def _look(self) -> None:
        self._call = None
        for stream in _reset([*self._streams, *self._connecting]):
            # Not stream.abort(): its attempt to connect hasn't failed, nobody wants it any more.
            closeNow(stream.accepted.transport)
        self._wait()


def _reset(streams: Iterable[Stream]) -> list[Stream]:
    """Give those whose peer has reset the connection.  One that has only ended may have sent something."""
    numbers = {}
    poll = select.poll()
    for stream in streams:
        number = getattr(stream.accepted.transport, "fileno", lambda: -1)()
        if number >= 0:
            numbers[number] = stream
            poll.register(number, 0)
    return [numbers[number] for number, events in poll.poll(0) if events & select.POLLERR]
