"""Real peers: OpenSSL's own client and server, and curl."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.running import run
from twisted_endpoints import clientFromString, serverFromString
from twisted_endpoints.defer import Deferred
from twisted_endpoints.protocol import Factory, Protocol
from twisted_endpoints.threads import deferToThreadPool

from .authority import intermediate, make, root

needsOpenSSL = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl isn't installed")
needsCurl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl isn't installed")

PATIENCE = 20

#: What lets OpenSSL speak versions of TLS that are broken.
ANYTHING = ["-cipher", "ALL:@SECLEVEL=0"]


#: Of a server that knows names, the certificate for the one that it is asked for.
SECOND = ["-cert2", "certificates/cert.pem", "-key2", "certificates/key.pem"]


class Answer(Protocol):
    """Answers one request as a web server does, and closes."""

    def dataReceived(self, data: bytes) -> None:
        transport: Any = self.transport
        body = f"{transport.negotiatedProtocol} {transport.getHandle().get_protocol_version_name()}".encode()
        transport.write(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        transport.loseConnection()


class Hear(Protocol):
    """Says a word, and hears the peer to the end of a line."""

    def __init__(self) -> None:
        self.heard = ""
        self.over: Deferred[str] = Deferred()

    def connectionMade(self) -> None:
        transport: Any = self.transport
        self.heard = f"{transport.negotiatedProtocol}: "
        transport.write(b"hello\n")

    def dataReceived(self, data: bytes) -> None:
        self.heard += data.decode()
        if self.heard.endswith("\n"):
            assert self.transport is not None
            self.transport.loseConnection()

    def connectionLost(self, reason: Any = None) -> None:
        self.over.callback(self.heard if self.heard.endswith("\n") else f"{self.heard}{reason.value}")


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """A folder with a certificate for some names, its key and its issuer's in files of their own."""
    folder = tmp_path / "certificates"
    folder.mkdir()
    issued = intermediate().issue("localhost", "*.peers.example", "127.0.0.1", "::1")
    (folder / "cert.pem").write_bytes(issued.certificatePEM)
    (folder / "key.pem").write_bytes(issued.keyPEM)
    (folder / "chain.pem").write_bytes(intermediate().certificatePEM)
    for name, other in (("right", root().issue("a client")), ("wrong", make(["a client"]))):
        (tmp_path / f"{name}.pem").write_bytes(other.pem)
    (tmp_path / "root.pem").write_bytes(root().certificatePEM)
    return folder


def ran(*command: object, said: str = "") -> tuple[int, str]:
    """Run a program; give its exit status, and all it printed."""
    done = subprocess.run(
        [str(each) for each in command],
        input=said,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=PATIENCE,
    )
    return done.returncode, done.stdout


def serve(reactor: Any, string: str, peer: Callable[[int], Any]) -> Any:
    """Listen on a string, and let a peer connect from a thread."""

    async def main() -> Any:
        port = await serverFromString(reactor, string).listen(Factory.forProtocol(Answer))
        try:
            return await deferToThreadPool(reactor, reactor.getThreadPool(), peer, port.getHost().port)
        finally:
            await port.stopListening()

    return run(reactor, main, 2 * PATIENCE)


# -- curl


@needsCurl
@pytest.mark.parametrize(
    ("host", "options", "more", "status", "says"),
    # 60 is curl's word for a certificate that it doesn't trust, 35 for a handshake that failed, 56 for one
    # that failed after the client's own part of it was done.
    [
        ("localhost", [], "", 0, "None TLSv1.3"),
        ("127.0.0.1", [], "", 0, "None TLSv1.3"),
        ("www.peers.example", [], "", 0, "None TLSv1.3"),
        ("a.www.peers.example", [], "", 35, ""),
        ("other.example", [], "", 35, ""),
        ("other.example", [], "default=localhost", 60, ""),
        ("localhost", ["--tls-max", "1.2"], "", 0, "None TLSv1.2"),
        ("localhost", ["--tls-max", "1.2"], "minVersion=1.3", 35, ""),
        ("localhost", ["--tls-max", "1.1", "--ciphers", ANYTHING[1]], "", 35, ""),
        ("localhost", [], "alpn=http/1.1", 0, "b'http/1.1' TLSv1.3"),
        ("localhost", ["--cert", "right.pem"], "clientCAs=root.pem", 0, "None TLSv1.3"),
        ("localhost", ["--cert", "wrong.pem"], "clientCAs=root.pem", 56, ""),
        ("localhost", ["--cert", "wrong.pem", "--tls-max", "1.2"], "clientCAs=root.pem", 35, ""),
        ("localhost", [], "clientCAs=root.pem", 56, ""),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else None,
)
def test_curlConnects(
    reactor: Any,
    certificates: Path,
    monkeypatch: pytest.MonkeyPatch,
    host: str,
    options: list[str],
    more: str,
    status: int,
    says: str,
) -> None:
    monkeypatch.chdir(certificates.parent)

    def curl(port: int) -> tuple[int, str]:
        where = ["--resolve", f"{host}:{port}:127.0.0.1", "--noproxy", "*"]
        return ran("curl", "--silent", "--cacert", "root.pem", *where, *options, f"https://{host}:{port}/")

    assert serve(reactor, f"tls:certificates:0:interface=127.0.0.1:{more or 'backlog=50'}", curl) == (
        status,
        says,
    )


# -- OpenSSL's client


@needsOpenSSL
@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["-servername", "localhost", "-verify_return_error"], "Verify return code: 0 (ok)"),
        (["-noservername", "-verify_return_error"], "Verify return code: 0 (ok)"),
        (["-servername", "unknown.example"], "unrecognized name"),
        (["-tls1_2"], "TLSv1.2"),
        (["-tls1_3"], "TLSv1.3"),
        (["-tls1_1", *ANYTHING], "alert protocol version"),
        (["-tls1", *ANYTHING], "alert protocol version"),
        (["-tls1_2", "-cipher", "aNULL:@SECLEVEL=0"], "alert handshake failure"),
        (["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"], "alert handshake failure"),
        (["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"], "Cipher is ECDHE-ECDSA-AES128-GCM-SHA256"),
        (["-alpn", "h2,http/1.1"], "ALPN protocol: http/1.1"),
        (["-alpn", "spdy"], "no application protocol"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_openSSLConnects(reactor: Any, certificates: Path, options: list[str], says: str) -> None:
    trusted = ["-CAfile", certificates.with_name("root.pem")]
    string = f"tls:{certificates}:0:interface=127.0.0.1:alpn=http/1.1"

    _, text = serve(reactor, string, lambda port: s_client(port, *trusted, *options))

    assert says in text, text


@needsOpenSSL
def test_sessionsAreNotResumed(reactor: Any, certificates: Path) -> None:
    string = f"tls:{certificates}:0:interface=127.0.0.1"
    _, text = serve(reactor, string, lambda port: s_client(port, "-tls1_2", "-reconnect"))
    assert (text.count("New, TLSv1.2"), text.count("Reused, ")) == (6, 0)


@needsOpenSSL
def test_clientsDoNotRenegotiate(reactor: Any, certificates: Path) -> None:
    string = f"tls:{certificates}:0:interface=127.0.0.1"
    _, text = serve(reactor, string, lambda port: s_client(port, "-tls1_2", said="R\n"))
    assert "RENEGOTIATING" in text
    assert "no renegotiation" in text


def s_client(port: int, *options: object, said: str = "GET /\n") -> tuple[int, str]:
    return ran("openssl", "s_client", "-connect", f"127.0.0.1:{port}", *options, said=said)


@needsOpenSSL
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("shows", ["right", "wrong", "nothing"])
def test_openSSLShowsACertificate(reactor: Any, certificates: Path, shows: str, version: str) -> None:
    mine = certificates.with_name(f"{shows}.pem")
    options: list[object] = [] if shows == "nothing" else ["-cert", mine, "-key", mine]
    authority = certificates.with_name("root.pem")
    string = f"tls:{certificates}:0:interface=127.0.0.1:clientCAs={authority}"

    # -ign_eof: it stays until the server closes.
    _, text = serve(reactor, string, lambda port: s_client(port, "-ign_eof", version, *options))

    assert ("200 OK" in text) is (shows == "right"), text
    # So that a client which has several certificates knows which one to show.
    assert "Acceptable client certificate CA names\nCN = the root" in text


# -- OpenSSL's server


@pytest.fixture
def s_server(certificates: Path) -> Iterator[Callable[..., int]]:
    """Start OpenSSL's server with options; gives its port."""
    started: list[subprocess.Popen[str]] = []

    def start(*options: object) -> int:
        shown = ["-cert", certificates / "cert.pem", "-key", certificates / "key.pem"]
        chain = ["-cert_chain", certificates / "chain.pem"]
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            number = int(free.getsockname()[1])
        command = ["openssl", "s_server", "-accept", f"127.0.0.1:{number}", *shown, *chain, "-rev", *options]
        server = subprocess.Popen(
            [str(each) for each in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        started.append(server)
        assert server.stdout is not None
        for line in server.stdout:
            if line.startswith("ACCEPT"):
                break
        return number

    yield start
    for server in started:
        server.kill()
        server.communicate()


def connected(reactor: Any, string: str) -> str:
    """Connect to a string; give what is heard, or why nothing is."""

    async def main() -> Any:
        try:
            protocol: Any = await clientFromString(reactor, string).connect(Factory.forProtocol(Hear))
        except Exception as e:
            return str(e)
        return await protocol.over

    return str(run(reactor, main, 2 * PATIENCE))


@needsOpenSSL
@pytest.mark.parametrize(
    ("options", "host", "more", "says"),
    [
        (["-tls1_2"], "localhost", "", "None: olleh\n"),
        (["-tls1_3"], "localhost", "", "None: olleh\n"),
        (["-alpn", "http/1.1"], "localhost", "alpn=h2,http/1.1", "b'http/1.1': olleh\n"),
        (["-alpn", "spdy"], "localhost", "alpn=h2", "no protocol (ALPN) that both ends know"),
        ([], "a.peers.example", "", "None: olleh\n"),
        ([], "other.example", "", "and not for other.example"),
        ([], "127.0.0.2", "", "not for the address 127.0.0.2"),
        (
            ["-servername", "other.example", "-servername_fatal", *SECOND],
            "localhost",
            "",
            "no certificate for this name",
        ),
        (["-tls1_1", *ANYTHING], "localhost", "", "none of the versions of TLS that are allowed here"),
        (["-tls1_2"], "localhost", "minVersion=1.3", "none of the versions of TLS that are allowed here"),
        (["-Verify", "1", "-CAfile", "root.pem"], "localhost", "certificate=right.pem", "None: olleh\n"),
        # By TLS 1.3 a client has done its part before the server has looked at its certificate.
        (["-Verify", "1", "-verify_return_error"], "localhost", "", "certificate required"),
        (
            ["-Verify", "1", "-verify_return_error", "-CAfile", "root.pem"],
            "localhost",
            "certificate=wrong.pem",
            "unknown ca",
        ),
        (["-Verify", "1", "-tls1_2"], "localhost", "", "cipher suite or certificate suits both"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_connectsToOpenSSL(
    reactor: Any,
    certificates: Path,
    s_server: Any,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    host: str,
    more: str,
    says: str,
) -> None:
    monkeypatch.chdir(certificates.parent)
    number = s_server(*options)
    string = (
        f"tls:{host}:{number}:trustRoots=root.pem:endpoint=[tcp:127.0.0.1:{number}]:{more or 'deadline=20'}"
    )

    assert says in connected(reactor, string)


@needsOpenSSL
def test_aWeakHashIsRefused(reactor: Any, certificates: Path, s_server: Any, tmp_path: Path) -> None:
    """By OpenSSL too: what else makes certificates here doesn't sign with SHA-1 any more."""
    key, names = certificates / "key.pem", tmp_path / "names"
    names.write_text("subjectAltName=DNS:localhost\n")
    (tmp_path / "root.key").write_bytes(root().keyPEM)
    request, weak = tmp_path / "request.pem", tmp_path / "weak.pem"
    ran("openssl", "req", "-new", "-key", key, "-subj", "/CN=localhost", "-out", request)
    signed = ["-CA", tmp_path / "root.pem", "-CAkey", tmp_path / "root.key", "-set_serial", "7", "-days", "9"]
    made = ["-sha1", "-extfile", names, "-out", weak]
    status, text = ran("openssl", "x509", "-req", "-in", request, *signed, *made)
    if status:
        pytest.skip(f"this openssl doesn't either: {text}")
    number = s_server("-cert", weak, *ANYTHING)
    string = f"tls:localhost:{number}:trustRoots={tmp_path}/root.pem:endpoint=[tcp:127.0.0.1:{number}]"

    assert connected(reactor, string).startswith(
        "localhost: the server's certificate is signed with a hash that is too weak to be safe."
    )
