"""
What the parsers ``tls:`` and ``ssl:`` have in common: they read files, and say which argument is at fault.

All that is of OpenSSL is imported when an endpoint is made: ``list`` and other prefixes don't need it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

from . import Kind, Refused

if TYPE_CHECKING:
    from cryptography import x509

    from .._tls.pem import Identity
    from .._tls.settings import ServerSettings, TLSSettings


def _ciphers(text: str) -> str:
    if not text or not text.isascii() or not text.isprintable():
        raise ValueError("")
    return text


#: Cipher suites, as ``openssl ciphers`` takes them.
Ciphers = Annotated[
    str,
    Kind(
        "ciphers",
        "names of cipher suites, as OpenSSL writes them",
        _ciphers,
        meaning="cipher suites up to TLS 1.2, as OpenSSL writes them; those of 1.3 stay allowed",
    ),
]

_HANDSHAKE = {"handshakeTimeout": "how long the TLS handshake may take"}

#: What arguments say that several servers have.
SERVERS = {
    **_HANDSHAKE,
    "clientCAs": "a file or folder: the authorities of the certificates that clients must show",
}

#: What arguments say that several clients have.
CLIENTS = {
    **_HANDSHAKE,
    "port": "the port to connect to",
    "bindAddress": "the address of this machine to connect from",
    "deadline": "how long all of it may take, from the name's look-up to the handshake's end",
}


def identityFrom(keyName: str, key: str | None, certificateName: str, certificate: str | None) -> Identity:
    """
    Read a certificate and its key.

    Args:
        keyName: the argument that the key's path is of.
        key: the path; None if it is that of the certificate.
        certificateName: the argument that the certificate's path is of.
        certificate: the path; None if it is that of the key.

    Raises:
        Refused: they can't be used.
    """
    from .._tls.files import loadIdentity

    with filesAtFault(keyName, key, certificateName, certificate):
        return loadIdentity(key or certificate or "", certificate or key or "")


@contextmanager
def filesAtFault(
    keyName: str, key: str | None, certificateName: str, certificate: str | None
) -> Iterator[None]:
    """
    Blame the argument that a file is of, for what is wrong with it; the arguments are `identityFrom`'s.

    Raises:
        Refused: what is done meanwhile has raised a `ValueError`.
    """
    from .._tls.pem import PEMError

    try:
        yield
    except ValueError as e:
        atKey = certificate is None or (isinstance(e, PEMError) and e.path == key != certificate)
        raise Refused(keyName if atKey else certificateName, str(e)) from e


def authoritiesFrom(name: str, path: str | None) -> tuple[x509.Certificate, ...]:
    """
    Read certificates of authorities.

    Args:
        name: the argument that the path is of.
        path: of a file or a folder; None for no authorities.

    Raises:
        Refused: there are none.
    """
    if path is None:
        return ()
    from .._tls.files import loadAuthorities
    from .._tls.pem import PEMError

    try:
        return loadAuthorities(path)
    except PEMError as e:
        raise Refused(name, str(e)) from e


def clientOptions(
    host: str,
    hostName: str,
    settings: TLSSettings,
    identity: Identity | None,
    authorities: tuple[x509.Certificate, ...],
) -> Any:
    """
    Make the options of a client that checks the server.

    Args:
        host: whom the server's certificate must name.
        hostName: the argument that this is of.
        settings: what else is said.
        identity: what the client shows if it is asked to.
        authorities: whom it trusts; those that this machine trusts if there are none.

    Raises:
        Refused: the host, or the cipher suites, can't be.
    """
    from .._tls.settings import serverCheck
    from .._tls.verification import VerifyingClientOptions

    argumentsOf(settings)
    check = serverCheck(settings, identity, authorities)
    try:
        return VerifyingClientOptions(host, check)
    except UnicodeError as e:
        raise Refused(hostName, f"a certificate can't be for {host!r} (IDNA: {e})") from e
    except ValueError as e:
        raise Refused(hostName, str(e)) from e


def argumentsOf(settings: TLSSettings) -> dict[str, Any]:
    """
    Give settings as arguments for `CertificateOptions`.

    Raises:
        Refused: OpenSSL knows no such cipher suites.
    """
    try:
        return settings.arguments()
    except ValueError as e:
        raise Refused("ciphers", str(e)) from e


def serverOptions(settings: ServerSettings, identity: Identity | None, at: str, **more: Any) -> Any:
    """
    Make the options of a server.

    Args:
        settings: what is said.
        identity: what it shows.
        at: the argument that it is of.
        **more: more arguments for `CertificateOptions`.

    Raises:
        Refused: OpenSSL can't do this.
    """
    argumentsOf(settings)
    try:
        return settings.options(identity, **more)
    except ValueError as e:
        raise Refused(at, str(e)) from e
