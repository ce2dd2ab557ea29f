"""Which cipher suites may be used, up to TLS 1.2: the suites of TLS 1.3 are all good, and always allowed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from OpenSSL import SSL
from zope.interface import implementer

from ..interfaces import IAcceptableCiphers, ICipher

if TYPE_CHECKING:
    from typing_extensions import Self


@implementer(ICipher)
@dataclass(frozen=True)
class OpenSSLCipher:
    """
    A cipher suite.

    Args:
        fullName: its name, as OpenSSL writes it: ``"ECDHE-RSA-AES256-GCM-SHA384"``.
    """

    fullName: str


@lru_cache(maxsize=32)
def _expandCipherString(cipherString: str, method: int, options: int) -> tuple[OpenSSLCipher, ...]:
    """
    List the suites that a cipher string stands for, those that this OpenSSL has.

    Args:
        cipherString: in OpenSSL's own language, see ``man openssl-ciphers``.
        method: the method of the context that they are for.
        options: its options: they may exclude versions.
    """
    context = SSL.Context(method)
    context.set_options(options)
    try:
        context.set_cipher_list(cipherString.encode("ascii"))
    except SSL.Error as error:
        queue = error.args[0]
        # pyOpenSSL raises one with an empty queue, where only suites of TLS 1.3 were left.
        if not queue or queue[0][2] == "no cipher match":
            return ()
        raise
    return tuple(OpenSSLCipher(name) for name in SSL.Connection(context).get_cipher_list())


@implementer(IAcceptableCiphers)
class OpenSSLAcceptableCiphers:
    """
    Allows certain cipher suites.

    Args:
        ciphers: the suites, the most wanted first.
    """

    def __init__(self, ciphers: Iterable[ICipher]) -> None:
        self._ciphers = tuple(ciphers)

    def selectCiphers(self, availableCiphers: tuple[ICipher, ...]) -> tuple[ICipher, ...]:
        available = set(availableCiphers)
        return tuple(cipher for cipher in self._ciphers if cipher in available)

    @classmethod
    def fromOpenSSLCipherString(cls, cipherString: str) -> Self:
        """
        Allow what a cipher string stands for.

        Args:
            cipherString: in OpenSSL's own language, see ``man openssl-ciphers``.
        """
        return cls(_expandCipherString(cipherString, SSL.TLS_METHOD, SSL.OP_NO_SSLv2 | SSL.OP_NO_SSLv3))


#: What is allowed by default.  A key exchange with forward secrecy comes first, and on elliptic curves
#: before others, as that is cheaper; ciphers that authenticate by themselves come before those that need
#: a MAC, and AES before ChaCha20, as processors have instructions for it.
defaultCiphers = OpenSSLAcceptableCiphers.fromOpenSSLCipherString(
    ":".join(
        [
            *("TLS13-AES-256-GCM-SHA384", "TLS13-CHACHA20-POLY1305-SHA256", "TLS13-AES-128-GCM-SHA256"),
            *("ECDH+AESGCM", "ECDH+CHACHA20", "DH+AESGCM", "DH+CHACHA20"),
            *("ECDH+AES256", "DH+AES256", "ECDH+AES128", "DH+AES", "RSA+AESGCM", "RSA+AES"),
            *("!aNULL", "!MD5", "!DSS"),
        ]
    )
)
