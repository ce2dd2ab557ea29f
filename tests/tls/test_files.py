"""What is read from the files that strings name."""

from __future__ import annotations

from pathlib import Path

import pytest

from twisted_endpoints._tls.files import loadAuthorities, loadChain, loadIdentity
from twisted_endpoints._tls.pem import PEMError

from .authority import intermediate, make, root

LEAF = intermediate().issue("example.com")
OTHER = make(["other.example"])


def write(folder: Path, **contents: bytes) -> dict[str, str]:
    for name, content in contents.items():
        (folder / f"{name}.pem").write_bytes(content)
    return {name: str(folder / f"{name}.pem") for name in contents}


def test_anIdentityIsTheCertificateOfTheKeyAndTheOthersAreItsChain(tmp_path: Path) -> None:
    issuer = intermediate().certificatePEM
    paths = write(
        tmp_path, key=LEAF.keyPEM, first=LEAF.certificatePEM + issuer, last=issuer + LEAF.certificatePEM
    )

    for path in (paths["first"], paths["last"]):
        found = loadIdentity(paths["key"], path)
        assert found.certificate == LEAF.certificate
        assert found.chain == (intermediate().certificate,)
        assert found.names == ("example.com",)
        assert (found.keyPath, found.path) == (paths["key"], path)


def test_anIdentityInOneFile(tmp_path: Path) -> None:
    path = write(tmp_path, both=b"some text\n" + LEAF.pem.replace(b"\n", b"\r\n"))["both"]
    assert loadIdentity(path, path).chain == ()


@pytest.mark.parametrize(
    ("key", "certificate", "at", "reason"),
    [
        ("crt", "crt", "crt", "there is no private key in it"),
        ("key", "key", "key", "there is no certificate in it"),
        ("both", "other", "other", "no certificate in it is for the private key in "),
        ("mixed", "mixed", "mixed", "no certificate in it is for the private key in it"),
        ("none", "both", "none", "there is neither a certificate nor a private key in it"),
        ("both", "half", "half", "it ends in the middle of a block: is it still being written?"),
    ],
)
def test_whatIsNoIdentity(tmp_path: Path, key: str, certificate: str, at: str, reason: str) -> None:
    paths = write(
        tmp_path,
        both=LEAF.pem,
        crt=LEAF.certificatePEM,
        key=LEAF.keyPEM,
        other=OTHER.certificatePEM,
        mixed=OTHER.certificatePEM + LEAF.keyPEM,
        none=b"nothing",
        half=LEAF.certificatePEM[:200],
    )
    with pytest.raises(PEMError) as caught:
        loadIdentity(paths[key], paths[certificate])
    assert caught.value.path == paths[at]
    assert caught.value.reason.startswith(reason)


def test_authoritiesOfAFolder(tmp_path: Path) -> None:
    bundle = root().certificatePEM + OTHER.certificatePEM
    write(tmp_path, bundle=bundle, again=OTHER.pem, none=b"nothing", half=LEAF.certificatePEM[:200])
    (tmp_path / "leaf.crt").write_bytes(LEAF.certificatePEM)
    (tmp_path / "folder.pem").mkdir()

    assert loadAuthorities(str(tmp_path)) == (OTHER.certificate, root().certificate)


def test_authoritiesOfAFile(tmp_path: Path) -> None:
    paths = write(tmp_path, bundle=root().certificatePEM + OTHER.certificatePEM, key=LEAF.keyPEM)

    assert loadAuthorities(paths["bundle"]) == (root().certificate, OTHER.certificate)
    assert loadChain(paths["bundle"]) == (root().certificate, OTHER.certificate)
    with pytest.raises(PEMError, match="there is no certificate in it"):
        loadAuthorities(paths["key"])


def test_noAuthorities(tmp_path: Path) -> None:
    with pytest.raises(PEMError, match="there is no certificate in this folder"):
        loadAuthorities(str(tmp_path))
    with pytest.raises(PEMError, match="No such file or directory"):
        loadAuthorities(str(tmp_path / "nowhere"))
