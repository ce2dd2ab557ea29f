"""
The event loops that tests run on.

All that are installed; or only those that TWISTED_ENDPOINTS_TEST_LOOPS names, with commas between.  Of two
environments that differ in having uvloop, the second needn't repeat what the first does on asyncio's.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from importlib.util import find_spec


def _uvloops() -> asyncio.AbstractEventLoop:
    import uvloop

    return uvloop.new_event_loop()


_ALL: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": _uvloops,
}

_named = os.environ.get("TWISTED_ENDPOINTS_TEST_LOOPS", "")
_names = _named.split(",") if _named else [name for name in _ALL if name == "asyncio" or find_spec(name)]

#: What makes each loop.
LOOPS = {name: _ALL[name] for name in _names}
