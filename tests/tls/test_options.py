"""The settings of one end."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
from OpenSSL import SSL
from zope.interface import implementer

from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.interfaces import IAcceptableCiphers
from twisted_endpoints.ssl import (
    AcceptableCiphers,
    CertificateOptions,
    DiffieHellmanParameters,
    OpenSSLDefaultPaths,
    TLSVersion,
    platformTrust,
)

from .authority import make, root
from .connecting import End, certificate, connect, private_, serving

onlyBuiltin = pytest.mark.skipif(vocabulary == "twisted", reason="Twisted's does it otherwise")

V1_0, V1_1, V1_2, V1_3 = TLSVersion.TLSv1_0, TLSVersion.TLSv1_1, TLSVersion.TLSv1_2, TLSVersion.TLSv1_3

ALL = [TLSVersion.SSLv3, V1_0, V1_1, V1_2, V1_3]
FLAGS = [SSL.OP_NO_SSLv3, SSL.OP_NO_TLSv1, SSL.OP_NO_TLSv1_1, SSL.OP_NO_TLSv1_2, SSL.OP_NO_TLSv1_3]

#: (raiseMinimumTo, insecurelyLowerMinimumTo, lowerMaximumSecurityTo): the versions that are left.
RANGES = {
    (None, None, None): [V1_2, V1_3],
    (V1_3, None, None): [V1_3],
    (V1_0, None, None): [V1_2, V1_3],
    (V1_2, None, V1_2): [V1_2],
    (None, V1_0, None): [V1_0, V1_1, V1_2, V1_3],
    (None, V1_3, None): [V1_3],
    (None, V1_0, V1_1): [V1_0, V1_1],
    (None, None, V1_2): [V1_2],
    (None, None, V1_1): [V1_1],
    (None, None, TLSVersion.SSLv3): [TLSVersion.SSLv3],
    (TLSVersion.SSLv3, None, V1_1): [V1_1],
}

#: The same, where none are left: the argument that the text names.
EMPTY = {
    (V1_3, None, V1_2): "raiseMinimumTo",
    (None, V1_2, V1_1): "insecurelyLowerMinimumTo",
}


def versions(raised: Any, lowered: Any, newest: Any) -> dict[str, Any]:
    """Name those arguments that are given: some exclude each other, even as None."""
    arguments = {
        "raiseMinimumTo": raised,
        "insecurelyLowerMinimumTo": lowered,
        "lowerMaximumSecurityTo": newest,
    }
    return {name: value for name, value in arguments.items() if value is not None}


def talked(ends: tuple[End, End]) -> bool:
    heard = [end.said.heard for end in ends]
    assert heard in ([b"from the client", b"from the server"], [b"", b""])
    return heard[0] != b""


@pytest.mark.parametrize("case", RANGES, ids=str)
def test_versions(case: tuple[Any, Any, Any]) -> None:
    options = CertificateOptions(**versions(*case))
    left = [
        version
        for version, flag in zip(ALL, FLAGS, strict=True)
        if not options._options & flag  # type: ignore[attr-defined, unused-ignore]
    ]

    assert left == RANGES[case]


@pytest.mark.parametrize("case", EMPTY, ids=str)
def test_noVersionIsLeft(case: tuple[Any, Any, Any]) -> None:
    with pytest.raises(ValueError, match=f"{EMPTY[case]} needs to be lower than lowerMaximumSecurityTo"):
        CertificateOptions(**versions(*case))


def test_bothEndsMustKnowTheVersion() -> None:
    server = serving(root().issue("x"), lowerMaximumSecurityTo=V1_2)

    assert talked(connect(server, CertificateOptions()))
    assert not talked(connect(server, CertificateOptions(raiseMinimumTo=V1_3)))


@pytest.mark.parametrize(
    "arguments",
    [
        {"trustRoot": None, "verify": False},
        {"trustRoot": None, "requireCertificate": True},
        {"trustRoot": None, "caCerts": None},
        {"method": None, "raiseMinimumTo": None},
        {"method": None, "insecurelyLowerMinimumTo": None},
        {"method": None, "lowerMaximumSecurityTo": None},
        {"raiseMinimumTo": None, "insecurelyLowerMinimumTo": None},
    ],
    ids="-".join,
)
def test_argumentsThatExcludeEachOther(arguments: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="mutually exclusive") as caught:
        CertificateOptions(**arguments)

    assert all(repr(name) in str(caught.value) for name in arguments)


def test_whatGoesTogether() -> None:
    private = private_(root())
    key, shown = private.privateKey.original, private.original

    for arguments in (
        {"privateKey": key},
        {"certificate": shown},
        {"extraCertChain": [shown]},
        {"extraCertChain": [shown], "privateKey": key},
        {"verify": True},
    ):
        with pytest.raises(ValueError, match=r"[Ss]pecify|required"):
            CertificateOptions(**arguments)


def test_methodIsDeprecated() -> None:
    with pytest.warns(
        DeprecationWarning, match="CertificateOptions was deprecated in Twisted 17.1.0"
    ) as caught:
        options = CertificateOptions(method=SSL.TLS_METHOD)

    assert options.method == SSL.TLS_METHOD
    assert caught[0].filename == __file__


def test_whatIsAlwaysSet() -> None:
    wanted = (
        SSL.OP_NO_COMPRESSION
        | SSL.OP_CIPHER_SERVER_PREFERENCE
        | SSL.OP_SINGLE_DH_USE
        | SSL.OP_SINGLE_ECDH_USE
        | SSL.OP_NO_TICKET
    )

    context = CertificateOptions().getContext()

    assert context.set_options(0) & wanted == wanted
    assert context.set_mode(0) & SSL.MODE_RELEASE_BUFFERS
    assert context.get_session_cache_mode() == SSL.SESS_CACHE_OFF
    assert context.get_verify_mode() == SSL.VERIFY_NONE
    assert context.get_verify_depth() == 9


def test_whatCanBeSwitchedOn() -> None:
    options = CertificateOptions(
        enableSessionTickets=True, enableSessions=True, fixBrokenPeers=True, verifyDepth=2
    )
    context = options.getContext()

    assert not context.set_options(0) & SSL.OP_NO_TICKET
    assert context.set_options(0) & SSL.OP_ALL == SSL.OP_ALL
    assert context.get_session_cache_mode() == SSL.SESS_CACHE_SERVER
    assert context.get_verify_depth() == 2
    assert options.getContext() is context


@pytest.mark.parametrize(
    ("arguments", "mode"),
    [
        ({"verify": True}, SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT | SSL.VERIFY_CLIENT_ONCE),
        ({"verify": True, "requireCertificate": False, "verifyOnce": False}, SSL.VERIFY_PEER),
        ({"verify": False}, SSL.VERIFY_NONE),
    ],
)
def test_verify(arguments: dict[str, Any], mode: int) -> None:
    options = CertificateOptions(caCerts=[certificate(root()).original], **arguments)

    assert options.getContext().get_verify_mode() == mode


def test_clientsWithCertificateOrWithout() -> None:
    authority = [certificate(root()).original]
    strict = serving(root().issue("x"), verify=True, caCerts=authority)
    lenient = serving(root().issue("x"), verify=True, caCerts=authority, requireCertificate=False)
    good, bad = private_(root().issue("client")).options(), private_(make(["client"])).options()
    nobody = CertificateOptions()

    assert [talked(connect(strict, user)) for user in (good, bad, nobody)] == [True, False, False]
    assert [talked(connect(lenient, user)) for user in (good, bad, nobody)] == [True, False, True]


def test_platformTrust() -> None:
    assert isinstance(platformTrust(), OpenSSLDefaultPaths)
    assert not talked(connect(serving(root().issue("x")), CertificateOptions(trustRoot=platformTrust())))


def test_ciphers() -> None:
    ciphers = AcceptableCiphers.fromOpenSSLCipherString("ECDHE-ECDSA-AES128-GCM-SHA256")
    server = serving(root().issue("x"), acceptableCiphers=ciphers, lowerMaximumSecurityTo=V1_2)
    others = AcceptableCiphers.fromOpenSSLCipherString("ECDHE-ECDSA-AES256-GCM-SHA384")

    ends = connect(server, CertificateOptions())

    assert talked(ends)
    assert ends[0].tls.getHandle().get_cipher_name() == "ECDHE-ECDSA-AES128-GCM-SHA256"
    assert not talked(connect(server, CertificateOptions(acceptableCiphers=others)))


def test_theDefaultCiphersHaveForwardSecrecyFirst() -> None:
    names = CertificateOptions()._cipherString.split(":")  # type: ignore[attr-defined, unused-ignore]
    old = [name for name in names if not name.startswith("TLS_")]

    assert old[0].startswith("ECDHE-")
    assert [name for name in names if any(bad in name for bad in ("RC4", "DES", "MD5", "NULL", "EXP"))] == []
    assert not any(name.startswith(("AES", "RSA")) for name in old[: old.index("AES256-GCM-SHA384")])


def test_noCipherIsLeft() -> None:
    for text in ("", "nonsense"):
        with pytest.raises(ValueError, match="cipher"):
            CertificateOptions(acceptableCiphers=AcceptableCiphers.fromOpenSSLCipherString(text))


def test_whoChoosesCiphersIsAsked() -> None:
    asked: list[Any] = []

    @implementer(IAcceptableCiphers)
    class Chooser:
        def selectCiphers(self, availableCiphers: Any) -> Any:
            asked.append(availableCiphers)
            return availableCiphers[:1]

    options = CertificateOptions(acceptableCiphers=Chooser())  # type: ignore[arg-type, unused-ignore]

    assert options._cipherString == asked[0][0].fullName  # type: ignore[attr-defined, unused-ignore]
    assert repr(asked[0][0]) == f"OpenSSLCipher(fullName={asked[0][0].fullName!r})"


def test_diffieHellman(tmp_path: Path) -> None:
    class FilePath:
        path = str(tmp_path / "dh.pem")

    options = CertificateOptions(dhParameters=DiffieHellmanParameters.fromFile(FilePath()))

    with pytest.raises(SSL.Error, match=r"[Nn]o such file"):
        options.getContext()


@onlyBuiltin
def test_diffieHellmanByPath(tmp_path: Path) -> None:
    for path in (tmp_path / "dh.pem", str(tmp_path / "dh.pem")):
        options = CertificateOptions(dhParameters=DiffieHellmanParameters.fromFile(path))
        with pytest.raises(SSL.Error, match=r"[Nn]o such file"):
            options.getContext()


def test_theContextForAName() -> None:
    other = private_(root().issue("other.example")).options()

    def choose(name: bytes | None) -> Any:
        return other.getContext() if name == b"other.example" else None

    from twisted_endpoints.ssl import optionsForClientTLS

    server = serving(root().issue("example.com"), contextForServerName=choose)
    for name, ok in (("other.example", True), ("example.com", True), ("third.example", False)):
        user = optionsForClientTLS(name, trustRoot=certificate(root()))
        assert talked(connect(server, user)) == ok


def test_aContextThatCanNotBeHadCutsTheConnection(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: bytes | None) -> Any:
        raise KeyboardInterrupt

    logged: list[str] = []
    home = "twisted.internet._sslverify" if vocabulary == "twisted" else "twisted_endpoints._tls.options"
    monkeypatch.setattr(f"{home}._log", type("Log", (), {"failure": staticmethod(logged.append)}))

    ends = connect(serving(root().issue("x"), contextForServerName=fail), CertificateOptions())

    assert not talked(ends)
    assert logged == ["while looking up SNI context"]


def test_itsStateIsDeprecated() -> None:
    options = serving(root().issue("x"))
    options.getContext()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        state = options.__getstate__()
        other = CertificateOptions()
        other.__setstate__(state)  # type: ignore[attr-defined, unused-ignore]

    assert "_context" not in state
    assert other.certificate is options.certificate
    texts = [str(warning.message) for warning in caught if "Twisted 15.0.0" in str(warning.message)]
    assert len(texts) == 2
