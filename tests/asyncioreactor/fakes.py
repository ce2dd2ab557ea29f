"""An event loop whose time is the test's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Timer:
    def __init__(self, when: float, callback: Callable[[], Any]) -> None:
        self.when = when
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class FakeLoop:
    """
    As much of an event loop as delayed calls need.

    `timers` has all timers that were ever asked for, in order.
    """

    def __init__(self) -> None:
        self.now = 1000.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Callable[[], Any]) -> Timer:
        timer = Timer(self.now + delay, callback)
        self.timers.append(timer)
        return timer

    def call_soon(self, callback: Callable[[], Any]) -> Timer:
        return self.call_later(0, callback)

    def pending(self) -> list[Timer]:
        return sorted((timer for timer in self.timers if not timer.cancelled), key=lambda timer: timer.when)

    def advance(self, seconds: float) -> None:
        """Let time pass, and call what is due on the way, one round of the loop at each time."""
        end = self.now + seconds
        while (due := self.pending()) and due[0].when <= end:
            self.now = max(self.now, due[0].when)
            for timer in due:
                if timer.when <= self.now and not timer.cancelled:
                    timer.cancelled = True
                    timer.callback()
        self.now = end
