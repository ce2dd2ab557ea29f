"""The one check of all faults: nothing is left."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import Counter
from dataclasses import dataclass
from typing import Any

from twisted_endpoints.defer import Deferred

#: Seconds until what should go is called left.
PATIENCE = 10.0


@dataclass(frozen=True)
class Held:
    """
    What a reactor and its process hold at a moment.

    Attributes:
        descriptors: how many of each kind are open: sockets, pipes, files.
        calls: the reactor's delayed calls.
        opened: the connections, ports and attempts that the reactor keeps account of.
        tasks: the tasks of its event loop.
        threads: the threads of the process.  Those of pools wait for more work, and end with their reactor:
            that they do is checked after each test.
    """

    descriptors: Counter[str]
    calls: frozenset[Any]
    opened: frozenset[Any]
    tasks: frozenset[Any]
    threads: frozenset[Any]

    @classmethod
    def by(cls, reactor: Any) -> Held:
        """Look at a reactor, whose loop runs, and at this process."""
        return cls(
            _descriptors(),
            frozenset(reactor.getDelayedCalls()),
            frozenset(reactor._open),
            frozenset(asyncio.all_tasks(reactor._loop)),
            frozenset(
                thread for thread in threading.enumerate() if not thread.name.startswith("PoolThread-")
            ),
        )

    def beyond(self, before: Held) -> list[str]:
        """Say what there is now that was not there before."""
        left = [f"{count} x {what}" for what, count in (self.descriptors - before.descriptors).items()]
        for name in ("calls", "opened", "tasks", "threads"):
            left += [f"{name}: {each!r}" for each in getattr(self, name) - getattr(before, name)]
        return left


def _descriptors() -> Counter[str]:
    found: Counter[str] = Counter()
    for number in os.listdir("/proc/self/fd"):
        try:
            found[os.readlink(f"/proc/self/fd/{number}").partition(":")[0]] += 1
        except OSError:
            continue  # the one that listed them
    return found


async def nothingIsLeft(reactor: Any, before: Held) -> None:
    """Wait until nothing is held that was not held before; fail if something stays."""
    end = reactor.seconds() + PATIENCE
    while left := Held.by(reactor).beyond(before):
        assert reactor.seconds() < end, f"left: {left}"
        await aWhile(reactor)


def aWhile(reactor: Any, seconds: float = 0.001) -> Deferred[None]:
    """Let the kernel and the loop do what they have to."""
    done: Deferred[None] = Deferred()
    reactor._loop.call_later(seconds, done.callback, None)
    return done
