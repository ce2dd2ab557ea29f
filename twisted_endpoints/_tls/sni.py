"""
A server that shows each client the certificate for the name it asks for.

The certificates come from a `CertificateFolder`, which this looks through once a second, in a thread, while
somebody listens.  What a client sends never makes it look.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from OpenSSL.SSL import Connection, Context
from zope.interface import implementer

from .._log import Logger
from ..interfaces import IOpenSSLServerConnectionCreator
from ..threads import deferToThreadPool

if TYPE_CHECKING:
    from ..failure import Failure
    from .folder import CertificateFolder, Served

_log = Logger("twisted_endpoints.tls")

#: Seconds between two looks at a folder.
INTERVAL = 1.0


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

    def _choose(self, connection: Connection) -> None:
        # OpenSSL asks for clients that name nobody too.
        context = self.folder.context(connection.get_servername())
        if context is None:
            _refuse()
        connection.set_context(context)


class Watch:
    """
    Looks through a folder once a second, from `start` to `stop`.

    Args:
        reactor: calls later, and has threads.
        folder: is looked through.
    """

    def __init__(self, reactor: Any, folder: CertificateFolder) -> None:
        self._reactor = reactor
        self._folder = folder
        self._call: Any = None
        self._watching = False

    def start(self) -> None:
        """Look from now on."""
        self._watching = True
        self._later()

    def stop(self) -> None:
        """Look no more."""
        self._watching = False
        call, self._call = self._call, None
        if call is not None:
            call.cancel()

    def _later(self) -> None:
        self._call = self._reactor.callLater(INTERVAL, self._look)

    def _look(self) -> None:
        self._call = None
        looking = deferToThreadPool(self._reactor, self._reactor.getThreadPool(), self._folder.changed)
        looking.addCallbacks(self._changed, self._failed)

    def _changed(self, served: Served | None) -> None:
        if served is not None:
            self._folder.serve(served)
        if self._watching:
            self._later()

    def _failed(self, reason: Failure) -> None:
        _log.failure(f"while looking through {self._folder.path}", reason)
        if self._watching:
            self._later()


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
