"""
What it takes to import the endpoints, in an interpreter that has imported nothing else.

Ours is imported where there is no Twisted: ``sys.modules["twisted"] = None`` hides it, as if it were not
installed, and the vocabulary is left to decide for itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable

from .rows import Row, Sample, scaled

_STATEMENTS = {
    "twisted-epoll": "import twisted.internet.endpoints",
    "asyncio": "import asyncio",
    "uvloop": "import uvloop",
    "ours": 'import sys; sys.modules["twisted"] = None; import twisted_endpoints.endpoints',
}

_MODULES = "; import sys; print(sum(module is not None for module in sys.modules.values()))"
_MEMORY = '; print(next(line for line in open("/proc/self/status") if line.startswith("VmRSS")).split()[1])'


def _interpreter(statement: str) -> str:
    """Run a statement in an interpreter of its own; return what it printed."""
    environment = dict(os.environ)
    environment.pop("TWISTED_ENDPOINTS_VOCABULARY", None)
    done = subprocess.run(
        [sys.executable, "-c", statement], env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


def _wall(statement: str) -> Sample:
    _interpreter(statement)
    times = []
    for _ in range(scaled(5)):
        start = time.perf_counter()
        _interpreter(statement)
        times.append(time.perf_counter() - start)
    return Sample(min(times) * 1e3)


def _modules(statement: str) -> Sample:
    return Sample(int(_interpreter(statement + _MODULES)))


def _memory(statement: str) -> Sample:
    return Sample(int(_interpreter(statement + _MEMORY)) / 1024)


def _contenders(measure: Callable[[str], Sample]) -> dict[str, Callable[[], Sample]]:
    def bound(statement: str) -> Callable[[], Sample]:
        return lambda: measure(statement)

    return {name: bound(statement) for name, statement in _STATEMENTS.items()}


ROWS = (
    Row(
        "import time",
        "Wall time of an interpreter that imports the endpoints, from its start to its end.",
        "ms",
        _contenders(_wall),
        {"ours": 2.5},
    ),
    Row(
        "import modules",
        "How many modules there are after that, the interpreter's own included.",
        "modules",
        _contenders(_modules),
        limit=200,
    ),
    Row(
        "import memory",
        "Resident memory after that, the interpreter's own included.",
        "MiB",
        _contenders(_memory),
        limit=25,
    ),
)
