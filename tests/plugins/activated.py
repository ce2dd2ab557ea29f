"""
A program that systemd starts: listens on strings, and says to each peer which one it has come to.

    python -m tests.plugins.activated epoll|asyncio|uvloop DESCRIPTION ...

A peer that sends a line ends it.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from twisted_endpoints.protocol import Factory, Protocol
from twisted_endpoints.strings import DescriptionError, serverFromString


class Greeter(Protocol):
    factory: Any

    def connectionMade(self) -> None:
        left = [name for name in os.environ if name.startswith("LISTEN_")]
        self.transport.write(f"{self.factory.description} {left}\n".encode())  # type: ignore[union-attr]

    def dataReceived(self, data: bytes) -> None:
        self.factory.reactor.stop()


def main(kind: str, *descriptions: str) -> None:
    if kind == "epoll":
        # It takes the variables away.
        import twisted.internet.endpoints  # noqa: F401
        from twisted.internet import reactor as theirs
        from twisted.internet.epollreactor import EPollReactor

        reactor: Any = theirs
        assert isinstance(reactor, EPollReactor)
    else:
        from twisted_endpoints.asyncioreactor import AsyncioReactor

        if kind == "uvloop":
            import uvloop

            reactor = AsyncioReactor(uvloop.new_event_loop())
        else:
            import asyncio

            reactor = AsyncioReactor(asyncio.new_event_loop())

    def start() -> None:
        for description in descriptions:
            factory: Any = Factory.forProtocol(Greeter)
            factory.reactor, factory.description = reactor, description
            try:
                endpoint = serverFromString(reactor, description)
            except DescriptionError as error:
                print(error, file=sys.stderr)
                reactor.stop()
                return
            endpoint.listen(factory).addErrback(lambda reason: print(reason, file=sys.stderr))

    reactor.callWhenRunning(start)
    reactor.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
