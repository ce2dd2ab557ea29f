"""
TLS: certificates, keys, and what each end does with them.

The twin of `twisted.internet.ssl`, made of the modules in `_tls`; nothing is defined here.  Of Twisted's
names `Client`, `Server`, `Connector` and `Port` are left out: they are parts of Twisted's reactors, and no
part of its API.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from service_identity import VerificationError

from ._tls import alpn as _alpn
from ._tls.alpn import protocolNegotiationMechanisms
from ._tls.certificates import (
    Certificate,
    CertificateRequest,
    PrivateCertificate,
    trustRootFromCertificates,
)
from ._tls.ciphers import OpenSSLAcceptableCiphers as AcceptableCiphers
from ._tls.clientoptions import optionsForClientTLS
from ._tls.contextfactories import ClientContextFactory, ContextFactory, DefaultOpenSSLContextFactory
from ._tls.keyexchange import OpenSSLDiffieHellmanParameters as DiffieHellmanParameters
from ._tls.keys import KeyPair
from ._tls.names import DN, DistinguishedName
from ._tls.options import OpenSSLCertificateOptions as CertificateOptions
from ._tls.trust import OpenSSLDefaultPaths, platformTrust
from ._tls.versions import TLSVersion

if TYPE_CHECKING:
    from ._tls.alpn import ProtocolNegotiationSupport  # deprecated: see `__getattr__`

__all__ = [
    "DN",
    "AcceptableCiphers",
    "Certificate",
    "CertificateOptions",
    "CertificateRequest",
    "ClientContextFactory",
    "ContextFactory",
    "DefaultOpenSSLContextFactory",
    "DiffieHellmanParameters",
    "DistinguishedName",
    "KeyPair",
    "OpenSSLDefaultPaths",
    "PrivateCertificate",
    "ProtocolNegotiationSupport",
    "TLSVersion",
    "VerificationError",
    "optionsForClientTLS",
    "platformTrust",
    "protocolNegotiationMechanisms",
    "trustRootFromCertificates",
]

#: Whether there is TLS: always, once this module could be imported.
supported = True


def __getattr__(name: str) -> Any:
    if name != "ProtocolNegotiationSupport":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warnings.warn(
        f"{__name__}.{name} was deprecated in Twisted 26.10.0: every TLS library that is supported has ALPN",
        DeprecationWarning,
        stacklevel=2,
    )
    return _alpn.ProtocolNegotiationSupport
