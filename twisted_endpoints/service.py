"""
Services: what is started and stopped as a whole, alone or as a tree.

The twin of `twisted.application.service`, without what is there for ``twistd``.  Services that listen,
connect and repeat are in `services`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from zope.interface import Attribute, Interface, implementer

from .defer import Deferred, DeferredList, maybeDeferred

if TYPE_CHECKING:
    #: What fires when a service has stopped; None if it has stopped at once.
    Stopping = Deferred[Any] | None

__all__ = ["IService", "IServiceCollection", "MultiService", "Service"]


class IService(Interface):
    """What can be started and stopped, alone or by a parent."""

    name = Attribute("A `str` by which the parent finds it, or None.")

    running = Attribute("Whether it runs.")

    parent = Attribute("The `IServiceCollection` that it is part of, or None.")

    def setName(name: str) -> None:
        """
        Give it a name.

        Args:
            name: one that no other child of its parent-to-be has.

        Raises:
            RuntimeError: it has a parent already.
        """

    def setServiceParent(parent: IServiceCollection) -> None:
        """
        Become part of a parent, and of no other any more; it is started if the parent runs.

        Args:
            parent: it, or what can be adapted to it.

        Raises:
            RuntimeError: the parent has another child of this name.
        """

    def disownServiceParent() -> Stopping:
        """
        Leave the parent.

        Returns:
            What `IServiceCollection.removeService` returns.
        """

    def privilegedStartService() -> None:
        """Do what needs privileges, before the process gives them up: to listen on port 80, say."""

    def startService() -> None:
        """Start."""

    def stopService() -> Stopping:
        """
        Stop.

        Returns:
            A Deferred that fires when it has stopped; None if it has at once.
        """


class IServiceCollection(Interface):
    """Services that are started and stopped together."""

    def getServiceNamed(name: str) -> IService:
        """
        Find a child.

        Args:
            name: its name.

        Raises:
            KeyError: there is none of that name.
        """

    def __iter__() -> Iterator[IService]:
        """Iterate over the children, in the order in which they came."""

    def addService(service: IService) -> None:
        """
        Take a child in; only for `IService.setServiceParent` to call.

        Args:
            service: the child.

        Raises:
            RuntimeError: there is another of its name.
        """

    def removeService(service: IService) -> Stopping:
        """
        Let a child go; only for `IService.disownServiceParent` to call.

        Args:
            service: the child.

        Returns:
            A Deferred that fires when the child has stopped; None if it has, or did not run.

        Raises:
            ValueError: it is no child.
        """


@implementer(IService)
class Service:
    """The base of services: keeps their books, and leaves out of a pickle that they run."""

    running: Any = 0
    name: str | None = None
    parent: Any = None

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "running"}

    def setName(self, name: str) -> None:
        if self.parent is not None:
            raise RuntimeError(f"{self!r} has a parent, which knows it by the name {self.name!r}")
        self.name = name

    def setServiceParent(self, parent: Any) -> None:
        if self.parent is not None:
            self.disownServiceParent()
        self.parent = IServiceCollection(parent, parent)
        self.parent.addService(self)

    def disownServiceParent(self) -> Stopping:
        stopping: Stopping = self.parent.removeService(self)
        self.parent = None
        return stopping

    def privilegedStartService(self) -> None:
        """Do nothing: most services need no privileges."""

    def startService(self) -> None:
        self.running = 1

    def stopService(self) -> Stopping:
        self.running = 0
        return None


@implementer(IServiceCollection)
class MultiService(Service):
    """
    Several services as one: they are started in their order, and stopped in the reverse one, all at once.

    Attributes:
        services: the children.
        namedServices: those with a name, by it.
    """

    def __init__(self) -> None:
        self.services: list[Any] = []
        self.namedServices: dict[str, Any] = {}
        self.parent = None

    def privilegedStartService(self) -> None:
        super().privilegedStartService()
        for service in self:
            service.privilegedStartService()

    def startService(self) -> None:
        super().startService()
        for service in self:
            service.startService()

    def stopService(self) -> Stopping:
        """
        Stop every child.

        Returns:
            A Deferred that fires when all have stopped, with what a `DeferredList` fires with.
        """
        super().stopService()
        return DeferredList([maybeDeferred(service.stopService) for service in reversed(list(self))])

    def getServiceNamed(self, name: str) -> Any:
        return self.namedServices[name]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.services)

    def addService(self, service: Any) -> None:
        name = service.name
        if name in self.namedServices:
            raise RuntimeError(f"there is a service of the name {name!r} already")
        self.services.append(service)
        if name is not None:
            self.namedServices[name] = service
        if not self.running:
            return
        # There may be no privileges any more; what needs them fails, and says so.
        service.privilegedStartService()
        service.startService()

    def removeService(self, service: Any) -> Stopping:
        if service not in self.services:
            raise ValueError(f"{service!r} is no child of {self!r}")
        self.services.remove(service)
        if service.name is not None:
            del self.namedServices[service.name]
        if not self.running:
            return None
        stopping: Stopping = service.stopService()
        return stopping
