"""Shows calls to people, whatever the objects in them do when they are asked for their repr; pure."""

from __future__ import annotations

from typing import Any


def safeRepr(value: object) -> str:
    """Give the repr of a value, or a stand-in that says what its ``__repr__`` raised."""
    try:
        return repr(value)
    except Exception as error:
        return f"<{type(value).__qualname__} at {id(value):#x}, whose repr raised {type(error).__qualname__}>"


def nameOf(function: Any) -> str:
    """Give the name that a callable was defined under, or else its repr."""
    name = getattr(function, "__qualname__", None) or getattr(function, "__name__", None)
    return name if isinstance(name, str) else safeRepr(function)
