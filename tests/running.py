"""Runs a test's coroutine on a reactor, and says what this machine can't do."""

from __future__ import annotations

import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from twisted_endpoints.defer import Deferred


def _hasIPv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


#: Marks a test that listens on IPv6.
needsIPv6 = pytest.mark.skipif(not _hasIPv6(), reason="this machine has no IPv6")


def run(reactor: Any, main: Callable[[], Coroutine[Any, Any, Any]], timeout: float = 20.0) -> Any:
    """
    Run the reactor until `main` has ended; return its result or raise its exception.

    Args:
        reactor: the `reactor` fixture's reactor; it runs once.
        main: a coroutine function; Deferreds can be awaited in it.
        timeout: seconds after which the coroutine is cancelled and the test fails.
    """
    outcome: list[Any] = []

    def start() -> None:
        done = Deferred.fromCoroutine(main())
        limit = reactor.callLater(timeout, done.cancel)

        def ended(result: Any) -> None:
            if limit.active():
                limit.cancel()
            outcome.append(result)
            reactor.stop()

        done.addBoth(ended)

    reactor.callWhenRunning(start)
    reactor.run(installSignalHandlers=False)
    result = outcome[0]
    if hasattr(result, "raiseException"):
        result.raiseException()
    return result
