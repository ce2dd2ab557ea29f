"""
Takes one sample: ``python -m benchmarks.sample MODULE ROW CONTENDER``.

`benchmarks.rows.takeSample` starts it; the last line that it prints is the sample as JSON.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from importlib.util import find_spec

from .rows import Failed, Unavailable, rowsOf

#: What contenders with this in their names need.
_NEEDED = {"twisted": "Twisted", "uvloop": "uvloop"}


def main(module: str, name: str, contender: str) -> None:
    """Take the sample and print it."""
    (row,) = (row for row in rowsOf(module) if row.name == name)
    try:
        for package, called in _NEEDED.items():
            if package in contender and find_spec(package) is None:
                raise Unavailable(f"{called} is not installed")
        answer = asdict(row.contenders[contender]())
    except Unavailable as reason:
        answer = {"unavailable": str(reason)}
    except Failed as reason:
        answer = {"failed": str(reason)}
    print(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
