"""``tcp:``, a port to listen on, or a host and port to connect to."""

from __future__ import annotations

from typing import Any

from ..endpoints.tcp import TCP4ClientEndpoint, TCP4ServerEndpoint, TCP6ClientEndpoint
from . import Backlog, ClientParser, Host, Interface, Port, Seconds, ServerParser

__all__ = ["client", "server"]


class _Server(ServerParser):
    prefix = "tcp"
    summary = "listens on a TCP port, on IPv4 if the interface is no IPv6 address"
    meanings = {
        "port": "the port to listen on; 0 for any that is free",
        "interface": "the address to listen on; empty for all of IPv4",
    }

    def build(
        self, reactor: Any, port: Port, interface: Interface = "", backlog: Backlog = 50
    ) -> TCP4ServerEndpoint:
        # Also for an IPv6 interface: the reactor takes the family from the address, as Twisted's does.
        return TCP4ServerEndpoint(reactor, port, backlog, interface)


class _Client(ClientParser):
    prefix = "tcp"
    summary = "connects to a TCP port, by IPv4 if the host is no IPv6 address"
    meanings = {
        "host": "whom to connect to",
        "port": "the port to connect to",
        "timeout": "how long it may take to connect",
        "bindAddress": "the address of this machine to connect from",
    }

    def build(
        self,
        reactor: Any,
        host: Host,
        port: Port,
        *,
        timeout: Seconds = 30,
        bindAddress: Interface | None = None,
    ) -> TCP4ClientEndpoint | TCP6ClientEndpoint:
        local = None if bindAddress is None else (bindAddress, 0)
        make = TCP6ClientEndpoint if ":" in host else TCP4ClientEndpoint
        return make(reactor, host, port, timeout, local)


server = _Server()
client = _Client()
