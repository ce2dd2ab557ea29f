"""Processes that can't be started, as something runs out or the system fails: an error, and nothing left."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.faults.left import aWhile
from tests.running import run

from .children import Watched, openDescriptors, shell

pytestmark = pytest.mark.usefixtures("nothingLeft")

KINDS: dict[str, dict[str, Any]] = {
    "usual": {},
    "launched": {"childFDs": {0: "w", 1: "r", 2: "r", 4: "r"}},
    "PTY": {"usePTY": True},
}


@contextmanager
def only(more: int) -> Iterator[None]:
    """Let this process open so many descriptors more, and no others."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(map(int, os.listdir("/proc/self/fd")))
    fillers = []
    try:
        # All numbers below the limit are used, so that the limit counts.
        while True:
            filler = os.dup(0)
            if filler > highest:
                os.close(filler)
                break
            fillers.append(filler)
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1 + more, hard))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for filler in fillers:
            os.close(filler)


@pytest.mark.parametrize("kind", KINDS)
def test_whateverDescriptorIsTheLastOne(reactor: Any, kind: str) -> None:
    async def main() -> list[bool]:
        worked = []
        await aWhile(reactor)  # until the loop runs, which has descriptors of its own
        for more in range(20):
            before = openDescriptors()
            protocol = None
            with only(more):
                try:
                    protocol = shell(reactor, "exit 3", **KINDS[kind])
                except OSError as e:
                    errors.add(e.errno)
            if protocol is not None:
                await protocol.told("ended")
                assert protocol.reason.exitCode == 3
            worked.append(protocol is not None)
            assert openDescriptors() == before
        return worked

    errors: set[int | None] = set()
    worked = run(reactor, main)
    assert errors == {errno.EMFILE}
    assert worked == sorted(worked)
    assert {*worked} == {False, True}


@pytest.mark.parametrize("kind", KINDS)
def test_theLoopRefusesToWatch(reactor: Any, kind: str) -> None:
    allowed = 0
    add = reactor._loop.add_reader

    class Refusing:
        """Stands before the loop."""

        def __init__(self, loop: Any, left: int) -> None:
            self._loop = loop
            self._left = left

        def __getattr__(self, name: str) -> Any:
            return getattr(self._loop, name)

        def add_reader(self, *args: Any) -> None:
            self._left -= 1
            if self._left < 0:
                raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
            add(*args)

    async def main() -> None:
        nonlocal allowed
        loop = reactor._loop
        for allowed in range(6):
            reactor._loop = Refusing(loop, allowed)
            try:
                protocol: Any = shell(reactor, "exit 3", **KINDS[kind])
            except OSError:
                continue
            finally:
                reactor._loop = loop
            await protocol.told("ended")
            assert protocol.reason.exitCode == 3
            return

    run(reactor, main)
    assert allowed == {"usual": 3, "launched": 4, "PTY": 1}[kind]


def test_noMoreProcesses(reactor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import _posixsubprocess

    def refuse(*args: Any, **options: Any) -> int:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr("subprocess._fork_exec", refuse, raising=False)
    monkeypatch.setattr(_posixsubprocess, "fork_exec", refuse)
    monkeypatch.setattr(os, "posix_spawn", refuse)
    for options in KINDS.values():
        with pytest.raises(BlockingIOError):
            reactor.spawnProcess(Watched(), "/bin/true", **options)
