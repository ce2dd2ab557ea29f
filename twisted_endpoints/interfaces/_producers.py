"""Back-pressure: who may write how much, when."""

from __future__ import annotations

from zope.interface import Interface


class IConsumer(Interface):
    """Takes bytes, and tells the one producer it has when to go on and when to wait."""

    def registerProducer(producer: IProducer, streaming: bool) -> None:
        """
        Let a producer feed this consumer.

        Args:
            producer: who will call `write`.
            streaming: True for an `IPushProducer`: it counts as running, is paused when the buffer fills, and
                resumed when it has drained.  False for an `IPullProducer`: it is resumed each time that more
                is wanted.

        Raises:
            RuntimeError: there is a producer already.
        """

    def unregisterProducer() -> None:
        """Do without a producer again; the connection stays."""

    def write(data: bytes) -> None:
        """
        Take bytes, without ever blocking: what can't go out now is kept.

        Args:
            data: the bytes.
        """


class IProducer(Interface):
    """Writes to a consumer."""

    def stopProducing() -> None:
        """Write nothing more, ever: the consumer is gone."""


class IPushProducer(IProducer):
    """A producer that writes of its own accord, unless it is paused."""

    def pauseProducing() -> None:
        """Write nothing until `resumeProducing`."""

    def resumeProducing() -> None:
        """Go on writing."""


class IPullProducer(IProducer):
    """A producer that writes only when it is asked."""

    def resumeProducing() -> None:
        """Write once, before this call returns."""
