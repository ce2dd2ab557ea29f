"""
The descriptors that systemd hands to a process: sd_listen_fds(3).

They are numbered from 3 on.  ``LISTEN_FDS`` says how many there are, ``LISTEN_PID`` for which process, and
``LISTEN_FDNAMES`` may give each a name; all that have none are "unknown".  The variables are looked at when
somebody asks, and taken away when the first descriptor is used: what this process starts then neither
inherits the descriptors nor takes the variables for its own.

Twisted takes the variables away when its endpoints are imported, whether or not anybody wants them, and
forgets what they said if there are no names.  Linux still knows what they were when the process began.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass

from ..endpoints.adopted import identityOf

#: The number of the first descriptor.
START = 3

_PID, _COUNT, _NAMES = "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"

#: What is taken away; the last one is of systemd 258.
_VARIABLES = (_PID, _COUNT, _NAMES, "LISTEN_PIDFDID")

#: The name of a descriptor without one.
_NAMELESS = "unknown"

#: The module that takes the variables away.
_TAKER = "twisted.internet.endpoints"

_HINT = "is this started by systemd, for a .socket unit, or by systemd-socket-activate?"


class NotInherited(ValueError):
    """A descriptor that was asked for isn't there; the text says what is."""


@dataclass(frozen=True)
class Inherited:
    """
    What was handed over.

    Args:
        descriptors: their numbers.
        names: the name of each, in the same order.
        problem: why they have no names, or nothing.
    """

    descriptors: tuple[int, ...]
    names: tuple[str, ...] = ()
    problem: str = ""

    def byIndex(self, index: int) -> int:
        """
        Find a descriptor by its place, from 0 on.

        Raises:
            NotInherited: there are fewer.
        """
        if index < len(self.descriptors):
            return self.descriptors[index]
        raise NotInherited(f"{_counted(len(self.descriptors))} inherited{self._shown()}, counted from 0")

    def byName(self, name: str) -> int:
        """
        Find a descriptor by its name.

        Raises:
            NotInherited: there is none of this name, or there are several.
        """
        if self.problem:
            raise NotInherited(self.problem)
        found = [index for index, each in enumerate(self.names) if each == name]
        if len(found) == 1:
            return self.descriptors[found[0]]
        if found:
            which = " or ".join(f"index={index}" for index in found)
            raise NotInherited(f"{len(found)} descriptors have this name: choose by {which}")
        raise NotInherited(
            f"no descriptor has this name: {_counted(len(self.names))} inherited{self._shown()}"
        )

    def _shown(self) -> str:
        return f" ({', '.join(map(repr, self.names))})" if self.names else ""


def _counted(count: int) -> str:
    return "1 descriptor was" if count == 1 else f"{count} descriptors were"


def readEnvironment(environ: Mapping[str, str], pid: int) -> Inherited:
    """
    Read the variables.

    Args:
        environ: what they are among.
        pid: the number of this process.

    Raises:
        NotInherited: they say nothing to this process.
    """
    missing = [name for name in (_PID, _COUNT) if not environ.get(name)]
    if missing:
        are = "is" if len(missing) == 1 else "are"
        raise NotInherited(f"nothing was inherited, as {' and '.join(missing)} {are} not set: {_HINT}")
    if environ[_PID] != str(pid):
        raise NotInherited(
            f"{_PID} is {environ[_PID]!r}, and this is process {pid}: what was inherited is for another one"
            " (a shell before this program must start it by exec)"
        )
    if not (environ[_COUNT].isascii() and environ[_COUNT].isdigit()) or len(environ[_COUNT]) > 6:
        raise NotInherited(f"{_COUNT} is {environ[_COUNT]!r}, and no number of descriptors")
    count = int(environ[_COUNT])
    descriptors = tuple(range(START, START + count))
    names = tuple(environ[_NAMES].split(":")) if environ.get(_NAMES) else (_NAMELESS,) * count
    if len(names) != count:
        return Inherited(descriptors, (), f"{_NAMES} has {len(names)} names, and {_COUNT} is {count}")
    return Inherited(descriptors, names)


def environmentAtStart() -> dict[str, str]:
    """Tell which environment this process has begun with; nothing where that isn't known."""
    try:
        with open("/proc/self/environ", "rb") as file:
            rows = os.fsdecode(file.read()).split("\0")
    except OSError:
        return {}
    return {name: value for name, _, value in (row.partition("=") for row in rows)}


class Inheritance:
    """
    What this process has inherited, whether or not the variables are still there.

    It has the methods of Twisted's ``ListenFDs``.

    Args:
        environ: what the variables are among; by default the environment of this process.
    """

    def __init__(self, environ: MutableMapping[str, str] | None = None) -> None:
        self._environ = environ
        self._taken: Inherited | None = None
        self._identities: dict[int, tuple[int, int] | None] = {}

    @property
    def _variables(self) -> MutableMapping[str, str]:
        return os.environ if self._environ is None else self._environ

    def read(self) -> Inherited:
        """
        Tell what there is; nothing is changed.

        Raises:
            NotInherited: there is nothing.
        """
        pid = os.getpid()
        if self._taken is not None and self._variables.get(_PID) != str(pid):
            return self._taken
        if self._environ is None and _TAKER in sys.modules and _PID not in os.environ:
            begun = environmentAtStart()
            if begun.get(_PID) == str(pid):
                return readEnvironment(begun, pid)
        return readEnvironment(self._variables, pid)

    def isUsed(self, descriptor: int) -> bool:
        """Tell whether a descriptor isn't what was inherited any more: who has listened on it closed it."""
        return self.read() is self._taken and identityOf(descriptor) != self._identities.get(descriptor)

    def take(self) -> None:
        """Remove the variables, and let no process that this one starts inherit the descriptors."""
        inherited = self.read()
        if inherited is self._taken:
            return
        self._taken = inherited
        self._identities = {descriptor: identityOf(descriptor) for descriptor in inherited.descriptors}
        for descriptor, identity in self._identities.items():
            if identity is not None:
                os.set_inheritable(descriptor, False)
        for name in _VARIABLES:
            self._variables.pop(name, None)

    def inheritedDescriptors(self) -> list[int]:
        """List the descriptors; none if nothing was inherited."""
        return list(self._quietly().descriptors)

    def inheritedNamedDescriptors(self) -> dict[str, int]:
        """Give the descriptors by name; of several with one name, the last."""
        inherited = self._quietly()
        return dict(zip(inherited.names, inherited.descriptors, strict=False))

    def _quietly(self) -> Inherited:
        try:
            return self.read()
        except NotInherited:
            return Inherited(())
