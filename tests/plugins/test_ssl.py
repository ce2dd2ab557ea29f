"""The strings ``ssl:``: what Twisted's do, a limit for handshakes, and a word about who isn't checked."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from OpenSSL import SSL

from tests.running import run
from tests.tls.authority import intermediate
from twisted_endpoints import error
from twisted_endpoints._tls.refusals import CertificateRefused
from twisted_endpoints._tls.verification import VerifyingClientOptions
from twisted_endpoints.endpoints import (
    SSL4ClientEndpoint,
    SSL4ServerEndpoint,
    clientFromString,
    connectProtocol,
    serverFromString,
)
from twisted_endpoints.ssl import Certificate, CertificateOptions
from twisted_endpoints.strings import DescriptionError, UnverifiedServerWarning

from .tlsfiles import LEAF, EchoFactory, Files, Talk, listening, talk


def test_theServersArguments(files: Files) -> None:
    reactor = object()
    endpoint: Any = serverFromString(
        reactor,
        f"ssl:1234:{files.leaf_key}:{files.leaf_crt}:interface=10.0.0.1:backlog=12:handshakeTimeout=3"
        f":extraCertChain={files.root_pem}",
    )

    assert isinstance(endpoint, SSL4ServerEndpoint)
    assert (endpoint._reactor, endpoint._port, endpoint._backlog) == (reactor, 1234, 12)
    assert (endpoint._interface, endpoint._handshakeTimeout) == ("10.0.0.1", 3)
    options = endpoint._sslContextFactory
    assert isinstance(options, CertificateOptions)
    assert Certificate(options.certificate).dumpPEM() == LEAF.certificatePEM
    assert len(options.extraCertChain) == 1


def test_theServersOldArguments(files: Files) -> None:
    parameters = files.write("dh.pem", DH)
    with warnings.catch_warnings(record=True) as notes:
        warnings.simplefilter("always")
        endpoint: Any = serverFromString(
            object(), f"ssl:1:{files.leaf_pem}:sslmethod=TLSv1_2_METHOD:dhParameters={parameters}"
        )

    assert any("method" in str(note.message) for note in notes)
    assert endpoint._sslContextFactory.method == SSL.TLSv1_2_METHOD
    assert endpoint._sslContextFactory.dhParameters is not None


def test_theClientsArguments(files: Files) -> None:
    reactor = object()
    endpoint: Any = clientFromString(
        reactor,
        f"ssl:example.com:443:timeout=7:bindAddress=127.0.0.1:insecure=1:certKey={files.client_crt}"
        f":privateKey={files.client_key}:handshakeTimeout=3:deadline=20",
    )

    assert isinstance(endpoint, SSL4ClientEndpoint)
    assert (endpoint._reactor, endpoint._host, endpoint._port) == (reactor, "example.com", 443)
    assert (endpoint._timeout, endpoint._bindAddress) == (7, ("127.0.0.1", 0))
    assert (endpoint._handshakeTimeout, endpoint._deadline) == (3, 20)
    assert endpoint._sslContextFactory.certificate is not None


@pytest.mark.parametrize(
    ("more", "whom"),
    [
        ("", "whoever answers for the server"),
        ("caCertsDir", "whoever has a certificate of these authorities"),
    ],
)
def test_aClientThatDoesNotCheckSaysSo(files: Files, more: str, whom: str) -> None:
    description = f"ssl:example.com:443:caCertsDir={files.path}" if more else "ssl:example.com:443"
    with pytest.warns(UnverifiedServerWarning) as caught:
        endpoint: Any = clientFromString(object(), description)

    text = str(caught[0].message)
    assert whom in text
    assert "'tls:example.com:443'" in text
    assert "hostname=example.com" in text
    assert "insecure=1" in text
    assert caught[0].filename == __file__
    assert endpoint._sslContextFactory.verify == bool(more)


@pytest.mark.parametrize("more", ["insecure=1", "hostname=example.com"])
def test_aClientThatIsSureIsQuiet(more: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        endpoint: Any = clientFromString(object(), f"ssl:example.com:443:{more}")
    assert isinstance(endpoint._sslContextFactory, VerifyingClientOptions) == more.startswith("hostname")


def test_aServerAndItsClients(reactor: Any, files: Files) -> None:
    async def main() -> None:
        served = EchoFactory()
        async with listening(
            reactor, f"ssl:0:privateKey={files.leaf_pem}:interface=127.0.0.1:alpn=h2", served
        ) as port:
            client = f"ssl:127.0.0.1:{port}"
            done = await talk(reactor, f"{client}:hostname=localhost:caCertsDir={files.root_pem}:alpn=h2")
            assert (done.heard, done.shown, done.negotiated) == (b"hello", LEAF.certificate, b"h2")
            assert (await talk(reactor, f"{client}:insecure=1:minVersion=1.3")).heard == b"hello"
            assert served.built == 2
            with pytest.raises(CertificateRefused, match="and not for example"):
                await talk(reactor, f"{client}:hostname=example.com:caCertsDir={files.root_pem}")
            with pytest.raises(CertificateRefused, match="was issued by 'the root', who is not known here"):
                await talk(reactor, f"{client}:hostname=localhost")
        assert served.built == 2

    run(reactor, main)


def test_theChainIsInTheCertificatesFile(reactor: Any, files: Files) -> None:
    leaf = intermediate().issue("localhost")
    both = files.write("both.pem", leaf.pem + intermediate().certificatePEM)

    async def main() -> None:
        async with listening(reactor, f"ssl:0:{both}:interface=127.0.0.1", EchoFactory()) as port:
            client = f"ssl:127.0.0.1:{port}:hostname=localhost:caCertsDir={files.root_pem}"
            assert (await talk(reactor, client)).shown == leaf.certificate

    run(reactor, main)


def test_clientsMustShowACertificate(reactor: Any, files: Files) -> None:
    async def main() -> None:
        served = EchoFactory()
        server = f"ssl:0:{files.leaf_pem}:interface=127.0.0.1:clientCAs={files.root_pem}"
        async with listening(reactor, server, served) as port:
            client = f"ssl:127.0.0.1:{port}:hostname=localhost:caCertsDir={files.root_pem}"
            for more in ("", f":certKey={files.stranger_pem}"):
                protocol = Talk()
                await connectProtocol(clientFromString(reactor, client + more), protocol)
                assert isinstance(await protocol.done, SSL.Error)
            assert served.built == 0
            assert (await talk(reactor, f"{client}:certKey={files.client_pem}")).heard == b"hello"

    run(reactor, main)


def test_aHandshakeHasADeadline(reactor: Any, files: Files) -> None:
    async def main() -> None:
        async with listening(reactor, "tcp:0:interface=127.0.0.1", EchoFactory()) as port:
            # An echo of the client's hello is no TLS server's: the alert comes at once.
            with pytest.raises(SSL.Error):
                await talk(reactor, f"ssl:127.0.0.1:{port}:insecure=1:handshakeTimeout=5")
        with pytest.raises(error.ConnectError):
            await talk(reactor, f"ssl:127.0.0.1:{port}:insecure=1:deadline=5")

    run(reactor, main)


def refused(description: str, client: bool = False) -> str:
    with pytest.raises(DescriptionError) as caught:
        (clientFromString if client else serverFromString)(object(), description)
    text = str(caught.value)
    start, length = caught.value.position, caught.value.length
    return f"{text.splitlines()[0]} <{description[start : start + length]}>"


def test_whatIsWrongWithFilesIsSaidAtOnce(files: Files) -> None:
    key, crt, other = files.leaf_key, files.leaf_crt, files.client_key
    nowhere = str(files.path / "nowhere")
    mismatch = f"no certificate in it is for the private key in {other}"
    missing = "it can't be read: No such file or directory"
    noParameters = (
        "it can't be read, or there are no Diffie-Hellman parameters in it:"
        " 'openssl dhparam -out FILE 2048' makes some"
    )
    for head, path, name, reason in (
        ("ssl:443:", nowhere, "privateKey", missing),
        ("ssl:443:", key, "privateKey", "there is no certificate in it"),
        (f"ssl:443:{other}:", crt, "certKey", mismatch),
        (f"ssl:443:{files.leaf_pem}:extraCertChain=", key, "extraCertChain", "there is no certificate in it"),
        (f"ssl:443:{files.leaf_pem}:dhParameters=", key, "dhParameters", noParameters),
        ("ssl:a:443:caCertsDir=", nowhere, "caCertsDir", missing),
        (f"ssl:a:443:privateKey={other}:certKey=", crt, "certKey", mismatch),
    ):
        client = head.startswith("ssl:a")
        assert refused(head + path, client) == f"{name} can't be used: {path}: {reason} <{path}>"


def test_oldAndNewArgumentsThatExcludeEachOther(files: Files) -> None:
    text = refused(f"ssl:443:{files.leaf_pem}:sslmethod=TLS_METHOD:minVersion=1.3")
    assert (
        text
        == "minVersion can't be used: beside sslmethod it would mean nothing: leave one of them out <1.3>"
    )


#: 2048 bits, of RFC 7919: nothing that is made in a test could be as quick.
DH = b"""\
-----BEGIN DH PARAMETERS-----
MIIBCAKCAQEA//////////+t+FRYortKmq/cViAnPTzx2LnFg84tNpWp4TZBFGQz
+8yTnc4kmz75fS/jY2MMddj2gbICrsRhetPfHtXV/WVhJDP1H18GbtCFY2VVPe0a
87VXE15/V8k1mE8McODmi3fipona8+/och3xWKE2rec1MKzKT0g6eXq8CrGCsyT7
YdEIqUuyyOP7uWrat2DX9GgdT0Kj3jlN9K5W7edjcrsZCwenyO4KbXCeAvzhzffi
7MA0BM0oNC9hkXL+nOmFg/+OTxIy7vKBg8P+OxtMb61zO7X8vC7CIAXFjvGDfRaD
ssbzSibBsu/6iGtCOGEoXJf//////////wIBAg==
-----END DH PARAMETERS-----
"""
