"""A client's options for one host."""

from __future__ import annotations

from typing import Any

import pytest
from OpenSSL import SSL

from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.interfaces import IOpenSSLClientConnectionCreator
from twisted_endpoints.ssl import VerificationError, optionsForClientTLS

from .authority import make, root
from .connecting import certificate, connect, private_, serving

onlyBuiltin = pytest.mark.skipif(vocabulary == "twisted", reason="Twisted's goes on, or refuses the name")


def test_theHostMustBeProved() -> None:
    server, user = connect(
        serving(root().issue("example.com")), optionsForClientTLS("example.com", certificate(root()))
    )
    assert (user.said.heard, server.said.heard) == (b"from the server", b"from the client")

    server, user = connect(
        serving(root().issue("example.org")), optionsForClientTLS("example.com", certificate(root()))
    )
    assert (user.said.heard, server.said.heard) == (b"", b"")
    assert isinstance(user.said.lost, VerificationError)

    server, user = connect(
        serving(make(["example.com"])), optionsForClientTLS("example.com", certificate(root()))
    )
    assert (user.said.heard, server.said.heard) == (b"", b"")
    assert isinstance(user.said.lost, SSL.Error)


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])
def test_addresses(host: str) -> None:
    for shown, ok in ((host, True), ("192.0.2.2", False), ("example.com", False)):
        server, user = connect(serving(root().issue(shown)), optionsForClientTLS(host, certificate(root())))
        assert (server.said.heard != b"", user.said.heard != b"") == (ok, ok)


@onlyBuiltin
def test_aCommonNameAloneDoesNotCount() -> None:
    server, user = connect(
        serving(root().issue(commonName="example.com")),
        optionsForClientTLS("example.com", certificate(root())),
    )

    assert (user.said.heard, server.said.heard) == (b"", b"")
    assert isinstance(user.said.lost, VerificationError)
    assert "names no host but in its common name, 'example.com'" in str(user.said.lost)


@onlyBuiltin
def test_anErrorInTheCheckIsANo(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> bool:
        raise KeyboardInterrupt

    options = optionsForClientTLS("example.com", certificate(root()))
    logged: list[str] = []
    monkeypatch.setattr("twisted_endpoints._tls.clientoptions._log.failure", logged.append)
    monkeypatch.setattr("twisted_endpoints._tls.hosts.Host.isNamedBy", fail)

    server, user = connect(serving(root().issue("example.com")), options)

    assert (user.said.heard, server.said.heard) == (b"", b"")
    assert logged == ["while verifying certificate"]


def test_theHostIsText() -> None:
    with pytest.raises(TypeError, match=r"^optionsForClientTLS requires text for host names, not bytes$"):
        optionsForClientTLS(b"example.com")  # type: ignore[arg-type]


def test_theClientsCertificateAndMoreOptions() -> None:
    more: dict[str, Any] = {"enableSessionTickets": True}
    user = optionsForClientTLS(
        "example.com",
        certificate(root()),
        private_(root().issue("client")),
        [b"h2"],
        extraCertificateOptions=more,
    )
    server = serving(root().issue("example.com"), trustRoot=certificate(root()), acceptableProtocols=[b"h2"])

    ends = connect(server, user)

    assert [end.said.heard for end in ends] == [b"from the client", b"from the server"]
    assert ends[1].tls.negotiatedProtocol == b"h2"
    if vocabulary == "builtin":
        assert more == {"enableSessionTickets": True}


@pytest.mark.parametrize(
    ("host", "send", "name"),
    [
        ("example.com", None, b"example.com"),
        ("bücher.example", None, b"xn--bcher-kva.example"),
        ("192.0.2.1", None, None),
        ("example.com", False, None),
        ("192.0.2.1", True, b"192.0.2.1"),
    ],
)
def test_theServerIsToldTheName(host: str, send: bool | None, name: bytes | None) -> None:
    asked: list[bytes | None] = []
    server = serving(root().issue("example.com"), contextForServerName=asked.append)
    user = optionsForClientTLS(host, certificate(root()), sendServerName=send)

    connect(server, user)

    assert IOpenSSLClientConnectionCreator.providedBy(user)
    assert asked == [name]
