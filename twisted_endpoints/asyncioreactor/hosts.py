"""Which names the hosts file knows."""

from __future__ import annotations

import os
from collections.abc import Mapping
from socket import AF_INET, AF_INET6, AddressFamily


def parseHosts(text: str) -> dict[str, frozenset[AddressFamily]]:
    """
    Map each name in a hosts file, in lower case, to the families of its addresses.

    Args:
        text: what the file says (hosts(5)): a line has an address and its names; ``#`` begins a comment.
    """
    found: dict[str, frozenset[AddressFamily]] = {}
    for line in text.splitlines():
        address, *names = line.partition("#")[0].split() or [""]
        family = frozenset((AF_INET6 if ":" in address else AF_INET,))
        for name in names:
            key = name.lower()
            found[key] = found.get(key, frozenset()) | family
    return found


class HostsFile:
    """
    The names in a hosts file, read again when the file has changed.

    Args:
        path: where it is.
    """

    def __init__(self, path: str = "/etc/hosts") -> None:
        self.path = path
        self._version: tuple[int, ...] = ()
        self._names: Mapping[str, frozenset[AddressFamily]] = {}

    def knows(self, name: str, family: AddressFamily) -> bool:
        """
        Say whether the file has an address for a name.

        Args:
            name: the name.
            family: the family that is asked for; AF_UNSPEC for any.
        """
        self._refresh()
        families = self._names.get(name.lower().removesuffix("."), frozenset())
        return family in families if family else bool(families)

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
