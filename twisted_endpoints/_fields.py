"""
Values that are compared by their fields, for the modules that everything imports.

`dataclasses` would do it too, and bring `inspect`, `ast` and `dis`: a sixth of the time that
``import twisted_endpoints.endpoints`` takes.
"""

from __future__ import annotations

from functools import total_ordering
from typing import Any, ClassVar


@total_ordering
class _Fields:
    """
    Equal to an object of the same class whose fields are, ordered by one field after the other, and hashable.

    A class below this one names its fields in `__match_args__`.
    """

    __match_args__: ClassVar[tuple[str, ...]] = ()

    def _values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.__match_args__)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Fields) or other.__class__ is not self.__class__:
            return NotImplemented
        return self._values() == other._values()

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, _Fields) or other.__class__ is not self.__class__:
            return NotImplemented
        return self._values() < other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__match_args__)
        return f"{self.__class__.__qualname__}({shown})"
