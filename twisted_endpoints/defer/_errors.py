"""What Deferreds fail with, and what is raised where they are misused."""

from __future__ import annotations


class AlreadyCalledError(Exception):
    """`callback` or `errback` was called on a Deferred that has fired before."""


class CancelledError(Exception):
    """A Deferred was cancelled; what it fails with unless its canceller knows better."""


class TimeoutError(Exception):  # noqa: A001
    """A Deferred didn't fire in time."""


class NotACoroutineError(TypeError):
    """Something else was given where a coroutine is expected."""
