"""
Starting a program: descriptors, environment, folder, user and terminal, and why it couldn't be started.

`subprocess` does it where it can: no Python runs between fork and exec, no descriptor gets lost to the
program, and an error of the child's comes back as the system's.  It knows three descriptors by number and no
terminal; for the rest, `launcher` is the program that it starts.
"""

from __future__ import annotations

import marshal
import os
import pwd
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import launcher

#: What Python ignores for itself, and `subprocess` resets for a program.
_PYTHONS_OWN = {signal.SIGPIPE, signal.SIGXFSZ}


@dataclass(frozen=True)
class Command:
    """
    What to run, and how.

    Args:
        executable: the program's file; without a slash in it, it is looked for in the environment's ``PATH``.
        args: the command line, where the first is the program's name; empty for the executable alone.
        environment: all of the program's environment.
        path: the folder to run it in; None for this process's own.
        uid: the user to run it as; None for this process's own.
        gid: the group to run it as; None for this process's own.
    """

    executable: bytes
    args: Sequence[bytes] = ()
    environment: Mapping[bytes, bytes] = field(default_factory=dict)
    path: bytes | None = None
    uid: int | None = None
    gid: int | None = None

    @property
    def line(self) -> list[bytes]:
        """The command line; a program may count on its first argument."""
        return list(self.args) or [self.executable]

    @property
    def user(self) -> tuple[int, int, list[int]] | None:
        """The user, group and further groups to run it as; None where that is what this process runs as."""
        uid = os.geteuid() if self.uid is None else self.uid
        gid = os.getegid() if self.gid is None else self.gid
        if (self.uid, self.gid) == (None, None) or (
            (uid, uid) == (os.getuid(), os.geteuid()) and (gid, gid) == (os.getgid(), os.getegid())
        ):
            return None
        try:
            name = pwd.getpwuid(uid).pw_name
        except KeyError:
            return uid, gid, [gid]
        return uid, gid, os.getgrouplist(name, gid)

    @property
    def files(self) -> list[bytes]:
        """Where the program may be, in the order to try."""
        if os.path.dirname(self.executable):
            return [self.executable]
        folders = os.get_exec_path(dict(self.environment))  # type: ignore[arg-type]  # bytes will do
        return [os.path.join(os.fsencode(folder), self.executable) for folder in folders]


def spawn(command: Command, fds: Mapping[int, int], terminal: bool = False) -> int:
    """
    Start a program.

    Args:
        command: what to run.
        fds: for each descriptor that the program has, which one of this process's it is; no other stays open.
        terminal: its descriptor 0 is a terminal, which it shall have for its own, in a session of its own.

    Returns:
        The number of the process, which runs the program by now.

    Raises:
        OSError: the system says why not; `filename` is what it is about.
        ValueError: nothing can be run with such arguments.
    """
    user = command.user
    ignored = {number for number in signal.valid_signals() if signal.getsignal(number) == signal.SIG_IGN}
    simple = all(number in fds for number in range(3)) and all(
        number == old for number, old in fds.items() if number > 2
    )
    if simple and not terminal and ignored <= _PYTHONS_OWN and (user is None or os.geteuid() == 0):
        return _directly(command, fds, user)
    order = {
        "executable": command.executable,
        "files": command.files,
        "args": command.line,
        "environment": dict(command.environment),
        "path": command.path,
        "user": user,
        "fds": dict(fds),
        "terminal": terminal,
        "signals": [int(number) for number in ignored | _PYTHONS_OWN],
    }
    return _byLauncher(order, set(fds.values()), terminal)


def _directly(command: Command, fds: Mapping[int, int], user: tuple[int, int, list[int]] | None) -> int:
    uid, gid, groups = user or (None, None, None)
    try:
        process = subprocess.Popen(
            command.line,
            executable=command.executable,
            env=command.environment,
            cwd=command.path,
            user=uid,
            group=gid,
            extra_groups=groups,
            stdin=fds[0],
            stdout=fds[1],
            stderr=fds[2],
            pass_fds=[number for number in fds if number > 2],
        )
    except OSError as error:
        if isinstance(error.filename, bytes):
            error.filename = os.fsdecode(error.filename)
        raise
    return _released(process)


def _byLauncher(order: dict[str, Any], needed: set[int], terminal: bool) -> int:
    if not sys.executable:
        raise NotImplementedError("sys.executable names no Python, which such a process is started with")
    ours, control = socket.socketpair()
    with ours, control:
        process = subprocess.Popen(
            # Without site and what the environment says: it imports nothing of anybody else's.
            [sys.executable, "-I", "-S", launcher.__file__, str(control.fileno())],
            env={},
            pass_fds={number for number in {*needed, control.fileno()} if number > 2},
            start_new_session=terminal,
        )
        control.close()
        try:
            ours.sendall(marshal.dumps(order))
            ours.shutdown(socket.SHUT_WR)
            trouble = b"".join(iter(lambda: ours.recv(4096), b""))
        except OSError:
            process.kill()
            process.wait()
            raise
    if not trouble:
        return _released(process)
    process.wait()
    number, whose = marshal.loads(trouble)
    if not number:
        raise ValueError(whose)
    raise OSError(number, os.strerror(number), os.fsdecode(whose))


def _released(process: subprocess.Popen[bytes]) -> int:
    """Take a process over from `subprocess`, which would look after it when its object is freed."""
    process.returncode = 0
    return process.pid
