"""
The check of certificates that ``tls:`` and ``ssl:`` use, in both vocabularies: every doubt is a no.

OpenSSL calls back for each certificate of the chain, in the middle of the handshake.  Whatever goes wrong
there has to end in a fatal alert to the peer and in no byte of the application, so:

- The callback raises an error of OpenSSL's kind.  pyOpenSSL then lets the handshake fail, with the alert
  that belongs to it, and raises the error where the TLS protocol handles those of OpenSSL: it sends the
  alert, and the error becomes the reason that the connection is lost.
- An error that nobody foresaw becomes such an error too, and is logged.
- pyOpenSSL does so only for the callback of a *context*, and a context takes one only before its first
  connection.  So each options object here has a context of its own, for one host.
- The callback knows nothing of the connection that it is called for: no reference leads from OpenSSL's
  objects back to the protocol, and nothing has to be undone when it is lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from OpenSSL.SSL import VERIFY_CLIENT_ONCE, VERIFY_FAIL_IF_NO_PEER_CERT, VERIFY_PEER, Connection, Context
from zope.interface import implementer

from .._log import Logger
from ..failure import Failure
from ..interfaces import IOpenSSLClientConnectionCreator
from ..ssl import CertificateOptions, platformTrust
from .hosts import Host
from .refusals import CertificateRefused, unreadable, untrusted, wrongHost

if TYPE_CHECKING:
    from OpenSSL.crypto import X509

_log = Logger(__name__)


class CertificateCheck:
    """
    Tells OpenSSL whether it may go on with a certificate: a callback for `Context.set_verify`.

    Args:
        host: the server that the peer must be; None if the peers are clients, which must only be trusted.
    """

    def __init__(self, host: Host | None) -> None:
        self._host = host

    def __call__(self, connection: Connection, certificate: X509, code: int, depth: int, ok: int) -> bool:
        """
        Judge one certificate.

        Args:
            connection: whose handshake it is.
            certificate: of the chain.
            code: what OpenSSL found wrong with it.
            depth: how far it stands above the peer's own.
            ok: whether OpenSSL found nothing wrong.

        Raises:
            CertificateRefused: OpenSSL may not go on.
        """
        if ok and (depth != 0 or self._host is None):
            return True  # only the peer's own certificate names it
        try:
            found = certificate.to_cryptography()
            if not ok:
                raise untrusted(self._host, found, code, depth)
            if self._host is not None and not self._host.isNamedBy(found):
                raise wrongHost(self._host, found)
        except CertificateRefused:
            raise
        except BaseException as error:
            _log.failure("while checking a certificate")
            raise unreadable(self._host, error) from None
        return True


class ClientCheck(CertificateCheck):
    """
    A server's check of its clients, which raises nothing: its connections may change their context.

    pyOpenSSL keeps what a callback raises with the context that the connection began with, and asks the one
    that it has then; so the error would meet the next connection that begins, and not this one.  The reason
    is given to the TLS protocol, and the alert is OpenSSL's own.
    """

    def __init__(self) -> None:
        super().__init__(None)

    def __call__(self, connection: Connection, certificate: X509, code: int, depth: int, ok: int) -> bool:
        try:
            return super().__call__(connection, certificate, code, depth, ok)
        except BaseException as error:
            protocol: Any = connection.get_app_data()
            if protocol is not None:
                # Without its traceback, which holds the connection, which holds the protocol.
                protocol._reason = Failure(error.with_traceback(None))
            return False


_DEMANDED = VERIFY_PEER | VERIFY_FAIL_IF_NO_PEER_CERT | VERIFY_CLIENT_ONCE


def checkPeers(context: Context, host: Host | None = None) -> None:
    """
    Let a context refuse every peer without a good certificate.

    Args:
        context: one that no connection was made with.  Whom it trusts is settled elsewhere.
        host: the server that the peers must be; None for clients.
    """
    context.set_verify(_DEMANDED, CertificateCheck(host))


def checkClients(context: Context) -> None:
    """Let a server's context, that connections may be switched to or from, refuse clients as `checkPeers`."""
    context.set_verify(_DEMANDED, ClientCheck())


@implementer(IOpenSSLClientConnectionCreator)
class VerifyingClientOptions:
    """
    Makes the connections of a client to one host, which must prove who it is.

    The reason that a connection is lost is a `CertificateRefused` if the server can't, with a text to act on.

    Args:
        hostname: the host, as a person writes it: a name, in any alphabet, or an address.
        trustRoot: the authorities whose certificates count; by default those that this machine trusts.
        sendServerName: whether to tell the server which host is meant (SNI); by default if it is a name.
        **certificateOptions: more arguments for `CertificateOptions`, but those that weaken the check.

    Raises:
        ValueError: there is no such host name.
        TypeError: an argument that `CertificateOptions` doesn't take, or not with `trustRoot`.
    """

    def __init__(
        self,
        hostname: str,
        trustRoot: Any = None,
        sendServerName: bool | None = None,
        **certificateOptions: Any,
    ) -> None:
        host = Host.parse(hostname)
        self._host = host
        self._sendServerName = host.isName if sendServerName is None else sendServerName
        self._options = CertificateOptions(
            trustRoot=platformTrust() if trustRoot is None else trustRoot, **certificateOptions
        )
        checkPeers(self._options.getContext(), host)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} for {self._host.text}>"

    def clientConnectionForTLS(self, tlsProtocol: Any) -> Connection:
        connection: Connection = self._options.clientConnectionForTLS(tlsProtocol)
        if self._sendServerName:
            connection.set_tlsext_host_name(self._host.ascii.encode("ascii"))
        return connection
