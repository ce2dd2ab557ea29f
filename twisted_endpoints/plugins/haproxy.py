"""``haproxy:``, the PROXY protocol around any other endpoint: a header tells whom a proxy speaks for."""

from __future__ import annotations

from typing import Annotated, Any

from ..endpoints.unix import UNIXServerEndpoint
from ..haproxy.sending import ProxyClientEndpoint
from ..haproxy.serving import ProxyServerEndpoint
from ..haproxy.trust import EVERYBODY, AnyProxyWarning, Trust
from . import ClientParser, Inner, Kind, Refused, Seconds, ServerParser
from ._warning import warnAuthor
from ._wrapping import WrapperParser, innerClient, innerServer

__all__ = ["client", "server"]


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535):
        raise ValueError("")
    return int(text)


def _version(text: str) -> int:
    if text not in ("1", "2"):
        raise ValueError("")
    return int(text)


_Networks = Annotated[
    Trust,
    Kind("networks", "networks with commas between, like 10.0.0.0/8,192.0.2.7, or unix, or any", Trust.parse),
]
_Limit = Annotated[int, Kind("bytes", "a number from 0 to 65535", _limit)]
_Version = Annotated[int, Kind("version", "1 or 2", _version)]


class _Server(WrapperParser, ServerParser):
    prefix = "haproxy"
    summary = "reads the PROXY protocol ahead of each connection: who connects is whom the proxy names"
    meanings = {
        "endpoint": "a server's string: all the rest of this one, or this keyword",
        "trusted": "whose headers are believed, by network; others are turned away",
        "headerTimeout": "how long the header may take",
        "headerLimit": "how many bytes may follow the fixed part of a header of version 2",
    }

    def build(
        self,
        reactor: Any,
        endpoint: Inner,
        *,
        trusted: _Networks | None = None,
        headerTimeout: Seconds = 5,
        headerLimit: _Limit = 4096,
    ) -> ProxyServerEndpoint:
        wrapped = innerServer(reactor, endpoint)
        _refuseTwice(wrapped, ProxyServerEndpoint)
        if trusted is None:
            if isinstance(wrapped, UNIXServerEndpoint):
                trusted = Trust(unix=True)  # the socket's mode says who can connect
            else:
                trusted = EVERYBODY
                _warn(endpoint)
        return ProxyServerEndpoint(wrapped, trusted, headerTimeout, headerLimit, reactor)


def _warn(endpoint: str) -> None:
    warnAuthor(
        f"'haproxy:{endpoint}' lets whoever can connect claim any address. Add trusted=10.0.0.0/8, the"
        " networks of your proxies, to believe only those; or trusted=any if that is what you want.",
        AnyProxyWarning,
    )


def _refuseTwice(wrapped: object, kind: type) -> None:
    if isinstance(wrapped, kind):
        raise Refused("endpoint", "it does this already, and a connection has one header: say haproxy once")


class _Client(WrapperParser, ClientParser):
    prefix = "haproxy"
    summary = "sends the PROXY protocol ahead of the stream, with the connection's own addresses"
    meanings = {
        "endpoint": "a client's string: all the rest of this one, or this keyword",
        "version": "of the protocol: 1 is a line of text, 2 is shorter and knows UNIX sockets too",
    }

    def build(self, reactor: Any, endpoint: Inner, *, version: _Version = 2) -> ProxyClientEndpoint:
        wrapped = innerClient(reactor, endpoint)
        _refuseTwice(wrapped, ProxyClientEndpoint)
        return ProxyClientEndpoint(wrapped, version)


server = _Server()
client = _Client()
