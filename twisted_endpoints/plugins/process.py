"""``process:``, a program to start: what it reads is written to, and what it writes is read."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import Annotated, Any

from ..endpoints.process import ProcessEndpoint, StandardErrorBehavior
from ..strings.arguments import Declaration
from ..strings.description import Description, Place
from . import ClientParser, Flag, Kind, Path, Refused

__all__ = ["client"]


def _one(text: str) -> tuple[str, ...]:
    if "\0" in text:
        raise ValueError("")
    return (text,)


def _variables(text: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in shlex.split(text)]
    if not pairs or not all(name and equals for name, equals, _ in pairs):
        raise ValueError("")
    return {name: value for name, _, value in pairs}


def _behaviour(text: str) -> str:
    if text not in ("log", "drop", "inherit"):
        raise ValueError("")
    return text


def _user(text: str) -> int:
    import pwd

    return _known("user", lambda: pwd.getpwnam(text).pw_uid, text)


def _group(text: str) -> int:
    import grp

    return _known("group", lambda: grp.getgrnam(text).gr_gid, text)


def _known(what: str, find: Callable[[], int], text: str) -> int:
    """Give a number as it is written, or that of a name."""
    if text.isascii() and text.isdigit():
        if len(text) > 10 or int(text) > _HIGHEST_ID:
            raise ValueError(f"The highest number is {_HIGHEST_ID}.")
        return int(text)
    if not text or "\0" in text:
        raise ValueError("")
    try:
        return find()
    except (KeyError, UnicodeError):
        raise ValueError(f"This machine has no {what} of that name.") from None


#: The one beyond it, -1, stands for "leave it" in system calls.
_HIGHEST_ID = 2**32 - 2

#: Arguments of a program: a keyword gives one, positions give any number.
Arguments = Annotated[tuple[str, ...], Kind("text", "text without NUL characters", _one, shlex.join)]

#: Variables of an environment, with blanks between; quoted as a shell's.
Variables = Annotated[
    dict[str, str],
    Kind(
        "variables",
        "NAME=VALUE, and more of them with blanks between, in brackets",
        _variables,
        lambda value: shlex.join(f"{name}={each}" for name, each in value.items()),
    ),
]

#: A user, and a group of users.
User = Annotated[int, Kind("user", "a user's name or number", _user)]
Group = Annotated[int, Kind("group", "a group's name or number", _group)]

#: What becomes of what a program writes to its error output.
ErrorOutput = Annotated[str, Kind("word", "log, drop or inherit", _behaviour)]


class _Declaration(Declaration):
    """The arguments of ``process:``: all by position, from the second on, are the program's."""

    def bind(self, description: Description) -> dict[str, Any]:
        """Give each argument its name, and read its value: as `Declaration.bind`."""
        values = super().bind(_shortened(description))
        if len(description.args) > 2:
            values["arg"] = description.args[1:]
        return values

    def place(self, description: Description, name: str) -> tuple[str, tuple[str, Place]]:
        """Find an argument: as `Declaration.place`."""
        return super().place(_shortened(description), name)

    def usage(self) -> str:
        """What there is to write, in words."""
        return f"{super().usage()}; an argument of the program with a '=' in it stands in brackets"


def _shortened(description: Description) -> Description:
    return replace(description, args=description.args[:2])


class _Client(ClientParser):
    prefix = "process"
    summary = "starts a program, and connects to its standard input and output"
    meanings = {
        "executable": "the program; one without a slash is looked for in PATH",
        "arg": "an argument for the program; any number of them by position",
        "env": "variables for its environment, as in [LANG=C TZ=UTC]",
        "inheritEnv": "0 gives it no other variables than those of env=",
        "cwd": "the folder to run it in",
        "stderr": "log or drop its error output, or have it go where this program's goes",
        "pty": "1 gives it a terminal, with its error output in the stream",
        "uid": "the user to run it as",
        "gid": "the group to run it as",
    }

    def build(
        self,
        reactor: Any,
        executable: Path,
        arg: Arguments = (),
        *,
        env: Variables | None = None,
        inheritEnv: Flag = True,
        cwd: Path | None = None,
        stderr: ErrorOutput = "log",
        pty: Flag = False,
        uid: User | None = None,
        gid: Group | None = None,
    ) -> ProcessEndpoint:
        if any("\0" in each for each in arg):
            raise Refused("arg", "no program can be given a NUL")
        if pty and stderr != "log":
            raise Refused("stderr", "with pty=1 the error output is in the stream: leave it out")
        environment = {**os.environ} if inheritEnv else {}
        return ProcessEndpoint(
            reactor,
            executable,
            (executable, *arg),
            {**environment, **(env or {})},
            cwd,
            uid,
            gid,
            pty,
            {0: "w", 1: "r", 2: 2} if stderr == "inherit" else None,
            StandardErrorBehavior.DROP if stderr == "drop" else StandardErrorBehavior.LOG,
        )

    @cached_property
    def declaration(self) -> Declaration:
        """The arguments, as `build` declares them."""
        return _Declaration(super().declaration.parameters)


client = _Client()
