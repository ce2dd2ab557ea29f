"""What PEM files say, from their bytes."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from twisted_endpoints._tls import pem
from twisted_endpoints._tls.pem import PEMError, PEMFile, byName, identities, lookUp, parse

from .authority import DAY, NOW, Issued, intermediate, make, root

EXAMPLE = root().issue("example.com", "www.example.com")
OTHER = root().issue("other.example")


def files(**contents: bytes) -> list[PEMFile]:
    return [parse(name, data) for name, data in contents.items()]


def test_parse() -> None:
    parsed = parse("p", b"some text\n" + EXAMPLE.pem + OTHER.certificatePEM + b"more\n")

    assert parsed.certificates == (EXAMPLE.certificate, OTHER.certificate)
    assert [key.public_key() for key in parsed.keys] == [EXAMPLE.key.public_key()]


PASSPHRASED = bytes(
    EXAMPLE.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "there is neither a certificate nor a private key in it"),
        (b"hello\n", "there is neither a certificate nor a private key in it"),
        (b"\0\xff" * 1000, "there is neither a certificate nor a private key in it"),
        (EXAMPLE.pem[:-40], "it ends in the middle of a block: is it still being written?"),
        (EXAMPLE.certificatePEM[:100], "it ends in the middle of a block: is it still being written?"),
        (PASSPHRASED, "its private key has a passphrase: store it without one"),
    ],
    ids=["empty", "text", "binary", "half a key", "half a certificate", "passphrase"],
)
def test_whatIsNoPEM(data: bytes, reason: str) -> None:
    with pytest.raises(PEMError) as caught:
        parse("/certs/a.pem", data)

    assert str(caught.value) == f"/certs/a.pem: {reason}"


@pytest.mark.parametrize("label", ["CERTIFICATE", "PRIVATE KEY"])
def test_aBlockThatIsBroken(label: str) -> None:
    block = f"-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n".encode()

    with pytest.raises(PEMError, match=f"^p: the {label.lower()} in it can't be read: "):
        parse("p", block)


def test_everyPrefixOfAFileIsJudged() -> None:
    data = EXAMPLE.pem
    whole = parse("p", data)
    outcomes = set()
    for end in range(0, len(data), 5):
        try:
            outcomes.add(parse("p", data[:end]).certificates == whole.certificates)
        except PEMError:
            outcomes.add(None)
    # Never another certificate; without its key from where the first block ends.
    assert outcomes == {None, True}


def test_keysAndCertificatesInFilesOfTheirOwn() -> None:
    found, problems = identities(files(a=EXAMPLE.certificatePEM, b=EXAMPLE.keyPEM))

    assert [(each.path, each.keyPath, each.names) for each in found] == [
        ("a", "b", ("example.com", "www.example.com"))
    ]
    assert problems == []


def test_whatIsThereInVain() -> None:
    nameless = make(commonName="example.com")
    found, problems = identities(
        files(a=EXAMPLE.certificatePEM, b=OTHER.keyPEM, c=nameless.pem, d=root().certificatePEM)
    )

    assert found == []
    assert [str(problem) for problem in problems] == [
        "c: the certificate 'CN=example.com' is for no DNS name or IP address (subjectAltName)",
        "a: the private key of the certificate for example.com, www.example.com is in no file",
        "b: its private key belongs to no certificate in any file",
    ]


def test_aChainIsFollowedToTheRoot() -> None:
    leaf = intermediate().issue("leaf.example")
    pool = {"a": leaf.pem, "b": intermediate().certificatePEM, "c": root().certificatePEM}

    found, problems = identities(files(**pool))

    assert [each.chain for each in found] == [(intermediate().certificate,)]
    assert problems == []


def test_anIssuerOfTheSameNameThatDidNotSignIsNotInTheChain() -> None:
    impostor = make(commonName="the intermediate", authority=True, issuer=root())
    leaf = intermediate().issue("leaf.example")

    (found,), _ = identities(files(a=impostor.certificatePEM, b=leaf.pem, c=intermediate().certificatePEM))

    assert found.chain == (intermediate().certificate,)


def test_issuersThatSignEachOtherEnd() -> None:
    one = make(commonName="one", authority=True)
    two = make(commonName="two", authority=True, issuer=one)
    oneAgain = make(commonName="one", authority=True, issuer=two, key=one.key)
    leaf = two.issue("leaf.example")

    (found,), _ = identities(files(a=leaf.pem, b=two.certificatePEM, c=oneAgain.certificatePEM))

    assert found.chain == (two.certificate, oneAgain.certificate)


def test_twoCertificatesOfOneKey() -> None:
    again = root().issue("again.example", key=EXAMPLE.key)

    found, problems = identities(files(a=EXAMPLE.pem, b=again.certificatePEM))

    assert [each.names[0] for each in found] == ["example.com", "again.example"]
    assert problems == []


def issued(name: str, begins: int, ends: int) -> Issued:
    return root().issue(name, begins=NOW + begins * DAY, ends=NOW + ends * DAY)


@pytest.mark.parametrize(
    ("spans", "chosen"),
    [
        ([(-1, 9), (-1, 10)], 1),
        ([(-1, 10), (-1, 9)], 0),
        ([(-1, 10), (-9, -1)], 0),
        ([(-9, -1), (-1, 10)], 1),
        ([(-1, 10), (5, 90)], 0),
        ([(-9, -2), (-9, -1)], 1),
        ([(-9, -1), (5, 90)], 1),
    ],
)
def test_theValidOneThatExpiresLast(spans: list[tuple[int, int]], chosen: int) -> None:
    certificates = [issued("a.example", *span) for span in spans]
    found, _ = identities(parse(str(i), each.pem) for i, each in enumerate(certificates))

    assert byName(found, NOW)["a.example"].certificate == certificates[chosen].certificate


@pytest.mark.parametrize(
    ("asked", "entry"),
    [
        (b"example.com", 1),
        (b"EXAMPLE.com", 1),
        (b"example.com.", 1),
        (b"www.example.com", 2),
        (b"a.b.example.com", None),
        (b"com", None),
        (b".example.com", 2),
        (b"*.example.com", 2),
        (b"", None),
        (None, None),
        (b"\xff\0", None),
    ],
)
def test_lookUp(asked: bytes | None, entry: int | None) -> None:
    assert lookUp({"example.com": 1, "*.example.com": 2}, asked) == entry


def test_namesAreInLowerCase() -> None:
    (found,), _ = identities(files(a=root().issue("WWW.Example.COM").pem))

    assert found.names == ("www.example.com",)
    assert pem.lookUp({"www.example.com": found}, b"www.EXAMPLE.com") is found


def test_anRSAKeyThatDoesNotSign() -> None:
    key = rsa.generate_private_key(65537, 1024)
    right = key.private_numbers()
    wrong = rsa.RSAPrivateNumbers(
        right.p, right.q, right.d + 2, right.dmp1 + 2, right.dmq1, right.iqmp, right.public_numbers
    ).private_key(unsafe_skip_rsa_key_validation=True)

    assert parse("right", Issued(EXAMPLE.certificate, key).keyPEM).keys
    with pytest.raises(PEMError, match="the private key in it can't be read: what it signs isn't right"):
        parse("wrong", Issued(EXAMPLE.certificate, wrong).keyPEM)
