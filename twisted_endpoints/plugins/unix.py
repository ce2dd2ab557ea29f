"""``unix:``, a UNIX socket to listen on or to connect to."""

from __future__ import annotations

from typing import Any

from ..endpoints.unix import OPEN_TO_ALL, UNIXClientEndpoint, UNIXServerEndpoint
from . import Backlog, ClientParser, Flag, Mode, Seconds, ServerParser, SocketPath

__all__ = ["client", "server"]


class _Server(ServerParser):
    prefix = "unix"
    summary = "listens on a UNIX socket; lockfile=1 refuses a second server, and replaces a dead one"
    meanings = {
        "address": "where to make the socket",
        "mode": "who may connect, as the permissions of the socket's file",
        "lockfile": "1 locks it: a second server is refused, and what a dead one left is replaced",
    }

    def build(
        self,
        reactor: Any,
        address: SocketPath,
        mode: Mode = OPEN_TO_ALL,
        backlog: Backlog = 50,
        lockfile: Flag = True,
    ) -> UNIXServerEndpoint:
        return UNIXServerEndpoint(reactor, address, backlog, mode, lockfile)


class _Client(ClientParser):
    prefix = "unix"
    summary = "connects to a UNIX socket; lockfile=1 looks first whether its owner is alive"
    meanings = {
        "path": "the socket to connect to",
        "timeout": "how long it may take to connect",
        "lockfile": "1 looks at the server's lock first, and fails at once if it is dead",
    }

    def build(
        self, reactor: Any, path: SocketPath, *, timeout: Seconds = 30, lockfile: Flag = False
    ) -> UNIXClientEndpoint:
        return UNIXClientEndpoint(reactor, path, timeout, lockfile)


server = _Server()
client = _Client()
