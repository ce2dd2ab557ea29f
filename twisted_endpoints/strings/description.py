r"""
The grammar: what a description's text says, and how to write it down again.  Pure: text in, values out.

A description is parts with ``:`` between them.  A part with a ``=`` in it is a keyword and its value (the
first ``=`` counts), any other is positional, and the first positional one is the prefix.  A backslash takes
the next character's meaning away.  That is Twisted's grammar; one thing is added: an argument (positional, or
a keyword's value) that begins with ``[`` and ends with the matching ``]``, right before a ``:`` or the end,
is what stands between the two, letter by letter::

    tcp:[::1]:80                              the host is ::1
    tls:/etc/certs:endpoint=[haproxy:tcp:80]  the value is haproxy:tcp:80, a description of its own

So in brackets there is nothing to escape, and they nest.  A backslash there stays where it is, for the
description inside to read; the only thing that it does for the outer one is to keep the next character from
being counted as a bracket (``[unix:/tmp/a\]b]``).  An argument that is to begin with ``[`` is written
``\[``.  A ``[`` elsewhere in an argument, one without its ``]``, and one whose ``]`` isn't the argument's end
(``[a]b``) are letters, as in Twisted. The prefix is no argument: brackets mean nothing in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from .errors import ArgumentsError, DescriptionError, shown
from .kinds import bareIPv6Hint

__all__ = ["Description", "Part", "Place", "hasLooseBracket", "parts", "quote"]

_NAME = re.compile(r"[^\\:=]*(?:\\.[^\\:=]*)*", re.DOTALL)
_VALUE = re.compile(r"[^\\:]*(?:\\.[^\\:]*)*", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_BRACKET = re.compile(r"\\.?|[\[\]]", re.DOTALL)
_SPECIAL = re.compile(r"[\\:=]|\A\[")

_new = object.__new__


class Place(NamedTuple):
    """Where something stands in a description's text."""

    start: int
    end: int


class Part(NamedTuple):
    """What stands between two colons: a value, and for a keyword its name; both without quoting."""

    name: str | None
    value: str
    #: Where the part begins in the text, where its value does, and where both end.
    start: int
    valueStart: int
    end: int


def _unescaped(raw: str) -> str:
    return _ESCAPE.sub(r"\1", raw) if "\\" in raw else raw


def _pairs(text: str) -> dict[int, int]:
    """
    Map each ``[`` to its matching ``]``.

    One pass for the whole text, not one an argument: so the time stays linear when every argument begins with
    a ``[`` that is never closed.  What is open further left doesn't change which ``]`` is whose.
    """
    found: dict[int, int] = {}
    open_: list[int] = []
    for match in _BRACKET.finditer(text):
        if match[0] == "[":
            open_.append(match.start())
        elif match[0] == "]" and open_:
            found[open_.pop()] = match.start()
    return found


def parts(text: str) -> Iterator[Part]:
    r"""
    Yield the parts of a description, from left to right.

    Args:
        text: the description; that it is text which can be encoded has been checked.

    Raises:
        DescriptionError: the text ends with a backslash that nothing follows.
    """
    pairs = _pairs(text) if "[" in text else {}

    def value(start: int, pattern: re.Pattern[str]) -> tuple[str, int]:
        close = pairs.get(start) if start else None
        if close is not None and text[close + 1 : close + 2] in ("", ":"):
            return text[start + 1 : close], close + 1
        end = pattern.match(text, start).end()  # type: ignore[union-attr]  # it matches the empty text too
        if text[end : end + 1] == "\\":
            raise DescriptionError(
                "the description ends with a backslash that has nothing to quote",
                text,
                end,
                1,
                r"A backslash quotes the character after it; for a backslash itself write \\.",
            )
        return _unescaped(text[start:end]), end

    start = 0
    while True:
        name, valueStart = None, start
        word, end = value(start, _NAME)
        if text[end : end + 1] == "=":
            name, valueStart = word, end + 1
            word, end = value(valueStart, _VALUE)
        yield Part(name, word, start, valueStart, end)
        if end == len(text):
            return
        start = end + 1


def hasLooseBracket(text: str) -> bool:
    """Tell whether an argument begins with a ``[`` that is but a letter: its ``]`` isn't at the end."""
    if "[" not in text:
        return False
    pairs = _pairs(text)
    begun = (
        part for part in parts(text) if part.start and text[part.valueStart : part.valueStart + 1] == "["
    )
    return any(pairs.get(part.valueStart) != part.end - 1 for part in begun)


def quote(argument: str) -> str:
    r"""
    Quote a text so that a description may hold it anywhere, and Twisted's grammar reads it as well.

    Args:
        argument: any text.  ``\``, ``:`` and ``=`` in it get a backslash, and so does a ``[`` at its
            beginning.
    """
    return _SPECIAL.sub(r"\\\g<0>", argument)


def _written(value: str, keyword: bool) -> str:
    """Write a value as a person would: in brackets where that saves backslashes."""
    if ":" in value or ("=" in value and not keyword):
        if _pairs(f"[{value}]").get(0) == len(value) + 1:
            return f"[{value}]"
    elif keyword:
        return quote(value).replace("\\=", "=")
    return quote(value)


def _decoded(text: object) -> str:
    """
    Turn what a caller gave into text.

    Raises:
        ArgumentsError: it is neither `str` nor `bytes`.
        DescriptionError: it is text that can't be encoded, or bytes that are no text.
    """
    if isinstance(text, str):
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise DescriptionError(
                "the description holds half of a surrogate pair, which is no character",
                text,
                error.start,
                1,
                "It comes from bytes that are no UTF-8, a file's name perhaps: rename the file.",
            ) from None
        return text
    if isinstance(text, bytes):
        try:
            return text.decode()
        except UnicodeDecodeError as error:
            raise DescriptionError(
                "the description's bytes are not UTF-8", text, error.start, 1, "Encode it as UTF-8."
            ) from None
    raise ArgumentsError(
        f"a description is text (str or bytes), not {shown(repr(text))} of type {type(text).__name__}",
        hint="For example 'tcp:8080'.",
    )


@dataclass(frozen=True)
class Description:
    """
    What a description says: a prefix and its arguments.

    Two are equal if they say the same, whatever quoting their texts used.  `str` gives the text.

    Args:
        prefix: which kind of endpoint, for example ``tcp``.
        args: the positional arguments, without quoting.
        kwargs: the keyword arguments, without quoting.
        source: the text that this was read from; by default the text that it is written as.
    """

    prefix: str
    args: tuple[str, ...] = ()
    kwargs: Mapping[str, str] = field(default_factory=dict)
    source: str | None = field(default=None, compare=False, repr=False)

    @classmethod
    def parse(cls, text: str | bytes) -> Description:
        """
        Read a description.

        Args:
            text: as `serverFromString` and `clientFromString` take it; `bytes` are UTF-8.

        Raises:
            DescriptionError: it is empty, it has no prefix, a keyword stands there twice or has no name, or
                quoting ends in nothing.  Whether a parser knows the prefix and its arguments is not looked
                at.
        """
        source = text if type(text) is str and text.isascii() else _decoded(text)
        args: list[str] = []
        kwargs: dict[str, str] = {}
        # Nearly all descriptions are without quoting, and read without a look at each character: six times as
        # fast.
        if "\\" in source or "[" in source:
            for part in parts(source):
                if part.name is None:
                    args.append(part.value)
                elif not part.name or part.name in kwargs:
                    raise _keywordError(source, part)
                else:
                    kwargs[part.name] = part.value
        elif "=" in source:
            for piece in source.split(":"):
                name, equals, value = piece.partition("=")
                if not equals:
                    args.append(piece)
                elif not name or name in kwargs:
                    raise next(_keywordErrors(source))
                else:
                    kwargs[name] = value
        else:
            args = source.split(":")
        if not args or not args[0]:
            raise _prefixError(source, kwargs)
        # Not cls(...): a frozen dataclass sets its fields through object.__setattr__, three times as long.
        self = _new(cls)
        fields = self.__dict__
        fields["prefix"] = args[0]
        fields["args"] = tuple(args[1:])
        fields["kwargs"] = kwargs
        fields["source"] = source
        return self

    def __hash__(self) -> int:
        return hash((self.prefix, self.args, frozenset(self.kwargs.items())))

    @property
    def text(self) -> str:
        """The description, written with as little quoting as it needs."""
        words = [quote(self.prefix), *(_written(arg, keyword=False) for arg in self.args)]
        words += [f"{quote(name)}={_written(value, keyword=True)}" for name, value in self.kwargs.items()]
        return ":".join(words)

    def __str__(self) -> str:
        return self.text

    def positional(self, index: int) -> tuple[str, Place]:
        """
        Tell where a positional argument stands.

        Args:
            index: 0 is the first argument; -1 is the prefix.

        Returns:
            The text, and the place in it.
        """
        text = self.source or self.text
        found = (part for part in parts(text) if part.name is None)
        part = next(islice(found, index + 1, None))
        return text, Place(part.start, part.end)

    def keyword(self, name: str, whole: bool = False) -> tuple[str, Place]:
        """
        Tell where a keyword's value stands.

        Args:
            name: the keyword.
            whole: its name too.

        Returns:
            The text, and the place in it.
        """
        text = self.source or self.text
        part = next(part for part in parts(text) if part.name == name)
        return text, Place(part.start if whole else part.valueStart, part.end)

    def whole(self) -> tuple[str, Place]:
        """Give the text, and all of it as the place."""
        text = self.source or self.text
        return text, Place(0, len(text))

    def end(self) -> tuple[str, Place]:
        """Give the text, and its end as the place: where something is missing."""
        text = self.source or self.text
        return text, Place(len(text), len(text))


def _keywordErrors(text: str) -> Iterator[DescriptionError]:
    seen = set()
    for part in parts(text):
        if part.name is not None:
            if not part.name or part.name in seen:
                yield _keywordError(text, part)
            seen.add(part.name)


def _keywordError(text: str, part: Part) -> DescriptionError:
    where = text, Place(part.start, part.end)
    if not part.name:
        hint = "Write keyword=value; for a value that begins with '=', put a backslash before it."
        return ArgumentsError.at("there is no keyword before '='", where, hint)
    return ArgumentsError.at(f"the keyword {shown(part.name)} is given twice", where, "Keep one of them.")


def _prefixError(text: str, kwargs: Mapping[str, str]) -> DescriptionError:
    hint = "A description begins with a prefix that says which kind of endpoint, for example 'tcp:8080'."
    if kwargs:
        return DescriptionError("the description has no prefix, only keywords", text, 0, 0, hint)
    if not text:
        return DescriptionError("the description is empty", text, 0, 0, hint)
    hint = bareIPv6Hint(text) or hint
    return DescriptionError("the description has no prefix before its first ':'", text, 0, 0, hint)
