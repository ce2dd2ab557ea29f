"""The reactor of the process, for those who are given none."""

from __future__ import annotations

from typing import Any


def reactorOr(given: Any) -> Any:
    """
    Give a reactor.

    Args:
        given: it; None for the reactor of the process, which is installed if there is none yet.
    """
    if given is not None:
        return given
    # Here, and not above: importing it is what installs one.
    from . import reactor

    return reactor
