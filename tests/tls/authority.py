"""Certificates for tests: an authority that signs what it is asked to, right or wrong."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

NOW = datetime.now(timezone.utc).replace(microsecond=0)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Issued:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Any

    @property
    def certificatePEM(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def keyPEM(self) -> bytes:
        return bytes(self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    @property
    def pem(self) -> bytes:
        return self.certificatePEM + self.keyPEM

    def issue(self, *names: str, **options: Any) -> Issued:
        """Sign a certificate: see `make`."""
        return make(names, issuer=self, **options)


#: What the key of an authority is for.
SIGNS = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def make(
    names: Sequence[str] = (),
    *,
    issuer: Issued | None = None,
    commonName: str | None = None,
    authority: bool = False,
    begins: datetime = NOW - DAY,
    ends: datetime = NOW + 30 * DAY,
    key: Any = None,
    digest: Any = None,
    namesKeys: bool = True,
    extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
) -> Issued:
    """Make a certificate for DNS names and IP addresses; without an issuer it signs itself."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, commonName or (names or ["?"])[0])])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_name(name) for name in names]), False)
    signer = issuer.key if issuer else key
    # RFC 5280, 4.2.1.1 and 4.2.1.2: clients that are strict, as Python's are from 3.13 on, demand them.
    if namesKeys:
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False
        ).add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    if authority and not any(isinstance(extension, x509.KeyUsage) for extension, _ in extensions):
        builder = builder.add_extension(SIGNS, True)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    certificate = builder.sign(signer, digest or hashes.SHA256())  # type: ignore[arg-type]
    return Issued(certificate, key)


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@functools.cache
def root() -> Issued:
    """The authority that peers trust."""
    return make(commonName="the root", authority=True)


@functools.cache
def intermediate() -> Issued:
    """An authority that the root vouches for."""
    return make(commonName="the intermediate", issuer=root(), authority=True)
