"""``tcp6:``, a port to listen on, on IPv6."""

from __future__ import annotations

from typing import Any

from ..endpoints.tcp import TCP6ServerEndpoint
from ..strings.errors import DescriptionWarning
from . import Backlog, Interface, Port, ServerParser
from ._warning import warnAuthor

__all__ = ["TCP6ServerParser", "server"]


class TCP6ServerParser(ServerParser):
    """Reads the arguments of ``tcp6:``."""

    prefix = "tcp6"
    summary = "listens on a TCP port, on IPv6; without an interface on Linux on IPv4 too"
    meanings = {
        "port": "the port to listen on; 0 for any that is free",
        "interface": "the address to listen on; :: for all",
    }

    def build(
        self, reactor: Any, port: Port, backlog: Backlog = 50, interface: Interface = "::"
    ) -> TCP6ServerEndpoint:
        if "." in interface and ":" not in interface and interface[-1].isdigit():
            # It listens on IPv4, in Twisted as well, and there may be programs that live on it.
            warnAuthor(
                f"'tcp6' with the interface {interface} listens on IPv4:"
                f" write tcp:{port}:interface={interface}",
                DescriptionWarning,
            )
        return TCP6ServerEndpoint(reactor, port, backlog, interface)


server = TCP6ServerParser()
