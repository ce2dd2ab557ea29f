"""Producers between a protocol and a transport that may have to hold back what they write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from .._log import Logger
from ..interfaces import IPushProducer
from ..task import Cooperator, cooperate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..interfaces import IReactorTime

_log = Logger("twisted_endpoints.tls")

#: Seconds between two rounds of asking, in which others have their turn.
_PAUSE = 1e-8


@implementer(IPushProducer)
class _PullToPush:
    """
    Makes a push producer of a pull producer, which is asked for more as long as nobody pauses it.

    The consumer calls `startStreaming` when it registers this, and `stopStreaming` when it unregisters it.

    Args:
        pullProducer: who is asked.
        consumer: who registered it; its `unregisterProducer` is called if the producer raises.
        clock: whose rounds it is asked in; None for those of the reactor of the process.
    """

    def __init__(self, pullProducer: Any, consumer: Any, clock: IReactorTime | None = None) -> None:
        self._producer = pullProducer
        self._consumer = consumer
        self._clock = clock
        self._finished = False
        self._coopTask: Any = None

    def _pull(self) -> Iterator[None]:
        while True:
            try:
                self._producer.resumeProducing()
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException:
                _log.failure(f"while calling resumeProducing on {self._producer!r}")
                try:
                    self._consumer.unregisterProducer()
                except Exception:
                    _log.failure(f"while calling unregisterProducer on {self._consumer!r}")
                    self._finished = True
                    return
            yield

    def startStreaming(self) -> None:
        """Begin to ask, from the reactor's next round on."""
        clock = self._clock
        if clock is None:
            self._coopTask = cooperate(self._pull())
            return
        asking: Cooperator = Cooperator(scheduler=lambda ask: clock.callLater(_PAUSE, ask))
        self._coopTask = asking.cooperate(self._pull())

    def stopStreaming(self) -> None:
        """Ask no more."""
        if not self._finished:
            self._finished = True
            self._coopTask.stop()

    def stopProducing(self) -> None:
        """Ask no more, and tell the producer that nothing more is wanted."""
        self.stopStreaming()
        self._producer.stopProducing()

    def pauseProducing(self) -> None:
        """Don't ask for now."""
        self._coopTask.pause()

    def resumeProducing(self) -> None:
        """Ask again."""
        self._coopTask.resume()


@implementer(IPushProducer)
class _ProducerMembrane:
    """
    Lets each pause and resume through once: the transport below and TLS itself may both want them.

    Args:
        producer: a push producer.
    """

    def __init__(self, producer: Any) -> None:
        self._producer = producer
        self._producerPaused = False

    def pauseProducing(self) -> None:
        """Pause the producer, unless it is."""
        if not self._producerPaused:
            self._producerPaused = True
            self._producer.pauseProducing()

    def resumeProducing(self) -> None:
        """Have the producer go on, if it is paused."""
        if self._producerPaused:
            self._producerPaused = False
            self._producer.resumeProducing()

    def stopProducing(self) -> None:
        """Tell the producer that nothing more is wanted."""
        self._producer.stopProducing()
