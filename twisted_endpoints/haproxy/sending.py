"""The client's side: a header is sent ahead of the stream."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from ..endpoints.wrapping import PassingProtocol, _WrapperEndpoint, around, negotiateFor
from ..policies import WrappingFactory
from . import v1, v2

if TYPE_CHECKING:
    from ..interfaces import IStreamClientEndpoint
    from .header import Address

#: What writes a header of each version.
VERSIONS: dict[int, Callable[[object, object], bytes]] = {1: v1.build, 2: v2.build}


class _Announcing(PassingProtocol):
    """
    Sends a header before the protocol hears that it is connected.

    Args:
        wrappedProtocol: the user's protocol.
        announce: makes the header; is given the transport.
    """

    def __init__(self, wrappedProtocol: Any, announce: Callable[[Any], bytes]) -> None:
        super().__init__(wrappedProtocol)
        self._announce = announce

    @property
    def wrappedProtocol(self) -> Any:
        return self._wrappedProtocol

    def connectionMade(self) -> None:
        transport: Any = self.transport
        transport.write(self._announce(transport))
        super().connectionMade()


class _AnnouncingFactory(WrappingFactory[Any]):
    noisy = False

    def __init__(self, wrappedFactory: Any, announce: Callable[[Any], bytes]) -> None:
        super().__init__(wrappedFactory)
        negotiateFor(self, wrappedFactory)
        self._announce = announce

    def buildProtocol(self, addr: Any) -> _Announcing | None:
        protocol = self.wrappedFactory.buildProtocol(addr)
        return None if protocol is None else _Announcing(protocol, self._announce)


def _announcement(version: int, source: Address | None, destination: Address | None, transport: Any) -> bytes:
    if source is None:
        source, destination = transport.getHost(), transport.getPeer()
    return VERSIONS[version](source, destination)


class ProxyClientEndpoint(_WrapperEndpoint):
    """
    Connects another endpoint, and sends a header ahead of what the protocol sends.

    Args:
        wrappedEndpoint: makes the connections.
        version: of the PROXY protocol: 1, a line of text, or 2.
        source: the client that this connection is for; None if it is for nobody else: its own address.
        destination: where that client has connected to; is looked at only if there is a source.

    Raises:
        ValueError: there is no such version.
    """

    def __init__(
        self,
        wrappedEndpoint: IStreamClientEndpoint,
        version: int = 2,
        source: Address | None = None,
        destination: Address | None = None,
    ) -> None:
        if version not in VERSIONS:
            raise ValueError(f"there are versions 1 and 2 of the PROXY protocol, not {version!r}")
        announce = partial(_announcement, version, source, destination)
        super().__init__(wrappedEndpoint, partial(_AnnouncingFactory, announce=announce))
        self._version = version

    def speakingFor(self, source: Address, destination: Address) -> ProxyClientEndpoint:
        """Make the same endpoint for a client's sake: as the arguments of these names."""
        return type(self)(self._wrappedEndpoint, self._version, source, destination)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} around {self._wrappedEndpoint!r}, version {self._version}>"


def announcing(endpoint: Any, version: int) -> Any:
    """
    Have a client's endpoint send a header ahead of all that it sends, TLS included.

    Args:
        endpoint: stays as it is.
        version: of the PROXY protocol.

    Returns:
        Another endpoint.
    """
    wrapped = getattr(endpoint, "_wrappedEndpoint", None)
    if wrapped is None:
        return ProxyClientEndpoint(endpoint, version)
    return around(endpoint, announcing(wrapped, version))
