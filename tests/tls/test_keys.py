"""Keys, and what they sign."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from OpenSSL import crypto

from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.defer import Deferred
from twisted_endpoints.error import VerifyError
from twisted_endpoints.ssl import DN, Certificate, CertificateRequest, KeyPair

from .authority import root
from .connecting import certificate, connect, private_, serving

onlyBuiltin = pytest.mark.skipif(vocabulary == "twisted", reason="Twisted's does it otherwise")


@cache
def rsaPair() -> KeyPair:
    return KeyPair.generate()


def ecPair() -> KeyPair:
    return KeyPair(crypto.PKey.from_cryptography_key(ec.generate_private_key(ec.SECP256R1())))


@pytest.mark.parametrize("format", [crypto.FILETYPE_ASN1, crypto.FILETYPE_PEM])
@pytest.mark.parametrize("make", [rsaPair, ecPair])
def test_whatIsDumpedIsLoaded(format: int, make: Any) -> None:
    pair = make()

    assert KeyPair.load(pair.dump(format), format).matches(pair)


def test_matchesIsOfTheKeyAlone() -> None:
    one, other = ecPair(), ecPair()
    public = one.selfSignedCert(1, CN="x").getPublicKey()

    assert one.matches(public)
    assert public.matches(one)
    assert not other.matches(public)
    assert public.keyHash() == one.keyHash() != other.keyHash()
    assert repr(public) == f"<PublicKey {one.keyHash()}>"
    assert public.inspect() == f"Public Key with Hash: {one.keyHash()}"


def test_inspect() -> None:
    assert rsaPair().inspect() == f"2048-bit RSA Key Pair with Hash: {rsaPair().keyHash()}"


@onlyBuiltin
def test_inspectKnowsCurves() -> None:
    pair = ecPair()

    assert pair.inspect() == f"256-bit EC Key Pair with Hash: {pair.keyHash()}"


def test_generateMakesTheKindsThatItKnows() -> None:
    dsa = KeyPair.generate(crypto.TYPE_DSA, 1024)

    assert (dsa.original.type(), dsa.original.bits()) == (crypto.TYPE_DSA, 1024)
    with pytest.raises((ValueError, crypto.Error)):
        KeyPair.generate(99, 1024)


@onlyBuiltin
def test_formatsThatAreNone() -> None:
    with pytest.raises(ValueError, match="Unsupported format: 99; expected FILETYPE_ASN1 or FILETYPE_PEM"):
        ecPair().dump(99)


def test_aKeysCertificateForItselfIsAnAuthorityAndTheOthersAreNot() -> None:
    if vocabulary == "twisted":
        pytest.skip("Twisted's are of X.509 version 1, which can't say so")
    pair, other = ecPair(), ecPair()
    own = pair.selfSignedCert(5, CN="us", O="Us")
    signed = own.signRequestObject(other.requestObject(DN(CN="them")), 6)

    def authority(shown: Certificate) -> bool:
        from cryptography import x509

        found = shown.original.to_cryptography().extensions
        return found.get_extension_for_class(x509.BasicConstraints).value.ca

    assert (authority(own), authority(signed)) == (True, False)
    assert (own.serialNumber(), signed.serialNumber()) == (5, 6)
    assert (signed.getSubject(), signed.getIssuer()) == (DN(CN="them"), DN(CN="us", O="Us"))


@onlyBuiltin
def test_numbersAndTimesThatX509DoesNotAllow() -> None:
    pair = ecPair()
    request = pair.requestObject(DN(CN="x"))

    assert pair.signRequestObject(DN(CN="x"), request, 0).serialNumber() == 1
    assert pair.signRequestObject(DN(CN="x"), request, 1, secondsToExpiry=-60).original.has_expired()


def test_requestsAreSigned() -> None:
    pair, authority = ecPair(), ecPair()
    data = pair.certificateRequest(DN(CN="them"), crypto.FILETYPE_PEM)
    asked = []

    def allow(name: DN) -> bool:
        asked.append(name)
        return True

    signed = authority.signCertificateRequest(
        DN(CN="us"), data, allow, 7, crypto.FILETYPE_PEM, crypto.FILETYPE_PEM
    )

    assert asked == [DN(CN="them")]
    assert pair.newCertificate(signed, crypto.FILETYPE_PEM).getIssuer() == DN(CN="us")
    with pytest.raises(VerifyError):
        authority.newCertificate(signed, crypto.FILETYPE_PEM)


def test_whoIsAskedMayTakeTheirTimeAndSayNo() -> None:
    pair = ecPair()
    data = pair.certificateRequest(DN(CN="them"))
    answer: Deferred[bool] = Deferred()

    signing = pair.signCertificateRequest(DN(CN="us"), data, lambda _: answer, 1)
    answer.callback(True)
    got: list[bytes] = []
    signing.addCallback(got.append)

    assert Certificate.load(got[0]).getSubject() == DN(CN="them")
    with pytest.raises(VerifyError, match="rejected request DN <DN 'commonName': b'them'>"):
        pair.signCertificateRequest(DN(CN="us"), data, lambda _: False, 1)


def test_aRequestThatWasTamperedWithIsRefused() -> None:
    data = bytearray(ecPair().certificateRequest(DN(CN="them")))
    data[-1] ^= 1

    with pytest.raises((VerifyError, ValueError)):
        CertificateRequest.load(bytes(data))


def test_aRequestForMoreThanNamesKnowIsRefused() -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.GIVEN_NAME, "Alice")])
    request = CertificateRequest(x509.CertificateSigningRequestBuilder(name).sign(key, SHA256()))

    with pytest.raises(ValueError, match=r"field|attribute"):
        request.getSubject()


@onlyBuiltin
def test_hashesThatAreNoneAnyMore() -> None:
    with pytest.raises(ValueError, match="Unsupported digestAlgorithm 'md5'; expected one of"):
        ecPair().requestObject(DN(CN="x"), "md5")


@onlyBuiltin
def test_keysThatAreSignedWithoutAHash() -> None:
    pair = KeyPair(crypto.PKey.from_cryptography_key(ed25519.Ed25519PrivateKey.generate()))

    assert pair.selfSignedCert(1, CN="x").getPublicKey().matches(pair)


def test_pickledStateIsDeprecated() -> None:
    pair = ecPair()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        state = pair.__getstate__()
        other = ecPair()
        other.__setstate__(state)

    texts = [str(warning.message) for warning in caught if "15.0.0" in str(warning.message)]
    assert len(texts) == 2
    assert all(
        text.endswith("in Twisted 15.0.0; please use a real persistence system instead") for text in texts
    )
    assert other.matches(pair)


def test_theyServe() -> None:
    served = rsaPair().selfSignedCert(1, CN="us")

    server, user = connect(served.options(), private_(root()).options(served))

    assert (user.said.heard, server.said.heard) == (b"from the server", b"from the client")
    assert serving(root()).getContext() is not None
    assert certificate(root()).digest("sha256").count(b":") == 31
