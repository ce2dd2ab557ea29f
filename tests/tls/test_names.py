"""Distinguished names."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID
from OpenSSL.crypto import X509

from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.ssl import DN, Certificate, DistinguishedName

from .authority import DAY, NOW, make
from .connecting import certificate

onlyBuiltin = pytest.mark.skipif(vocabulary == "twisted", reason="Twisted's knows ASCII only")


def test_fieldsByLongAndShortName() -> None:
    name = DN(commonName="example.com", C=b"US")

    assert (name.CN, name.commonName, name["commonName"]) == (b"example.com",) * 3
    assert (name.C, name.countryName, name["countryName"]) == (b"US",) * 3
    assert not hasattr(name, "organizationName")
    assert not hasattr(name, "nonsense")
    name.O = "Example"
    assert name == DistinguishedName(O="Example", CN="example.com", C="US")
    assert repr(DN(CN="x")) == "<DN 'commonName': b'x'>"


def test_thereAreNoOtherFields() -> None:
    with pytest.raises(AttributeError):
        DN(surname="X")
    with pytest.raises(AttributeError):
        DN().Cn = b"x"


def test_inspectShowsWhatIsSet() -> None:
    assert DN().inspect() == ""
    assert DN(L="Berlin", CN="example.com", ST="Berlin").inspect().splitlines() == [
        "               Common Name: example.com",
        "             Locality Name: Berlin",
        "    State Or Province Name: Berlin",
    ]


def test_aCertificatesNames() -> None:
    shown = certificate(make(commonName="the root").issue("example.com"))

    assert shown.getSubject() == DN(CN="example.com")
    assert shown.getIssuer() == DN(CN="the root")


def test_ofAFieldThatComesTwiceTheFirstCounts() -> None:
    unit = NameOID.ORGANIZATIONAL_UNIT_NAME
    name = x509.Name(
        [
            x509.NameAttribute(unit, "first"),
            x509.NameAttribute(unit, "second"),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, "a field that has no name here"),
        ]
    )
    key = make().key
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW, NOW + DAY)
    shown = Certificate(X509.from_cryptography(made.sign(key, SHA256())))

    assert shown.getSubject() == DN(OU="first")


@onlyBuiltin
def test_namesBeyondASCII() -> None:
    name = DN(O="Bücher")

    assert name == {"organizationName": "Bücher".encode()}
    assert "Bücher" in name.inspect()
    assert certificate(make(commonName="Bücher")).getSubject() == DN(CN="Bücher")
