"""Socket addresses of the operating system, and the address objects of the vocabulary."""

from __future__ import annotations

import socket
from functools import lru_cache
from typing import Any

from ..address import IPv4Address, IPv6Address


@lru_cache(maxsize=1024)
def isLiteral(host: str, family: int) -> bool:
    """Tell whether a host is an IP address of this family; of IPv6, it may name a scope: ``fe80::1%eth0``."""
    if family == socket.AF_INET6:
        host = host.partition("%")[0]
    try:
        socket.inet_pton(family, host)
    except (OSError, ValueError):
        return False
    return True


def mayBeScoped(host: str) -> bool:
    """
    Tell whether an IPv6 literal means another address on each interface, and so needs a scope (RFC 4007).

    uvloop would take the first interface that there is, whatever the scope says.
    """
    return "%" in host or host.lower().startswith(("fe8", "fe9", "fea", "feb"))


def resolveIPv6(host: str, port: int) -> tuple[str, int, int, int]:
    """
    Make the socket address of an IPv6 literal, with the number of the scope that it may name.

    Raises:
        OSError: the scope isn't an interface of this machine.
    """
    # A port of its own, as getaddrinfo folds numbers that are out of range into the range.
    found = socket.getaddrinfo(host, 1, socket.AF_INET6, flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV)
    name: tuple[Any, ...] = found[0][4]
    return name[0], port, name[2], name[3]


def hostOf(sockaddr: tuple[Any, ...]) -> str:
    """Take the host out of a socket address, in IPv6 with the name of its scope."""
    if len(sockaddr) == 4 and sockaddr[3]:
        return socket.getnameinfo(sockaddr, socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)[0]
    return str(sockaddr[0])


def tcpAddress(sockaddr: tuple[Any, ...]) -> IPv4Address | IPv6Address:
    """Make the address object for a socket address of TCP."""
    if len(sockaddr) == 4:
        return IPv6Address("TCP", hostOf(sockaddr), sockaddr[1], sockaddr[2], sockaddr[3])
    return IPv4Address("TCP", sockaddr[0], sockaddr[1])
