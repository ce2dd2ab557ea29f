"""
The endpoints, by the names of `twisted.internet.endpoints`.  Nothing is defined here: each kind has a file of
its own.

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

__all__ = [
    "HostnameEndpoint",
    "TCP4ClientEndpoint",
    "TCP4ServerEndpoint",
    "TCP6ClientEndpoint",
    "TCP6ServerEndpoint",
    "UNIXClientEndpoint",
    "UNIXServerEndpoint",
    "_SimpleHostnameResolver",
    "_TCPServerEndpoint",
    "_WrapperEndpoint",
    "_WrapperServerEndpoint",
    "_WrappingFactory",
    "_WrappingProtocol",
    "clientFromString",
    "connectProtocol",
    "quoteStringArgument",
    "serverFromString",
]

#: Where the names are that are imported on request.
_LATER = {
    "clientFromString": "..strings.construct",
    "quoteStringArgument": "..strings.construct",
    "serverFromString": "..strings.construct",
}


def __getattr__(name: str) -> Any:
    module = _LATER.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(module, __name__), name)
    globals()[name] = value
    return value
