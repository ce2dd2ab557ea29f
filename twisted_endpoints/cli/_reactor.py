"""The reactor that a command runs on: the installed one, so that plugins that import it work too."""

from __future__ import annotations

import atexit
import importlib
from typing import Any


class NoSuchLoop(Exception):
    """The event loop that was asked for can't be had; the text says what to do."""


def chooseReactor(loop: str) -> Any:
    """
    Give the installed reactor, after having installed one on the event loop that is asked for.

    Args:
        loop: ``auto`` (uvloop's where it is installed, else asyncio's), ``asyncio`` or ``uvloop``.

    Raises:
        NoSuchLoop: uvloop is asked for and not installed.
    """
    if loop != "auto":
        try:
            module = importlib.import_module(loop)
        except ImportError:
            raise NoSuchLoop(f"{loop} is not installed: pip install 'twisted_endpoints[speed]'") from None
        from ..asyncioreactor import install
        from ..asyncioreactor.loops import newEventLoop

        eventloop = newEventLoop(module.new_event_loop)
        # Only then: the tidying up after the reactor has stopped may still need it.
        atexit.register(eventloop.close)
        install(eventloop)
    # Not `from .. import reactor`: a type checker would take it for the module that it takes the place of.
    return importlib.import_module("twisted_endpoints.reactor")
