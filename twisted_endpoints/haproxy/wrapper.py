"""
A server's connection: its header is read first, and then is out of the way.

Until its header is here a connection belongs to a `HAProxyProtocolWrapper`, and the user's factory doesn't
know of it: who speaks first (a banner, a greeting) must not do so to somebody unknown, and `buildProtocol`
and `connectionMade` are to hear the true addresses.  Then the user's protocol takes the wrapper's place at
the transport, which from then on calls it directly.  The wrapper remains as the transport that the protocol
sees, because it is the one that tells the addresses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer, providedBy

from .._provided import provide
from ..endpoints.wrapping import PASSED_ON, closeNow
from ..interfaces import IHandshakeListener
from ..policies import ProtocolWrapper
from ..protocol import Protocol
from .errors import InvalidProxyHeader
from .reader import HeaderReader

if TYPE_CHECKING:
    from ..failure import Failure
    from ..interfaces import IDelayedCall
    from .header import ProxyInfo

#: Where a transport has its protocol: a reactor's transport, and a layer like TLS.
_PLACES = ("protocol", "wrappedProtocol")


@implementer(IHandshakeListener)
class HAProxyProtocolWrapper(ProtocolWrapper):
    """
    Reads the header, and then is the transport of the user's protocol.

    Args:
        factory: the `HAProxyWrappingFactory`.
        address: who has connected, by what the transport knows.

    Attributes:
        proxyInfo: what the header says; None until it is here.
    """

    proxyInfo: ProxyInfo | None = None

    #: Where in the transport the protocol is; None if the transport shows no such place.
    _place: str | None = None
    #: The user's protocol, where the transport has no place for it.
    _protocol: Any = None
    _limit: IDelayedCall | None = None
    _heard = _secured = False
    #: What came behind the header and is not delivered yet, because the protocol wants to read nothing.
    _rest = b""
    _paused = False

    def __init__(self, factory: Any, address: Any) -> None:
        # The base's own method wants a protocol, and there is none yet.
        self.factory = factory
        self._address = address
        self._reader: HeaderReader | None = HeaderReader(factory.headerLimit)

    @property
    def wrappedProtocol(self) -> Any:
        """The user's protocol; None until the header is here, and after the connection is lost."""
        if self._place is None or self.proxyInfo is None:
            return self._protocol
        return getattr(self.transport, self._place, None)

    @wrappedProtocol.setter
    def wrappedProtocol(self, protocol: Any) -> None:
        if self._place is None:
            self._protocol = protocol
        else:
            setattr(self.transport, self._place, protocol)

    #: As reactors' transports have it, to be exchanged as theirs is.
    protocol = wrappedProtocol

    def logPrefix(self) -> str:
        """Name the user's factory, until there is a protocol."""
        return self.factory.logPrefix() if self.wrappedProtocol is None else super().logPrefix()

    # Until the header is here

    def makeConnection(self, transport: Any) -> None:
        """Wait for the header."""
        # A transport may be a protocol too, and what it is to its own transport isn't what this is.
        provide(self, *(each for each in providedBy(transport) if each not in PASSED_ON))
        self._place = next((name for name in _PLACES if getattr(transport, name, None) is self), None)
        Protocol.makeConnection(self, transport)
        self.factory.registerProtocol(self)
        timeout = self.factory.headerTimeout
        if timeout is not None:
            self._limit = self.factory.clock.callLater(timeout, self._timedOut, timeout)

    def handshakeCompleted(self) -> None:
        """Remember for the protocol that there is TLS around this, and that it has begun."""
        self._secured = True

    def dataReceived(self, data: bytes) -> None:
        """Read the header; afterwards, of a transport that has no place for the protocol, pass bytes on."""
        if self._reader is None:
            if self._protocol is not None:
                self._protocol.dataReceived(data)
            return
        self._heard = self._heard or bool(data)
        try:
            info, rest = self._reader.feed(data)
        except InvalidProxyHeader as error:
            self._refuse(str(error))
            return
        if info is not None and rest is not None:
            self._begin(info, rest)

    def _timedOut(self, seconds: float) -> None:
        self._limit = None
        self._refuse(f"its header wasn't complete in {seconds:g} seconds")

    def _refuse(self, why: str) -> None:
        self._end()
        self.factory.complaints.about(self._address, why)
        closeNow(self.transport)

    def _end(self) -> None:
        """End the reading of the header, whatever came of it."""
        self._reader = None
        self.factory.unregisterProtocol(self)
        limit, self._limit = self._limit, None
        if limit is not None:
            limit.cancel()

    def _begin(self, info: ProxyInfo, rest: bytes) -> None:
        """Have a protocol made, connect it and give it what came behind the header."""
        self._end()
        protocol = self.factory.wrappedFactory.buildProtocol(info.source or self._address)
        if protocol is None:
            closeNow(self.transport)
            return
        self.proxyInfo = info
        self._rest = rest
        self.wrappedProtocol = protocol
        protocol.makeConnection(self)
        if self._secured and IHandshakeListener.providedBy(protocol):
            protocol.handshakeCompleted()
        self._deliverRest()

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        """End; of a transport that has no place for the protocol, tell the protocol."""
        if self._reader is not None:
            self._end()
            if self._heard:
                self.factory.complaints.about(self._address, "it has ended within its header")
        protocol, self._protocol = self._protocol, None
        if protocol is not None:
            protocol.connectionLost(reason)

    # The protocol's transport

    def _deliverRest(self) -> None:
        rest = self._rest
        # To whom the transport would give it: that may be TLS, which the protocol has begun meanwhile.
        protocol = self.wrappedProtocol
        if self._paused or protocol is None:
            return
        self._rest = b""
        if rest and not self.disconnecting:
            protocol.dataReceived(rest)

    def pauseProducing(self) -> None:
        """Read no more: `dataReceived` isn't called again before `resumeProducing`."""
        self._paused = True
        self._transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Read again; what came with the header is delivered first, in the reactor's next round."""
        self._paused = False
        if self._rest:
            self.factory.clock.callLater(0, self._resume)
        else:
            self._transport.resumeProducing()

    def _resume(self) -> None:
        self._deliverRest()
        if not self._paused and self.wrappedProtocol is not None:
            self._transport.resumeProducing()

    def stopProducing(self) -> None:
        """Close the connection: whoever consumes what it receives wants no more."""
        self.loseConnection()

    def abortConnection(self) -> None:
        """Pass it on, and remember it in `disconnecting`."""
        self.disconnecting = True
        closeNow(self.transport)

    def getPeer(self) -> Any:
        """Tell the client's address: the header's, or that of who has connected if it tells none."""
        info = self.proxyInfo
        return (info and info.source) or self._transport.getPeer()

    def getHost(self) -> Any:
        """Tell where the client has connected to, or this machine's own address if the header tells none."""
        info = self.proxyInfo
        return (info and info.destination) or self._transport.getHost()

    @property
    def _transport(self) -> Any:
        # As the built-in ProtocolWrapper has it, and Twisted's hasn't.
        return self.transport
