"""
The measured end of a connection: ``python -m benchmarks.peers CONTENDER CORE ROLE [ARGUMENT...]``.

    echo, send, receive                      a server; it prints its port in a line
    connect HOW PORT CONNECTIONS             a client, that connects and closes, again and again
    tls…                                     the same with TLS: see `benchmarks.tls_peers`
    race refused|dropped ATTEMPTS            prints how many milliseconds each connection took, in one line

It stays on the core with this number, -1 for any, and runs until it is killed, a race excepted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any


def roleOf(contender: str, role: str) -> Callable[..., None]:
    """Give the function that plays a role for a contender."""
    if role.startswith("tls"):
        from . import tls_peers

        secured: Callable[..., None] = getattr(tls_peers, role)
        return lambda *arguments: secured(contender, *arguments)
    if contender in ("asyncio", "uvloop"):
        from . import peers_bare

        bare: Callable[..., None] = getattr(peers_bare, role)
        return lambda *arguments: bare(newLoop(contender), *arguments)
    from . import peers_reactor

    theirs: Callable[..., None] = getattr(peers_reactor, role)
    return lambda *arguments: theirs(peers_reactor.vocabularyOf(contender), *arguments)


def newLoop(name: str) -> Any:
    """Make an event loop: asyncio's own or uvloop's."""
    if name == "uvloop":
        import uvloop

        return uvloop.new_event_loop()
    import asyncio

    return asyncio.new_event_loop()


def main(contender: str, core: str, role: str, *arguments: str) -> None:
    """Play a role."""
    if int(core) >= 0:
        os.sched_setaffinity(0, {int(core)})
    roleOf(contender, role)(*arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
