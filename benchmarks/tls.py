"""
TLS: what one core does for a handshake, a round trip, a megabyte.

As in `benchmarks.streams`, but for the other end, which is Python's own `ssl` with threads
(`benchmarks.tls_load`).  Twisted and this package use pyOpenSSL, the bare loops Python's `ssl`, so the
figures of the latter are also those of another OpenSSL.  All speak TLS 1.3, with keys on P-256.
"""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from .rows import Row, Sample, scaled
from .streams import LOAD, line, peer, progress, resident, row, started, untilDone, window

#: Certificates in a folder.
FOLDER = 200

#: Connections, and those that are open before memory is read for the first time.
IDLE, IDLE_BEFORE = 1000, 300


@contextlib.contextmanager
def load(mode: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Run the other end."""
    with started(
        sys.executable, "-m", "benchmarks.tls_load", str(LOAD), mode, *map(str, arguments)
    ) as process:
        yield process


# -- certificates


@contextlib.contextmanager
def certificates() -> Iterator[Path]:
    """Make a folder with a server's certificate, its key, and a folder with the authority that signed it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "authorities").mkdir()
        root, rootKey, rootPEM, _ = issue("root")
        _, _, certificate, key = issue("localhost", root, rootKey)
        (folder / "authorities" / "root.pem").write_bytes(rootPEM)
        (folder / "cert.pem").write_bytes(certificate)
        (folder / "key.pem").write_bytes(key)
        yield folder


def issue(name: str, issuer: object = None, issuerKey: object = None) -> tuple[object, object, bytes, bytes]:
    """Make a certificate, an authority's if nobody signs it; give both it and its key, and both in PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    names = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if isinstance(issuer, x509.Certificate) else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(issuerKey if isinstance(issuerKey, ec.EllipticCurvePrivateKey) else key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    return (
        certificate,
        key,
        certificate.public_bytes(encoding),
        key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )


def fill(folder: Path) -> None:
    """Put certificates for many names into a folder, each with its key in one file."""
    for number in range(FOLDER):
        _, _, certificate, key = issue(f"host-{number}.example")
        (folder / f"{number}.pem").write_bytes(certificate + key)


# -- what is measured


def served(role: str, mode: str, *arguments: object, unit: float = 1.0) -> Callable[[str], Sample]:
    """Measure a server of this role, with the other end in this mode."""

    def sample(contender: str) -> Sample:
        with certificates() as folder, peer(contender, role, folder) as measured:
            port = int(line(measured))
            with load(mode, port, *arguments) as loading:
                return _warm(measured, loading, unit)

    return sample


def connected(atOnce: int) -> Callable[[str], Sample]:
    """Measure a client that connects, asks, and closes."""

    def sample(contender: str) -> Sample:
        with certificates() as folder, load("server", folder) as loading:
            port = int(line(loading))
            with peer(contender, "tlsConnect", folder, port, atOnce) as measured:
                return _warm(measured, loading)

    return sample


def _warm(
    measured: subprocess.Popen[str], loading: subprocess.Popen[str], unit: float = 1.0, least: float = 0.1
) -> Sample:
    """Measure two programs, once the first operation is done."""
    while not progress(loading)[0]:
        if measured.poll() is not None:
            raise RuntimeError(f"{measured.args!r} ended with status {measured.returncode}")
        time.sleep(0.05)
    return window(measured, loading, unit, least)


def unknown(contender: str) -> Sample:
    """Measure handshakes that ask a folder's server for a name that there is no certificate for."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if contender != "twisted-epoll":
            fill(folder)
        with peer(contender, "tlsFolder", folder) as measured:
            port = int(line(measured))
            with load("unknown", port, 1) as loading:
                untilDone(loading, 1)
                if contender == "twisted-epoll":
                    # Only where there was no certificate at the first connection it takes up new ones.
                    fill(folder)
                    time.sleep(1)
                # Twisted's folder takes a sixth of a second for each.
                return _warm(measured, loading, least=1)


def idle(contender: str) -> Sample:
    """Measure what accepted connections cost that have echoed once, and then are idle."""
    before, more = scaled(IDLE_BEFORE), scaled(IDLE)
    with certificates() as folder, peer(contender, "tlsEcho", folder) as measured:
        port = int(line(measured))
        with load("hold", port, before) as first:
            untilDone(first, before)
            memory = resident(measured.pid)
            with load("hold", port, more) as second:
                untilDone(second, more)
                return Sample((resident(measured.pid) - memory) / more)


_FIRST = {
    "twisted-epoll": """
from twisted.internet import reactor
from twisted.internet.endpoints import clientFromString, serverFromString
""",
    "ours": """
import sys
sys.modules["twisted"] = None
from twisted_endpoints import reactor
from twisted_endpoints.endpoints import clientFromString, serverFromString
""",
}


def first(function: str, text: str) -> dict[str, Callable[[], Sample]]:
    """Measure interpreters that do nothing but import a reactor, and make an endpoint."""

    def of(contender: str) -> Callable[[], Sample]:
        def sample() -> Sample:
            with tempfile.TemporaryDirectory() as name:
                if "{folder}" in text:
                    fill(Path(name))
                made = f"{function}(reactor, {text.format(folder=name)!r})"
                program = f"{_FIRST[contender]}\nimport time\n{made}\nprint(time.process_time())"
                # What is imported for the first time may have to be compiled.
                return Sample(min(float(_output(program)) for _ in range(scaled(5) + 1)) * 1e3)

        return sample

    return {contender: of(contender) for contender in _FIRST}


def _output(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


_BARE = ("asyncio", "uvloop")

ROWS: tuple[Row, ...] = (
    row(
        "tls accept",
        "A server does a handshake, echoes 64 bytes, sees the end, with TCP_NODELAY: CPU time of the server.",
        served("tlsEcho", "visit", 4),
        1.15,
        0.9,
    ),
    row(
        "tls connect 1",
        "A client connects, does a handshake, exchanges 64 bytes, and closes, one at a time: CPU time of it.",
        connected(1),
        1.5,
        1.4,
    ),
    row(
        "tls connect 16",
        "A client connects, does a handshake, exchanges 64 bytes, and closes, 16 at once: CPU time of it.",
        connected(16),
        1.5,
        1.4,
    ),
    row(
        "tls echo 100",
        "A server echoes 64 bytes on 100 connections with TLS: CPU time of the server for a round trip.",
        served("tlsEcho", "echo", 100),
    ),
    row(
        "tls send",
        "A server sends without end with TLS, in blocks of 64 KiB: CPU time of the server for a megabyte.",
        served("tlsSend", "sink", unit=1e6),
        1.2,
        1.2,
    ),
    row(
        "tls receive",
        "A server receives without end with TLS: CPU time of the server for a megabyte.",
        served("tlsReceive", "source", unit=1e6),
        0.9,
        0.8,
    ),
    row(
        "tls idle",
        f"A server holds {IDLE} idle connections with TLS: resident memory for one.",
        idle,
        0.5,
        0.5,
        unit="KiB",
    ),
    row(
        "tls unknown name",
        f"A server of a folder of {FOLDER} certificates is asked for another name: CPU time of the server.",
        unknown,
        50,
        50,
        without=_BARE,
    ),
    Row(
        "tls first client",
        "An interpreter makes an endpoint of 'tls:example.com:443': CPU time since its start.",
        "ms",
        first("clientFromString", "tls:example.com:443"),
    ),
    Row(
        "tls first folder",
        f"An interpreter makes an endpoint of a folder with {FOLDER} certificates: CPU time since its start.",
        "ms",
        first("serverFromString", "tls:{folder}:0"),
    ),
)
