"""Which names the hosts file knows, and whether asking the system for them takes no time."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from socket import AF_INET, AF_INET6, AddressFamily, inet_pton


def parseHosts(text: str) -> dict[str, frozenset[AddressFamily]]:
    """
    Map each name in a hosts file, in lower case, to the families of its addresses.

    Args:
        text: what the file says (hosts(5)): a line has an address and its names; ``#`` begins a comment.
            A line whose address the system doesn't take for one is none.
    """
    found: dict[str, frozenset[AddressFamily]] = {}
    for line in text.splitlines():
        address, *names = line.partition("#")[0].split() or [""]
        family = AF_INET6 if ":" in address else AF_INET
        try:
            inet_pton(family, address)
        except OSError:
            continue
        for name in names:
            key = name.lower()
            found[key] = found.get(key, frozenset()) | {family}
    return found


#: Bytes up to which the system, which reads the file from its begin at each look-up, takes no time for it.
_SHORT = 16 * 1024

_FILES_FIRST = re.compile(r"^\s*hosts:\s*files\b", re.MULTILINE)


def filesFirst(path: str = "/etc/nsswitch.conf") -> bool:
    """Say whether the system looks into the hosts file before it asks anybody (nsswitch.conf(5))."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return _FILES_FIRST.search(file.read()) is not None
    except OSError:
        return False


class HostsFile:
    """
    The names in a hosts file, read again when the file has changed.

    Args:
        path: where it is.
        first: whether the system looks there first; found out if not given.
    """

    def __init__(self, path: str = "/etc/hosts", first: bool | None = None) -> None:
        self.path = path
        self._first = filesFirst() if first is None else first
        self._version: tuple[int, ...] = ()
        self._names: Mapping[str, frozenset[AddressFamily]] = {}

    def knows(self, name: str, family: AddressFamily) -> bool:
        """
        Say whether the file has an address for a name.

        Args:
            name: the name; a dot at its end, which the file's names don't have, may be there or not.
            family: the family that is asked for; AF_UNSPEC for any.
        """
        self._refresh()
        families = self._names.get(name.lower().removesuffix("."), frozenset())
        return family in families if family else bool(families)

    def answersAtOnce(self, name: str, family: AddressFamily) -> bool:
        """Say whether the system finds a name without delay, in a short file that it looks into first."""
        try:
            return self._first and os.stat(self.path).st_size <= _SHORT and self.knows(name, family)
        except OSError:
            return False

    def _refresh(self) -> None:
        try:
            status = os.stat(self.path)
            version = (status.st_ino, status.st_size, status.st_mtime_ns)
            if version != self._version:
                with open(self.path, encoding="utf-8", errors="replace") as file:
                    self._names = parseHosts(file.read())
                self._version = version
        except OSError:
            # No file, no names: then all of them are the name servers' business.
            self._version, self._names = (), {}
