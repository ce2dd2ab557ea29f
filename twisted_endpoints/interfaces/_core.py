"""The heart of a reactor: run, stop, system events; and what has no better place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from zope.interface import Attribute, Interface

if TYPE_CHECKING:
    from ..defer import Deferred


class IAddress(Interface):
    """Where one end of a connection is; the classes are in `twisted_endpoints.address`."""


class IReactorCore(Interface):
    """What every reactor can do: run until it is told to stop, and tell others when it starts and stops."""

    running: bool = Attribute("True from the start-up events until the shutdown events are over.")

    def resolve(name: str, timeout: Sequence[int] = (1, 3, 11, 45)) -> Deferred[str]:
        """
        Look up one IPv4 address of a host; `IReactorPluggableNameResolver` finds all, of both families.

        Args:
            name: the host's name, or an IPv4 literal.
            timeout: seconds for each attempt; together, the longest that a caller waits.  A resolver
                that can't repeat or abandon a query may ignore it.

        Returns:
            A Deferred that fires with the dotted address, or fails with `error.DNSLookupError`.
        """

    def run() -> None:
        """
        Fire ``startup``, then handle events until `stop` or `crash` ends it.

        Raises:
            error.ReactorAlreadyRunning: it runs.
            error.ReactorNotRestartable: it has run before, and can't do so twice.
        """

    def stop() -> None:
        """
        Fire ``shutdown``; when its triggers are done, `run` returns.

        Raises:
            error.ReactorNotRunning: it does not run, or is stopping.
        """

    def crash() -> None:
        """Make `run` return at once.  No event is fired: what waits to be written or cleaned up is lost."""

    def iterate(delay: float) -> None:
        """
        Handle what is due once, for a program that has a loop of its own; never from inside `run`.

        Args:
            delay: seconds to wait, at most, for something to happen.
        """

    def fireSystemEvent(eventType: str) -> None:
        """
        Call the triggers of an event, phase by phase.

        Args:
            eventType: ``"startup"``, ``"shutdown"`` or ``"persist"``.
        """

    def addSystemEventTrigger(
        phase: str, eventType: str, callable: Callable[..., Any], *args: object, **kwargs: object
    ) -> Any:
        """
        Have a function called when an event is fired.

        Args:
            phase: ``"before"``, ``"during"`` or ``"after"``.  A ``"before"`` trigger may return a Deferred,
                and ``"during"`` begins when all of those have fired; other results are dropped.
            eventType: ``"startup"``, ``"shutdown"`` or ``"persist"``.
            callable: the function.
            *args: its arguments.
            **kwargs: its keyword arguments.

        Returns:
            What `removeSystemEventTrigger` needs to take the trigger away.
        """

    def removeSystemEventTrigger(triggerID: Any) -> None:
        """
        Take a trigger away.

        Args:
            triggerID: what `addSystemEventTrigger` returned.

        Raises:
            KeyError: there is no such trigger, or it was removed already.
            ValueError: the same.
            TypeError: the same.
        """

    def callWhenRunning(callable: Callable[..., Any], *args: object, **kwargs: object) -> Any | None:
        """
        Call a function at once where the reactor runs, else when it starts.

        Args:
            callable: the function.
            *args: its arguments.
            **kwargs: its keyword arguments.

        Returns:
            None if the function was called, else the identifier of the ``startup`` trigger.
        """


class IReactorDaemonize(Interface):
    """A reactor whose descriptors don't survive a fork, and that must be told of one; not for programs."""

    def beforeDaemonize() -> None:
        """Get ready for a fork; nothing else of the reactor may be used until `afterDaemonize`."""

    def afterDaemonize() -> None:
        """Recover after a fork that `beforeDaemonize` announced."""


class _ISupportsExitSignalCapturing(Interface):
    """A reactor that remembers the signal that made it stop."""

    _exitSignal: int | None = Attribute("The number of the SIGINT, SIGTERM or SIGBREAK that came, else None.")


class ILoggingContext(Interface):
    """Something that log records can be attributed to."""

    def logPrefix() -> str:
        """Return the short text by which log records tell this object from others."""


class ISystemHandle(Interface):
    """Something that wraps a handle of the operating system, for what no interface here offers."""

    def getHandle() -> object:
        """Return the handle: often a `socket.socket`, but each reactor has its own."""


class IServiceCollection(Interface):
    """A set of services that can be found by name."""

    def getServiceNamed(serviceName: str) -> object:
        """
        Find a service.

        Raises:
            KeyError: none has that name.
        """

    def addService(service: object) -> None:
        """Put a service in."""

    def removeService(service: object) -> None:
        """Take a service out."""
