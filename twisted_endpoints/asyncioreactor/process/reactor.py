"""The reactor's part: what `spawnProcess` is given, made what the system takes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from ..core import Core
from .ending import reapLeft
from .piped import STANDARD, Process
from .spawn import Command
from .terminal import PTYProcess


class Processes(Core):
    """Implements `IReactorProcess`."""

    def spawnProcess(
        self,
        processProtocol: Any,
        executable: bytes | str,
        args: Sequence[bytes | str] = (),
        env: Mapping[Any, Any] | None = {},  # it is only read
        path: bytes | str | None = None,
        uid: int | None = None,
        gid: int | None = None,
        usePTY: bool | int | tuple[int, int, str] = 0,
        childFDs: Mapping[int, int | str] | None = None,
    ) -> Process | PTYProcess:
        """
        Start a program.

        Args:
            processProtocol: told of what the process writes, and of its end.  None if there are no pipes.
            executable: the program's file; without a slash in it, it is looked for in the ``PATH`` that `env`
                has.
            args: the command line, where the first is the program's name; by default the executable alone.
            env: the whole environment of the process: by default an empty one; None for this process's own.
            path: the folder to run it in; None for this process's own.
            uid: the user to run it as, with all groups of his; None for this process's own.
            gid: the group to run it as; None for this process's own.
            usePTY: give it a terminal, in a session of its own; a tuple of two descriptors and a name gives
                it that one.
            childFDs: what each descriptor of the process shall be: ``"r"`` for a pipe that is read here,
                ``"w"`` for one that is written here, a number for that descriptor of this process.  None for
                the usual three pipes.  The process has no others.

        Returns:
            The way to the process; its protocol has been connected to it.

        Raises:
            OSError: the program can't be run; the error is the system's, and names the file or folder.
            TypeError: an argument is neither text nor bytes, or a text where several are wanted.
            ValueError: there is a NUL in an argument, or arguments don't go together.
        """
        reapLeft()
        if isinstance(args, (str, bytes)):
            raise TypeError(f"args must be a list of words, the program's name first, not {args!r}")
        for what, value in (("env", env), ("childFDs", childFDs)):
            if not isinstance(value, (Mapping, type(None))):
                raise TypeError(f"{what} must be a mapping, not {value!r}")
        environment = os.environb if env is None else env
        command = Command(
            _encoded("executable", executable),
            [_encoded("an argument", each) for each in args],
            {
                _encoded("a variable's name", name): _encoded("a variable", value)
                for name, value in environment.items()
            },
            None if path is None else _encoded("path", path),
            uid,
            gid,
        )
        if not usePTY:
            return Process(self, command, processProtocol, STANDARD if childFDs is None else childFDs)
        if childFDs is not None:
            raise ValueError("childFDs can't be combined with usePTY: a terminal is all that the process has")
        return PTYProcess(self, command, processProtocol, usePTY)


def _encoded(what: str, value: bytes | str) -> bytes:
    """Encode text as the names of files are."""
    if not isinstance(value, (bytes, str)):
        raise TypeError(f"{what} must be text or bytes, not {value!r}")
    data = os.fsencode(value)
    if b"\0" in data:
        raise ValueError(f"{what} can't have a NUL in it: {value!r}")
    return data
