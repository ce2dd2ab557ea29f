"""Between the reactor's thread and others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zope.interface import Interface


class IReactorFromThreads(Interface):
    """The one door into the reactor that other threads may use."""

    def callFromThread(callable: Callable[..., Any], *args: object, **kwargs: object) -> None:
        """
        Call a function in the reactor's thread, and wake the reactor for it; safe in every thread.

        Args:
            callable: the function.
            *args: its arguments.
            **kwargs: its keyword arguments.
        """


class IReactorInThreads(Interface):
    """A reactor that hands work to other threads."""

    def callInThread(callable: Callable[..., Any], *args: object, **kwargs: object) -> None:
        """
        Call a function in a thread of the pool; `threads.deferToThread` also brings the result back.

        Args:
            callable: the function.
            *args: its arguments.
            **kwargs: its keyword arguments.
        """


class IReactorThreads(IReactorFromThreads, IReactorInThreads):
    """A reactor with a pool of threads."""

    def getThreadPool() -> Any:
        """Return the pool that `callInThread` uses; the first call makes it."""

    def suggestThreadPoolSize(size: int) -> None:
        """
        Set how many threads the pool has at most.

        Args:
            size: their number.
        """
