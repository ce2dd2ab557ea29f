"""
Where the ends of connections are; the twin of `twisted.internet.address`.

Two addresses are equal if they are of one class and all their fields are; `UNIXAddress` also looks at the
file system.  Addresses can be keys of a dictionary; don't change one that is.
"""

from __future__ import annotations

import os
import sys
from typing import Literal

from zope.interface import implementer

from ._fields import _Fields
from .interfaces import IAddress

__all__ = ["HostnameAddress", "IPv4Address", "IPv6Address", "UNIXAddress"]


def _badType(type: object) -> ValueError:
    return ValueError(f"the type of an address is 'TCP' or 'UDP', not {type!r}")


@implementer(IAddress)
class IPv4Address(_Fields):
    """
    One end of an IPv4 connection.

    Args:
        type: ``"TCP"`` or ``"UDP"``.
        host: the dotted address, such as ``"127.0.0.1"``.
        port: the port's number.

    Raises:
        ValueError: `type` is neither.
    """

    __match_args__ = ("type", "host", "port")

    def __init__(self, type: Literal["TCP", "UDP"], host: str, port: int) -> None:
        if type not in ("TCP", "UDP"):
            raise _badType(type)
        self.type: Literal["TCP", "UDP"] = type
        self.host = host
        self.port = port


@implementer(IAddress)
class IPv6Address(_Fields):
    """
    One end of an IPv6 connection.

    Args:
        type: ``"TCP"`` or ``"UDP"``.
        host: the address, such as ``"::1"``.
        port: the port's number.
        flowInfo: the flow label, by which routers may tell flows apart.
        scopeID: the network interface that a link-local address belongs to, by number or name.

    Raises:
        ValueError: `type` is neither.
    """

    __match_args__ = ("type", "host", "port", "flowInfo", "scopeID")

    def __init__(
        self,
        type: Literal["TCP", "UDP"],
        host: str,
        port: int,
        flowInfo: int = 0,
        scopeID: str | int = 0,
    ) -> None:
        if type not in ("TCP", "UDP"):
            raise _badType(type)
        self.type: Literal["TCP", "UDP"] = type
        self.host = host
        self.port = port
        self.flowInfo = flowInfo
        self.scopeID = scopeID


@implementer(IAddress)
class _ProcessAddress:
    """Both ends of the pipes to a child process: there is nothing to tell about them."""


@implementer(IAddress)
class HostnameAddress(_Fields):
    """
    An end that is known by name only.

    Args:
        hostname: the name, such as ``b"example.com"``.
        port: the port's number.
    """

    __match_args__ = ("hostname", "port")

    def __init__(self, hostname: bytes, port: int) -> None:
        self.hostname = hostname
        self.port = port


@implementer(IAddress)
class UNIXAddress:
    """
    One end of a connection over a UNIX socket.

    Two of them are equal if their names are, or if both names lead to one file.

    Args:
        name: the socket's path; a leading NUL makes it an abstract name; None where the socket has no name,
            as that of a client.  Text is encoded as the file system's names are.
    """

    __match_args__ = ("name",)

    def __init__(self, name: bytes | str | os.PathLike[str] | None) -> None:
        self.name: bytes | None = None if name is None else os.fsencode(name)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, self.__class__):
            return NotImplemented
        if self.name == other.name:
            return True
        if not self.name or not other.name:
            return False
        try:
            return os.path.samefile(self.name, other.name)
        except OSError:
            return False
        except ValueError:
            # The NUL of an abstract name, which only Linux has; elsewhere it is an error of the caller's.
            if sys.platform != "linux":
                raise
            return False

    def __hash__(self) -> int:
        if self.name is None:
            return hash((self.__class__, None))
        try:
            status = os.stat(self.name)
        except (OSError, ValueError):
            return hash(self.name)
        return hash((status.st_ino, status.st_dev))

    def __repr__(self) -> str:
        shown = None if self.name is None else os.fsdecode(self.name)
        return f"UNIXAddress({shown!r})"
