"""An authority for one trial, which vouches for this machine and is thrown away with the trial's folder."""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone
from ipaddress import IPv4Address

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

#: A trial takes seconds; an hour forgives a clock that is set meanwhile.
_HOUR = timedelta(hours=1)


def certificates(folder: str) -> tuple[str, str]:
    """
    Have a server's certificate for ``localhost`` in a folder, made if it isn't there.

    Returns:
        The paths of a folder with the certificate and its key, ``server.pem``, and of the authority's
        certificate.
    """
    served, authority = os.path.join(folder, "certs"), os.path.join(folder, "ca.pem")
    if not os.path.exists(authority):
        os.mkdir(served)
        _make(os.path.join(served, "server.pem"), authority)
    return served, authority


def _make(server: str, authority: str) -> None:
    rootKey, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = _named("twisted-endpoints doctor")
    certificate = _certificate(root, root, rootKey.public_key(), None).sign(rootKey, hashes.SHA256())
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))])
    leaf = _certificate(_named("localhost"), root, key.public_key(), names).sign(rootKey, hashes.SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _write(server, leaf.public_bytes(Encoding.PEM) + private)
    _write(authority, certificate.public_bytes(Encoding.PEM))


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    names: x509.SubjectAlternativeName | None,
) -> x509.CertificateBuilder:
    """Begin a certificate: an authority's if it is for no names."""
    now = datetime.now(timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _HOUR)
        .not_valid_after(now + _HOUR)
        .add_extension(x509.BasicConstraints(ca=names is None, path_length=None), critical=True)
    )
    return builder if names is None else builder.add_extension(names, critical=False)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _write(path: str, content: bytes) -> None:
    with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(content)
