"""Hands descriptors over to this process, as systemd does to one that it starts."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from twisted_endpoints.plugins import _inherited
from twisted_endpoints.plugins._inherited import Inheritance
from twisted_endpoints.plugins.systemd import SystemdParser

#: Hands copies of these over, with these names; gives the descriptors.
HandOver = Callable[..., list[int]]

#: What systemd sets.
VARIABLES = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID")

#: From here on no test has descriptors of its own.
_FREE = 400


@pytest.fixture
def handOver(monkeypatch: pytest.MonkeyPatch) -> Iterator[HandOver]:
    """Hand copies of files over, to a process that nothing was handed to before."""
    made: list[tuple[int, Any]] = []
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(SystemdParser, "_sddaemon", Inheritance())
    # What pytest itself was started with is of no concern.
    monkeypatch.setattr(_inherited, "environmentAtStart", dict)

    def hand(*files: Any, names: str | None = None) -> list[int]:
        first = fcntl.fcntl(files[0].fileno(), fcntl.F_DUPFD, _FREE)
        descriptors = list(range(first, first + len(files)))
        for file, descriptor in zip(files, descriptors, strict=True):
            os.dup2(file.fileno(), descriptor)
            made.append((descriptor, _inherited.identityOf(descriptor)))
        monkeypatch.setattr(_inherited, "START", first)
        monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
        monkeypatch.setenv("LISTEN_FDS", str(len(files)))
        if names is not None:
            monkeypatch.setenv("LISTEN_FDNAMES", names)
        return descriptors

    yield hand
    for descriptor, identity in made:
        if _inherited.identityOf(descriptor) == identity:
            with contextlib.suppress(OSError):
                os.close(descriptor)


def flags(descriptor: int) -> tuple[int, int]:
    """Give a descriptor's flags: whether it is closed in children, and whether it blocks."""
    return fcntl.fcntl(descriptor, fcntl.F_GETFD), fcntl.fcntl(descriptor, fcntl.F_GETFL)
