"""A queue between those who make things and those who wait for them."""

from __future__ import annotations

from typing import Generic, TypeVar

from ._deferred import Deferred
from ._results import succeed

_T = TypeVar("_T")


class QueueOverflow(Exception):
    """There are as many objects in the queue as it may hold."""


class QueueUnderflow(Exception):
    """There are as many Deferreds waiting for objects as may wait."""


class DeferredQueue(Generic[_T]):
    """
    A queue whose `get` waits for an object.

    Attributes:
        waiting: the Deferreds of those who wait.
        pending: the objects that nobody has taken yet.

    Args:
        size: how many objects it may hold; by default any number.
        backlog: how many may wait for one; by default any number.
    """

    def __init__(self, size: int | None = None, backlog: int | None = None) -> None:
        self.waiting: list[Deferred[_T]] = []
        self.pending: list[_T] = []
        self.size = size
        self.backlog = backlog

    def put(self, obj: _T) -> None:
        """
        Give an object to the first who waits, or keep it for the next who asks.

        Raises:
            QueueOverflow: the queue is full.
        """
        if self.waiting:
            self.waiting.pop(0).callback(obj)
            return
        if self.size is not None and len(self.pending) >= self.size:
            raise QueueOverflow()
        self.pending.append(obj)

    def get(self) -> Deferred[_T]:
        """
        Take the first object out of the queue.

        Returns:
            A Deferred that fires with the object when there is one; cancelling it stops waiting.

        Raises:
            QueueUnderflow: too many wait already.
        """
        if self.pending:
            return succeed(self.pending.pop(0))
        if self.backlog is not None and len(self.waiting) >= self.backlog:
            raise QueueUnderflow()
        d: Deferred[_T] = Deferred(self._cancelGet)
        self.waiting.append(d)
        return d

    def _cancelGet(self, d: Deferred[_T]) -> None:
        self.waiting.remove(d)
