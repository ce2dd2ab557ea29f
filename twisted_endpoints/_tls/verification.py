"""
The check of certificates that ``tls:`` and ``ssl:`` use, in both vocabularies: every doubt is a no.

OpenSSL calls back for each certificate of the chain, in the middle of the handshake.  Whatever goes wrong
there has to end in a fatal alert to the peer and in no byte of the application, so:

- Whatever is raised is a no, to which OpenSSL sends the alert that belongs to it.  The error becomes the
  reason that the connection is lost: it is given to the TLS protocol.
- An error that nobody foresaw becomes one that says so, and is logged.
- pyOpenSSL passes errors on only for the callback of a *context*, but keeps them with the context: one may
  meet the next connection, of another server or in another thread.  So none is raised in the callback.
- A context with this machine's trust takes 5 ms and 860 KiB.  So clients of many hosts may share one, and
  the host to check for belongs to the connection.  One without a host is refused.
"""

from __future__ import annotations

from collections.abc import Callable
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

_DEMANDED = VERIFY_PEER | VERIFY_FAIL_IF_NO_PEER_CERT | VERIFY_CLIENT_ONCE


def judge(host: Host | None, certificate: X509, code: int, depth: int, ok: int) -> None:
    """
    Judge one certificate of a chain.

    Args:
        host: the server that the peer must be; None if it is a client, which must only be trusted.
        certificate: the certificate.
        code: what OpenSSL found wrong with it.
        depth: how far it stands above the peer's own.
        ok: whether OpenSSL found nothing wrong.

    Raises:
        CertificateRefused: the handshake may not go on.
    """
    if ok and (depth != 0 or host is None):
        return  # only the peer's own certificate names it
    try:
        found = certificate.to_cryptography()
        if not ok:
            raise untrusted(host, found, code, depth)
        if host is not None and not host.isNamedBy(found):
            raise wrongHost(host, found)
    except CertificateRefused:
        raise
    except BaseException as error:
        _log.failure("while checking a certificate")
        raise unreadable(host, error) from None


def _refusing(
    hostOf: Callable[[Connection], Host | None],
) -> Callable[[Connection, X509, int, int, int], bool]:
    """Make a callback for OpenSSL, which tells whether it may go on with a certificate."""

    def check(connection: Connection, certificate: X509, code: int, depth: int, ok: int) -> bool:
        try:
            judge(hostOf(connection), certificate, code, depth, ok)
        except BaseException as error:
            protocol: Any = connection.get_app_data()
            if protocol is not None:
                # Without its traceback, which holds the connection, which holds the protocol.
                protocol._reason = Failure(error.with_traceback(None))
            return False
        return True

    return check


_checkClient = _refusing(lambda connection: None)
_checkServer = _refusing(lambda connection: connection.checkedHost)


def checkClients(context: Context) -> None:
    """
    Let a server refuse every client without a good certificate.

    Args:
        context: one that no connection was made with.  Whom it trusts is settled elsewhere.
    """
    context.set_verify(_DEMANDED, _checkClient)


class ServerCheck:
    """
    Makes connections whose server must prove who it is: one for all clients that differ only in the host.

    Args:
        trustRoot: the authorities whose certificates count; by default those that this machine trusts.
        **certificateOptions: more arguments for `CertificateOptions`, but those that weaken the check.

    Raises:
        TypeError: an argument that `CertificateOptions` doesn't take, or not with `trustRoot`.
    """

    def __init__(self, trustRoot: Any = None, **certificateOptions: Any) -> None:
        self._options = CertificateOptions(
            trustRoot=platformTrust() if trustRoot is None else trustRoot, **certificateOptions
        )
        self._options.getContext().set_verify(_DEMANDED, _checkServer)

    def connection(self, tlsProtocol: Any, host: Host) -> Connection:
        """Make a connection to a host."""
        connection: Any = self._options.clientConnectionForTLS(tlsProtocol)
        connection.checkedHost = host
        return connection  # type: ignore[no-any-return]


@implementer(IOpenSSLClientConnectionCreator)
class VerifyingClientOptions:
    """
    Makes the connections of a client to one host, which must prove who it is.

    The reason that a connection is lost is a `CertificateRefused` if the server can't, with a text to act on.

    Args:
        hostname: the host, as a person writes it: a name, in any alphabet, or an address.
        check: whom to trust, and how else TLS is done; others may use it too.  By default one with this
            machine's trust.
        sendServerName: whether to tell the server which host is meant (SNI); by default if it is a name.

    Raises:
        ValueError: there is no such host name.
    """

    def __init__(
        self, hostname: str, check: ServerCheck | None = None, sendServerName: bool | None = None
    ) -> None:
        host = Host.parse(hostname)
        self._host = host
        self._check = check or ServerCheck()
        self._sendServerName = host.isName if sendServerName is None else sendServerName

    def __repr__(self) -> str:
        return f"<{type(self).__name__} for {self._host.text}>"

    def clientConnectionForTLS(self, tlsProtocol: Any) -> Connection:
        connection = self._check.connection(tlsProtocol, self._host)
        if self._sendServerName:
            connection.set_tlsext_host_name(self._host.ascii.encode("ascii"))
        return connection
