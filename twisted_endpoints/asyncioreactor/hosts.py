"""Which names the hosts file knows, and whether asking the system for them takes no time."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from socket import AF_INET, AF_INET6, AddressFamily, inet_pton

#: What the system doesn't read of a line: a comment, and what stands behind a NUL.
_UNREAD = re.compile(rb"[#\0]")


def parseHosts(data: bytes) -> dict[str, frozenset[AddressFamily]]:
    r"""
    Map each name in a hosts file, in lower case, to the families of its addresses.

    Args:
        data: what the file says (hosts(5)): a line has an address and its names; ``#`` begins a comment.
            A line whose address the system doesn't take for one is none.  Bytes, as only white space of ASCII
            is white space there, and only ``\n`` ends a line: a name that this has and the system hasn't
            would be asked of a name server by whoever trusts in that it isn't.
    """
    found: dict[str, frozenset[AddressFamily]] = {}
    for line in data.split(b"\n"):
        address, *names = _UNREAD.split(line, 1)[0].split() or [b""]
        family = AF_INET6 if b":" in address else AF_INET
        try:
            inet_pton(family, address.decode("latin-1"))
        except (OSError, ValueError):
            continue
        for name in names:
            key = name.lower().decode("latin-1")
            found[key] = found.get(key, frozenset()) | {family}
    return found


#: Bytes up to which the system, which reads the file from its begin at each look-up, takes no time for it.
_SHORT = 16 * 1024

#: Without an action behind it, which may say to go on though the file has the name.
_FILES_FIRST = re.compile(r"^[ \t]*hosts:[ \t]*files\b(?![ \t]*\[)", re.MULTILINE)


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

    def spelling(self, name: str, family: AddressFamily) -> str | None:
        """
        Tell how to ask the system for a name that the file may have an address for.

        Args:
            name: the name.  A dot at its end is left out unless the file has it: with it, the system doesn't
                find the name there, and asks a name server.
            family: the family that is asked for; AF_UNSPEC for any.  Of IPv6's addresses, glibc gives ``::1``
                and those that are IPv4's in IPv6's form to who asks for IPv4.

        Returns:
            The name, or None if there is none in the file.
        """
        for asked in (name, name.removesuffix(".")):
            families = self._families(asked)
            if families and (family != AF_INET6 or AF_INET6 in families):
                return asked
        return None

    def spellingAtOnce(self, name: str, family: AddressFamily) -> str | None:
        """Tell that only where the system certainly finds the name, at once: in a short file, read first."""
        asked = name.removesuffix(".")
        try:
            if not self._first or os.stat(self.path).st_size > _SHORT:
                return None
        except OSError:
            return None
        families = self._families(asked)
        return asked if families and (family in families or not family) else None

    def _families(self, name: str) -> frozenset[AddressFamily]:
        self._refresh()
        # In ASCII: of other letters it isn't certain what the system makes of them.
        return self._names.get(name.lower() if name.isascii() else "", frozenset())

    def _refresh(self) -> None:
        try:
            status = os.stat(self.path)
            version = (status.st_ino, status.st_size, status.st_mtime_ns)
            if version != self._version:
                with open(self.path, "rb") as file:
                    self._names = parseHosts(file.read())
                self._version = version
        except OSError:
            # No file, no names: then all of them are the name servers' business.
            self._version, self._names = (), {}
