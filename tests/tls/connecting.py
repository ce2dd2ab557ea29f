"""A client and a server that speak TLS with each other in memory, and what each of them saw."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from OpenSSL.crypto import FILETYPE_PEM

from twisted_endpoints.error import ConnectionDone
from twisted_endpoints.failure import Failure
from twisted_endpoints.protocol import Factory, Protocol
from twisted_endpoints.ssl import Certificate, CertificateOptions, KeyPair, PrivateCertificate
from twisted_endpoints.task import Clock
from twisted_endpoints.testing import StringTransport
from twisted_endpoints.tls import TLSMemoryBIOFactory

from .authority import Issued


class Said(Protocol):
    """Says a word, and remembers what it hears and why it was lost."""

    def __init__(self, word: bytes) -> None:
        self.word = word
        self.heard = b""
        self.lost: Any = None

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(self.word)

    def dataReceived(self, data: bytes) -> None:
        self.heard += data

    def connectionLost(self, reason: Failure = None) -> None:  # type: ignore[assignment]
        self.lost = reason.value


@dataclass
class End:
    """One end of the connection."""

    word: bytes
    options: Any
    isClient: bool
    wrapper: Any = TLSMemoryBIOFactory
    said: Said = field(init=False)
    tls: Any = field(init=False)
    transport: Any = field(init=False)
    closed: bool = False

    def start(self, clock: Clock, kind: type[Factory]) -> None:
        self.said = Said(self.word)
        factory = kind.forProtocol(lambda: self.said)  # type: ignore[arg-type]
        self.tls = self.wrapper(self.options, self.isClient, factory, clock=clock).buildProtocol(None)
        self.transport = StringTransport(lenient=True)
        self.tls.makeConnection(self.transport)

    def take(self) -> bytes:
        """Take what it has written."""
        data: bytes = self.transport.value()
        self.transport.clear()
        return data

    @property
    def ended(self) -> bool:
        return bool(self.transport.disconnecting or self.transport.disconnected)

    def close(self, reason: Exception) -> None:
        if not self.closed:
            self.closed = True
            self.tls.connectionLost(Failure(reason))


def connect(
    server: Any, client: Any, factory: type[Factory] = Factory, wrapper: Any = TLSMemoryBIOFactory
) -> tuple[End, End]:
    """
    Connect a client and a server, and let them talk until nobody has anything more to say.

    Args:
        server: the server's options.
        client: the client's options.
        factory: makes the protocol at each end.
        wrapper: puts TLS before it; by default the vocabulary's.

    Returns:
        The server's end and the client's.
    """
    ends = (
        End(b"from the server", server, False, wrapper),
        End(b"from the client", client, True, wrapper),
    )
    clock = Clock()
    for end in ends:
        end.start(clock, factory)
    moved = True
    while moved:
        moved = False
        clock.advance(0)  # what an end has gathered to write
        for one, other in (ends, ends[::-1]):
            data = one.take()
            if data and not other.closed:
                moved = True
                other.tls.dataReceived(data)
            if one.ended and not one.closed:
                moved = True
                one.close(ConnectionDone())
                other.close(ConnectionDone())
    return ends


def serving(issued: Issued, *chain: Issued, **options: Any) -> CertificateOptions:
    """Make a server's options."""
    private = private_(issued)
    return CertificateOptions(
        privateKey=private.privateKey.original,
        certificate=private.original,
        extraCertChain=[certificate(issuer).original for issuer in chain],
        **options,
    )


def private_(issued: Issued) -> PrivateCertificate:
    return PrivateCertificate.fromCertificateAndKeyPair(
        certificate(issued), KeyPair.load(issued.keyPEM, FILETYPE_PEM)
    )


def certificate(issued: Issued) -> Certificate:
    return Certificate.loadPEM(issued.certificatePEM)
