"""What a string says about TLS, as values, and the options and contexts that are made of them."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from OpenSSL.crypto import X509, PKey
from OpenSSL.SSL import Context, Error

from ..ssl import (
    AcceptableCiphers,
    Certificate,
    CertificateOptions,
    DiffieHellmanParameters,
    TLSVersion,
    trustRootFromCertificates,
)
from .alpn import setupForALPN
from .verification import ServerCheck, checkClients

if TYPE_CHECKING:
    from cryptography import x509

    from .pem import Identity

_VERSIONS = {"1.2": TLSVersion.TLSv1_2, "1.3": TLSVersion.TLSv1_3}


@dataclass(frozen=True)
class TLSSettings:
    """
    What each end says.

    Args:
        minVersion: the oldest version of TLS: ``1.2`` or ``1.3``; None for what `CertificateOptions` has.
        ciphers: the cipher suites up to TLS 1.2, in OpenSSL's own language; None for those that are good.
        alpn: what may be spoken inside, the most wanted first.
    """

    minVersion: str | None = "1.2"
    ciphers: str | None = None
    alpn: tuple[bytes, ...] = ()

    def arguments(self) -> dict[str, Any]:
        """
        Give these settings as arguments for `CertificateOptions`.

        Raises:
            ValueError: OpenSSL knows no such cipher suites.
        """
        found: dict[str, Any] = {}
        if self.minVersion is not None:
            found["raiseMinimumTo"] = _VERSIONS[self.minVersion]
        if self.ciphers is not None:
            found["acceptableCiphers"] = _ciphers(self.ciphers)
        if self.alpn:
            found["acceptableProtocols"] = list(self.alpn)
        return found


def _ciphers(text: str) -> AcceptableCiphers:
    # Last, and for good: a suite of these lets anybody in, or encrypts nothing.
    text = f"{text}:!aNULL:!eNULL"
    try:
        Context(CertificateOptions().method).set_cipher_list(text.encode())
    except Error:
        raise ValueError("OpenSSL has no cipher suite by these names: see 'openssl ciphers -v'") from None
    return AcceptableCiphers.fromOpenSSLCipherString(text)


#: What a server takes up to TLS 1.2, if nobody says otherwise: keys that are forgotten afterwards, ciphers
#: that authenticate by themselves.  Browsers and libraries have known some of them since 2013.
_SERVERS_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20"


@dataclass(frozen=True)
class ServerSettings(TLSSettings):
    """
    What a server says; without `ciphers` those of RFC 9325, section 4.2, are taken.

    Args:
        twisteds: without `ciphers`, those that `CertificateOptions` has: Twisted's.
        clientCAs: the authorities, one of which must have signed the certificate that a client shows; none
            if clients needn't show any.
    """

    clientCAs: tuple[x509.Certificate, ...] = ()
    twisteds: bool = False

    def arguments(self) -> dict[str, Any]:
        found = super().arguments()
        if self.ciphers is None and not self.twisteds:
            found["acceptableCiphers"] = AcceptableCiphers.fromOpenSSLCipherString(_SERVERS_CIPHERS)
        return found

    def options(self, identity: Identity | None, **more: Any) -> CertificateOptions:
        """
        Make a server's options.

        Args:
            identity: what it shows; None for options that are not complete.
            **more: more arguments for `CertificateOptions`.

        Raises:
            ValueError: OpenSSL can't do this.
        """
        arguments = {**(shownAs(identity) if identity else {}), **self.arguments(), **more}
        if self.clientCAs:
            arguments["trustRoot"] = trustIn(self.clientCAs)
        options = CertificateOptions(**arguments)
        try:
            context = options.getContext()
        except Error as e:
            words = ", ".join(str(part[-1]) for part in e.args[0]) if e.args else ""
            raise ValueError(f"OpenSSL refuses this certificate: {words or e}") from e
        if self.clientCAs:
            checkClients(context)
            for authority in self.clientCAs:
                # They are named to clients: who has several certificates chooses one by that.
                context.add_client_ca(authority)
        # Once more: where a callback fails, ours ends the handshake in both vocabularies.
        setupForALPN(context, self.alpn)
        return options

    def context(self, identity: Identity | None) -> Context:
        """Make the context of `options`."""
        context: Context = self.options(identity).getContext()
        return context


#: Seconds after which this machine's trust is read anew for new clients.
_TRUST_KEPT = 3600


def serverCheck(
    settings: TLSSettings, identity: Identity | None, authorities: tuple[x509.Certificate, ...]
) -> ServerCheck:
    """
    Give what checks servers by these settings; the same for all clients that have the same, and show nothing.

    Args:
        settings: what is said.
        identity: what the client shows if it is asked to.
        authorities: whom it trusts; those that this machine trusts if there are none.

    Raises:
        ValueError: OpenSSL knows no such cipher suites.
    """
    if identity is not None:
        return _makeCheck(settings, authorities, identity)
    # What OpenSSL looks for when it reads this machine's trust.
    places = tuple(os.environ.get(name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"))
    return _sharedCheck(settings, authorities, places, int(time.monotonic() / _TRUST_KEPT))


@lru_cache(maxsize=8)
def _sharedCheck(
    settings: TLSSettings, authorities: tuple[x509.Certificate, ...], *fresh: object
) -> ServerCheck:
    return _makeCheck(settings, authorities)


def _makeCheck(
    settings: TLSSettings, authorities: tuple[x509.Certificate, ...], identity: Identity | None = None
) -> ServerCheck:
    return ServerCheck(
        trustIn(authorities) if authorities else None,
        **settings.arguments(),
        **(shownAs(identity) if identity else {}),
    )


def shownAs(identity: Identity) -> dict[str, Any]:
    """Give an identity as arguments for `CertificateOptions`."""
    return {
        "privateKey": identity.key,
        "certificate": identity.certificate,
        "extraCertChain": list(identity.chain),
    }


def showAsPyOpenSSLs(options: CertificateOptions, identity: Identity) -> None:
    """
    Let options have an identity in pyOpenSSL's own objects, where programs expect to find them.

    Args:
        options: made with what `shownAs` gives.
        identity: what they show.
    """
    # First: pyOpenSSL itself warns of its own objects.
    options.getContext()
    attributes: Any = options
    attributes.privateKey = PKey.from_cryptography_key(identity.key)
    attributes.certificate = X509.from_cryptography(identity.certificate)
    attributes.extraCertChain = [X509.from_cryptography(each) for each in identity.chain]


def trustIn(authorities: tuple[x509.Certificate, ...]) -> Any:
    """Make the trust root of certificates."""
    return trustRootFromCertificates(Certificate(X509.from_cryptography(each)) for each in authorities)


@dataclass(frozen=True)
class _DiffieHellmanFile:
    """A path, in the form that `DiffieHellmanParameters` takes in both vocabularies."""

    path: str


def diffieHellman(path: str) -> DiffieHellmanParameters:
    """
    Use the parameters in a file.

    Raises:
        ValueError: there are none in it.
    """
    try:
        Context(CertificateOptions().method).load_tmp_dh(path)
    except Error:
        raise ValueError(
            f"{path}: it can't be read, or there are no Diffie-Hellman parameters in it:"
            " 'openssl dhparam -out FILE 2048' makes some"
        ) from None
    return DiffieHellmanParameters.fromFile(_DiffieHellmanFile(path))
