"""
The kinds of endpoint that `doctor` tries: one row of `KINDS` a kind.

To add one, write the server string and the client string that belongs to it, and, where a machine may be
unable to do it, a function that says why.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..strings import quoteStringArgument


def always() -> str:
    """Say that nothing is missing."""
    return ""


@dataclass(frozen=True)
class Kind:
    """
    A kind of endpoint, and how to try it.

    Args:
        name: a word or two for the table.
        server: makes the string to listen on; it is given the path of a file that isn't there yet, to be used
            or not.
        client: makes the string that leads there, from the address that the port says it listens on, and the
            path that `server` was given.
        missing: says why this machine can't do it; the empty text if it can.
    """

    name: str
    server: Callable[[str], str]
    client: Callable[[Any, str], str]
    missing: Callable[[], str] = always


def _noIPv6() -> str:
    if not socket.has_ipv6:
        return "this Python has no IPv6"
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError as error:
        return f"this machine has no IPv6: {error.strerror}"
    return ""


def _noUnixSockets() -> str:
    return "" if hasattr(socket, "AF_UNIX") else "this system has no UNIX sockets"


def _noAbstractNames() -> str:
    return "" if sys.platform.startswith("linux") else "only Linux has abstract UNIX sockets"


def _unix(address: Any, path: str) -> str:
    name = address.name
    return f"unix:{quoteStringArgument(name if isinstance(name, str) else name.decode())}"


def _opened() -> int:
    """Listen as another program would do that starts this one, and give the descriptor."""
    return socket.create_server(("127.0.0.1", 0)).detach()


def _handedOver(path: str) -> str:
    """Hand a socket over as systemd does, and give the string for it."""
    from ..plugins._inherited import START

    # systemd counts from 3 on, and this process has other files there: they are handed over too, namelessly.
    others = _opened() - START
    os.environ["LISTEN_PID"] = str(os.getpid())
    os.environ["LISTEN_FDS"] = str(others + 1)
    os.environ["LISTEN_FDNAMES"] = ":" * others + "doctor"
    return "systemd:name=doctor"


def _noSystemd() -> str:
    return "" if sys.platform.startswith("linux") else "only Linux has systemd"


def _port(address: Any, path: str) -> str:
    return f"tcp:127.0.0.1:{address.port}"


def _byProcess(address: Any, path: str) -> str:
    """Lead there through another process: a relay between its standard input and output and there."""
    relay = [sys.executable, "-m", "twisted_endpoints", "relay", "stdio:", _port(address, path)]
    return "process:" + ":".join(map(quoteStringArgument, relay))


def _noPython() -> str:
    return "" if sys.executable else "nobody knows where this Python's program is"


def _certificates(path: str) -> tuple[str, str]:
    from ._throwaway import certificates

    served, authority = certificates(os.path.dirname(path))
    return quoteStringArgument(served), quoteStringArgument(authority)


KINDS = (
    Kind(
        "tcp",
        lambda path: "tcp:0:interface=127.0.0.1",
        _port,
    ),
    Kind(
        "tcp by name",
        lambda path: "tcp:0:interface=localhost",
        lambda address, path: f"tcp:localhost:{address.port}",
    ),
    Kind(
        "tcp6",
        lambda path: "tcp6:0:interface=[::1]",
        lambda address, path: f"tcp:[::1]:{address.port}",
        _noIPv6,
    ),
    Kind(
        "unix",
        lambda path: f"unix:{quoteStringArgument(path)}:mode=600",
        _unix,
        _noUnixSockets,
    ),
    Kind(
        "unix abstract",
        # The path is a name that nobody else uses; in the abstract namespace it is no file.
        lambda path: f"unix:\0{quoteStringArgument(path)}:lockfile=0",
        _unix,
        _noAbstractNames,
    ),
    Kind(
        "fd",
        lambda path: f"fd:{_opened()}",
        _port,
    ),
    Kind(
        "systemd",
        _handedOver,
        _port,
        _noSystemd,
    ),
    Kind(
        "process, stdio",
        lambda path: "tcp:0:interface=127.0.0.1",
        _byProcess,
        _noPython,
    ),
    Kind(
        "tls",
        lambda path: f"tls:{_certificates(path)[0]}:0:interface=127.0.0.1",
        lambda address, path: f"tls:localhost:{address.port}:trustRoots={_certificates(path)[1]}",
    ),
    Kind(
        "ssl",
        lambda path: f"ssl:0:{_certificates(path)[0]}/server.pem:interface=127.0.0.1",
        lambda address, path: (
            f"ssl:127.0.0.1:{address.port}:hostname=localhost:caCertsDir={_certificates(path)[1]}"
        ),
    ),
    Kind(
        "haproxy",
        lambda path: "haproxy:tcp:0:interface=127.0.0.1:trusted=127.0.0.1",
        lambda address, path: f"haproxy:tcp:127.0.0.1:{address.port}",
    ),
)
