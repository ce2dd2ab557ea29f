"""
The reactor, on asyncio's event loop or on uvloop's: one file a subject.

- `reactor`                         `AsyncioReactor`, composed of the others
- `core`, `triggers`, `signals`     starting and stopping
- `loops`                           which event loop
- `timers`                          delayed calls
- `threads`, `threadpool`           other threads
- `resolver`, `hosts`               names
- `descriptors`                     file descriptors of others
- `stream`, `tcp`, `unix`, `adopted`, `errors`    connections and ports, on the loop's own transports
"""

from __future__ import annotations

import asyncio

from .reactor import AsyncioReactor

__all__ = ["AsyncioReactor", "install"]


def install(eventloop: asyncio.AbstractEventLoop | None = None) -> None:
    """
    Make an `AsyncioReactor` the reactor of this process: ``from twisted_endpoints import reactor``.

    In Twisted's vocabulary it is `twisted.internet.reactor` as well.

    Args:
        eventloop: the loop that it lives with; as for `AsyncioReactor`.

    Raises:
        ReactorAlreadyInstalledError: this process has its reactor.
    """
    import sys

    from .. import error
    from .._vocabulary import vocabulary

    package = sys.modules[__package__.rpartition(".")[0]]
    names = [f"{package.__name__}.reactor"]
    parents = [package]
    if vocabulary == "twisted":
        import twisted.internet

        names.append("twisted.internet.reactor")
        parents.append(twisted.internet)
    if any(name in sys.modules for name in names):
        raise error.ReactorAlreadyInstalledError("reactor already installed")
    reactor = AsyncioReactor(eventloop)
    for name, parent in zip(names, parents, strict=True):
        sys.modules[name] = reactor  # type: ignore[assignment]
        parent.reactor = reactor  # type: ignore[attr-defined]
