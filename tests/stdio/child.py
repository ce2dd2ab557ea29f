"""
A program that writes what it reads, on standard input and output: ``python -m tests.stdio.child REACTOR``.

It says on standard error when it is connected, and at last why its connection was lost.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from typing import Any

from twisted_endpoints import serverFromString
from twisted_endpoints.asyncioreactor import install
from twisted_endpoints.error import ReactorNotRunning
from twisted_endpoints.protocol import Factory, Protocol


def installed(name: str) -> Any:
    """Install a reactor: Twisted's on epoll, or ours on a loop."""
    if name == "epoll":
        from twisted.internet import epollreactor, reactor

        assert isinstance(reactor, epollreactor.EPollReactor)
        return reactor
    install(importlib.import_module(name).new_event_loop())
    return importlib.import_module("twisted_endpoints.reactor")


def main() -> None:
    reactor = installed(sys.argv[1])

    class Echo(Protocol):
        def connectionMade(self) -> None:
            transport: Any = self.transport
            self.dataReceived = transport.write  # type: ignore[method-assign]
            transport.registerProducer(transport, True)
            os.write(2, b"made\n")

        def connectionLost(self, reason: Any = None) -> None:
            os.write(2, f"lost: {reason.type.__name__}\n".encode())
            with contextlib.suppress(ReactorNotRunning):  # a signal has stopped it
                reactor.stop()

    serverFromString(reactor, "stdio:").listen(Factory.forProtocol(Echo))
    reactor.run()


if __name__ == "__main__":
    main()
