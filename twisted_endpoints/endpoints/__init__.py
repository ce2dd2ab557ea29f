"""
The endpoints, by the names of `twisted.internet.endpoints`.  Nothing is defined here: each kind has its file.

`clientFromString` and `serverFromString` stand a floor above (`strings`), as do the documented internals of
the mini-language (`_compat.py`), and what does TLS needs OpenSSL: all are imported when they are asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._resolution import _SimpleHostnameResolver as _SimpleHostnameResolver
from .adopted import AdoptedStreamServerEndpoint
from .hostname import HostnameEndpoint
from .tcp import TCP4ClientEndpoint, TCP4ServerEndpoint, TCP6ClientEndpoint, TCP6ServerEndpoint
from .tcp import _TCPServerEndpoint as _TCPServerEndpoint
from .unix import UNIXClientEndpoint, UNIXServerEndpoint
from .wrapping import _WrapperEndpoint as _WrapperEndpoint
from .wrapping import _WrapperServerEndpoint as _WrapperServerEndpoint
from .wrapping import _WrappingFactory as _WrappingFactory
from .wrapping import _WrappingProtocol as _WrappingProtocol
from .wrapping import connectProtocol

if TYPE_CHECKING:
    from .._tls.factory import TLSMemoryBIOFactory as TLSMemoryBIOFactory
    from .._tls.sni import SNIConnectionCreator as SNIConnectionCreator
    from ..strings.construct import clientFromString, quoteStringArgument, serverFromString
    from ._compat import _NO_DEFAULT as _NO_DEFAULT
    from ._compat import _OP as _OP
    from ._compat import _STRING as _STRING
    from ._compat import _clientParsers as _clientParsers
    from ._compat import _matchPluginToPrefix as _matchPluginToPrefix
    from ._compat import _parse as _parse
    from ._compat import _parseClientTCP as _parseClientTCP
    from ._compat import _parseClientUNIX as _parseClientUNIX
    from ._compat import _parseServer as _parseServer
    from ._compat import _parseTCP as _parseTCP
    from ._compat import _parseUNIX as _parseUNIX
    from ._compat import _serverFromStringLegacy as _serverFromStringLegacy
    from ._compat import _serverParsers as _serverParsers
    from ._compat import _StandardIOParser as _StandardIOParser
    from ._compat import _SystemdParser as _SystemdParser
    from ._compat import _TCP6ServerParser as _TCP6ServerParser
    from ._compat import _tokenize as _tokenize
    from ._compatTLS import _endpointClientFactories as _endpointClientFactories
    from ._compatTLS import _endpointServerFactories as _endpointServerFactories
    from ._compatTLS import _loadCAsFromDir as _loadCAsFromDir
    from ._compatTLS import _parseClientSSL as _parseClientSSL
    from ._compatTLS import _parseClientSSLOptions as _parseClientSSLOptions
    from ._compatTLS import _parseClientTLS as _parseClientTLS
    from ._compatTLS import _parseSSL as _parseSSL
    from ._compatTLS import _parseTrustRootPath as _parseTrustRootPath
    from ._compatTLS import _privateCertFromPaths as _privateCertFromPaths
    from ._compatTLS import _TLSClientEndpointParser as _TLSClientEndpointParser
    from ._compatTLS import _TLSServerEndpointParser as _TLSServerEndpointParser
    from .process import ProcessEndpoint, StandardErrorBehavior
    from .process import (
        _IProcessTransportWithConsumerAndProducer as _IProcessTransportWithConsumerAndProducer,
    )
    from .process import _ProcessEndpointTransport as _ProcessEndpointTransport
    from .process import _WrapIProtocol as _WrapIProtocol
    from .stdio import StandardIOEndpoint
    from .tls import SSL4ClientEndpoint, SSL4ServerEndpoint, wrapClientTLS, wrapServerTLS
    from .tls import TLSClientEndpoint as TLSClientEndpoint
    from .tls import _TLSServerEndpoint as _TLSServerEndpoint
    from .tlsfolder import TLSFilesServerEndpoint as TLSFilesServerEndpoint
    from .tlsfolder import TLSFolderServerEndpoint as TLSFolderServerEndpoint

__all__ = [
    "AdoptedStreamServerEndpoint",
    "HostnameEndpoint",
    "ProcessEndpoint",
    "SSL4ClientEndpoint",
    "SSL4ServerEndpoint",
    "StandardErrorBehavior",
    "StandardIOEndpoint",
    "TCP4ClientEndpoint",
    "TCP4ServerEndpoint",
    "TCP6ClientEndpoint",
    "TCP6ServerEndpoint",
    "UNIXClientEndpoint",
    "UNIXServerEndpoint",
    "clientFromString",
    "connectProtocol",
    "quoteStringArgument",
    "serverFromString",
    "wrapClientTLS",
    "wrapServerTLS",
]

#: What is imported on request, by the module that it is in.
_LATER = {
    "..strings.construct": {"clientFromString", "quoteStringArgument", "serverFromString"},
    "._compat": {
        "_NO_DEFAULT",
        "_OP",
        "_STRING",
        "_StandardIOParser",
        "_SystemdParser",
        "_TCP6ServerParser",
        "_clientParsers",
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
    },
    "._compatTLS": {
        "_TLSClientEndpointParser",
        "_TLSServerEndpointParser",
        "_endpointClientFactories",
        "_endpointServerFactories",
        "_loadCAsFromDir",
        "_parseClientSSL",
        "_parseClientSSLOptions",
        "_parseClientTLS",
        "_parseSSL",
        "_parseTrustRootPath",
        "_privateCertFromPaths",
    },
    ".process": {
        "ProcessEndpoint",
        "StandardErrorBehavior",
        "_IProcessTransportWithConsumerAndProducer",
        "_ProcessEndpointTransport",
        "_WrapIProtocol",
    },
    ".stdio": {"StandardIOEndpoint"},
    ".tls": {
        "SSL4ClientEndpoint",
        "SSL4ServerEndpoint",
        "TLSClientEndpoint",
        "_TLSServerEndpoint",
        "wrapClientTLS",
        "wrapServerTLS",
    },
    ".tlsfolder": {"TLSFilesServerEndpoint", "TLSFolderServerEndpoint"},
    ".._tls.factory": {"TLSMemoryBIOFactory"},
    ".._tls.sni": {"SNIConnectionCreator"},
}


def __getattr__(name: str) -> Any:
    for module, names in _LATER.items():
        if name in names:
            globals()[name] = value = getattr(import_module(module, __name__), name)
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
