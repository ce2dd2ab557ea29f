"""What made TLS connections before `CertificateOptions`."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
from OpenSSL import SSL

from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.interfaces import IOpenSSLContextFactory
from twisted_endpoints.ssl import ClientContextFactory, ContextFactory, DefaultOpenSSLContextFactory

from .authority import root
from .connecting import connect

OLD = SSL.OP_NO_SSLv3 | SSL.OP_NO_TLSv1 | SSL.OP_NO_TLSv1_1


def files(folder: Path) -> tuple[str, str]:
    issued = root().issue("example.com")
    key, shown = folder / "key.pem", folder / "certificate.pem"
    key.write_bytes(issued.keyPEM)
    shown.write_bytes(issued.certificatePEM)
    return str(key), str(shown)


def test_aServerAndAClient(tmp_path: Path) -> None:
    server, user = connect(DefaultOpenSSLContextFactory(*files(tmp_path)), ClientContextFactory())

    assert (user.said.heard, server.said.heard) == (b"from the server", b"from the client")


def test_filesAreReadAtOnce(tmp_path: Path) -> None:
    key, shown = files(tmp_path)

    for names in ((key, str(tmp_path / "missing")), (str(tmp_path / "missing"), shown), (shown, key)):
        with pytest.raises(SSL.Error):
            DefaultOpenSSLContextFactory(*names)


def test_theContextIsMadeOnce(tmp_path: Path) -> None:
    factory = DefaultOpenSSLContextFactory(*files(tmp_path))
    copied = copy.copy(factory)

    assert factory.getContext() is factory.getContext()
    factory.cacheContext()
    assert copied.privateKeyFileName == factory.privateKeyFileName
    copied.cacheContext()
    assert copied.getContext() is not factory.getContext()


def test_versions(tmp_path: Path) -> None:
    assert ClientContextFactory().getContext().set_options(0) & OLD == OLD
    if vocabulary == "builtin":
        assert DefaultOpenSSLContextFactory(*files(tmp_path)).getContext().set_options(0) & OLD == OLD
    chosen = DefaultOpenSSLContextFactory(*files(tmp_path), sslmethod=SSL.TLSv1_2_METHOD)
    assert chosen.getContext().set_options(0) & SSL.OP_NO_TLSv1_2 == 0


def test_interfaces() -> None:
    for kind, isClient in ((ContextFactory, 0), (ClientContextFactory, 1)):
        assert IOpenSSLContextFactory.implementedBy(kind)
        assert kind.isClient == isClient
    with pytest.raises(NotImplementedError):
        ContextFactory().getContext()
