"""
System calls fail while TLS is spoken, and while certificates are read: see `tests.faults.test_syscalls`.

"tls" is a server of a folder, and "files" one of a key and its certificate.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

import pytest

from tests.faults.injection import failing, whyNot
from tests.faults.subjects import Subject, echoes, running, soon
from tests.faults.torture import TORTURE, WHEN, Fault, endure, saysNoMore, serves
from tests.loops import LOOPS

from .authority import root

KINDS = ("tls", "files")
READ, SEND = "?recv,recvfrom,read,recvmsg", "?send,sendto,write,writev,sendmsg"
STAT = "?stat,newfstatat,?statx"

FAULTS = [
    Fault("?accept,accept4", "EPROTO", "serve"),
    Fault(READ, "ECONNRESET", "serve"),
    Fault(READ, "ENOMEM", "serve"),
    Fault(SEND, "EPIPE", "serve"),
    Fault(SEND, "ENOBUFS", "serve"),
    Fault("epoll_ctl", "ENOMEM", "serve"),
    Fault("socket", "EMFILE", "connect"),
    Fault("connect", "ENETUNREACH", "connect"),
    Fault(READ, "ECONNRESET", "connect"),
    Fault(SEND, "EPIPE", "connect"),
    Fault("?open,openat", "EMFILE", "connect"),
    Fault("epoll_ctl", "ENOMEM", "connect"),
    Fault("listen", "EADDRINUSE", "listen"),
    Fault("getsockname", "ENOBUFS", "listen"),
    Fault("?open,openat", "EMFILE", "listen"),
    Fault(STAT, "ENOMEM", "listen"),
    Fault("epoll_ctl", "ENOMEM", "listen"),
    Fault("getsockname", "ENOBUFS", "adopt"),
    Fault("epoll_ctl", "ENOMEM", "adopt"),
]


#: What fails while certificates are looked at and read: any call, or one in three.
RENEWAL = [("?open,openat", "EMFILE"), (STAT, "ENOMEM"), ("getdents64", "EIO")]

#: As they follow each other, with one key.
FIRST = root().issue("localhost")
ISSUED = cycle([FIRST, root().issue("localhost", key=FIRST.key)])


def write(folder: Path) -> bytes:
    """Put a certificate where all servers look for theirs, each time another one, and whole; return it."""
    issued = next(ISSUED)
    for name, content in (("served/a.pem", issued.pem), ("cert.pem", issued.certificatePEM)):
        (folder / "new").write_bytes(content)
        (folder / "new").replace(folder / name)
    return issued.certificatePEM


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    (folder / "served").mkdir()
    write(folder)
    (folder / "key.pem").write_bytes(FIRST.keyPEM)
    (folder / "root.pem").write_bytes(root().certificatePEM)
    return folder


@contextmanager
def securing(
    request: pytest.FixtureRequest, factory: pytest.TempPathFactory, certificates: Path, seconds: float
) -> Iterator[Subject]:
    """Run a subject that looks for new certificates each time after some seconds."""
    folder = factory.mktemp(request.param)
    if reason := whyNot(folder):
        pytest.skip(reason)
    with running(request.param, folder) as made:
        made.secure(certificates, seconds)
        yield made


@pytest.fixture(scope="module", params=LOOPS)
def subject(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, certificates: Path
) -> Iterator[Subject]:
    # No looks at the certificates: threads wake the loop by calls that must not fail.
    with securing(request, tmp_path_factory, certificates, 3600) as made:
        yield made


@pytest.fixture(scope="module", params=LOOPS)
def renewing(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, certificates: Path
) -> Iterator[Subject]:
    with securing(request, tmp_path_factory, certificates, 0.02) as made:
        yield made


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("fault", FAULTS, ids="-".join)
def test_aFaultEndsNothingElse(subject: Subject, fault: Fault, when: str, tmp_path: Path) -> None:
    endure(subject, fault, when, KINDS, tmp_path)


def shows(subject: Subject, kind: str, certificate: bytes) -> bool:
    """Tell whether a new connection is shown this certificate."""
    with subject.open(kind) as peer:
        assert isinstance(peer, ssl.SSLSocket)
        assert echoes(peer)
        return peer.getpeercert(True) == ssl.PEM_cert_to_DER_cert(certificate.decode())


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("fault", RENEWAL, ids="-".join)
def test_aFaultDelaysRenewalOnly(
    renewing: Subject, fault: tuple[str, str], when: str, certificates: Path, tmp_path: Path
) -> None:
    before = renewing.descriptors()["socket"]
    renewing.log()
    with failing(renewing.process.pid, *fault, when, tmp_path / "strace") as injected:
        new = write(certificates)
        for kind in KINDS * 5:
            assert serves(renewing, kind)
        assert soon(lambda: injected.count) or TORTURE
        for kind in KINDS * 5:
            assert serves(renewing, kind)
    for kind in KINDS:
        assert soon(lambda kind=kind: shows(renewing, kind, new))
    saysNoMore(renewing, injected.count)
    assert soon(lambda: renewing.descriptors()["socket"] == before)
