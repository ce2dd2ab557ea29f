"""Whom to trust: the authorities whose signature makes a peer's certificate good."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from zope.interface import Interface, implementer

if TYPE_CHECKING:
    from OpenSSL.crypto import X509
    from OpenSSL.SSL import Context


class IOpenSSLTrustRoot(Interface):
    """
    A set of authorities.

    Its method is private: what other programs may rely on are the objects that this package makes.
    """

    def _addCACertsToContext(context: Context) -> None:
        """
        Make a context trust the authorities.

        Args:
            context: one that no connection was made with.
        """


@implementer(IOpenSSLTrustRoot)
class OpenSSLCertificateAuthorities:
    """
    Trusts these authorities and no others.

    Args:
        caCerts: their certificates.
    """

    def __init__(self, caCerts: Iterable[X509]) -> None:
        self._caCerts = list(caCerts)

    def _addCACertsToContext(self, context: Context) -> None:
        store = context.get_cert_store()
        assert store is not None  # every context has one
        for cert in self._caCerts:
            store.add_cert(cert)


@implementer(IOpenSSLTrustRoot)
class OpenSSLDefaultPaths:
    """
    Trusts what this machine's administrator trusts.

    That is what OpenSSL finds at the paths that it was built with, or that ``SSL_CERT_FILE`` and
    ``SSL_CERT_DIR`` name; pyOpenSSL from a wheel looks where the common systems keep it.
    """

    def _addCACertsToContext(self, context: Context) -> None:
        context.set_default_verify_paths()


def platformTrust() -> OpenSSLDefaultPaths:
    """
    Get the authorities that this machine trusts, as a browser does: right for clients of public servers.

    A server that asks for client certificates rather trusts an authority of its own.
    """
    return OpenSSLDefaultPaths()
