"""The documented functions that read strings for TLS, each by its description."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from OpenSSL import SSL
from zope.interface import providedBy
from zope.interface.verify import verifyObject

from tests.plugins.test_ssl import DH
from tests.plugins.tlsfiles import CLIENT, LEAF, Files
from tests.tls.authority import intermediate, make, root
from tests.tls.connecting import connect
from twisted_endpoints import endpoints
from twisted_endpoints.interfaces import IReactorSSL, IStreamClientEndpoint
from twisted_endpoints.protocol import Factory
from twisted_endpoints.ssl import AcceptableCiphers, Certificate, CertificateOptions, TLSVersion
from twisted_endpoints.testing import MemoryReactorClock


@pytest.fixture
def authorities(files: Files) -> str:
    """Give a directory with the certificates of two authorities, and with what is none."""
    folder = Path(files.path, "authorities")
    folder.mkdir()
    (folder / "root.pem").write_bytes(root().certificatePEM)
    (folder / "intermediate.pem").write_bytes(intermediate().certificatePEM)
    (folder / "stranger.crt").write_bytes(CLIENT.certificatePEM)
    (folder / "readme.pem").write_text("no certificate")
    return str(folder)


def shown(options: Any) -> bytes:
    return Certificate(options.certificate).dumpPEM()


# _parseSSL


@pytest.mark.parametrize("factory", [None, Factory()], ids=["None", "a factory"])
def test_anSSLServersArgumentsAreThoseOfListenSSL(files: Files, factory: Any) -> None:
    reactor = MemoryReactorClock()
    args, kwargs = endpoints._parseSSL(
        factory, "443", "leaf.key", certKey="leaf.crt", interface="127.0.0.1", backlog="7"
    )
    port, given, options = args

    assert (port, given) == (443, factory)
    assert shown(options) == LEAF.certificatePEM
    assert kwargs == {"interface": "127.0.0.1", "backlog": 7}
    assert set(kwargs) <= set(IReactorSSL["listenSSL"].getSignatureInfo()["positional"])
    reactor.listenSSL(*args, **kwargs)
    endpoints.SSL4ServerEndpoint(reactor, port, options, **kwargs).listen(factory)
    assert reactor.sslServers == [(443, factory, options, 7, "127.0.0.1")] * 2


def test_privateKeyAndCertKeyArePEMFiles(files: Files) -> None:
    (_, _, options), _ = endpoints._parseSSL(None, "443", privateKey="leaf.key", certKey="leaf.crt")
    assert shown(options) == LEAF.certificatePEM
    assert options.privateKey.to_cryptography_key().private_numbers() == LEAF.key.private_numbers()


@pytest.mark.parametrize("name", ["SSLv23_METHOD", "TLSv1_METHOD"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_sslmethodIsTheNameOfAConstantOfOpenSSL(files: Files, name: str) -> None:
    (_, _, options), _ = endpoints._parseSSL(None, "443", "leaf.pem", sslmethod=name)
    assert options.method == getattr(SSL, name)


@pytest.mark.parametrize("name", ["SSLv2_METHOD", "SSLv3_METHOD"])
def test_theMethodsThatOpenSSLDoesNotHaveAnyMoreAreValueErrors(files: Files, name: str) -> None:
    assert not isinstance(getattr(SSL, name, None), int)
    with pytest.raises(ValueError, match=f"sslmethod must be .* not '{name}'"):
        endpoints._parseSSL(None, "443", "leaf.pem", sslmethod=name)


def test_extraCertChainIsAFileOfCertificatesBetweenTheRootAndTheServers(files: Files) -> None:
    files.write("chain.pem", intermediate().certificatePEM + root().certificatePEM)
    (_, _, options), _ = endpoints._parseSSL(None, "443", "leaf.pem", extraCertChain="chain.pem")
    assert [Certificate(each).dumpPEM() for each in options.extraCertChain] == [
        intermediate().certificatePEM,
        root().certificatePEM,
    ]


@pytest.mark.parametrize("dhParameters", ["dh.pem", None])
def test_dhParametersIsAFileForDiffieHellmanAndTodayNotNeededForIt(
    files: Files, dhParameters: str | None
) -> None:
    files.write("dh.pem", DH)
    files.write("rsa.pem", make(["localhost"], key=rsa.generate_private_key(65537, 2048)).pem)
    (_, _, options), _ = endpoints._parseSSL(None, "443", "rsa.pem", dhParameters=dhParameters)
    client = CertificateOptions(
        acceptableCiphers=AcceptableCiphers.fromOpenSSLCipherString("DHE-RSA-AES128-GCM-SHA256"),
        lowerMaximumSecurityTo=TLSVersion.TLSv1_2,
    )

    _, theirs = connect(options, client)
    assert theirs.said.heard == b"from the server"
    assert (options.dhParameters is None) == (dhParameters is None)


# _loadCAsFromDir, _parseTrustRootPath and _privateCertFromPaths


@pytest.mark.parametrize("load", [endpoints._loadCAsFromDir, endpoints._parseTrustRootPath])
@pytest.mark.parametrize("kind", [str, str.encode], ids=["text", "bytes"])
def test_theCertificatesOfADirectorysPEMFilesAreATrustRoot(authorities: str, load: Any, kind: Any) -> None:
    trustRoot = load(kind(authorities))
    assert [interface.__name__ for interface in providedBy(trustRoot)] == ["IOpenSSLTrustRoot"]
    assert {Certificate(each).dumpPEM() for each in trustRoot._caCerts} == {
        root().certificatePEM,
        intermediate().certificatePEM,
    }


def test_withoutAPathThereIsNoTrustRoot() -> None:
    assert endpoints._parseTrustRootPath(None) is None


@pytest.mark.parametrize(
    ("certificate", "key"), [("leaf.crt", "leaf.key"), ("leaf.pem", None), ("leaf.pem", "leaf.pem")]
)
def test_aCertificateAndAKeyPathMakeACertificateObject(
    files: Files, certificate: str, key: str | None
) -> None:
    found = endpoints._privateCertFromPaths(certificate, key)
    assert found is not None
    assert Certificate(found.original).dumpPEM() == LEAF.certificatePEM
    assert found.privateKey.matches(found.getPublicKey())


@pytest.mark.parametrize("key", ["leaf.key", None])
def test_withoutACertificatePathThereIsNoObject(files: Files, key: str | None) -> None:
    assert endpoints._privateCertFromPaths(None, key) is None


# _parseClientSSLOptions and _parseClientSSL


def test_theCommonSSLArgumentsBecomeCertificateOptions(files: Files, authorities: str) -> None:
    given = {"certKey": "leaf.crt", "privateKey": "leaf.key", "caCertsDir": authorities, "host": "a"}
    found = endpoints._parseClientSSLOptions(given)
    options = found["sslContextFactory"]

    assert set(found) == {"host", "sslContextFactory"}
    assert isinstance(options, CertificateOptions)
    assert shown(options) == LEAF.certificatePEM
    assert len(options.trustRoot._caCerts) == 2


def test_anSSLClientsPositionalArgumentsAreHostAndPort(files: Files) -> None:
    found = endpoints._parseClientSSL("a", "443", timeout="5", bindAddress="127.0.0.1")
    options = found.pop("sslContextFactory")
    assert found == {"host": "a", "port": 443, "timeout": 5, "bindAddress": ("127.0.0.1", 0)}
    assert set(found) <= set(IReactorSSL["connectSSL"].getSignatureInfo()["positional"])
    assert isinstance(options.getContext(), SSL.Context)


def test_aContextFactoryIsConstructedOfCertKeyAndPrivateKey(files: Files) -> None:
    found = endpoints._parseClientSSL("a", "443", certKey="leaf.crt", privateKey="leaf.key")
    assert shown(found["sslContextFactory"]) == LEAF.certificatePEM


def test_caCertsDirIsScannedForFilesEndingInPEM(authorities: str) -> None:
    options = endpoints._parseClientSSL("a", "443", caCertsDir=authorities)["sslContextFactory"]
    assert {Certificate(each).dumpPEM() for each in options.trustRoot._caCerts} == {
        root().certificatePEM,
        intermediate().certificatePEM,
    }


def test_hostnameIsWhatTheServersCertificateIsValidatedWith() -> None:
    options: Any = endpoints._parseClientSSL("a", "443", hostname="example.com")["sslContextFactory"]
    assert options._hostname == "example.com"


# _parseClientTLS


@pytest.mark.parametrize("kind", [str, str.encode], ids=["text", "bytes"])
def test_aTLSClientIsConstructedOfStringParameters(files: Files, kind: Any) -> None:
    reactor = MemoryReactorClock()
    endpoint: Any = endpoints._parseClientTLS(
        reactor,
        kind("example.com"),
        kind("443"),
        timeout=kind("5"),
        bindAddress=kind("127.0.0.1"),
        certificate=kind("client.crt"),
        privateKey=kind("client.key"),
        trustRoots=kind(str(files.root_pem)),
    )
    wrapped = endpoint._wrappedEndpoint

    assert verifyObject(IStreamClientEndpoint, endpoint)
    assert isinstance(wrapped, endpoints.HostnameEndpoint)
    assert wrapped._reactor is reactor
    assert (wrapped._hostBytes, wrapped._port) == (b"example.com", 443)
    assert (wrapped._timeout, wrapped._bindAddress) == (5, ("127.0.0.1", 0))
    assert repr(endpoint._connectionCreator).endswith(" for example.com>")


def test_certificateAndPrivateKeyArePathsOfPEMFiles(files: Files) -> None:
    endpoint: Any = endpoints._parseClientTLS(
        MemoryReactorClock(), "example.com", "443", certificate="client.crt", privateKey="client.key"
    )
    assert endpoint._connectionCreator
    with pytest.raises(ValueError, match="certificate can't be used: nowhere"):
        endpoints._parseClientTLS(MemoryReactorClock(), "example.com", "443", certificate="nowhere")


def test_withAnEndpointToWrapTheHostIsOnlyForTheCertificate() -> None:
    reactor: Any = MemoryReactorClock()
    endpoint: Any = endpoints._parseClientTLS(reactor, "example.com", "443", endpoint="unix:/run/proxy")
    endpoint.connect(Factory())

    assert [call[0] for call in reactor.unixClients] == ["/run/proxy"]
    assert reactor.tcpClients == []
    assert repr(endpoint._connectionCreator).endswith(" for example.com>")
