"""Certificates, alone and with their key."""

from __future__ import annotations

from typing import Any

import pytest
from OpenSSL import crypto

from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.error import CertificateError, VerifyError
from twisted_endpoints.ssl import (
    Certificate,
    CertificateOptions,
    CertificateRequest,
    KeyPair,
    PrivateCertificate,
    trustRootFromCertificates,
)

from .authority import intermediate, make, root
from .connecting import certificate, connect, private_, serving


class Transport:
    """A transport whose TLS handle knows certificates, or doesn't."""

    def __init__(self, **handle: Any) -> None:
        self._handle = type("Handle", (), {key: staticmethod(value) for key, value in handle.items()})()

    def __repr__(self) -> str:
        return "<a transport>"

    def getHandle(self) -> Any:
        return self._handle


def test_loadAndDump() -> None:
    issued = root().issue("example.com")
    shown = Certificate.loadPEM(issued.certificatePEM)

    assert shown == Certificate.load(shown.dump())
    assert shown.dumpPEM() == issued.certificatePEM
    assert shown.dump(crypto.FILETYPE_PEM) == issued.certificatePEM
    assert shown != Certificate.loadPEM(root().certificatePEM)
    assert shown != issued
    assert shown.serialNumber() == issued.certificate.serial_number
    with pytest.raises(crypto.Error):
        Certificate.loadPEM(b"nonsense")


def test_reprAndInspect() -> None:
    shown = certificate(root().issue("example.com"))

    assert repr(shown) == "<Certificate Subject=b'example.com' Issuer=b'the root'>"
    assert shown.inspect().splitlines() == [
        "Certificate For Subject:",
        "               Common Name: example.com",
        "",
        "Issuer:",
        "               Common Name: the root",
        "",
        f"Serial Number: {shown.serialNumber()}",
        f"Digest: {shown.digest().decode()}",
        f"Public Key with Hash: {shown.getPublicKey().keyHash()}",
    ]


def test_withItsKey() -> None:
    issued = root().issue("example.com")
    private = PrivateCertificate.loadPEM(issued.keyPEM + issued.certificatePEM)

    assert repr(private) == (
        f"<PrivateCertificate Subject=b'example.com' Issuer=b'the root'> with {private.privateKey!r}"
    )
    assert private.inspect().splitlines()[-1] == private.privateKey.inspect()
    again = PrivateCertificate.loadPEM(private.dumpPEM())
    assert again == private
    assert again.privateKey.matches(private.privateKey)


def test_anothersKeyIsRefused() -> None:
    one, other = root().issue("example.com"), root().issue("example.com")

    with pytest.raises(VerifyError):
        PrivateCertificate.loadPEM(one.certificatePEM + other.keyPEM)
    with pytest.raises(VerifyError):
        PrivateCertificate.fromCertificateAndKeyPair(
            certificate(one), KeyPair.load(other.keyPEM, crypto.FILETYPE_PEM)
        )


def test_anotherCertificateForTheKey() -> None:
    private = private_(root().issue("example.com"))
    request = CertificateRequest.load(private.certificateRequest())
    authority = private_(root())

    renewed = private.newCertificate(authority.signRequestObject(request, 99).dump())

    assert renewed.serialNumber() == 99
    assert renewed.privateKey is private.privateKey
    assert renewed.getSubject() == private.getSubject()
    data = authority.signCertificateRequest(request.dump(), lambda name: True, 100)
    assert private.newCertificate(data).serialNumber() == 100


def test_ofATransport() -> None:
    peer, host = certificate(root()).original, certificate(intermediate()).original
    transport = Transport(get_peer_certificate=lambda: peer, get_host_certificate=lambda: host)

    assert Certificate.peerFromTransport(transport) == certificate(root())
    assert Certificate.hostFromTransport(transport) == certificate(intermediate())


@pytest.mark.parametrize("end", ["peer", "host"])
def test_aTransportWithoutCertificate(end: str) -> None:
    get = getattr(Certificate, f"{end}FromTransport")

    with pytest.raises(CertificateError, match=f"^non-TLS transport <a transport> did not have {end}"):
        get(Transport())
    with pytest.raises(CertificateError, match=f"^TLS transport <a transport> did not have {end}"):
        get(Transport(**{f"get_{end}_certificate": lambda: None}))


def test_aCertificateAloneServesNobody() -> None:
    with pytest.raises(NotImplementedError):
        certificate(root()).options()


def test_trustRootFromCertificates() -> None:
    them = make(commonName="them", authority=True)
    trust = trustRootFromCertificates([private_(them), certificate(root())])

    for issuer in (them, root()):
        server, user = connect(serving(issuer.issue("x")), CertificateOptions(trustRoot=trust))
        assert (user.said.heard, server.said.heard) == (b"from the server", b"from the client")
    server, user = connect(serving(make(["x"])), CertificateOptions(trustRoot=trust))
    assert (user.said.heard, server.said.heard) == (b"", b"")


def test_trustRootFromCertificatesWantsOurs() -> None:
    with pytest.raises(TypeError, match="certificates items must be"):
        trustRootFromCertificates([certificate(root()).original])


def test_aCertificateIsATrustRoot() -> None:
    options = CertificateOptions(trustRoot=certificate(root()))

    server, user = connect(serving(root().issue("x")), options)
    assert (user.said.heard, server.said.heard) == (b"from the server", b"from the client")


@pytest.mark.skipif(vocabulary == "twisted", reason="Twisted's takes it, and fails when it connects")
def test_aRequestIsNone() -> None:
    request = CertificateRequest.load(private_(root()).certificateRequest())

    with pytest.raises(TypeError):
        CertificateOptions(trustRoot=request)


def test_optionsWithAuthorities() -> None:
    server = private_(root().issue("server")).options(certificate(root()))

    refused = connect(server, private_(make(["client"])).options())
    assert [end.said.heard for end in refused] == [b"", b""]
    letIn = connect(server, private_(root().issue("client")).options(certificate(root())))
    assert [end.said.heard for end in letIn] == [b"from the client", b"from the server"]
