"""
System calls fail: the process lives, whoever isn't concerned is served, and nothing is left.

The environment variable TWISTED_ENDPOINTS_TORTURE=20 has each call fail once, at first the first, then the
second, up to the twentieth, instead of every third; that takes half a minute.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.loops import LOOPS

from .injection import failing, whyNot
from .subjects import Subject, echoes, running, soon

TORTURE = int(os.environ.get("TWISTED_ENDPOINTS_TORTURE", "0"))
WHEN = [str(n + 1) for n in range(TORTURE)] or ["1+3"]


class Fault(NamedTuple):
    """What fails, with which error, while which work is done."""

    calls: str
    error: str
    work: str


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
    before = subject.descriptors().total()
    subject.log()
    with ExitStack() as closing:
        others = [closing.enter_context(subject.open(kind)) for kind in ("tcp", "unix")]
        assert all(map(echoes, others))
        failed = 0
        with failing(subject.process.pid, *fault[:2], when, tmp_path / "strace") as injected:
            for kind in ("tcp", "unix") * max(3, TORTURE // 2):
                failed += not worked(subject, fault.work, kind)
        assert injected.count > 0 or TORTURE
        assert failed <= injected.count
        lines = subject.log()
        assert len(lines) <= injected.count
        assert not [line for line in lines if line.endswith("]")], "no traceback"
        assert all(map(echoes, others))
        for kind in ("tcp", "unix"):
            assert worked(subject, "serve", kind)
            assert worked(subject, "connect", kind)
            assert worked(subject, "listen", kind)
            assert worked(subject, "adopt", kind)
    assert soon(lambda: subject.descriptors().total() == before)


def worked(subject: Subject, work: str, kind: str) -> bool:
    """Have the subject do some work; tell whether it could, or said in its own words that it could not."""
    if work == "serve":
        with subject.open(kind) as peer:
            return echoes(peer)
    answer = subject.tell(work, kind)
    assert answer == "done" or answer.partition(":")[0] in EXPECTED[work], answer
    return bool(answer == "done")


#: What a program hears of it.
EXPECTED = {
    "connect": ("ConnectError", "NoRouteError"),
    "listen": ("CannotListenError",),
    "adopt": ("CannotListenError", "InvalidValue", "OSError"),
}
