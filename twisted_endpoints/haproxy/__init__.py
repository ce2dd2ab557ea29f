"""
The PROXY protocol: a proxy tells the server whom it speaks for, in a header ahead of the stream.

`proxyEndpoint` is that of `twisted.protocols.haproxy`; more is here than there.

- `header`, `v1`, `v2`, `tlv`, `reader`: the two formats, read in any pieces, and written; pure;
- `serving`, `wrapper`: the server's side; `trust`: who is believed;
- `sending`: the client's side.

The source is HAProxy's doc/proxy-protocol.txt.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from .errors import InvalidProxyHeader
from .header import ProxyInfo
from .reader import HeaderReader
from .sending import ProxyClientEndpoint
from .serving import HEADER_TIMEOUT, HAProxyWrappingFactory, ProxyServerEndpoint
from .tlv import LIMIT, TLV, SSLInfo
from .trust import EVERYBODY, AnyProxyWarning, Trust

if TYPE_CHECKING:
    from ..interfaces import IReactorTime, IStreamServerEndpoint

__all__ = [
    "TLV",
    "AnyProxyWarning",
    "HAProxyWrappingFactory",
    "HeaderReader",
    "InvalidProxyHeader",
    "ProxyClientEndpoint",
    "ProxyInfo",
    "ProxyServerEndpoint",
    "SSLInfo",
    "Trust",
    "proxyEndpoint",
]


def proxyEndpoint(
    wrappedEndpoint: IStreamServerEndpoint,
    *,
    trusted: Trust | str | None = None,
    headerTimeout: float | None = HEADER_TIMEOUT,
    headerLimit: int = LIMIT,
    clock: IReactorTime | None = None,
) -> ProxyServerEndpoint:
    """
    Make an endpoint that reads a header ahead of each connection of another.

    The user's factory is asked for a protocol when a header is read, with the client's address; the
    transport's `getPeer` and `getHost` are the header's addresses, and its ``proxyInfo`` all that the header
    says.  A connection that begins with anything else is closed.

    Args:
        wrappedEndpoint: takes the connections.
        trusted: whose headers are believed: networks with commas between, like ``10.0.0.0/8,192.0.2.7``,
            ``unix`` for who connects to a UNIX socket, ``any`` for everybody; anybody else's connection is
            closed.  Not given, it is everybody, as with Twisted's, with an `AnyProxyWarning`.
        headerTimeout: seconds for the header; None for no limit.
        headerLimit: how many bytes may follow the fixed part of a header of version 2.
        clock: calls later; None for the reactor of the wrapped endpoint, or else of the process.

    Raises:
        ValueError: `trusted` is a text that can't be read.
        TypeError: it is no text and no `Trust`.
    """
    if trusted is None:
        warnings.warn(
            "proxyEndpoint: anybody who can connect may claim any address; pass trusted='10.0.0.0/8', the"
            " networks of your proxies, or trusted='any' if that is what you want",
            AnyProxyWarning,
            stacklevel=2,
        )
        trusted = EVERYBODY
    elif isinstance(trusted, str):
        trusted = Trust.parse(trusted)
    elif not isinstance(trusted, Trust):
        raise TypeError(f"trusted is a text, like '10.0.0.0/8,192.0.2.7', or a Trust, not {trusted!r}")
    return ProxyServerEndpoint(wrappedEndpoint, trusted, headerTimeout, headerLimit, clock)
