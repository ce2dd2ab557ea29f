"""
The reactor, on asyncio's event loop or on uvloop's: one file a subject.

- `reactor`                         `AsyncioReactor`, composed of the others
- `core`, `triggers`, `signals`     starting and stopping
- `loops`                           which event loop
- `timers`                          delayed calls
- `threads`, `threadpool`           other threads
- `names`, `resolver`, `hosts`, `lookups`  names and addresses
- `descriptors`                     file descriptors of others
- `stream`, `writing`               a connection, on the loop's own transport
- `ports`, `accepting`              what listens, and who accepts
- `connectors`, `limits`            what connects, and how long that may take
- `tcp`, `tls`, `unix`, `passing`, `adopted`  the kinds of connections
- `udp`, `multicast`                datagrams
- `addresses`, `errors`             what the system says, in the vocabulary's words
- `socketfile`, `socketlock`        the files of UNIX sockets
- `process`                         child processes, a package of its own
"""

from __future__ import annotations

import asyncio
import importlib
import sys

from .reactor import AsyncioReactor
from .unix import SocketModeWarning

__all__ = ["AsyncioReactor", "SocketModeWarning", "install"]


def install(eventloop: asyncio.AbstractEventLoop | None = None) -> None:
    """
    Make an `AsyncioReactor` the reactor of this process: ``from twisted_endpoints import reactor``.

    In Twisted's vocabulary it is `twisted.internet.reactor` as well.

    Args:
        eventloop: the loop that it lives with; as for `AsyncioReactor`.

    Raises:
        ReactorAlreadyInstalledError: this process has its reactor.
    """
    from .. import error
    from .._vocabulary import vocabulary

    places = [f"{__package__.rpartition('.')[0]}.reactor"]
    if vocabulary == "twisted":
        places.append("twisted.internet.reactor")
    if any(place in sys.modules for place in places):
        raise error.ReactorAlreadyInstalledError("reactor already installed")
    reactor = AsyncioReactor(eventloop)
    for place in places:
        package, _, name = place.rpartition(".")
        sys.modules[place] = reactor  # type: ignore[assignment]
        setattr(importlib.import_module(package), name, reactor)
    if vocabulary == "twisted":
        threadable = importlib.import_module("twisted.python.threadable")
        reactor.addSystemEventTrigger("before", "startup", threadable.registerAsIOThread)
