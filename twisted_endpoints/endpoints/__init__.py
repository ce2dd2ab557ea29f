"""
The endpoints, by the names of `twisted.internet.endpoints`.  Nothing is defined here: each kind has its file.

`clientFromString` and `serverFromString` stand a floor above (`strings`), as do the documented internals of
the mini-language (`_compat.py`): they are imported when they are asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._resolution import _SimpleHostnameResolver
from .hostname import HostnameEndpoint
from .tcp import (
    TCP4ClientEndpoint,
    TCP4ServerEndpoint,
    TCP6ClientEndpoint,
    TCP6ServerEndpoint,
    _TCPServerEndpoint,
)
from .unix import UNIXClientEndpoint, UNIXServerEndpoint
from .wrapping import (
    _WrapperEndpoint,
    _WrapperServerEndpoint,
    _WrappingFactory,
    _WrappingProtocol,
    connectProtocol,
)

if TYPE_CHECKING:
    from ..strings.construct import clientFromString, quoteStringArgument, serverFromString
    from ._compat import (
        _NO_DEFAULT,
        _OP,
        _STRING,
        _clientParsers,
        _endpointClientFactories,
        _endpointServerFactories,
        _matchPluginToPrefix,
        _parse,
        _parseClientTCP,
        _parseClientUNIX,
        _parseServer,
        _parseTCP,
        _parseUNIX,
        _serverFromStringLegacy,
        _serverParsers,
        _TCP6ServerParser,
        _tokenize,
    )

__all__ = [
    "_NO_DEFAULT",
    "_OP",
    "_STRING",
    "HostnameEndpoint",
    "TCP4ClientEndpoint",
    "TCP4ServerEndpoint",
    "TCP6ClientEndpoint",
    "TCP6ServerEndpoint",
    "UNIXClientEndpoint",
    "UNIXServerEndpoint",
    "_SimpleHostnameResolver",
    "_TCP6ServerParser",
    "_TCPServerEndpoint",
    "_WrapperEndpoint",
    "_WrapperServerEndpoint",
    "_WrappingFactory",
    "_WrappingProtocol",
    "_clientParsers",
    "_endpointClientFactories",
    "_endpointServerFactories",
    "_matchPluginToPrefix",
    "_parse",
    "_parseClientTCP",
    "_parseClientUNIX",
    "_parseServer",
    "_parseTCP",
    "_parseUNIX",
    "_serverFromStringLegacy",
    "_serverParsers",
    "_tokenize",
    "clientFromString",
    "connectProtocol",
    "quoteStringArgument",
    "serverFromString",
]

_STRING_FUNCTIONS = ("clientFromString", "quoteStringArgument", "serverFromString")


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = "..strings.construct" if name in _STRING_FUNCTIONS else "._compat"
    globals()[name] = value = getattr(import_module(module, __name__), name)
    return value
