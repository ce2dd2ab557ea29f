"""What made TLS connections before `CertificateOptions`, for programs that still have it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from OpenSSL import SSL
from zope.interface import implementer

from ..interfaces import IOpenSSLContextFactory

#: All before TLS 1.2.
_OLD_VERSIONS = SSL.OP_NO_SSLv2 | SSL.OP_NO_SSLv3 | SSL.OP_NO_TLSv1 | SSL.OP_NO_TLSv1_1


@implementer(IOpenSSLContextFactory)
class ContextFactory:
    """What context factories are derived from."""

    isClient = 0

    def getContext(self) -> SSL.Context:
        """Be overridden."""
        raise NotImplementedError(f"{type(self).__name__} has no getContext of its own")


class DefaultOpenSSLContextFactory(ContextFactory):
    """
    Makes a server's context of two files.

    Args:
        privateKeyFileName: the key, in PEM format.
        certificateFileName: the certificate, in PEM format; without the chain, which `CertificateOptions` can
            show too.
        sslmethod: OpenSSL's method: by default TLS from version 1.2.

    Raises:
        OpenSSL.SSL.Error: a file can't be read, or the two don't belong together.
    """

    _context: Any = None

    def __init__(
        self,
        privateKeyFileName: str,
        certificateFileName: str,
        sslmethod: int = SSL.TLS_METHOD,
        _contextFactory: Callable[[int], Any] = SSL.Context,
    ) -> None:
        self.privateKeyFileName = privateKeyFileName
        self.certificateFileName = certificateFileName
        self.sslmethod = sslmethod
        self._contextFactory = _contextFactory
        self.cacheContext()  # a wrong file is best known now

    def cacheContext(self) -> None:
        """Make the context, unless it is made."""
        if self._context is not None:
            return
        context = self._contextFactory(self.sslmethod)
        # Who names another method names a version by it.
        context.set_options(_OLD_VERSIONS if self.sslmethod == SSL.TLS_METHOD else SSL.OP_NO_SSLv2)
        context.use_certificate_file(self.certificateFileName)
        context.use_privatekey_file(self.privateKeyFileName)
        self._context = context

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_context"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ = state

    def getContext(self) -> SSL.Context:
        """Return the context, always the same one."""
        context: SSL.Context = self._context
        return context


@implementer(IOpenSSLContextFactory)
class ClientContextFactory:
    """
    Makes contexts for clients that check nothing: whoever answers is taken for the server.

    `optionsForClientTLS` is what checks.
    """

    isClient = 1
    method = SSL.TLS_METHOD
    _contextFactory: Callable[[int], Any] = SSL.Context

    def getContext(self) -> SSL.Context:
        """Make a context for TLS from version 1.2."""
        context: SSL.Context = self._contextFactory(self.method)
        context.set_options(_OLD_VERSIONS)
        return context
