"""Keys, public and private, and what a private key signs: requests and certificates."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from hashlib import md5
from typing import TYPE_CHECKING, Any, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from OpenSSL import crypto

from ..defer import Deferred
from ..error import VerifyError
from .deprecation import deprecated
from .names import DistinguishedName, toX509

# The classes of certificates.py are made with those here; what makes one imports it when it is called.
if TYPE_CHECKING:
    from typing_extensions import Self

    from .certificates import Certificate, CertificateRequest, PrivateCertificate

_Hash: TypeAlias = "hashes.SHA224 | hashes.SHA256 | hashes.SHA384 | hashes.SHA512"

# MD5 and SHA-1 are gone for good: who finds two texts with the same hash has a certificate forged.
_HASHES: dict[str, type[_Hash]] = {
    "sha224": hashes.SHA224,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}

_ENCODINGS = {crypto.FILETYPE_ASN1: Encoding.DER, crypto.FILETYPE_PEM: Encoding.PEM}

_ONE_YEAR = 60 * 60 * 24 * 365


def encodingOf(format: int) -> Encoding:
    """
    Turn pyOpenSSL's constant for a format into cryptography's.

    Raises:
        ValueError: it is neither ``FILETYPE_ASN1`` nor ``FILETYPE_PEM``.
    """
    try:
        return _ENCODINGS[format]
    except KeyError:
        raise ValueError(f"Unsupported format: {format!r}; expected FILETYPE_ASN1 or FILETYPE_PEM") from None


def modernKey(key: crypto.PKey) -> Any:
    """
    Get cryptography's object for pyOpenSSL's private key.

    Not by `PKey.to_cryptography_key`: it proves an RSA key to be one, which takes 50 ms for 2048 bits, 300 ms
    for 4096.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # there is no other way
        data = crypto.dump_privatekey(crypto.FILETYPE_ASN1, key)
    return load_der_private_key(data, None, unsafe_skip_rsa_key_validation=True)


class PublicKey:
    """
    The public half of a key pair, that can be compared with others.

    Args:
        osslpkey: pyOpenSSL's object, without a private key.
    """

    def __init__(self, osslpkey: crypto.PKey) -> None:
        self.original = osslpkey

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.keyHash()}>"

    def matches(self, otherKey: PublicKey) -> bool:
        """Tell whether another one is the same key, or its other half."""
        return self._encoded() == otherKey._encoded()

    def keyHash(self) -> str:
        """Get a short text that is the same for the same key: to read, not to decide by."""
        return md5(self._encoded(), usedforsecurity=False).hexdigest()

    def inspect(self) -> str:
        """Describe the key for people to read."""
        return f"Public Key with Hash: {self.keyHash()}"

    def _encoded(self) -> bytes:
        return crypto.dump_publickey(crypto.FILETYPE_ASN1, self.original)


class KeyPair(PublicKey):
    """
    A private key, and the public one that belongs to it.

    Args:
        osslpkey: pyOpenSSL's object.
    """

    @classmethod
    def load(cls, data: bytes, format: int = crypto.FILETYPE_ASN1) -> Self:
        """
        Read a private key.

        Args:
            data: the key; in PEM format other things may stand before and after it.
            format: ``OpenSSL.crypto.FILETYPE_ASN1`` or ``FILETYPE_PEM``.

        Raises:
            OpenSSL.crypto.Error: there is none in it.
        """
        return cls(crypto.load_privatekey(format, data))

    def dump(self, format: int = crypto.FILETYPE_ASN1) -> bytes:
        """Write the private key, not encrypted, as PKCS #8."""
        key: bytes = self._private().private_bytes(encodingOf(format), PrivateFormat.PKCS8, NoEncryption())
        return key

    @deprecated("Twisted 15.0.0", "a real persistence system")
    def __getstate__(self) -> bytes:
        return self.dump()

    @deprecated("Twisted 15.0.0", "a real persistence system")
    def __setstate__(self, state: bytes) -> None:
        self.original = crypto.load_privatekey(crypto.FILETYPE_ASN1, state)

    def inspect(self) -> str:
        kinds = {crypto.TYPE_RSA: "RSA", crypto.TYPE_DSA: "DSA", crypto.TYPE_EC: "EC"}
        kind = kinds.get(self.original.type(), "(Unknown Type!)")
        return f"{self.original.bits()}-bit {kind} Key Pair with Hash: {self.keyHash()}"

    @classmethod
    def generate(cls, kind: int = crypto.TYPE_RSA, size: int = 2048) -> Self:
        """
        Make a new key.

        Args:
            kind: ``OpenSSL.crypto.TYPE_RSA`` or ``TYPE_DSA``.
            size: its length in bits.

        Raises:
            ValueError: such keys can't be made.
        """
        if kind == crypto.TYPE_RSA:
            return cls(crypto.PKey.from_cryptography_key(rsa.generate_private_key(65537, size)))
        if kind == crypto.TYPE_DSA:
            return cls(crypto.PKey.from_cryptography_key(dsa.generate_private_key(size)))
        raise ValueError(f"Unsupported kind of key: {kind!r}; expected TYPE_RSA or TYPE_DSA")

    def _private(self) -> Any:
        return modernKey(self.original)

    def _hash(self, digestAlgorithm: str) -> _Hash | None:
        # These two have a hash of their own, and are signed with no other.
        if isinstance(self._private(), (ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey)):
            return None
        if digestAlgorithm not in _HASHES:
            raise ValueError(f"Unsupported digestAlgorithm {digestAlgorithm!r}; expected one of {[*_HASHES]}")
        return _HASHES[digestAlgorithm]()

    def newCertificate(self, newCertData: bytes, format: int = crypto.FILETYPE_ASN1) -> PrivateCertificate:
        """
        Read a certificate that was made for this key.

        Raises:
            error.VerifyError: it was made for another key.
        """
        from .certificates import PrivateCertificate

        return PrivateCertificate.load(newCertData, self, format)

    def requestObject(
        self, distinguishedName: DistinguishedName, digestAlgorithm: str = "sha256"
    ) -> CertificateRequest:
        """
        Ask for a certificate for this key.

        Args:
            distinguishedName: whom it is to be about.
            digestAlgorithm: the hash that is signed.
        """
        from .certificates import CertificateRequest

        request = x509.CertificateSigningRequestBuilder(toX509(distinguishedName))
        return CertificateRequest(request.sign(self._private(), self._hash(digestAlgorithm)))

    def certificateRequest(
        self,
        distinguishedName: DistinguishedName,
        format: int = crypto.FILETYPE_ASN1,
        digestAlgorithm: str = "sha256",
    ) -> bytes:
        """Ask for a certificate as `requestObject` does, and write the request in a format."""
        return self.requestObject(distinguishedName, digestAlgorithm).dump(format)

    def signCertificateRequest(
        self,
        issuerDistinguishedName: DistinguishedName,
        requestData: bytes,
        verifyDNCallback: Callable[[DistinguishedName], Any],
        serialNumber: int,
        requestFormat: int = crypto.FILETYPE_ASN1,
        certificateFormat: int = crypto.FILETYPE_ASN1,
        secondsToExpiry: int = _ONE_YEAR,
        digestAlgorithm: str = "sha256",
    ) -> Any:
        """
        Answer a request with a certificate.

        Args:
            issuerDistinguishedName: who signs.
            requestData: the request.
            verifyDNCallback: called with the name that is asked for; tells whether it may be had, at once or
                by a Deferred.
            serialNumber: of the certificate.
            requestFormat: the request's format.
            certificateFormat: the certificate's format.
            secondsToExpiry: how long it is good, from now.
            digestAlgorithm: the hash that is signed.

        Returns:
            The certificate as bytes; a Deferred that fires with it, where the callback gave a Deferred.

        Raises:
            error.VerifyError: the request is not signed by its key, or the name may not be had.
        """
        from .certificates import CertificateRequest

        request = CertificateRequest.load(requestData, requestFormat)
        subject = request.getSubject()

        def answer(allowed: object) -> bytes:
            if not allowed:
                raise VerifyError(f"DN callback {verifyDNCallback!r} rejected request DN {subject!r}")
            certificate = self.signRequestObject(
                issuerDistinguishedName, request, serialNumber, secondsToExpiry, digestAlgorithm
            )
            return certificate.dump(certificateFormat)

        verdict = verifyDNCallback(subject)
        return verdict.addCallback(answer) if isinstance(verdict, Deferred) else answer(verdict)

    def signRequestObject(
        self,
        issuerDistinguishedName: DistinguishedName,
        requestObject: CertificateRequest,
        serialNumber: int,
        secondsToExpiry: int = _ONE_YEAR,
        digestAlgorithm: str = "sha256",
    ) -> Certificate:
        """
        Answer a request with a certificate, without asking anybody.

        Only a key's certificate for itself is one of an authority.  It names no host in a subjectAltName, so
        clients that check host names refuse a server with it.

        Args:
            issuerDistinguishedName: who signs.
            requestObject: the request.
            serialNumber: of the certificate.  RFC 5280 wants it positive: a 0 becomes a 1.
            secondsToExpiry: how long it is good, from now.
            digestAlgorithm: the hash that is signed.
        """
        from .certificates import Certificate

        request = requestObject.original
        now = datetime.now(timezone.utc)
        end = now + timedelta(seconds=secondsToExpiry)
        key = self._private()
        authority = request.public_key() == key.public_key()
        builder = x509.CertificateBuilder(
            issuer_name=toX509(issuerDistinguishedName),
            subject_name=toX509(requestObject.getSubject()),
            public_key=request.public_key(),
            serial_number=max(serialNumber, 1),
            not_valid_before=min(now, end),
            not_valid_after=end,
        ).add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        signed = builder.sign(key, self._hash(digestAlgorithm))
        return Certificate(crypto.X509.from_cryptography(signed))

    def selfSignedCert(self, serialNumber: int, **kw: str | bytes) -> PrivateCertificate:
        """
        Make a certificate for this key that it signs itself.

        Args:
            serialNumber: of the certificate.
            **kw: whom it is about, as for a `DistinguishedName`.
        """
        from .certificates import PrivateCertificate

        name = DistinguishedName(**kw)
        certificate = self.signRequestObject(name, self.requestObject(name), serialNumber)
        return PrivateCertificate.fromCertificateAndKeyPair(certificate, self)
