"""The strings ``tls:``: who is served by what, who is let in, and what is refused, on real sockets."""

from __future__ import annotations

import errno
import os
import socket
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from OpenSSL.SSL import Error
from zope.interface import implementer

from tests.running import run
from tests.tls.authority import DAY, NOW, intermediate, root
from twisted_endpoints import error
from twisted_endpoints._tls.refusals import CertificateRefused
from twisted_endpoints.defer import Deferred
from twisted_endpoints.endpoints import (
    TCP6ServerEndpoint,
    clientFromString,
    connectProtocol,
    serverFromString,
)
from twisted_endpoints.endpoints.tls import TLSClientEndpoint, _TLSServerEndpoint
from twisted_endpoints.endpoints.tlsfolder import TLSFolderServerEndpoint
from twisted_endpoints.interfaces import IProtocolNegotiationFactory
from twisted_endpoints.protocol import Protocol
from twisted_endpoints.strings import DescriptionError

from .tlsfiles import LEAF, EchoFactory, Files, Talk, listening, talk


def test_theServersArguments(files: Files) -> None:
    endpoint: Any = serverFromString(object(), f"tls:{files.served}:1234:12:10.0.0.1")

    assert isinstance(endpoint, TLSFolderServerEndpoint)
    listening: Any = endpoint.endpoint
    assert isinstance(listening, TCP6ServerEndpoint)
    assert (listening._port, listening._backlog, listening._interface) == (1234, 12, "10.0.0.1")
    assert repr(endpoint).startswith(
        f"<TLSFolderServerEndpoint of {files.served} around <TCP6ServerEndpoint "
    )


def test_theServersDefaults(files: Files) -> None:
    endpoint: Any = serverFromString(object(), f"tls:{files.served}")

    listening: Any = endpoint.endpoint
    assert (listening._port, listening._backlog, listening._interface) == (443, 50, "::")
    assert endpoint._handshakeTimeout == 10


def test_theClientsArguments(files: Files) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # object() resolves no names
        endpoint: Any = clientFromString(
            object(), "tls:example.com:443:7:127.0.0.1:handshakeTimeout=3:deadline=20"
        )

    assert isinstance(endpoint, TLSClientEndpoint)
    wrapped: Any = endpoint._wrappedEndpoint
    assert (wrapped._hostBytes, wrapped._port, wrapped._timeout) == (b"example.com", 443, 7)
    assert wrapped._bindAddress == ("127.0.0.1", 0)
    assert (endpoint._handshakeTimeout, endpoint._deadline) == (3, 20)


def test_aFolderIsServedAndTheServerProvesWhoItIs(reactor: Any, files: Files) -> None:
    async def main() -> None:
        served = EchoFactory()
        async with listening(reactor, f"tls:{files.served}:0:interface=127.0.0.1", served) as port:
            for host in ("localhost", "127.0.0.1"):
                done = await talk(
                    reactor, f"tls:{host}:{port}:trustRoots={files.root_pem}", Talk(b"x" * 300_000)
                )
                assert done.heard == done.text
                assert done.shown == LEAF.certificate
                assert done.version == "TLSv1.3"
                assert isinstance(done.lost, error.ConnectionDone)
            assert served.built == 2

    run(reactor, main)


def test_nobodyIsLetInWhoCannotProveIt(reactor: Any, files: Files) -> None:
    async def main() -> None:
        served = EchoFactory()
        endpoint = f"endpoint=[tcp:127.0.0.1:{{}}]:trustRoots={files.root_pem}"
        async with listening(
            reactor, f"tls:{files.served}:0:interface=127.0.0.1:default=localhost", served
        ) as port:
            with pytest.raises(
                CertificateRefused, match=r"is for 'localhost', '127\.0\.0\.1', and not for example\.com"
            ):
                await talk(reactor, f"tls:example.com:443:{endpoint.format(port)}")
            with pytest.raises(CertificateRefused, match=r"trustRoots= in a string"):
                await talk(reactor, f"tls:localhost:{port}")
            assert (await talk(reactor, f"tls:localhost:443:{endpoint.format(port)}")).heard == b"hello"
        assert served.built == 1

    run(reactor, main)


def test_anUnknownNameIsRefusedUnlessThereIsADefault(reactor: Any, files: Files) -> None:
    async def main() -> None:
        client = f"tls:unknown.example:443:endpoint=[tcp:127.0.0.1:{{}}]:trustRoots={files.root_pem}"
        async with listening(reactor, f"tls:{files.served}:0:interface=127.0.0.1", EchoFactory()) as port:
            with pytest.raises(Error, match="the server has no certificate for this name"):
                await talk(reactor, client.format(port))

    run(reactor, main)


def test_oneCertificateWithItsChainInTwoFiles(reactor: Any, files: Files) -> None:
    leaf = intermediate().issue("localhost")
    key = files.write("the.key", leaf.keyPEM)
    chain = files.write("fullchain.crt", leaf.certificatePEM + intermediate().certificatePEM)

    async def main() -> None:
        server = f"tls:port=0:interface=127.0.0.1:privateKey={key}:certKey={chain}"
        async with listening(reactor, server, EchoFactory()) as port:
            done = await talk(reactor, f"tls:localhost:{port}:trustRoots={files.root_pem}")
            assert done.shown == leaf.certificate

    endpoint = serverFromString(reactor, f"tls:privateKey={files.leaf_pem}")
    assert isinstance(endpoint, _TLSServerEndpoint)
    run(reactor, main)


def test_endpointsAreWrapped(reactor: Any, files: Files) -> None:
    path = str(files.path / "s.sock")

    async def main() -> None:
        server = f"tls:{files.served}:endpoint=[unix:{path}:mode=600]"
        async with listening(reactor, server, EchoFactory()):
            assert os.stat(path).st_mode & 0o777 == 0o600
            client = f"tls:localhost:443:endpoint=[unix:{path}]:trustRoots={files.root_pem}"
            assert (await talk(reactor, client)).heard == b"hello"

    run(reactor, main)


def test_tlsInTLS(reactor: Any, files: Files) -> None:
    async def main() -> None:
        inner = f"tls:port=0:interface=127.0.0.1:privateKey={files.leaf_pem}"
        async with listening(reactor, f"tls:{files.served}:endpoint=[{inner}]", EchoFactory()) as port:
            trust = f"trustRoots={files.root_pem}"
            client = f"tls:localhost:443:{trust}:endpoint=[tls:localhost:{port}:{trust}]"
            assert (await talk(reactor, client, Talk(b"y" * 100_000))).heard == b"y" * 100_000

    run(reactor, main)


@pytest.mark.parametrize(
    ("server", "client", "negotiated"),
    [
        ("alpn=h2,http/1.1", "alpn=http/1.1", b"http/1.1"),
        ("alpn=h2,http/1.1", "alpn=http/1.1,h2", b"h2"),
        ("alpn=h2", "timeout=30", None),
        ("backlog=50", "alpn=h2", None),
        ("alpn=h2", "alpn=spdy", Error),
    ],
)
@pytest.mark.parametrize("source", ["folder", "files"])
def test_theProtocolInside(
    reactor: Any, files: Files, server: str, client: str, negotiated: Any, source: str
) -> None:
    what = str(files.served) if source == "folder" else f"privateKey={files.leaf_pem}"

    async def main() -> None:
        served = EchoFactory()
        async with listening(reactor, f"tls:{what}:port=0:interface=127.0.0.1:{server}", served) as port:
            description = f"tls:localhost:{port}:trustRoots={files.root_pem}:{client}"
            if negotiated is Error:
                with pytest.raises(Error, match="no protocol"):
                    await talk(reactor, description)
                assert served.built == 0
            else:
                assert (await talk(reactor, description)).negotiated == negotiated
                assert served.seen[0].transport.negotiatedProtocol in (negotiated, None)

    run(reactor, main)


def test_factoriesNameTheProtocolsToo(reactor: Any, files: Files) -> None:
    @implementer(IProtocolNegotiationFactory)
    class Names(EchoFactory):
        def acceptableProtocols(self) -> list[bytes]:
            return [b"h2"]

    async def main() -> None:
        async with listening(reactor, f"tls:{files.served}:0:interface=127.0.0.1", Names()) as port:
            client = f"tls:localhost:{port}:trustRoots={files.root_pem}:alpn=http/1.1,h2"
            assert (await talk(reactor, client)).negotiated == b"h2"

    run(reactor, main)


def test_versionsAndCiphers(reactor: Any, files: Files) -> None:
    async def main() -> None:
        trust = f"trustRoots={files.root_pem}"
        server = f"tls:{files.served}:0:interface=127.0.0.1:ciphers=ECDHE-ECDSA-CHACHA20-POLY1305"
        async with listening(reactor, server, EchoFactory()) as port:
            from OpenSSL import SSL

            assert (await talk(reactor, f"tls:localhost:{port}:{trust}:minVersion=1.3")).version == "TLSv1.3"
            found = await _handshake(reactor, port, SSL.OP_NO_TLSv1_3)
            assert found == ("TLSv1.2", "ECDHE-ECDSA-CHACHA20-POLY1305")
        async with listening(
            reactor, f"tls:{files.served}:0:interface=127.0.0.1:minVersion=1.3", EchoFactory()
        ) as port:
            with pytest.raises(Error):
                await _handshake(reactor, port, SSL.OP_NO_TLSv1_3)

    run(reactor, main)


async def _handshake(reactor: Any, port: int, options: int) -> tuple[str, str]:
    """Shake hands as another client, in a thread; gives the version and the cipher suite."""
    from OpenSSL import SSL

    from twisted_endpoints.threads import deferToThreadPool

    def shake() -> tuple[str, str]:
        context = SSL.Context(SSL.TLS_METHOD)
        context.set_options(options)
        with socket.create_connection(("127.0.0.1", port), 10) as raw:
            raw.settimeout(None)
            connection = SSL.Connection(context, raw)
            connection.set_tlsext_host_name(b"localhost")
            connection.set_connect_state()
            connection.do_handshake()
            return connection.get_protocol_version_name(), connection.get_cipher_name() or ""

    found: tuple[str, str] = await deferToThreadPool(reactor, reactor.getThreadPool(), shake)
    return found


@pytest.mark.parametrize("source", ["folder", "files"])
def test_clientsMustShowACertificate(reactor: Any, files: Files, source: str) -> None:
    what = str(files.served) if source == "folder" else f"privateKey={files.leaf_pem}"

    async def main() -> None:
        served = EchoFactory()
        server = f"tls:{what}:port=0:interface=127.0.0.1:clientCAs={files.root_pem}"
        async with listening(reactor, server, served) as port:
            client = f"tls:localhost:{port}:trustRoots={files.root_pem}"
            refused = ["", f":certificate={files.stranger_pem}", ""]
            for more in refused:
                # In TLS 1.3 the client's handshake ends before the server has looked at its certificate.
                protocol = Talk()
                await connectProtocol(clientFromString(reactor, client + more), protocol)
                assert "the server demands" in str(await protocol.done) or isinstance(
                    await protocol.done, Error
                )
                assert protocol.heard == b""
            assert served.built == 0
            for more in (
                f":certificate={files.client_pem}",
                f":certificate={files.client_crt}:privateKey={files.client_key}",
                f":privateKey={files.client_pem}",
            ):
                # Nothing is left of those who were refused: these get in at once.
                assert (await talk(reactor, client + more)).heard == b"hello"
            assert served.built == 3

    run(reactor, main)


def test_renewedAndNewCertificatesAreServedWithoutARestart(reactor: Any, files: Files) -> None:
    renewed = root().issue("localhost", ends=NOW + 60 * DAY)
    new = root().issue("new.example")

    async def main() -> None:
        served = EchoFactory()
        trust = f"trustRoots={files.root_pem}"
        async with listening(reactor, f"tls:{files.served}:0:interface=127.0.0.1", served) as port:
            (files.served / "leaf.pem").write_bytes(renewed.pem)
            (files.served / "new.pem").write_bytes(new.pem)
            (files.served / "broken.pem").write_bytes(new.pem[:100])
            client = f"tls:localhost:{port}:{trust}"
            while (await talk(reactor, client)).shown == LEAF.certificate:
                await sleep(reactor, 0.2)
            for name, issued in (("localhost", renewed), ("new.example", new)):
                done = await talk(reactor, f"tls:{name}:443:{trust}:endpoint=[tcp:127.0.0.1:{port}]")
                assert done.shown == issued.certificate

    run(reactor, main)


@pytest.mark.parametrize("string", ["tls:port=0:", "ssl:0:"])
def test_renewedFilesAreServedWithoutARestart(reactor: Any, files: Files, string: str) -> None:
    renewed = root().issue("localhost", ends=NOW + 60 * DAY)
    server = f"{string}interface=127.0.0.1:privateKey={files.leaf_key}:certKey={files.leaf_crt}"

    async def main() -> None:
        async with listening(reactor, server, EchoFactory()) as port:
            client = f"tls:localhost:{port}:trustRoots={files.root_pem}:endpoint=[tcp:127.0.0.1:{port}]"
            assert (await talk(reactor, client)).shown == LEAF.certificate
            # Between these two, nobody is refused.
            files.write("leaf.key", renewed.keyPEM)
            await sleep(reactor, 1.2)
            assert (await talk(reactor, client)).shown == LEAF.certificate
            files.write("leaf.crt", renewed.certificatePEM)
            while (await talk(reactor, client)).shown == LEAF.certificate:
                await sleep(reactor, 0.2)
            assert (await talk(reactor, client)).shown == renewed.certificate

    run(reactor, main)


def test_aHandshakeHasADeadlineAtBothEnds(reactor: Any, files: Files) -> None:
    async def main() -> None:
        served = EchoFactory()
        server = f"tls:{files.served}:0:interface=127.0.0.1:handshakeTimeout=0.2"
        async with listening(reactor, server, served) as port:
            silent = Silent()
            await connectProtocol(clientFromString(reactor, f"tcp:127.0.0.1:{port}"), silent)
            await silent.lost
        assert served.built == 0
        deaf = EchoFactory()
        deaf.protocol = Silent
        async with listening(reactor, "tcp:0:interface=127.0.0.1", deaf) as port:
            client = f"tls:localhost:{port}:endpoint=[tcp:127.0.0.1:{port}]"
            with pytest.raises(error.TimeoutError, match=r"handshake has not ended in 0\.2 seconds"):
                await talk(reactor, f"{client}:handshakeTimeout=0.2")
            with pytest.raises(error.TimeoutError, match=r"no TLS connection was made in 0\.3 seconds"):
                await talk(reactor, f"{client}:deadline=0.3")

    run(reactor, main)


async def sleep(reactor: Any, seconds: float) -> None:
    pause: Deferred[None] = Deferred()
    reactor.callLater(seconds, pause.callback, None)
    await pause


class Silent(Protocol):
    """Says nothing."""

    def __init__(self) -> None:
        self.lost: Deferred[None] = Deferred()

    def connectionLost(self, reason: Any = None) -> None:
        self.lost.callback(None)
        if isinstance(self.factory, EchoFactory):
            self.factory.lost(self)


def test_plainPeersAreNoConnection(reactor: Any, files: Files) -> None:
    async def main() -> None:
        served = EchoFactory()
        async with listening(reactor, f"tls:{files.served}:0:interface=127.0.0.1", served) as port:
            silent = Silent()
            await connectProtocol(clientFromString(reactor, f"tcp:127.0.0.1:{port}"), silent)
            assert silent.transport is not None
            silent.transport.write(b"GET / HTTP/1.0\r\n\r\n")
            await silent.lost
        assert served.built == 0

    run(reactor, main)


def test_theFolderIsWatchedAsLongAsSomebodyListens(reactor: Any, files: Files) -> None:
    async def main() -> None:
        endpoint: Any = serverFromString(reactor, f"tls:{files.served}:0:interface=127.0.0.1")
        await sleep(reactor, 0)  # for the test's own limit of time to be there
        before = len(reactor.getDelayedCalls())
        ports = [await endpoint.listen(EchoFactory()) for _ in range(2)]
        assert len(reactor.getDelayedCalls()) == before + 2
        for port in ports:
            await port.stopListening()
        assert len(reactor.getDelayedCalls()) == before

    run(reactor, main)


def test_aPortThatIsTakenLeavesNothing(reactor: Any, files: Files) -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(Exception, match=str(errno.EADDRINUSE)):
                await serverFromString(reactor, f"tls:{files.served}:{port}:interface=127.0.0.1").listen(
                    EchoFactory()
                )

    run(reactor, main)


def refused(description: str, client: bool = False) -> str:
    with pytest.raises(DescriptionError) as caught:
        (clientFromString if client else serverFromString)(object(), description)
    assert caught.value.description == description
    text = str(caught.value)
    start, length = caught.value.position, caught.value.length
    return f"{text.splitlines()[0]} <{description[start : start + length]}>"


NONE = "no certificate with its key is in this folder"
NO_PEM = "there is no certificate in this folder, in no file whose name ends with .pem"


def wrongFiles(files: Files) -> Iterator[tuple[str, str, str, str]]:
    """Yield the beginning of a description, the path that is wrong in it, the argument and the reason."""
    folders = {name: files.path / name for name in ("empty", "halves", "keys")}
    for folder in folders.values():
        folder.mkdir()
    empty, halves, keys = map(str, folders.values())
    (folders["halves"] / "half.pem").write_bytes(LEAF.pem[:300])
    (folders["keys"] / "key.pem").write_bytes(LEAF.keyPEM)
    leaf, crt, key, clientKey = files.leaf_pem, files.leaf_crt, files.leaf_key, files.client_key
    half = f"{halves}/half.pem: it ends in the middle of a block: is it still being written?"

    yield "tls:", empty, "path", f"{NONE}: there is no file whose name ends with .pem"
    yield "tls:", halves, "path", f"{NONE}: {half}"
    yield (
        "tls:",
        keys,
        "path",
        f"{NONE}: {keys}/key.pem: its private key belongs to no certificate in any file",
    )
    yield "tls:privateKey=", key, "privateKey", "there is no certificate in it"
    yield f"tls:privateKey={crt}:certKey=", crt, "certKey", "there is no private key in it"
    yield (
        f"tls:privateKey={clientKey}:certKey=",
        crt,
        "certKey",
        f"no certificate in it is for the private key in {clientKey}",
    )
    yield f"tls:{files.served}:clientCAs=", empty, "clientCAs", NO_PEM
    yield "tls:a:1:trustRoots=", empty, "trustRoots", NO_PEM
    yield "tls:a:1:certificate=", crt, "certificate", "there is no private key in it"
    yield (
        f"tls:a:1:privateKey={clientKey}:certificate=",
        leaf,
        "certificate",
        f"no certificate in it is for the private key in {clientKey}",
    )


def test_whatIsWrongWithFilesIsSaidAtOnce(files: Files) -> None:
    for head, path, name, reason in wrongFiles(files):
        client = head.startswith("tls:a:")
        assert refused(head + path, client) == f"{name} can't be used: {path}: {reason} <{path}>"


def test_theKeysFileIsToBlameForNoKey(files: Files) -> None:
    description = f"tls:privateKey={files.leaf_crt}:certKey={files.leaf_pem}"
    reason = f"privateKey can't be used: {files.leaf_crt}: there is no private key in it"
    assert refused(description) == f"{reason} <{files.leaf_crt}>"


def test_theDefaultMustBeThere(files: Files) -> None:
    reason = f"default can't be used: {files.served}: no certificate is for the default name 'example.com'"
    assert refused(f"tls:{files.served}:default=example.com") == f"{reason} <example.com>"
