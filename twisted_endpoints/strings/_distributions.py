"""
The parsers that installed distributions announce in their metadata, found without importing any of them.

Only `importlib.metadata` is used, and it is imported when the first prefix is asked for that isn't built in:
it takes longer than all of `tcp:`.  What was found is kept as long as `sys.path` is the same.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .._log import Logger

if TYPE_CHECKING:
    from importlib.metadata import Distribution, EntryPoint

__all__ = ["OWN", "Announced", "Announcements", "distributionOf"]

_log = Logger(__name__)

#: The name of this package's own distribution: what it announces is the built-in table.
OWN = "twisted-endpoints"


@dataclass(frozen=True)
class Announced:
    """
    One entry point.

    Args:
        prefix: its name, in lower case.
        distribution: whose it is, with the version.
        entry: loads the parser.
    """

    prefix: str
    distribution: str
    entry: EntryPoint


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def _title(distribution: Distribution) -> str:
    metadata = distribution.metadata
    known = [metadata[name] for name in ("Name", "Version") if name in metadata]
    return " ".join(known) or "a nameless distribution"


def _scan(group: str) -> Iterator[Announced]:
    from importlib.metadata import distributions

    seen: set[str] = set()
    for distribution in distributions():
        # Each on its own: damaged metadata of one must not hide the parsers of the others.
        try:
            text = distribution.read_text("entry_points.txt")
            if not text or group not in text:
                continue
            title = _title(distribution)
            name = _normal(title.partition(" ")[0])
            if name == OWN or name in seen:
                continue  # the same again, further down sys.path
            entries = [
                Announced(e.name.lower(), title, e) for e in distribution.entry_points.select(group=group)
            ]
        except Exception:
            _log.failure(f"the entry points of {getattr(distribution, '_path', distribution)} can't be read")
            continue
        seen.add(name)
        yield from entries


class Announcements:
    """
    What is announced in one group of entry points.

    Args:
        group: its name.
    """

    def __init__(self, group: str) -> None:
        self._group = group
        self._path: tuple[str, ...] | None = None
        self._found: dict[str, list[Announced]] = {}

    def byPrefix(self) -> dict[str, list[Announced]]:
        """Map each prefix to who claims it, ordered by distribution: the first one gets it."""
        path = tuple(sys.path)
        if path != self._path:
            found: dict[str, list[Announced]] = {}
            for announced in sorted(
                _scan(self._group), key=lambda a: (a.distribution.lower(), a.entry.value)
            ):
                found.setdefault(announced.prefix, []).append(announced)
            self._found, self._path = found, path
        return self._found

    def refresh(self) -> None:
        """Look again at the next question."""
        self._path = None


def distributionOf(thing: object) -> str:
    """
    Name the distribution that an object's class comes from, or its module if no distribution knows it.

    Slow: it is for errors and tables.
    """
    module = (thing if isinstance(thing, type) else type(thing)).__module__
    from importlib.metadata import metadata, packages_distributions

    try:
        names = packages_distributions()[module.partition(".")[0]]
        name = next((name for name in names if _ships(name, module)), names[0])
        return f"{name} {metadata(name)['Version']}"
    except Exception:  # damaged metadata of whomever
        return f"module {module}"


def _ships(name: str, module: str) -> bool:
    """Whether a module's file is one of a distribution's: many put theirs into the folder twisted/plugins."""
    from importlib.metadata import files

    path = module.replace(".", "/")
    return any(str(file) in (f"{path}.py", f"{path}/__init__.py") for file in files(name) or ())
