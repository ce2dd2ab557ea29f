"""How two ends agree on a key: Diffie and Hellman's way, with parameters from a file or on a curve."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self


class OpenSSLDiffieHellmanParameters:
    """
    Parameters for Diffie-Hellman over a finite field.

    Clients of today exchange keys on elliptic curves, and need none.

    Args:
        parameters: the file's path: text, `os.PathLike`, or an object with an attribute `path`.
    """

    def __init__(self, parameters: Any) -> None:
        self._dhFile = parameters

    @classmethod
    def fromFile(cls, filePath: Any) -> Self:
        """
        Use a file in PEM format, as ``openssl dhparam -out dh.pem 2048`` writes it.

        Args:
            filePath: its path: text, `os.PathLike`, or an object with an attribute `path`.
        """
        return cls(filePath)


def pathOf(parameters: OpenSSLDiffieHellmanParameters) -> str | bytes:
    """Get the path of the file with the parameters."""
    path: str | bytes = os.fspath(getattr(parameters._dhFile, "path", parameters._dhFile))
    return path


_defaultCurveName = "prime256v1"


class _ChooseDiffieHellmanEllipticCurve:
    """
    Gives a context elliptic curves, where OpenSSL doesn't by itself.

    OpenSSL does since 1.1, and pyOpenSSL works with no older one: nothing in this package calls it.  It stays
    for programs that lean on Twisted's private name.

    Args:
        openSSLVersion: as in `OpenSSL.SSL.OPENSSL_VERSION_NUMBER`.
        openSSLlib: OpenSSL's functions.
        openSSLcrypto: the module `OpenSSL.crypto`.
    """

    def __init__(self, openSSLVersion: int, openSSLlib: Any, openSSLcrypto: Any) -> None:
        self._version = openSSLVersion
        self._lib = openSSLlib
        self._crypto = openSSLcrypto

    def configureECDHCurve(self, ctx: Any) -> None:
        """Give a context curves, if that can be done; else leave it as it is."""
        try:
            if self._version >= 0x10100000:
                return
            if self._version >= 0x10002000:
                self._lib.SSL_CTX_set_ecdh_auto(ctx._context, True)
            else:
                ctx.set_tmp_ecdh(self._crypto.get_elliptic_curve(_defaultCurveName))
        except BaseException:  # whatever goes wrong, a key can be exchanged without curves
            pass
