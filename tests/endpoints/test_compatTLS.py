"""The documented internals about TLS, with the results that are documented."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from OpenSSL import SSL
from zope.interface.verify import verifyObject

from tests.tls.authority import Issued, make, root
from twisted_endpoints.endpoints import _compat, _compatTLS
from twisted_endpoints.endpoints._compat import _parseServer
from twisted_endpoints.endpoints._compatTLS import (
    _loadCAsFromDir,
    _parseClientSSL,
    _parseClientSSLOptions,
    _parseClientTLS,
    _parseSSL,
    _parseTrustRootPath,
    _privateCertFromPaths,
    _TLSClientEndpointParser,
    _TLSServerEndpointParser,
)
from twisted_endpoints.endpoints.tls import TLSClientEndpoint
from twisted_endpoints.error import VerifyError
from twisted_endpoints.interfaces import (
    IStreamClientEndpointStringParserWithReactor,
    IStreamServerEndpointStringParser,
)
from twisted_endpoints.ssl import Certificate, CertificateOptions
from twisted_endpoints.strings import DescriptionError
from twisted_endpoints.testing import MemoryReactorClock

# Twisted's own calls of pyOpenSSL.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*:DeprecationWarning:OpenSSL"),
    pytest.mark.filterwarnings("ignore:.*:DeprecationWarning:twisted"),
]

LEAF = root().issue("example.com")
OTHER = make(["other.example"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files: dict[str, Issued] = {"both": LEAF, "other": OTHER}
    for name, issued in files.items():
        (tmp_path / f"{name}.pem").write_bytes(issued.pem)
        (tmp_path / f"{name}-cert.pem").write_bytes(issued.certificatePEM)
        (tmp_path / f"{name}.key").write_bytes(issued.keyPEM)
    (tmp_path / "broken.pem").write_bytes(LEAF.certificatePEM[:200])
    (tmp_path / "none.PEM").write_text("no certificate")
    (tmp_path / "root.crt").write_bytes(root().certificatePEM)
    return tmp_path


def trusted(root: Any) -> set[bytes]:
    return {Certificate(each).dumpPEM() for each in root._caCerts}


def test_authoritiesAreLoadedAndWhatIsNoneIsPassedOver(folder: Path) -> None:
    expected = {LEAF.certificatePEM, OTHER.certificatePEM}
    for path in (str(folder), str(folder).encode(), folder):
        found = _loadCAsFromDir(path)
        assert trusted(found) == expected
        assert len(found._caCerts) == 2
    assert trusted(_parseTrustRootPath(str(folder))) == expected
    assert _parseTrustRootPath(None) is None


def test_anEmptyFolderTrustsNobody(tmp_path: Path) -> None:
    assert _loadCAsFromDir(str(tmp_path))._caCerts == []


def test_privateCertificates(folder: Path) -> None:
    both, certificate, key = (str(folder / name) for name in ("both.pem", "both-cert.pem", "both.key"))

    assert _privateCertFromPaths(None, None) is None
    assert _privateCertFromPaths(None, key) is None
    for found in (
        _privateCertFromPaths(both, None),
        _privateCertFromPaths(certificate, key),
        _privateCertFromPaths(certificate.encode(), key.encode()),
    ):
        assert found is not None
        assert found.dumpPEM().startswith(LEAF.certificatePEM)
        assert found.privateKey.matches(found.getPublicKey())
    with pytest.raises(VerifyError):
        _privateCertFromPaths(certificate, str(folder / "other.key"))
    with pytest.raises(OSError, match="nowhere"):
        _privateCertFromPaths(str(folder / "nowhere"), None)


def test_serversArguments(folder: Path) -> None:
    factory = object()
    (port, given, options), keywords = _parseSSL(
        factory,
        "443",
        str(folder / "both.key"),
        str(folder / "both-cert.pem"),
        interface="127.0.0.1",
        backlog="7",
    )

    assert (port, given, keywords) == (443, factory, {"interface": "127.0.0.1", "backlog": 7})
    assert isinstance(options, CertificateOptions)
    assert Certificate(options.certificate).dumpPEM() == LEAF.certificatePEM
    assert isinstance(options.getContext(), SSL.Context)


def test_parseServer(folder: Path) -> None:
    factory = object()
    name, args, keywords = _parseServer(f"ssl:443:privateKey={folder}/both.pem", factory)

    assert name == "SSL"
    assert (args[0], args[1], keywords) == (443, factory, {"interface": "", "backlog": 50})
    with pytest.raises(DescriptionError, match=r"server\.pem"):
        _parseServer("ssl:443", factory)


def test_clientsArguments(folder: Path) -> None:
    found = _parseClientSSL(
        "example.com",
        "443",
        privateKey=str(folder / "both.key"),
        certKey=str(folder / "both-cert.pem"),
        caCertsDir=str(folder),
        timeout="3",
        bindAddress="127.0.0.1",
    )
    options = found.pop("sslContextFactory")

    assert found == {"host": "example.com", "port": 443, "timeout": 3, "bindAddress": ("127.0.0.1", 0)}
    assert Certificate(options.certificate).dumpPEM() == LEAF.certificatePEM
    assert options.verify
    assert trusted(options.trustRoot) == {LEAF.certificatePEM, OTHER.certificatePEM}


def test_clientsOptions() -> None:
    unverified = {"host": "a"}
    assert _parseClientSSLOptions(unverified) is unverified
    assert set(unverified) == {"host", "sslContextFactory"}
    assert not unverified["sslContextFactory"].verify  # type: ignore[attr-defined]

    for hostname in ("example.com", b"example.com"):
        verified: Any = _parseClientSSLOptions({"hostname": hostname})
        assert verified["sslContextFactory"]._hostname == "example.com"


def test_clientsEndpoint() -> None:
    reactor = MemoryReactorClock()
    endpoint: Any = _parseClientTLS(reactor, b"example.com", b"443", bindAddress=b"127.0.0.1")

    assert isinstance(endpoint, TLSClientEndpoint)
    wrapped: Any = endpoint._wrappedEndpoint
    assert (wrapped._hostBytes, wrapped._port, wrapped._timeout) == (b"example.com", 443, 30)
    with pytest.raises(TypeError, match="bogus"):
        _parseClientTLS(reactor, "example.com", "443", bogus="1")


def test_parsers() -> None:
    assert verifyObject(IStreamServerEndpointStringParser, _TLSServerEndpointParser())
    assert verifyObject(IStreamClientEndpointStringParserWithReactor, _TLSClientEndpointParser())
    assert _TLSServerEndpointParser.prefix == _TLSClientEndpointParser.prefix == "tls"


def test_theTables() -> None:
    assert set(_compat._serverParsers) == {name.lower() for name in _compatTLS._endpointServerFactories}
    assert set(_compat._clientParsers) == set(_compatTLS._endpointClientFactories)
    for name, factory in _compatTLS._endpointClientFactories.items():
        assert factory(None, **_compat._clientParsers[name](*["/x"] if name == "UNIX" else ["a", "80"]))
