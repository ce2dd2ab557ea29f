"""
What is wrong with a description: one class for all of it, `DescriptionError`, and its kinds.

The text of such an error is for the person who wrote the description: what is wrong, the description with a
mark under the place, and what to do instead.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = [
    "ArgumentsError",
    "DescriptionError",
    "DescriptionWarning",
    "InvalidValue",
    "PluginError",
    "PluginTypeError",
    "UnknownPrefix",
    "UnverifiedServerWarning",
    "shown",
    "visible",
]

#: How much of a long description an error shows, in characters.
_WIDTH = 72

#: A longer hint is broken into lines.
_HINT_WIDTH = 130


class DescriptionError(ValueError):
    """
    A description from which no endpoint can be made.

    Args:
        problem: what is wrong, one line.
        description: the whole description; `None` if it was no text at all.
        position: the index in it where the wrong part begins.
        length: of the wrong part; 0 marks a place where something is missing.
        hint: what to do instead, or nothing.
    """

    def __init__(
        self,
        problem: str,
        description: str | bytes | None = None,
        position: int = 0,
        length: int = 0,
        hint: str = "",
    ) -> None:
        # All of them: then the exception can be copied and pickled.
        super().__init__(problem, description, position, length, hint)
        self.problem = problem
        self.description = description
        self.position = position
        self.length = length
        self.hint = hint

    @classmethod
    def at(cls, problem: str, where: tuple[str, tuple[int, int]], hint: str = "") -> Self:
        """
        Make an error for a place in a description.

        Args:
            problem: what is wrong, one line.
            where: the description, and where the wrong part begins and ends in it.
            hint: what to do instead, or nothing.
        """
        text, (start, end) = where
        return cls(problem, text, start, end - start, hint)

    def __str__(self) -> str:
        lines = [self.problem]
        if self.description:
            lines += _marked(self.description, self.position, self.length)
        if self.hint:
            lines += _wrapped(self.hint)
        return "\n".join(lines)


class UnknownPrefix(DescriptionError):
    """No parser answers to the prefix."""


class ArgumentsError(DescriptionError, TypeError):
    """
    Arguments are missing, given twice, too many or unknown; or the description is no text.

    A `TypeError` too, because that is what `twisted.internet.endpoints` raises for these.
    """


class InvalidValue(DescriptionError):
    """An argument has a value that it can't have."""


class PluginError(DescriptionError):
    """A parser could not be loaded, or failed; ``__cause__`` is what it raised."""


class PluginTypeError(PluginError, TypeError):
    """A parser failed with a `TypeError`: most of them do so for arguments that are missing or unknown."""


class DescriptionWarning(UserWarning):
    """A description that works, and most likely doesn't do what its author wants."""


class UnverifiedServerWarning(DescriptionWarning):
    """A client's description with which anybody may be the server."""


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _pieces(text: str | bytes) -> list[str]:
    if isinstance(text, bytes):
        return [chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}" for byte in text]
    return [_escaped(character) for character in text]


def visible(text: str | bytes) -> str:
    """Write control characters and halves of surrogate pairs as escapes, so that all is on one line."""
    return "".join(_pieces(text))


def shown(text: str | bytes, limit: int = 60) -> str:
    """
    Quote a text for an error: on one line, without control characters, and not longer than a line.

    Args:
        text: what a user wrote.
        limit: how many of its characters to show.
    """
    return f"'{visible(text[:limit])}{'...' if len(text) > limit else ''}'"


def _wrapped(hint: str) -> list[str]:
    if len(hint) <= _HINT_WIDTH:
        return [hint]
    from textwrap import wrap

    return wrap(hint, _HINT_WIDTH, break_long_words=False, break_on_hyphens=False)


def _marked(text: str | bytes, position: int, length: int) -> list[str]:
    """Give two lines: the description, or what is around the place, and the mark under it."""
    start = max(0, min(position - _WIDTH // 3, len(text) - _WIDTH))
    end = start + _WIDTH
    before = "    " + ("..." if start else "")
    pieces = _pieces(text[start:end])
    place = position - start
    left = before + "".join(pieces[:place])
    under = "".join(pieces[place : place + length])
    line = before + "".join(pieces) + ("..." if end < len(text) else "")
    return [line, " " * sum(map(_columns, left)) + "^" * max(1, sum(map(_columns, under)))]
