"""What single objects provide, beside what their classes do."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from zope.interface import directlyProvides


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


@lru_cache(maxsize=64)
def _keep(declaration: object) -> None:
    """Keep something by being called with it."""
