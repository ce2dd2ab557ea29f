"""
The arguments of a parser that wraps another endpoint.  Pure.

What is wrapped is the rest of the string, as in ``haproxy:tcp:443:interface=[::1]``, or it is named by a
keyword, as in ``haproxy:endpoint=[tcp:443]``.  Of the rest, keywords that the wrapper has itself are its own,
wherever they stand, and all others belong to the string that is wrapped; there, in brackets, anything can
stand.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ._hints import nearest
from .arguments import Declaration, Parameter
from .description import Description, Part, Place, parts
from .errors import ArgumentsError, DescriptionError, visible

__all__ = ["WrapperDeclaration"]

_NOWHERE = Place(0, 0)


@dataclass(frozen=True)
class _Gathered(Description):
    """A description whose rest has become one argument, and where that stands in the text."""

    inner: str = ""
    span: Place = _NOWHERE

    __hash__ = Description.__hash__

    def keyword(self, name: str, whole: bool = False) -> tuple[str, Place]:
        if name == self.inner:
            return self.source or self.text, self.span
        return super().keyword(name, whole)


class WrapperDeclaration(Declaration):
    """
    The arguments that a parser takes which wraps another endpoint.

    Args:
        parameters: all of them.
        inner: the name of the one that is the string of what is wrapped.
    """

    def __init__(self, parameters: tuple[Parameter, ...], inner: str = "endpoint") -> None:
        super().__init__(parameters)
        self._inner = inner
        #: As `gathered`, for what was gathered before.
        self._again = lru_cache(64)(self.gathered)

    def bind(self, description: Description) -> dict[str, Any]:
        """Give each argument its name, and read its value: as `Declaration.bind`."""
        return super().bind(self._again(description))

    def place(self, description: Description, name: str) -> tuple[str, tuple[str, Place]]:
        """Find an argument: as `Declaration.place`."""
        return super().place(self.gathered(description), name)

    def misspeltHint(self, description: Description, inner: str | DescriptionError) -> str:
        """
        Look for a keyword that is like one of the wrapper's own, and therefore went to what is wrapped.

        Args:
            description: the wrapper's.
            inner: what is wrong with what is wrapped.
        """
        if not isinstance(inner, ArgumentsError) or "Did you mean" in inner.hint:
            return ""
        written = visible(inner.description or "")[inner.position : inner.position + inner.length]
        name, equals, _ = written.partition("=")
        near = nearest(name, filter(self._isOwn, self._readers)) if equals else None
        return f"Did you mean {near!r}, of {description.prefix}? {inner.hint}" if near else ""

    def gathered(self, description: Description) -> Description:
        """Give the description with its rest as one argument; of that it still tells the place."""
        if not description.args:
            return description
        text = description.source or description.text
        rest = [part for part in parts(text) if part.name is None or not self._isOwn(part.name)]
        rest.remove(next(part for part in rest if part.name is None))  # the prefix
        first = rest[0]
        if len(rest) > 1 and text[first.start : first.end] == f"[{first.value}]":
            return description  # the brackets say where what is wrapped ends: the others are wrong here
        kwargs = {name: value for name, value in description.kwargs.items() if self._isOwn(name)}
        kwargs[self._inner] = _joined(text, rest)
        span = Place(rest[0].start, rest[-1].end)
        return _Gathered(description.prefix, (), kwargs, text, self._inner, span)

    def _isOwn(self, name: str) -> bool:
        return name in self._readers and name != self._inner


def _joined(text: str, rest: list[Part]) -> str:
    if len(rest) == 1 and rest[0].name is None:
        return rest[0].value  # it may be in brackets
    return ":".join(text[part.start : part.end] for part in rest)
