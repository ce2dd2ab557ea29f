"""
A program of its own: it arranges descriptors, terminal, signals, folder and user, and becomes another.

The reactor runs it, by this file's name, where `subprocess` can't do all of that between fork and exec.  To
do it in a fork of the reactor's own process, in Python, isn't safe in a process that has threads: the fork
has the locks that they held, and nobody who lets go of them.

It is told what to do, and tells what went wrong, through a socket that the other program doesn't inherit: if
the socket ends without a word, that program runs.
"""

from __future__ import annotations

import fcntl
import marshal
import os
import signal
import sys
import termios
from typing import Any


def arrange(fds: dict[int, int], control: int) -> int:
    """
    Give descriptors their numbers, and close all others.

    Args:
        fds: for each number that there shall be, which descriptor it is now.
        control: a descriptor that is still needed.

    Returns:
        The new number of `control`; it is closed when another program is run.
    """
    # Above all numbers that matter first, so that none is overwritten before it is copied.
    above = max(control, 2, *fds, *fds.values()) + 1
    copies = {number: fcntl.fcntl(old, fcntl.F_DUPFD_CLOEXEC, above) for number, old in fds.items()}
    moved = fcntl.fcntl(control, fcntl.F_DUPFD_CLOEXEC, above)
    os.closerange(0, above)
    for number, copy in copies.items():
        os.dup2(copy, number)
    return moved


def becomeUser(uid: int, gid: int, groups: list[int]) -> None:
    """Take on the rights of a user and of groups, for good."""
    if os.geteuid() != 0:
        # A server that has put its rights aside has them back for this.
        os.seteuid(0)
    os.setgroups(groups)
    os.setregid(gid, gid)
    os.setreuid(uid, uid)


def execute(files: list[bytes], arguments: list[bytes], environment: dict[bytes, bytes]) -> None:
    """Become the first program of several that can be executed; return only by an `OSError`."""
    telling: OSError | None = None
    for file in files:
        try:
            os.execve(file, arguments, environment)
        except OSError as error:
            if telling is None or isinstance(telling, (FileNotFoundError, NotADirectoryError)):
                telling = error
    raise telling or FileNotFoundError(2, os.strerror(2))


def main(control: int) -> None:
    """
    Do what is read from a socket.

    If that can't be done, two values are written to it: an error's number and whose it is, or 0 and a text.
    """
    with os.fdopen(os.dup(control), "rb") as told:
        order: dict[str, Any] = marshal.loads(told.read())
    whose = order["executable"]
    try:
        control = arrange(order["fds"], control)
        if order["terminal"]:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        for number in order["signals"]:
            signal.signal(number, signal.SIG_DFL)
        if order["path"] is not None:
            whose = order["path"]
            os.chdir(whose)
        whose = order["executable"]
        if order["user"] is not None:
            becomeUser(*order["user"])
        execute(order["files"], order["args"], order["environment"])
    except OSError as error:
        os.write(control, marshal.dumps((error.errno, whose)))
    except Exception as error:
        # Python's own objections, which come before the system's.
        os.write(control, marshal.dumps((0, str(error))))
    os._exit(127)


if __name__ == "__main__":
    main(int(sys.argv[1]))
