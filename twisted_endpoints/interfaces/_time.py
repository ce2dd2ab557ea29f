"""Clocks, and the calls that wait for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from zope.interface import Interface


class IReactorTime(Interface):
    """A clock that calls functions when their time has come."""

    def seconds() -> float:
        """Return the time now, in seconds since a point that this clock chooses."""

    def callLater(
        delay: float, callable: Callable[..., Any], *args: object, **kwargs: object
    ) -> IDelayedCall:
        """
        Call a function once, later.

        Args:
            delay: seconds from now; 0 means as soon as control is back with the reactor.
            callable: the function.
            *args: its arguments.
            **kwargs: its keyword arguments.

        Returns:
            The pending call, by which it can be moved or cancelled.
        """

    def getDelayedCalls() -> Sequence[IDelayedCall]:
        """List the calls that are pending, in no promised order."""


class IDelayedCall(Interface):
    """A call that `IReactorTime.callLater` has pending."""

    def getTime() -> float:
        """Return when the call is due, in seconds on the clock that holds it."""

    def cancel() -> None:
        """
        Make sure the call never happens.

        Raises:
            error.AlreadyCalled: it has happened.
            error.AlreadyCancelled: it was cancelled before.
        """

    def delay(secondsLater: float) -> None:
        """
        Move the call relative to the time it is due.

        Args:
            secondsLater: seconds to add.

        Raises:
            error.AlreadyCalled: it has happened.
            error.AlreadyCancelled: it was cancelled.
        """

    def reset(secondsFromNow: float) -> None:
        """
        Move the call relative to now, as if it had only just been asked for.

        Args:
            secondsFromNow: seconds from now.

        Raises:
            error.AlreadyCalled: it has happened.
            error.AlreadyCancelled: it was cancelled.
        """

    def active() -> bool:
        """Tell whether the call is pending: neither made nor cancelled."""
