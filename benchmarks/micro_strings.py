"""From a description to an endpoint: when everything is warm, and for the first time in a process."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

from ._timing import perOperation
from .rows import Row, Sample


def _construct(package: str, role: str) -> Callable[[object, str], Any]:
    """Import `serverFromString` or `clientFromString`, of ours or of Twisted's."""
    if package == "ours":
        from twisted_endpoints import endpoints as ours

        function = getattr(ours, f"{role}FromString")
    else:
        from twisted.internet import endpoints as theirs

        function = getattr(theirs, f"{role}FromString")
    return function  # type: ignore[no-any-return]


def _realReactor(package: str) -> object:
    """Import a reactor: for a host, Twisted looks at what it can do, and warns if that is too little."""
    if package == "ours":
        from twisted_endpoints import reactor as ours

        return ours
    from twisted.internet import reactor as theirs

    return theirs


def _warm(package: str, role: str, description: str, count: int) -> Sample:
    construct, reactor = _construct(package, role), _realReactor(package)

    def run(count: int) -> None:
        for _ in range(count):
            construct(reactor, description)

    return perOperation(run, count)


def _unseen(package: str, count: int) -> Sample:
    construct, reactor = _construct(package, "server"), object()
    descriptions = [f"tcp:{port}:interface=127.0.0.1" for port in range(1024, 65536)]
    ports = itertools.cycle(descriptions)

    def run(count: int) -> None:
        for description in itertools.islice(ports, count):
            construct(reactor, description)

    return perOperation(run, count)


def _first(package: str, role: str, description: str) -> Sample:
    construct, reactor = _construct(package, role), object()
    start = time.process_time()
    construct(reactor, description)
    return Sample((time.process_time() - start) * 1e6)


def _warmRow(
    role: str, description: str, goal: float, limit: float, theirCount: int, theirs: str | None = None
) -> Row:
    """Make a row; `theirs` is what Twisted is given, where it knows less than ours."""
    what = f"{description!r} (Twisted: {theirs!r})" if theirs else repr(description)
    return Row(
        f"parse {role} {description.partition(':')[0]}",
        f"An endpoint of {what}, used before, as by a program that connects again and again.",
        "us",
        {
            "twisted-epoll": lambda: _warm("twisted", role, theirs or description, theirCount),
            "ours": lambda: _warm("ours", role, description, 50_000),
        },
        {"ours": goal},
        limit,
    )


ROWS = (
    _warmRow("server", "tcp:8080:interface=127.0.0.1", 5, 4, 10_000),
    _warmRow("server", "unix:/run/x.sock:mode=660", 5, 4, 10_000),
    _warmRow("client", "tcp:example.com:443", 5, 4, 10_000),
    # The prefixes that are plugins in Twisted: it looks for plugins each time.
    _warmRow("server", "tcp6:8080:interface=\\:\\:1", 50, 15, 200),
    # Without trusted=, ours would warn each time.
    _warmRow("server", "haproxy:tcp:8080:trusted=10.0.0.0/8", 50, 15, 200, "haproxy:tcp:8080"),
    _warmRow("server", "stdio:", 50, 15, 200),
    _warmRow("client", "tls:example.com:443", 50, 15, 200),
    Row(
        "parse unseen tcp",
        "An endpoint of a description like 'tcp:8080:interface=127.0.0.1', but each time of another one.",
        "us",
        {"twisted-epoll": lambda: _unseen("twisted", 10_000), "ours": lambda: _unseen("ours", 50_000)},
        limit=4,
    ),
    Row(
        "first server tcp6",
        "The first endpoint in a process of which Twisted has the parser as a plugin, its import included.",
        "us",
        {
            "twisted-epoll": lambda: _first("twisted", "server", "tcp6:8080"),
            "ours": lambda: _first("ours", "server", "tcp6:8080"),
        },
        {"ours": 20},
        1000,
    ),
)
