"""Real peers on either side: HAProxy, nginx, curl and socat."""

from __future__ import annotations

import getpass
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.asyncioreactor.streams import Peer, Recorder
from tests.plugins.tlsfiles import Files
from tests.running import run
from twisted_endpoints.address import IPv4Address
from twisted_endpoints.defer import Deferred
from twisted_endpoints.endpoints import clientFromString, connectProtocol, serverFromString
from twisted_endpoints.haproxy import v1, v2
from twisted_endpoints.haproxy.tlv import Type
from twisted_endpoints.protocol import Factory, Protocol
from twisted_endpoints.threads import deferToThreadPool

from .headers import HEADERS, V4_ADDRESSES
from .outcomes import INCOMPLETE, Read, plain, whole


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} isn't installed")


class Answers(Protocol):
    """Answers the first that it hears, and closes."""

    def connectionMade(self) -> None:
        transport: Any = self.transport
        self.factory.seen.append((transport.getPeer(), transport.getHost(), transport.proxyInfo))  # type: ignore[union-attr]

    def dataReceived(self, data: bytes) -> None:
        self.transport.write(b"heard " + data)  # type: ignore[union-attr]
        self.transport.loseConnection()  # type: ignore[union-attr]


class Behind(Factory):
    """The server behind a proxy."""

    noisy = False
    protocol: Any = Answers

    def __init__(self) -> None:
        self.seen: list[tuple[Any, Any, Any]] = []
        self.came: Deferred[None] = Deferred()

    def buildProtocol(self, addr: Any) -> Any:
        if not self.came.called:
            self.came.callback(None)
        return super().buildProtocol(addr)


def local(sock: socket.socket) -> tuple[IPv4Address, IPv4Address]:
    """Give the addresses of a socket's two ends: its own, and whom it is connected to."""
    return IPv4Address("TCP", *sock.getsockname()), IPv4Address("TCP", *sock.getpeername())


HAPROXY = """
defaults
    mode tcp
    timeout connect 10s
    timeout client 10s
    timeout server 10s
    unique-id-format connection-%cp

listen v1
    bind fd@{v1}
    server ours unix@{path} send-proxy

listen v2
    bind fd@{v2}
    server ours unix@{path} send-proxy-v2

listen values
    bind fd@{values}
    server ours unix@{path} send-proxy-v2 proxy-v2-options crc32c,unique-id

listen tls
    bind fd@{tls} ssl crt {folder}/leaf.pem ca-file {folder}/root.pem verify optional alpn echo
    server ours unix@{path} send-proxy-v2-ssl-cn proxy-v2-options crc32c,cert-key,cert-sig,{more}

listen unix
    bind unix@{folder}/front
    server ours unix@{path} send-proxy-v2

listen checked
    bind fd@{checked}
    server ours unix@{folder}/checks send-proxy-v2 check inter 100ms

listen accepts
    bind fd@{accepts} accept-proxy
    server ours unix@{path} send-proxy-v2
"""

FRONTS = ("v1", "v2", "values", "tls", "checked", "accepts")


class Proxy:
    """A program that stands before what listens at `path`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = str(folder / "ours")
        self.ports: dict[str, int] = {}

    @property
    def behind(self) -> str:
        return f"haproxy:unix:{self.path}"


@pytest.fixture(scope="module")
def haproxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp("haproxy")
    Files(folder)
    proxy = Proxy(folder)
    with ExitStack() as stack:
        sockets = {name: stack.enter_context(socket.create_server(("127.0.0.1", 0))) for name in FRONTS}
        proxy.ports = {name: sock.getsockname()[1] for name, sock in sockets.items()}
        numbers = {name: sock.fileno() for name, sock in sockets.items()}
        config = folder / "haproxy.cfg"
        config.write_text(
            HAPROXY.format(path=proxy.path, folder=folder, more="authority,ssl-cipher", **numbers)
        )
        log = stack.enter_context((folder / "log").open("w"))
        process = stack.enter_context(
            subprocess.Popen(
                ["haproxy", "-db", "-f", str(config)], pass_fds=numbers.values(), stdout=log, stderr=log
            )
        )
        for sock in sockets.values():
            sock.close()  # or clients would wait in vain, should it fail to start
        try:
            yield proxy
        finally:
            process.terminate()


def through(reactor: Any, proxy: Proxy, address: Any, wrap: Any = None) -> tuple[Any, Any, Any, Any]:
    """Say a word through a proxy; give what the server saw, and the addresses of the client's socket."""
    factory = Behind()

    async def main() -> Any:
        port = await serverFromString(reactor, f"{proxy.behind}:trusted=unix").listen(factory)
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        with socket.socket(family) as sock:
            sock.settimeout(10)
            sock.connect(address)
            ends = None if isinstance(address, str) else local(sock)
            if wrap is None:
                peer = Peer(reactor, sock)
                await peer.send(b"hello")
                answer = await peer.receive(11)
            else:
                answer = await wrap(sock)
        await port.stopListening()
        assert answer == b"heard hello"
        return ends

    ends = run(reactor, main)
    assert len(factory.seen) == 1
    return (*factory.seen[0], ends)


@needs("haproxy")
@pytest.mark.parametrize(("front", "version"), [("v1", 1), ("v2", 2), ("values", 2)])
def test_behindHAProxy(reactor: Any, haproxy: Proxy, front: str, version: int) -> None:
    peer, host, info, ends = through(reactor, haproxy, ("127.0.0.1", haproxy.ports[front]))
    assert (peer, host, info.version) == (*ends, version)
    values = [found.type for found in info.tlvs]
    if front == "values":
        assert sorted(values) == [Type.CRC32C, Type.UNIQUE_ID]
        assert info.uniqueID == f"connection-{ends[0].port}".encode()
    else:
        assert values == []


@needs("haproxy")
def test_behindHAProxysTLS(reactor: Any, haproxy: Proxy) -> None:
    context = ssl.create_default_context(cafile=f"{haproxy.folder}/root.pem")
    context.load_cert_chain(f"{haproxy.folder}/client.pem")
    context.set_alpn_protocols(["echo"])

    async def speak(sock: socket.socket) -> bytes:
        def blocking() -> bytes:
            with context.wrap_socket(sock, server_hostname="localhost") as secured:
                secured.sendall(b"hello")
                answer = b""
                while len(answer) < 11 and (data := secured.recv(11)):
                    answer += data
                return answer

        return bytes(await deferToThreadPool(reactor, reactor.getThreadPool(), blocking))

    peer, host, info, ends = through(reactor, haproxy, ("127.0.0.1", haproxy.ports["tls"]), speak)
    assert (peer, host) == ends
    assert (info.authority, info.alpn) == ("localhost", b"echo")
    assert info.ssl.verified
    assert (info.ssl.version, info.ssl.commonName) == ("TLSv1.3", "the client")
    assert info.ssl.cipher.startswith("TLS_AES_")
    assert (info.ssl.keyAlgorithm, info.ssl.signatureAlgorithm) == ("EC256", "ecdsa-with-SHA256")


@needs("haproxy")
def test_whoConnectsToHAProxyByAUNIXSocketHasNoAddress(reactor: Any, haproxy: Proxy) -> None:
    deadline = time.monotonic() + 10
    while not (haproxy.folder / "front").exists():  # it opens this one itself
        assert time.monotonic() < deadline
        time.sleep(0.01)
    peer, host, info, _ = through(reactor, haproxy, f"{haproxy.folder}/front")
    assert (info.source, info.destination, info.header[12:14]) == (None, None, b"\x20\x00")
    assert (peer.name, host.name) == (None, haproxy.path.encode())


@needs("haproxy")
def test_theHealthCheckOfHAProxyIsItsOwn(reactor: Any, haproxy: Proxy) -> None:
    factory = Behind()

    async def main() -> None:
        port = await serverFromString(reactor, f"haproxy:unix:{haproxy.folder}/checks").listen(factory)
        await factory.came
        await port.stopListening()

    run(reactor, main)
    peer, host, info = factory.seen[0]
    assert (info.source, info.destination, info.version) == (None, None, 2)
    assert (peer.name, host.name) == (None, f"{haproxy.folder}/checks".encode())


@needs("haproxy")
@pytest.mark.parametrize("version", [1, 2])
def test_beforeHAProxy(reactor: Any, haproxy: Proxy, version: int) -> None:
    """Our client's header is taken by HAProxy, which tells us again what it has understood."""
    factory, client = Behind(), Recorder()
    source, destination = V4_ADDRESSES

    async def main() -> None:
        port = await serverFromString(reactor, haproxy.behind).listen(factory)
        endpoint: Any = clientFromString(
            reactor, f"haproxy:tcp:127.0.0.1:{haproxy.ports['accepts']}:version={version}"
        )
        await connectProtocol(endpoint.speakingFor(source, destination), client)
        client.transport.write(b"hello")  # type: ignore[union-attr]
        await client.lost
        await port.stopListening()

    run(reactor, main)
    assert client.received == b"heard hello"
    assert factory.seen[0][:2] == (source, destination)


#: What HAProxy 2.6 takes and we don't: numbers that are out of range (it takes what is left of them), with
#: leading zeros or missing, addresses of fewer numbers; and of TLS it doesn't look at what it doesn't use.
LAX = {
    *("port too high", "port much too high", "other port too high", "number too high"),
    *("port with a leading zero", "port of zeros", "leading zero", "octal"),
    *("empty port", "three numbers", "one number"),
    *("v2 tls too short", "v2 tls with a value that is cut off"),
}

#: What we take and HAProxy 2.6 doesn't, though the text has it: more behind UNKNOWN (must be ignored), UDP
#: and UNIX sockets, and what is unspecified (either is right).
STRICT = {
    *("unknown with addresses", "unknown with anything", "unknown longest"),
    *("v2 udp4", "v2 udp6", "v2 with a checksum and more"),
    *(header.name for header in HEADERS if header.name.startswith(("v2 unix", "v2 unspecified"))),
}


def verdictOf(outcome: Any) -> Any:
    return plain(outcome.info) if isinstance(outcome, Read) else "refused"


@needs("haproxy")
def test_hAProxyUnderstandsEachHeaderAsWeDo(reactor: Any, haproxy: Proxy) -> None:
    factory = Behind()
    different: dict[str, tuple[Any, Any]] = {}

    async def verdict(data: bytes) -> Any:
        factory.seen.clear()
        with socket.create_connection(("127.0.0.1", haproxy.ports["accepts"])) as sock:
            ends = local(sock)
            peer = Peer(reactor, sock)
            # All at once, with something behind it: it reads a header in one go.
            await peer.send(data + b"hello")
            try:
                answer = await peer.receive(11)
            except ConnectionResetError:
                answer = b""
        if not answer:
            return "refused"
        found = factory.seen[0][2]
        return (None, None) if (found.source, found.destination) == ends else plain(found)

    async def main() -> None:
        port = await serverFromString(reactor, haproxy.behind).listen(factory)
        for header in HEADERS:
            if header.outcome != INCOMPLETE:
                theirs, ours = await verdict(header.data), verdictOf(whole(header.data))
                if theirs != ours:
                    different[header.name] = theirs, ours
        await port.stopListening()

    run(reactor, main)
    # A newer release may differ less.
    assert {name for name, (theirs, _) in different.items() if theirs == "refused"} <= STRICT
    assert {name for name, (_, ours) in different.items() if ours == "refused"} <= LAX
    assert [name for name, verdicts in different.items() if "refused" not in verdicts] == []


NGINX = """
error_log stderr;
pid {folder}/pid;
worker_processes 1;
user {user};
daemon off;
{module}
events {{ worker_connections 64; }}
stream {{
    server {{
        listen 127.0.0.1:{port};
        proxy_pass unix:{path};
        proxy_protocol on;
    }}
    server {{
        listen unix:{folder}/told proxy_protocol;
        set $from "$proxy_protocol_addr $proxy_protocol_port";
        return "$from $proxy_protocol_server_addr $proxy_protocol_server_port";
    }}
}}
"""

STREAM_MODULE = Path("/usr/lib/nginx/modules/ngx_stream_module.so")


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    proxy = Proxy(tmp_path_factory.mktemp("nginx"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        proxy.ports["front"] = free.getsockname()[1]
    module = f"load_module {STREAM_MODULE};" if STREAM_MODULE.exists() else ""
    config = proxy.folder / "nginx.conf"
    config.write_text(
        NGINX.format(
            folder=proxy.folder,
            path=proxy.path,
            port=proxy.ports["front"],
            module=module,
            user=getpass.getuser(),
        )
    )
    with (
        (proxy.folder / "log").open("w") as log,
        subprocess.Popen(
            ["nginx", "-c", str(config), "-p", str(proxy.folder)], stdout=log, stderr=log
        ) as process,
    ):
        try:
            deadline = time.monotonic() + 10
            while not (proxy.folder / "pid").exists() and process.poll() is None:
                assert time.monotonic() < deadline, (proxy.folder / "log").read_text()
                time.sleep(0.01)
            yield proxy
        finally:
            process.terminate()


needsNginx = [
    needs("nginx"),
    pytest.mark.skipif(
        shutil.which("nginx") is not None and not STREAM_MODULE.exists(),
        reason="nginx has no module for streams here",
    ),
]


def marked(function: Any) -> Any:
    for mark in needsNginx:
        function = mark(function)
    return function


@marked
def test_behindNginx(reactor: Any, nginx: Proxy) -> None:
    peer, host, info, ends = through(reactor, nginx, ("127.0.0.1", nginx.ports["front"]))
    assert (peer, host, info.version) == (*ends, 1)


@marked
@pytest.mark.parametrize("version", [1, 2])
def test_beforeNginx(reactor: Any, nginx: Proxy, version: int) -> None:
    client = Recorder()

    async def main() -> None:
        endpoint: Any = clientFromString(reactor, f"haproxy:unix:{nginx.folder}/told:version={version}")
        await connectProtocol(endpoint.speakingFor(*V4_ADDRESSES), client)
        await client.lost

    run(reactor, main)
    assert client.received == b"192.0.2.1 8080 198.51.100.2 443"


class Page(Answers):
    """Answers as a web server does: with the client's address."""

    def dataReceived(self, data: bytes) -> None:
        transport: Any = self.transport
        body = f"{transport.getPeer().host} {transport.proxyInfo.version}".encode()
        transport.write(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        transport.loseConnection()


def output(reactor: Any, command: str, protocol: Any, given: bytes = b"") -> tuple[bytes, Any]:
    """Run a command with the port that a server listens on; give what it says, and what the server saw."""
    factory = Behind()
    factory.protocol = protocol

    async def main() -> bytes:
        string = "haproxy:tcp:0:interface=127.0.0.1:trusted=127.0.0.1"
        port = await serverFromString(reactor, string).listen(factory)
        host: Any = port.getHost()

        def blocking() -> bytes:
            ran = subprocess.run(
                command.format(port=host.port).split(),
                input=given,
                capture_output=True,
                timeout=15,
                check=True,
            )
            return ran.stdout

        said: bytes = await deferToThreadPool(reactor, reactor.getThreadPool(), blocking)
        await port.stopListening()
        return said

    return run(reactor, main), factory.seen[0]


@needs("curl")
def test_curl(reactor: Any) -> None:
    said, (peer, host, info) = output(
        reactor, "curl -sS --noproxy * --haproxy-protocol http://127.0.0.1:{port}/", Page
    )
    assert said == b"127.0.0.1 1"
    assert (peer, host) == (info.source, info.destination)


@needs("socat")
@pytest.mark.parametrize("version", [1, 2])
def test_socat(reactor: Any, version: int) -> None:
    header = (v1 if version == 1 else v2).build(*V4_ADDRESSES)
    said, (peer, host, _) = output(reactor, "socat -t 10 - TCP:127.0.0.1:{port}", Answers, header + b"hello")
    assert said == b"heard hello"
    assert (peer, host) == V4_ADDRESSES
