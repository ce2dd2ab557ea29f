from __future__ import annotations

import pytest

from twisted_endpoints.defer import CancelledError, DeferredQueue, QueueOverflow, QueueUnderflow

from .test_chain import resultOf


def test_whatIsPutFirstComesFirst() -> None:
    queue: DeferredQueue[int] = DeferredQueue()
    queue.put(1)
    queue.put(2)
    assert queue.pending == [1, 2]
    assert [resultOf(queue.get()), resultOf(queue.get())] == [1, 2]


def test_whoWaitsFirstGetsFirst() -> None:
    queue: DeferredQueue[int] = DeferredQueue()
    one, other = queue.get(), queue.get()
    assert queue.waiting == [one, other]
    queue.put(1)
    assert not other.called
    queue.put(2)
    assert (resultOf(one), resultOf(other)) == (1, 2)


def test_aFullQueue() -> None:
    queue: DeferredQueue[int] = DeferredQueue(size=1)
    queue.put(1)
    with pytest.raises(QueueOverflow):
        queue.put(2)
    assert resultOf(queue.get()) == 1
    queue.put(3)


def test_aQueueThatHoldsNothing() -> None:
    queue: DeferredQueue[int] = DeferredQueue(size=0)
    with pytest.raises(QueueOverflow):
        queue.put(1)
    waits = queue.get()
    queue.put(2)
    assert resultOf(waits) == 2


def test_tooManyWait() -> None:
    queue: DeferredQueue[int] = DeferredQueue(backlog=1)
    queue.get()
    with pytest.raises(QueueUnderflow):
        queue.get()


def test_aCancelStopsWaiting() -> None:
    queue: DeferredQueue[int] = DeferredQueue()
    one, other = queue.get(), queue.get()
    one.cancel()
    assert resultOf(one).check(CancelledError)
    queue.put(1)
    assert resultOf(other) == 1
