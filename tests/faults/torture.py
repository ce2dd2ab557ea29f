"""
What a subject endures: its system calls fail while it works.

The environment variable TWISTED_ENDPOINTS_TORTURE=20 has each call fail once, at first the first, then the
second, up to the twentieth, instead of every third; that takes a minute or two.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from .injection import failing
from .subjects import Subject, echoes, soon

TORTURE = int(os.environ.get("TWISTED_ENDPOINTS_TORTURE", "0"))
WHEN = [str(n + 1) for n in range(TORTURE)] or ["1+3"]

#: What a program hears of it.
EXPECTED = {
    "connect": ("ConnectError", "ConnectionLost", "InvalidValue", "NoRouteError"),
    "listen": ("CannotListenError", "InvalidValue"),
    "adopt": ("CannotListenError", "InvalidValue", "OSError"),
}


class Fault(NamedTuple):
    """What fails, with which error, while which work is done."""

    calls: str
    error: str
    work: str


def endure(subject: Subject, fault: Fault, when: str, kinds: tuple[str, ...], folder: Path) -> None:
    """
    Have a subject work while its calls fail; fail unless it lives, serves everybody else and leaves nothing.

    Args:
        subject: who.
        fault: what fails.
        when: which of the calls, as for `failing`.
        kinds: what it works on; each has its turn several times.
        folder: for strace's log.
    """
    before = subject.descriptors().total()
    subject.log()
    with ExitStack() as closing:
        others = [closing.enter_context(subject.open(kind)) for kind in kinds]
        assert all(map(echoes, others))
        failed = 0
        with failing(subject.process.pid, *fault[:2], when, folder / "strace") as injected:
            for kind in kinds * max(3, TORTURE // 2):
                failed += not worked(subject, fault.work, kind)
        assert injected.count > 0 or TORTURE
        assert failed <= injected.count
        saysNoMore(subject, injected.count)
        assert all(map(echoes, others))
        for kind in kinds:
            for work in ("serve", "connect", "listen", "adopt"):
                assert worked(subject, work, kind)
    assert soon(lambda: subject.descriptors().total() == before)


def saysNoMore(subject: Subject, faults: int) -> None:
    """Fail if a subject has logged more than a record for each fault, or a traceback."""
    lines = subject.log()
    assert len(lines) <= faults, lines
    assert not [line for line in lines if line.endswith("]")], f"tracebacks: {lines}"


def worked(subject: Subject, work: str, kind: str) -> bool:
    """Have the subject do some work; tell whether it could, or said in its own words that it could not."""
    if work == "serve":
        return serves(subject, kind)
    answer = subject.tell(work, kind)
    assert answer == "done" or answer.partition(":")[0] in EXPECTED[work], answer
    return bool(answer == "done")


def serves(subject: Subject, kind: str) -> bool:
    """Tell whether a new connection is served."""
    try:
        with subject.open(kind) as peer:
            return echoes(peer)
    except OSError:
        # In mid-handshake.
        return False
