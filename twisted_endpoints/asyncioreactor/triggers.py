"""System events: callables to call before, during and after the reactor's startup and shutdown."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .._log import Logger
from ..defer import Deferred, DeferredList

_log = Logger(__name__)

_PHASES = ("before", "during", "after")


class Trigger(NamedTuple):
    """One callable, registered for one phase of an event."""

    phase: str
    callable: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    def __call__(self) -> Any:
        """Call it, and log what it raises: one bad trigger doesn't keep the others from being called."""
        try:
            return self.callable(*self.args, **self.kwargs)
        except BaseException:
            # SystemExit too: a shutdown that ends halfway leaves connections and threads behind.
            _log.failure("while calling a system event trigger")
        finally:
            # A caught exception keeps the frames below it: not what was called, which may be what fails.
            del self


class Event:
    """
    The triggers of one event, in three phases.

    All ``before`` triggers are called, then the Deferreds that they returned are waited for, then the
    ``during`` and the ``after`` triggers are called.  A trigger is called once and is forgotten then.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, list[Trigger]] = {phase: [] for phase in _PHASES}
        self._firedBefore: list[Trigger] = []

    def add(self, trigger: Trigger) -> None:
        """
        Add a trigger.

        Raises:
            KeyError: its phase isn't one of the three.
        """
        self._waiting[trigger.phase].append(trigger)

    def remove(self, trigger: Trigger) -> None:
        """
        Remove a trigger.

        Raises:
            KeyError: its phase isn't one of the three.
            ValueError: it isn't there, or no longer.  While the ``before`` phase lasts, a trigger of it that
                was called already only gives a DeprecationWarning.
        """
        waiting = self._waiting[trigger[0]]
        if trigger not in waiting and trigger in self._firedBefore:
            warnings.warn(
                "this trigger was called already; removing it will be an error",
                DeprecationWarning,
                stacklevel=3,
            )
            return
        waiting.remove(trigger)

    def fire(self) -> None:
        """Call the triggers, phase after phase."""
        results = []
        before = self._waiting["before"]
        while before:
            trigger = before.pop(0)
            self._firedBefore.append(trigger)
            result = trigger()
            if isinstance(result, Deferred):
                results.append(result)
        DeferredList(results).addCallback(self._finish)

    def _finish(self, ignored: object) -> None:
        self._firedBefore = []
        for phase in ("during", "after"):
            waiting = self._waiting[phase]
            while waiting:
                waiting.pop(0)()


class Events:
    """The part of `IReactorCore` that has to do with system events."""

    #: True after the startup event and until the reactor has stopped or crashed.
    running = False

    def __init__(self) -> None:
        self._events: dict[str, Event] = {}

    def fireSystemEvent(self, eventType: str) -> None:
        """Call the triggers of an event, such as ``"startup"`` and ``"shutdown"``."""
        event = self._events.get(eventType)
        if event is not None:
            event.fire()

    def addSystemEventTrigger(
        self, phase: str, eventType: str, callable: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> tuple[str, Trigger]:
        """
        Have a function called when an event is fired.

        Args:
            phase: ``"before"``, ``"during"`` or ``"after"``; Deferreds that triggers of the first return are
                waited for before the second.
            eventType: ``"startup"``, ``"shutdown"``, or any that the program fires itself.
            callable: the function.
            args: its positional arguments.
            kwargs: its keyword arguments.

        Returns:
            What `removeSystemEventTrigger` wants.

        Raises:
            KeyError: there is no such phase.
        """
        checkCallable(callable)
        trigger = Trigger(phase, callable, args, kwargs)
        self._events.setdefault(eventType, Event()).add(trigger)
        return eventType, trigger

    def removeSystemEventTrigger(self, triggerID: tuple[str, Trigger]) -> None:
        """
        Take a trigger back.

        Raises:
            ValueError, KeyError, TypeError: it isn't there, it was called, or this is no trigger.
        """
        eventType, trigger = triggerID
        self._events[eventType].remove(trigger)

    def callWhenRunning(
        self, callable: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> tuple[str, Trigger] | None:
        """
        Call a function at once if the reactor runs, else when it has started.

        Returns:
            What `removeSystemEventTrigger` wants; None if the function was called.
        """
        if self.running:
            callable(*args, **kwargs)
            return None
        return self.addSystemEventTrigger("after", "startup", callable, *args, **kwargs)


def checkCallable(function: object) -> None:
    """Raise AssertionError, as callers of Twisted's reactors expect, if this can't be called."""
    if not callable(function):
        raise AssertionError(f"{function!r} is not callable")
