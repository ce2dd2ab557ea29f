"""A client's options for one host: `optionsForClientTLS`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from OpenSSL import SSL
from zope.interface import implementer

from .._log import Logger
from ..failure import Failure
from ..interfaces import IOpenSSLClientConnectionCreator
from .hosts import Host
from .options import OpenSSLCertificateOptions
from .refusals import wrongHost
from .trust import platformTrust

if TYPE_CHECKING:
    from OpenSSL.crypto import X509

    from .certificates import PrivateCertificate

_log = Logger(__name__)


@implementer(IOpenSSLClientConnectionCreator)
class ClientTLSOptions:
    """
    Makes the connections of a client to one host, and checks that the server is it.

    Args:
        createConnection: makes a connection that is ready but for what is about the host.
        hostname: the host, as a person writes it: a name, in any alphabet, or an address.
        sendServerName: whether to tell the server which host is meant (SNI); by default if it is a name.

    Raises:
        ValueError: there is no such host name.
    """

    def __init__(
        self,
        createConnection: Callable[[Any], SSL.Connection],
        hostname: str,
        sendServerName: bool | None = None,
    ) -> None:
        host = Host.parse(hostname)
        self._createConnection = createConnection
        self._hostname = hostname
        self._hostnameASCII = host.ascii
        self._hostnameBytes = host.ascii.encode("ascii")
        self._hostnameIsDnsName = host.isName
        self._sendServerName = host.isName if sendServerName is None else sendServerName

    def clientConnectionForTLS(self, tlsProtocol: Any) -> SSL.Connection:
        connection = self._createConnection(tlsProtocol)
        if self._sendServerName:
            connection.set_tlsext_host_name(self._hostnameBytes)
        connection.set_verify(
            SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT,
            _verifyCB(tlsProtocol, self._hostnameIsDnsName, self._hostnameASCII),
        )
        return connection


class _verifyCB:
    """
    Tells OpenSSL, in the middle of the handshake, whether it may go on with a certificate.

    Every error is a no: a certificate that can't be understood is not the host's.

    Args:
        tlsProtocol: told why, by its `failVerification`.  It is forgotten once the server's certificate was
            seen: OpenSSL keeps this object, and the protocol keeps OpenSSL's connection.
        hostIsDNS: whether the host is a name, and not an address.
        hostnameASCII: the host.
    """

    # Slots, because pyOpenSSL copies a callback's `__dict__`, and would keep the protocol there.
    __slots__ = ("_host", "_tlsProtocol")

    def __init__(self, tlsProtocol: Any, hostIsDNS: bool, hostnameASCII: str) -> None:
        self._tlsProtocol = tlsProtocol
        self._host = Host(hostnameASCII, hostnameASCII, hostIsDNS)

    def __call__(self, connection: SSL.Connection, cert: X509, err: int, depth: int, ok: int) -> bool:
        if depth != 0:
            return bool(ok)  # only the server's own certificate names it; OpenSSL judges the others
        tlsProtocol, self._tlsProtocol = self._tlsProtocol, None
        try:
            found = cert.to_cryptography()
            if self._host.isNamedBy(found):
                return bool(ok)
            tlsProtocol.failVerification(Failure(wrongHost(self._host, found)))
        except BaseException:
            # OpenSSL would print what is raised here, and lose it.
            _log.failure("while verifying certificate")
        return False


def optionsForClientTLS(
    hostname: str,
    trustRoot: Any = None,
    clientCertificate: PrivateCertificate | None = None,
    acceptableProtocols: Sequence[bytes] | None = None,
    *,
    extraCertificateOptions: dict[str, Any] | None = None,
    sendServerName: bool | None = None,
) -> ClientTLSOptions:
    """
    Make a client's options, for a host that must prove who it is.

    Args:
        hostname: the host, as a person writes it: a name, in any alphabet, or an address.  The server's
            certificate must name it, and the server is told that it is meant.
        trustRoot: the authorities whose certificates count; by default those that this machine trusts.  None
            means the default: nothing switches the check off.
        clientCertificate: what to show, where the server asks for a certificate.
        acceptableProtocols: the names of what may be spoken inside, for ALPN, the most wanted first.
        extraCertificateOptions: more arguments for `CertificateOptions`.
        sendServerName: whether to tell the server which host is meant (SNI); by default if it is a name.

    Raises:
        TypeError: the host is no text.
        ValueError: there is no such host name.
    """
    if not isinstance(hostname, str):
        raise TypeError(f"optionsForClientTLS requires text for host names, not {type(hostname).__name__}")
    options = dict(extraCertificateOptions or {})
    if clientCertificate is not None:
        options["privateKey"] = clientCertificate.privateKey.original
        options["certificate"] = clientCertificate.original
    certificateOptions = OpenSSLCertificateOptions(
        trustRoot=platformTrust() if trustRoot is None else trustRoot,
        acceptableProtocols=acceptableProtocols,
        **options,
    )
    return ClientTLSOptions(certificateOptions._makeTLSConnection, hostname, sendServerName)
