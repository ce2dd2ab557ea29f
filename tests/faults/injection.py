"""System calls of a process that fail, by strace's fault injection."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Injected:
    """
    Knows how many calls were made to fail so far.

    Args:
        log: strace's.
    """

    def __init__(self, log: Path) -> None:
        self._log = log

    @property
    def count(self) -> int:
        # A call that strace leaves in the middle, when it goes, fails with ENOSYS if it was to be injected.
        text = self._log.read_text()
        return text.count("(INJECTED)") + text.count("<detached ...>")


@contextmanager
def failing(pid: int, calls: str, error: str, when: str, log: Path) -> Iterator[Injected]:
    """
    Make system calls of a process fail meanwhile.

    Args:
        pid: the process.
        calls: the names of the calls, with commas between; one that this machine doesn't have begins with
            ``?``.
        error: what they fail with, as ``"EPROTO"``.
        when: which of them, as strace writes it: ``"1+3"`` is the first and every third after it.
        log: a file that can be overwritten.
    """
    what = ["-e", f"trace={calls}", "-e", f"inject={calls}:error={error}:when={when}"]
    with subprocess.Popen(
        ["strace", "-f", "-p", str(pid), "-o", str(log), *what], stderr=subprocess.PIPE, text=True
    ) as strace:
        try:
            assert strace.stderr is not None
            said = strace.stderr.readline()
            if "attached" not in said:
                raise PermissionError(said)
            yield Injected(log)
        finally:
            strace.terminate()


def whyNot(folder: Path) -> str:
    """Say why calls can't be made to fail here; nothing if they can."""
    if shutil.which("strace") is None:
        return "strace isn't installed"
    with subprocess.Popen(["sleep", "60"]) as victim:
        try:
            with failing(victim.pid, "close", "EIO", "1000", folder / "strace"):
                return ""
        except PermissionError as e:
            return f"strace can't attach to a process: {e}"
        finally:
            victim.kill()
