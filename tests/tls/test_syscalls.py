"""
System calls fail while TLS is spoken, and while certificates are read: see `tests.faults.test_syscalls`.

"tls" is a server of a folder, and "files" one of a key and its certificate.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.injection import whyNot
from tests.faults.subjects import Subject, running
from tests.faults.torture import WHEN, Fault, endure
from tests.loops import LOOPS

from .authority import Issued, root

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


def write(folder: Path, issued: Issued) -> None:
    """Put a certificate where all servers look for theirs."""
    (folder / "served" / "a.pem").write_bytes(issued.pem)
    (folder / "key.pem").write_bytes(issued.keyPEM)
    (folder / "cert.pem").write_bytes(issued.certificatePEM)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    (folder / "served").mkdir()
    write(folder, root().issue("localhost"))
    (folder / "root.pem").write_bytes(root().certificatePEM)
    return folder


@pytest.fixture(scope="module", params=LOOPS)
def subject(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, certificates: Path
) -> Iterator[Subject]:
    folder = tmp_path_factory.mktemp(request.param)
    if reason := whyNot(folder):
        pytest.skip(reason)
    with running(request.param, folder) as made:
        # No looks at the certificates: threads wake the loop by calls that must not fail.
        made.secure(certificates, 3600)
        yield made


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("fault", FAULTS, ids="-".join)
def test_aFaultEndsNothingElse(subject: Subject, fault: Fault, when: str, tmp_path: Path) -> None:
    endure(subject, fault, when, KINDS, tmp_path)
