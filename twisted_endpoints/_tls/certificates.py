"""Certificates, alone and with their private key, and requests for them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from cryptography import x509
from OpenSSL import crypto

from ..error import CertificateError, VerifyError
from .keys import KeyPair, PublicKey, encodingOf
from .names import DistinguishedName, fromX509, fromX509Request
from .options import OpenSSLCertificateOptions
from .trust import IOpenSSLTrustRoot, OpenSSLCertificateAuthorities

if TYPE_CHECKING:
    from typing_extensions import Self


class CertBase:
    """
    What is about somebody.

    Args:
        original: the object of pyOpenSSL, or of cryptography, that it is made of.
    """

    def __init__(self, original: Any) -> None:
        self.original = original

    def getSubject(self) -> DistinguishedName:
        """Get a copy of the name of whom it is about."""
        return fromX509(self.original.to_cryptography().subject)


class Certificate(CertBase):
    """
    A certificate.  Where a function wants to know whom to trust, it stands for the authority that it is of.

    Args:
        original: pyOpenSSL's object.
    """

    original: crypto.X509

    def __repr__(self) -> str:
        subject = self.getSubject().get("commonName", "")
        issuer = self.getIssuer().get("commonName", "")
        return f"<{type(self).__name__} Subject={subject!s} Issuer={issuer!s}>"

    def __eq__(self, other: object) -> bool:
        return self.dump() == other.dump() if isinstance(other, Certificate) else NotImplemented

    def __conform__(self, interface: object) -> object:
        """Answer ``IOpenSSLTrustRoot(certificate)``."""
        if interface is IOpenSSLTrustRoot:
            return OpenSSLCertificateAuthorities([self.original])
        return NotImplemented

    @classmethod
    def load(cls, requestData: bytes, format: int = crypto.FILETYPE_ASN1, args: tuple[Any, ...] = ()) -> Self:
        """
        Read a certificate.

        Args:
            requestData: the certificate; in PEM format the first one in it.
            format: ``OpenSSL.crypto.FILETYPE_ASN1`` or ``FILETYPE_PEM``.
            args: more arguments for the class.

        Raises:
            OpenSSL.crypto.Error: there is none in it.
        """
        return cls(crypto.load_certificate(format, requestData), *args)

    @classmethod
    def loadPEM(cls, data: bytes) -> Self:
        """Read a certificate in PEM format."""
        return cls.load(data, crypto.FILETYPE_PEM)

    @classmethod
    def peerFromTransport(cls, transport: Any) -> Self:
        """
        Get the certificate that the other end of a connection has shown.

        Args:
            transport: of a TLS connection.

        Raises:
            error.CertificateError: it has shown none, or this is no TLS.
        """
        return cls._fromTransport(transport, "peer")

    @classmethod
    def hostFromTransport(cls, transport: Any) -> Self:
        """
        Get the certificate that this end of a connection shows.

        Args:
            transport: of a TLS connection.

        Raises:
            error.CertificateError: it shows none, or this is no TLS.
        """
        return cls._fromTransport(transport, "host")

    @classmethod
    def _fromTransport(cls, transport: Any, end: str) -> Self:
        get = getattr(transport.getHandle(), f"get_{end}_certificate", None)
        if get is None:
            raise CertificateError(f"non-TLS transport {transport!r} did not have {end} certificate")
        found = get()
        if found is None:
            raise CertificateError(f"TLS transport {transport!r} did not have {end} certificate")
        return cls(found)

    def dump(self, format: int = crypto.FILETYPE_ASN1) -> bytes:
        """Write the certificate in a format."""
        return crypto.dump_certificate(format, self.original)

    def dumpPEM(self) -> bytes:
        """Write the certificate in PEM format."""
        return self.dump(crypto.FILETYPE_PEM)

    def getIssuer(self) -> DistinguishedName:
        """Get a copy of the name of who signed it."""
        return fromX509(self.original.to_cryptography().issuer)

    def getPublicKey(self) -> PublicKey:
        """Get the key that it is for."""
        return PublicKey(self.original.get_pubkey())

    def serialNumber(self) -> int:
        """Get the number that its issuer gave it."""
        return self.original.get_serial_number()

    def digest(self, method: str = "md5") -> bytes:
        """
        Hash the certificate.

        Args:
            method: the hash, as ``"sha256"``.

        Returns:
            The bytes of the hash in hexadecimal, with colons between.
        """
        return self.original.digest(method)

    def inspect(self) -> str:
        """Describe the certificate for people to read, in several lines."""
        return f"{self._describe()}\n{self.getPublicKey().inspect()}"

    def _describe(self) -> str:
        return (
            f"Certificate For Subject:\n{self.getSubject().inspect()}\n\n"
            f"Issuer:\n{self.getIssuer().inspect()}\n\n"
            f"Serial Number: {self.serialNumber()}\nDigest: {self.digest().decode()}"
        )

    def options(self, *authorities: Certificate) -> OpenSSLCertificateOptions:
        """Be overridden where there is a private key: see `PrivateCertificate.options`."""
        raise NotImplementedError(
            "without its private key a certificate proves nothing: load a PrivateCertificate"
        )


class CertificateRequest(CertBase):
    """
    A request for a certificate, that an authority may sign.

    Args:
        original: cryptography's object.
    """

    original: x509.CertificateSigningRequest

    @classmethod
    def load(cls, requestData: bytes, requestFormat: int = crypto.FILETYPE_ASN1) -> Self:
        """
        Read a request.

        Args:
            requestData: the request.
            requestFormat: ``OpenSSL.crypto.FILETYPE_ASN1`` or ``FILETYPE_PEM``.

        Raises:
            ValueError: there is none in it, or there is no such format.
            error.VerifyError: it wasn't signed with the key that it is for.
        """
        encoding = encodingOf(requestFormat)
        read = x509.load_pem_x509_csr if encoding is encoding.PEM else x509.load_der_x509_csr
        request = read(requestData)
        if not request.is_signature_valid:
            raise VerifyError(f"the request for {request.subject!r} isn't signed with the key that it is for")
        return cls(request)

    def dump(self, format: int = crypto.FILETYPE_ASN1) -> bytes:
        """Write the request in a format."""
        return self.original.public_bytes(encodingOf(format))

    def getSubject(self) -> DistinguishedName:
        return fromX509Request(self.original.subject)


class PrivateCertificate(Certificate):
    """A certificate and the private key that it is for: with them an end can prove who it is."""

    privateKey: KeyPair

    def __repr__(self) -> str:
        return f"{super().__repr__()} with {self.privateKey!r}"

    @classmethod
    def fromCertificateAndKeyPair(cls, certificateInstance: Certificate, privateKey: KeyPair) -> Self:
        """
        Put a certificate and a key together.

        Raises:
            error.VerifyError: they don't belong together.
        """
        return cls(certificateInstance.original)._setPrivateKey(privateKey)

    def _setPrivateKey(self, privateKey: KeyPair) -> Self:
        # Twisted's private name, that its tests lean on.
        if not privateKey.matches(self.getPublicKey()):
            raise VerifyError("Certificate public and private keys do not match.")
        self.privateKey = privateKey
        return self

    @classmethod
    def load(  # type: ignore[override]  # Twisted's API: a key comes second
        cls, data: bytes, privateKey: KeyPair, format: int = crypto.FILETYPE_ASN1
    ) -> Self:
        """
        Read a certificate that is for a key.

        Raises:
            error.VerifyError: it is for another key.
        """
        return cls.fromCertificateAndKeyPair(Certificate.load(data, format), privateKey)

    @classmethod
    def loadPEM(cls, data: bytes) -> Self:
        """Read a certificate and its key in PEM format, in whatever order they are."""
        return cls.load(data, KeyPair.load(data, crypto.FILETYPE_PEM), crypto.FILETYPE_PEM)

    def newCertificate(self, newCertData: bytes, format: int = crypto.FILETYPE_ASN1) -> Self:
        """Read another certificate for the same key."""
        return self.load(newCertData, self.privateKey, format)

    def dumpPEM(self) -> bytes:
        """Write the certificate, then the key, in PEM format."""
        return super().dumpPEM() + self.privateKey.dump(crypto.FILETYPE_PEM)

    def inspect(self) -> str:
        return f"{self._describe()}\n{self.privateKey.inspect()}"

    def options(self, *authorities: Certificate) -> OpenSSLCertificateOptions:
        """
        Make options for a server, or a client, that shows this certificate.

        Args:
            *authorities: if any are given, the peer must show a certificate that one of them has signed.
        """
        return OpenSSLCertificateOptions(
            privateKey=self.privateKey.original,
            certificate=self.original,
            trustRoot=trustRootFromCertificates(authorities) if authorities else None,
        )

    def certificateRequest(
        self, format: int = crypto.FILETYPE_ASN1, digestAlgorithm: str = "sha256"
    ) -> bytes:
        """Ask for another certificate for the same key and name: see `KeyPair.certificateRequest`."""
        return self.privateKey.certificateRequest(self.getSubject(), format, digestAlgorithm)

    def signCertificateRequest(
        self,
        requestData: bytes,
        verifyDNCallback: Any,
        serialNumber: int,
        requestFormat: int = crypto.FILETYPE_ASN1,
        certificateFormat: int = crypto.FILETYPE_ASN1,
    ) -> Any:
        """Answer a request in this certificate's name: see `KeyPair.signCertificateRequest`."""
        return self.privateKey.signCertificateRequest(
            self.getSubject(), requestData, verifyDNCallback, serialNumber, requestFormat, certificateFormat
        )

    def signRequestObject(
        self,
        certificateRequest: CertificateRequest,
        serialNumber: int,
        secondsToExpiry: int = 60 * 60 * 24 * 365,
        digestAlgorithm: str = "sha256",
    ) -> Certificate:
        """Answer a request in this certificate's name: see `KeyPair.signRequestObject`."""
        return self.privateKey.signRequestObject(
            self.getSubject(), certificateRequest, serialNumber, secondsToExpiry, digestAlgorithm
        )


def trustRootFromCertificates(certificates: Iterable[CertBase]) -> OpenSSLCertificateAuthorities:
    """
    Trust several authorities, and no others.

    Args:
        certificates: theirs.

    Returns:
        What the argument ``trustRoot`` takes.

    Raises:
        TypeError: one is no certificate of this module's classes.
    """
    authorities = list(certificates)
    for certificate in authorities:
        if not isinstance(certificate, CertBase):
            raise TypeError(
                "certificates items must be instances of CertBase (Certificate, PrivateCertificate), and "
                f"{certificate!r} is none"
            )
    return OpenSSLCertificateAuthorities(certificate.original for certificate in authorities)
