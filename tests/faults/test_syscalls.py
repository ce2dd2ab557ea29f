"""
System calls fail: the process lives, whoever isn't concerned is served, and nothing is left.

For a fault at every call instead of every third: see `torture`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.loops import LOOPS

from .injection import whyNot
from .subjects import Subject, running
from .torture import WHEN, Fault, endure

FAULTS = [
    Fault("?accept,accept4", "ECONNABORTED", "serve"),
    Fault("?accept,accept4", "ENOMEM", "serve"),
    Fault("?accept,accept4", "EPROTO", "serve"),
    Fault("?recv,recvfrom,read,recvmsg", "ECONNRESET", "serve"),
    Fault("?recv,recvfrom,read,recvmsg", "ENOMEM", "serve"),
    Fault("?send,sendto,write,writev,sendmsg", "EPIPE", "serve"),
    Fault("?send,sendto,write,writev,sendmsg", "ENOBUFS", "serve"),
    Fault("epoll_ctl", "ENOMEM", "serve"),
    Fault("socket", "EMFILE", "connect"),
    Fault("connect", "ENETUNREACH", "connect"),
    Fault("epoll_ctl", "ENOMEM", "connect"),
    Fault("bind", "EACCES", "listen"),
    Fault("listen", "EADDRINUSE", "listen"),
    Fault("getsockname", "ENOBUFS", "listen"),
    Fault("fchmod", "EPERM", "listen"),
    Fault("?unlink,unlinkat", "EACCES", "listen"),
    Fault("epoll_ctl", "ENOMEM", "listen"),
    Fault("getsockname", "ENOBUFS", "adopt"),
    Fault("getsockopt", "ENOBUFS", "adopt"),
    Fault("fcntl", "EMFILE", "adopt"),
    Fault("epoll_ctl", "ENOMEM", "adopt"),
]


@pytest.fixture(scope="module", params=LOOPS)
def subject(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    folder = tmp_path_factory.mktemp(request.param)
    if reason := whyNot(folder):
        pytest.skip(reason)
    with running(request.param, folder) as made:
        yield made


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("fault", FAULTS, ids="-".join)
def test_aFaultEndsNothingElse(subject: Subject, fault: Fault, when: str, tmp_path: Path) -> None:
    endure(subject, fault, when, ("tcp", "unix"), tmp_path)
