"""A process that can open few descriptors more."""

from __future__ import annotations

import contextlib
import os
import resource
from collections.abc import Iterator


def allDescriptors(close: bool = False) -> list[int]:
    """Take all descriptors that the limit leaves, and keep them, or only count them."""
    taken = []
    with contextlib.suppress(OSError):
        while True:
            taken.append(os.dup(0))
    for descriptor in taken if close else ():
        os.close(descriptor)
    return taken


@contextlib.contextmanager
def descriptorsLeft(count: int) -> Iterator[None]:
    """
    Let this process open only so many descriptors more.

    Args:
        count: how many.
    """
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(number) for number in os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1 + count, limits[1]))
    taken = allDescriptors()
    for _ in range(count):
        os.close(taken.pop())
    try:
        yield
    finally:
        for descriptor in taken:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
