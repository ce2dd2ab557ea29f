"""
A server that shows each client the certificate for the name it asks for.

The certificates come from a `CertificateFolder`; what a client sends never makes that look for new ones.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from OpenSSL.SSL import Connection, Context
from zope.interface import implementer

from ..interfaces import IOpenSSLServerConnectionCreator
from .hello import serverName

if TYPE_CHECKING:
    from .folder import CertificateFolder


@implementer(IOpenSSLServerConnectionCreator)
class SNIConnectionCreator:
    """
    Makes OpenSSL's connections for a server, which choose their certificate when the client has said hello.

    Args:
        folder: knows the context for each name.
        context: what connections begin with; without a certificate, and otherwise as those of the folder:
            OpenSSL takes no more than the certificate from the context that is chosen later.
    """

    def __init__(self, folder: CertificateFolder, context: Context) -> None:
        self.folder = folder
        self._context = context
        context.set_tlsext_servername_callback(self._choose)

    def serverConnectionForTLS(self, protocol: Any) -> Connection:
        """Make a connection."""
        return Connection(self._context, None)

    def refuses(self, data: bytes) -> bool:
        """
        Tell whether a client is sent away because of the name it asks for.

        Args:
            data: what it said first.

        Returns:
            True if nothing is there for the name; false too if OpenSSL has to find out.
        """
        name = serverName(data)
        try:
            return name is not None and self.folder.context(name) is None
        except Exception:
            # OpenSSL asks again, and then it is an alert.
            return False

    def _choose(self, connection: Connection) -> None:
        # OpenSSL asks for clients that name nobody too.
        context = self.folder.context(connection.get_servername())
        if context is None:
            _refuse()
        connection.set_context(context)


class _NoCertificate(Exception):
    """Nothing is there for the name that a client asks for."""


def _refuse() -> NoReturn:
    """
    End the handshake that OpenSSL is in with the alert ``unrecognized_name`` (RFC 6066, section 3).

    pyOpenSSL sends it when a callback raises, but first hands the exception to `sys.excepthook`, which prints
    it: a client could fill the log with it.  So the hook is another one for that moment.
    """
    hook: Callable[..., Any] = sys.excepthook

    def putBack(*exception: object) -> None:
        sys.excepthook = hook

    sys.excepthook = putBack
    raise _NoCertificate
