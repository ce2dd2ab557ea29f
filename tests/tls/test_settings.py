"""What is said of TLS in a string, and what contexts are made of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from OpenSSL import SSL

from twisted_endpoints._tls.pem import Identity
from twisted_endpoints._tls.settings import (
    ServerSettings,
    TLSSettings,
    diffieHellman,
    serverCheck,
    showAsPyOpenSSLs,
    shownAs,
)
from twisted_endpoints._tls.sni import SNIConnectionCreator
from twisted_endpoints._tls.verification import VerifyingClientOptions
from twisted_endpoints.ssl import Certificate, CertificateOptions, TLSVersion

from .authority import Issued, make, root
from .connecting import connect

LEAF = root().issue("example.com")
TRUST = (root().certificate,)


def identity(issued: Issued = LEAF) -> Identity:
    return Identity("a.pem", "a.pem", issued.certificate, issued.key, (), ("example.com",))


def client(shown: Identity | None = None, minVersion: str = "1.2") -> Any:
    return VerifyingClientOptions("example.com", serverCheck(TLSSettings(minVersion), shown, TRUST))


def ciphers(options: CertificateOptions) -> list[str]:
    return SSL.Connection(options.getContext()).get_cipher_list()


@pytest.mark.parametrize("text", ["ALL", "ALL:COMPLEMENTOFALL:aNULL:eNULL", "ALL:eNULL:aNULL:@SECLEVEL=0"])
def test_noCiphersLetAnybodyIn(text: str) -> None:
    found = ciphers(ServerSettings(ciphers=text).options(identity()))
    assert len(found) > 10
    assert [name for name in found if "NULL" in name or name.startswith(("ADH", "AECDH"))] == []


@pytest.mark.parametrize("text", ["NONSENSE", "aNULL", "eNULL", "AECDH", "TLS_AES_128_GCM_SHA256"])
def test_ciphersThatAreNone(text: str) -> None:
    with pytest.raises(ValueError, match="no cipher suite by these names"):
        TLSSettings(ciphers=text).arguments()


def test_theOldestVersion() -> None:
    newest, tls13 = ServerSettings().options(identity()), ServerSettings(minVersion="1.3").options(identity())
    server, end = connect(newest, client(minVersion="1.3"))
    assert (server.said.heard, end.said.heard) == (b"from the client", b"from the server")

    old: Any = CertificateOptions(
        insecurelyLowerMinimumTo=TLSVersion.TLSv1_2, lowerMaximumSecurityTo=TLSVersion.TLSv1_2
    )
    server, end = connect(newest, old)
    assert end.said.heard == b"from the server"
    server, end = connect(tls13, old)
    assert end.said.heard == b""


@pytest.mark.parametrize("switched", [False, True])
def test_oneRefusedClientIsNotTheNextOnesFault(switched: bool) -> None:
    settings = ServerSettings(clientCAs=TRUST)
    server: Any = _switching(settings) if switched else settings.options(identity())

    for shown in (None, make(["stranger"]), None):
        refused, _ = connect(server, client(shown=identity(shown) if shown else None))
        assert refused.said.heard == b""
        assert isinstance(refused.said.lost, SSL.Error)
        good, end = connect(server, client(shown=identity()))
        assert (good.said.heard, end.said.heard) == (b"from the client", b"from the server")


def test_theReasonIsTheServers() -> None:
    server: Any = _switching(ServerSettings(clientCAs=TRUST))
    refused, _ = connect(server, client(shown=identity(make(["stranger"]))))
    assert str(refused.said.lost).startswith("the client's certificate is signed by nobody but itself")


def _switching(settings: ServerSettings) -> SNIConnectionCreator:
    """Make a server whose connections begin with one context, and go on with another."""

    class Folder:
        served = settings.context(identity())

        def context(self, serverName: bytes | None) -> SSL.Context:
            return self.served

    folder: Any = Folder()
    return SNIConnectionCreator(folder, settings.context(None))


def test_pyOpenSSLsObjectsAreThereForPrograms() -> None:
    shown = replace(identity(), chain=TRUST)
    options = CertificateOptions(**shownAs(shown))
    showAsPyOpenSSLs(options, shown)
    assert Certificate(options.certificate).dumpPEM() == LEAF.certificatePEM
    assert [Certificate(each).dumpPEM() for each in options.extraCertChain] == [root().certificatePEM]


def test_diffieHellmanNeedsParameters(tmp_path: Path) -> None:
    path = tmp_path / "dh.pem"
    with pytest.raises(ValueError, match="Diffie-Hellman"):
        diffieHellman(str(path))
    path.write_bytes(LEAF.pem)
    with pytest.raises(ValueError, match="Diffie-Hellman"):
        diffieHellman(str(path))


def test_whatOpenSSLRefusesIsAValueError() -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa

    short = make(["example.com"], key=rsa.generate_private_key(65537, 1024))
    with pytest.raises(ValueError, match=r"OpenSSL refuses this certificate: .*key too small"):
        ServerSettings().options(identity(short))


def test_clientsWithTheSameSettingsShareOneCheck(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = TLSSettings(alpn=(b"h2",))
    shared = serverCheck(settings, None, ())

    assert serverCheck(TLSSettings(alpn=(b"h2",)), None, ()) is shared
    assert serverCheck(TLSSettings(), None, ()) is not shared
    assert serverCheck(settings, None, TRUST) is not shared
    assert serverCheck(settings, identity(), ()) is not serverCheck(settings, identity(), ())
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/other.pem")
    assert serverCheck(settings, None, ()) is not shared


def test_thisMachinesTrustIsReadAnewAfterAWhile(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    shared = serverCheck(TLSSettings(), None, ())
    now[0] = 3599
    assert serverCheck(TLSSettings(), None, ()) is shared
    now[0] = 3600
    assert serverCheck(TLSSettings(), None, ()) is not shared
