"""
What a folder of PEM files says: which certificate is for which name.  Pure: bytes and a time in, values out.

Theory.  Files are read one by one, as they may be replaced one by one, but mean something together: a key
can be in another file than its certificate, an issuer's certificate in a third.  So there are three steps,
each a function: `parse` a file; `identities`, which finds each certificate's key and chain among all files;
`byName`, which chooses one identity for each name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----[^\S\n]*\n?", re.DOTALL)
_BEGIN = re.compile(rb"-----BEGIN [A-Z0-9 ]+-----")


class PEMError(ValueError):
    """
    A file that isn't what it should be.

    Args:
        path: the file's.
        reason: what is wrong with it, and what to do.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


@dataclass(frozen=True)
class PEMFile:
    """
    What is in a file.

    Attributes:
        path: the file's.
        certificates: in the file's order.
        keys: private keys, in the file's order.
        digest: the same for the same content.
    """

    path: str
    certificates: tuple[x509.Certificate, ...]
    keys: tuple[Any, ...]
    digest: bytes = b""


@dataclass(frozen=True)
class Identity:
    """
    A certificate that can be shown to clients, as its key is known.

    Attributes:
        path: the file that the certificate is in.
        keyPath: the file that the key is in.
        certificate: the certificate.
        key: its private key.
        chain: the certificates of its issuers, the nearest first, as far as they are known; without the root.
        names: the DNS names that it is for, in lower case; a wildcard begins with ``*.``.
    """

    path: str
    keyPath: str
    certificate: x509.Certificate
    key: Any
    chain: tuple[x509.Certificate, ...]
    names: tuple[str, ...]

    def validAt(self, now: datetime) -> bool:
        """Tell whether it is valid at a time (with its time zone)."""
        return self.certificate.not_valid_before_utc <= now <= self.certificate.not_valid_after_utc


@dataclass(frozen=True)
class Span:
    """
    A span of time; `in` tells whether a moment is in it.

    Args:
        begin: its first moment; None for no beginning.
        end: the first moment after it; None for no end.
    """

    begin: datetime | None = None
    end: datetime | None = None

    def __contains__(self, moment: datetime) -> bool:
        return (self.begin is None or self.begin <= moment) and (self.end is None or moment < self.end)


def parse(path: str, data: bytes) -> PEMFile:
    """
    Read the certificates and private keys that a file holds; other blocks, and text, are passed over.

    Args:
        path: for the error's text, and the result.
        data: the file's content.

    Raises:
        PEMError: a block can't be read or has no end, a key has a passphrase, or there is neither a
            certificate nor a key.
    """
    certificates, keys = [], []
    rest = data
    for block in _BLOCK.finditer(data):
        label = block[1].decode("ascii")
        try:
            if label in ("CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"):
                certificates.append(x509.load_pem_x509_certificate(block[0]))
            elif label.endswith("PRIVATE KEY"):
                keys.append(_key(block[0]))
        except TypeError as e:
            raise PEMError(path, "its private key has a passphrase: store it without one") from e
        except (ValueError, UnsupportedAlgorithm) as e:
            raise PEMError(path, f"the {label.lower()} in it can't be read: {e}") from e
        rest = data[block.end() :]
    if _BEGIN.search(rest):
        raise PEMError(path, "it ends in the middle of a block: is it still being written?")
    if not certificates and not keys:
        raise PEMError(path, "there is neither a certificate nor a private key in it")
    return PEMFile(path, tuple(certificates), tuple(keys), sha256(data).digest())


def _key(block: bytes) -> Any:
    """
    Read a private key that works.

    Raises:
        ValueError: it is none, or doesn't sign.
        TypeError: it has a passphrase.
    """
    # To prove an RSA key to be one takes 40 ms for 2048 bits and 300 ms for 4096; to sign once, a fiftieth.
    key = load_pem_private_key(block, None, unsafe_skip_rsa_key_validation=True)
    if isinstance(key, rsa.RSAPrivateKey):
        try:
            signature = key.sign(b"", PKCS1v15(), SHA256())
            key.public_key().verify(signature, b"", PKCS1v15(), SHA256())
        except Exception as e:  # whatever OpenSSL makes of it
            raise ValueError("what it signs isn't right") from e
    return key


def identities(files: Iterable[PEMFile]) -> tuple[list[Identity], list[PEMError]]:
    """
    Find the key and the chain of each certificate.

    Args:
        files: all that may hold one of the three.

    Returns:
        The identities, in the order of the files; and what is there in vain: keys without a certificate, and
        certificates that are for nobody or, being nobody's issuer here, lack their key.
    """
    files = list(files)
    certificates = [(file.path, certificate) for file in files for certificate in file.certificates]
    keys = [(file.path, key, publicBytes(key.public_key())) for file in files for key in file.keys]
    byKey = {public: (path, key) for path, key, public in keys}
    found: list[Identity] = []
    problems: list[PEMError] = []
    used: set[bytes] = set()
    pool = [certificate for _, certificate in certificates]
    issuers: set[x509.Certificate] = set()
    keyless: list[tuple[str, x509.Certificate]] = []
    seen: set[x509.Certificate] = set()
    for path, certificate in certificates:
        if certificate in seen:
            continue
        seen.add(certificate)
        public = publicBytes(certificate.public_key())
        if public not in byKey:
            keyless.append((path, certificate))
            continue
        used.add(public)
        names = namesOf(certificate)
        chain = _chain(certificate, pool)
        issuers.update(chain)
        if names:
            found.append(Identity(path, byKey[public][0], certificate, byKey[public][1], chain, names))
        else:
            nobody = f"{_subject(certificate)} is for no DNS name or IP address (subjectAltName)"
            problems.append(PEMError(path, nobody))
    problems += [
        PEMError(path, f"the private key of {_subject(certificate)} is in no file")
        for path, certificate in keyless
        if certificate not in issuers and not _isAuthority(certificate)
    ]
    problems += [
        PEMError(path, "its private key belongs to no certificate in any file")
        for path, _, public in keys
        if public not in used
    ]
    return found, problems


def byName(found: Iterable[Identity], now: datetime) -> dict[str, Identity]:
    """
    Choose an identity for each name: of those that are valid now the one that expires last, else the last.

    Args:
        found: the identities.
        now: the time, with its time zone.
    """
    table: dict[str, Identity] = {}
    for identity in found:
        for name in identity.names:
            other = table.get(name)
            if other is None or _merit(identity, now) > _merit(other, now):
                table[name] = identity
    return table


def steady(shown: Iterable[Identity], now: datetime) -> Span:
    """Tell from when until when none of some identities becomes valid, or invalid."""
    changes: list[datetime] = []
    for identity in shown:
        certificate = identity.certificate
        # The last second of a certificate counts.
        ends = certificate.not_valid_after_utc + timedelta(microseconds=1)
        changes += (certificate.not_valid_before_utc, ends)
    before = [moment for moment in changes if moment <= now]
    after = [moment for moment in changes if moment > now]
    return Span(max(before, default=None), min(after, default=None))


def notValid(identity: Identity) -> PEMError:
    """Make the error for an identity that is shown, and isn't valid."""
    return PEMError(identity.path, f"{_subject(identity.certificate)} is not valid now")


def lookUp(table: Mapping[str, Any], serverName: bytes | None) -> Any:
    """
    Find what is for a name: the name's own entry, else that of a wildcard in place of its first label.

    Args:
        table: by name, in lower case.
        serverName: what the client asked for, in any case, with a dot at its end or without; None if it
            asked for nobody.

    Returns:
        The entry, or None.
    """
    if not serverName:
        return None
    # Latin-1 takes any bytes: a name that isn't ASCII is simply not there.
    name = serverName.decode("latin-1").lower().rstrip(".")
    entry = table.get(name)
    if entry is None:
        _, dot, domain = name.partition(".")
        entry = table.get(f"*.{domain}") if dot else None
    return entry


def _merit(identity: Identity, now: datetime) -> tuple[bool, datetime]:
    return identity.validAt(now), identity.certificate.not_valid_after_utc


def namesOf(certificate: x509.Certificate) -> tuple[str, ...]:
    """
    List the DNS names that a certificate is for, in lower case, and after them the IP addresses.

    Hardly any client asks for an address: who connects to one asks for nobody.
    """
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    hosts = [name.lower().rstrip(".") for name in names.get_values_for_type(x509.DNSName)]
    return *hosts, *map(str, names.get_values_for_type(x509.IPAddress))


def _chain(certificate: x509.Certificate, pool: list[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """Follow the issuers that are in the pool, but not to the root: that clients have themselves."""
    chain: list[x509.Certificate] = []
    while certificate.issuer != certificate.subject:
        issuer = next((each for each in pool if each not in chain and _issued(certificate, each)), None)
        if issuer is None or issuer.issuer == issuer.subject:
            break
        chain.append(issuer)
        certificate = issuer
    return tuple(chain)


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    # Names first: a signature takes a tenth of a millisecond.
    if issuer is certificate or certificate.issuer != issuer.subject:
        return False
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _isAuthority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False


def publicBytes(key: Any) -> bytes:
    """Encode a public key: what is the same for the same key."""
    return bytes(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def _subject(certificate: x509.Certificate) -> str:
    names = namesOf(certificate)
    return f"the certificate for {', '.join(names)}" if names else f"the certificate {_text(certificate)}"


def _text(certificate: x509.Certificate) -> str:
    return repr(certificate.subject.rfc4514_string())
