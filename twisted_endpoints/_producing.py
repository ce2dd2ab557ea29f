"""Whether a producer is worth waiting for."""

from __future__ import annotations

#: What connections of this package and of Twisted are when they read no more, told to or not.
_ENDS = ("disconnected", "disconnecting", "_readClosed")


def producesNoMore(producer: object) -> bool:
    """Tell whether a producer is a connection that has ended, is about to end, or has read everything."""
    return any(getattr(producer, end, False) for end in _ENDS)
