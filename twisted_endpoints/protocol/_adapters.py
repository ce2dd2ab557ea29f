"""What passes for another: a protocol for a consumer, a consumer for a protocol, a file for a transport."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from zope.interface import implementer
from zope.interface.interface import adapter_hooks

from ..interfaces import IConsumer, IProtocol, ITransport

if TYPE_CHECKING:
    from ..failure import Failure
    from ..interfaces import IProducer


class _Adapter:
    """
    Gives an object another interface.

    Args:
        original: the object.
    """

    def __init__(self, original: Any) -> None:
        self.original = original

    def __conform__(self, interface: Any) -> Any:
        """Let the original answer for interfaces that this adapter hasn't."""
        conform = getattr(self.original, "__conform__", None)
        return None if conform is None else conform(interface)


@implementer(IConsumer)
class ProtocolToConsumerAdapter(_Adapter):
    """Lets a producer write to a protocol; ``IConsumer(protocol)`` makes one."""

    def write(self, data: bytes) -> None:
        """Give the data to the protocol."""
        self.original.dataReceived(data)

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """Do nothing: a protocol takes data as they come."""

    def unregisterProducer(self) -> None:
        """Do nothing: there is none."""


@implementer(IProtocol)
class ConsumerToProtocolAdapter(_Adapter):
    """Lets a stream's data go to a consumer; ``IProtocol(consumer)`` makes one."""

    def dataReceived(self, data: bytes) -> None:
        """Give the data to the consumer."""
        self.original.write(data)

    def connectionLost(self, reason: Failure) -> None:
        """Do nothing: a consumer doesn't know of connections."""

    def makeConnection(self, transport: ITransport) -> None:
        """Do nothing: a consumer doesn't know of connections."""

    def connectionMade(self) -> None:
        """Do nothing: a consumer doesn't know of connections."""


def _adapt(interface: Any, thing: Any) -> Any:
    """Answer ``IConsumer(thing)`` or ``IProtocol(thing)`` where `thing` isn't one; else with None."""
    if interface is IConsumer and IProtocol.providedBy(thing):
        return ProtocolToConsumerAdapter(thing)
    if interface is IProtocol and IConsumer.providedBy(thing):
        return ConsumerToProtocolAdapter(thing)
    return None


adapter_hooks.append(_adapt)


@implementer(ITransport)
class FileWrapper:
    """
    Lets a protocol write to a file as if to a peer; nothing is ever read.  For tests and debugging.

    Args:
        file: a binary file that is open for writing.
    """

    closed = 0
    disconnecting = 0
    producer: Any = None
    streamingProducer: Any = 0

    def __init__(self, file: Any) -> None:
        self.file = file

    def write(self, data: bytes) -> None:
        """Write to the file; what goes wrong goes to `handleException`."""
        self._attempt(self.file.write, data)

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        """Write the pieces, joined."""
        self.write(b"".join(iovec))

    def loseConnection(self) -> None:
        """Close the file; what goes wrong goes to `handleException`."""
        self.closed = 1
        self._attempt(self.file.close)

    def _attempt(self, operation: Callable[..., object], *arguments: object) -> None:
        try:
            operation(*arguments)
        except Exception:
            self.handleException()

    def handleException(self) -> None:
        """Do nothing; override it to learn what went wrong with the file."""

    def getHost(self) -> Any:
        """Return what stands for the address of this end."""
        return "file"

    def getPeer(self) -> Any:
        """Return what stands for the address of the other end."""
        return ("file", "file")

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Take a producer, and ask it for data at once if it waits to be asked."""
        self.producer, self.streamingProducer = producer, streaming
        if not streaming:
            self._checkProducer()

    def unregisterProducer(self) -> None:
        """Do without a producer again."""
        self.producer = None

    def _checkProducer(self) -> None:
        """Ask the producer for more; what a reactor would do, a test does by this."""
        if self.producer:
            self.producer.resumeProducing()

    def stopConsuming(self) -> None:
        """Let the producer go and close the file."""
        self.unregisterProducer()
        self.loseConnection()

    def pauseProducing(self) -> None:
        """Do nothing: there is nothing to read."""

    def resumeProducing(self) -> None:
        """Do nothing: there is nothing to read."""

    def stopProducing(self) -> None:
        """Close the file."""
        self.loseConnection()
