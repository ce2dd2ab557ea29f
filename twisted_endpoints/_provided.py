"""What single objects provide, and what passes for something that provides it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from zope.interface import directlyProvidedBy, directlyProvides
from zope.interface.declarations import Provides, getObjectSpecification
from zope.interface.interface import adapter_hooks


def provide(something: Any, *interfaces: Any) -> None:
    """
    Let an object provide interfaces beside those of its class, and no others.

    As zope's `directlyProvides`.  But zope forgets what it has worked out with the last object that has it,
    and works it out anew for the next one: for one connection at a time that is 20 microseconds for each, and
    a circle for the garbage collector.  So that is kept here.

    Args:
        something: the object.
        interfaces: interfaces, or declarations of several.
    """
    directlyProvides(something, *interfaces)
    _keep(something.__provides__)


def declared(something: Any, *interfaces: Any) -> Any:
    """
    Declare what an object provides by itself, and these interfaces beside that: for its ``__providedBy__``.

    Args:
        something: the object.
        interfaces: the interfaces.
    """
    if not interfaces:
        return getObjectSpecification(something)
    declaration = Provides(type(something), *directlyProvidedBy(something), *interfaces)
    _keep(declaration)
    return declaration


@lru_cache(maxsize=64)
def _keep(declaration: object) -> None:
    """Keep something by being called with it."""


def adapted(interface: Any, something: Any) -> Any:
    """
    Give what ``interface(something, None)`` gives, in a third of the time where that is None.

    Zope raises and catches an exception on its way there, and streams ask this for nearly every connection.

    Args:
        interface: the interface.
        something: an object that may provide it, or have an adapter that does.
    """
    if interface.providedBy(something):
        return something
    if hasattr(something, "__conform__"):
        return interface(something, None)
    for hook in adapter_hooks:
        adapter = hook(interface, something)
        if adapter is not None:
            return adapter
    return None
