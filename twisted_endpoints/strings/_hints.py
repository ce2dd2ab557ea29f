"""Guesses what the author of a wrong description wanted.  Pure, and only used to explain an error."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from .description import hasLooseBracket, parts
from .errors import visible
from .kinds import bareIPv6Hint, isHost, isIPv6

__all__ = ["colonHint", "hostFirstHint", "innerHint", "nearest", "prefixHint"]

#: A longer description is not repeated in a hint.
_LONG = 200

_GROUP = re.compile(r"[0-9A-Fa-f]{0,4}|[0-9.]{7,15}|[0-9A-Fa-f]{0,4}%\w+")


def nearest(word: str, words: Iterable[str]) -> str | None:
    """Find the word that is most like a misspelt one, if any is."""
    from difflib import get_close_matches

    lower = {known.lower(): known for known in words}
    if len(word) > 40:
        return None
    found = get_close_matches(word.lower(), lower, 1, 0.6)
    return lower[found[0]] if found else None


def colonHint(text: str, skip: int = 0) -> str:
    """
    Look for what makes colons stand where they shouldn't: an IPv6 address without brackets, or brackets that
    don't work.

    Args:
        text: the whole description.
        skip: how many positional arguments come before any that may be an address.

    Returns:
        What to do about it, as a sentence; nothing if there is no such thing.
    """
    hint = _ipv6Hint(text, skip)
    if not hint and hasLooseBracket(text):
        hint = "An argument that begins with '[' ends with its ']', right before a ':' or the end."
    return hint


def _ipv6Hint(text: str, skip: int) -> str:
    if len(text) > _LONG or ("::" not in text and text.count(":") < 7):
        return ""
    pieces = text.split(":")
    for first in range(1 + skip, len(pieces)):
        name, equals, value = pieces[first].rpartition("=")
        end = first + 1
        while end < len(pieces) and end - first < 9 and _GROUP.fullmatch(pieces[end]):
            end += 1
        # A client's port follows the address, and could be read as its last group: try without it first.
        stops = list(range(end, first + 2, -1))
        if stops and not equals and pieces[end - 1].isdigit():
            stops.append(stops.pop(0))
        for stop in stops:
            address = ":".join([value, *pieces[first + 1 : stop]])
            if isIPv6(address):
                words = [*pieces[:first], f"{name}{equals}[{address}]", *pieces[stop:]]
                return f"The colons of an IPv6 address need brackets around it: {visible(':'.join(words))}"
    return ""


def innerHint(text: str, names: Collection[str]) -> str:
    """
    Look for an endpoint's string that stands in another's without brackets, as in ``endpoint=tcp:80``.

    Args:
        text: the whole description.
        names: the keywords whose values are endpoints' strings.

    Returns:
        What to do about it, as a sentence; nothing if there is no such thing.
    """
    for part in parts(text):
        if part.name in names and part.value.isalnum() and text[part.end : part.end + 1] == ":":
            return f"The string of {part.name}= needs brackets around it: {part.name}=[{part.value}:...]."
    return ""


def hostFirstHint(prefix: str, args: Sequence[str]) -> str:
    """Say how to write ``tcp:localhost:80`` for a server, whose first argument is the port; or nothing."""
    if len(args) < 2 or not (args[1].isascii() and args[1].isdigit()):
        return ""
    host = args[0]
    if not (host == "*" or isHost(host) or isIPv6(host)):
        return ""
    if host == "*":
        return f"Did you mean '{prefix}:{visible(args[1])}'? Without an interface it listens on all."
    host = f"[{host}]" if ":" in host else visible(host)
    return f"Did you mean '{prefix}:{args[1]}:interface={host}'?"


def prefixHint(text: str, prefix: str, known: Iterable[str], otherRole: Iterable[str], client: bool) -> str:
    """
    Say what might have been meant by a prefix that nobody knows.

    Args:
        text: the whole description.
        prefix: the unknown one.
        known: the prefixes that there are.
        otherRole: those that servers have, when a client's is looked for, and the other way round.
        client: whether a client's is looked for.
    """
    names = sorted(set(known))
    listing = f"Prefixes for {'clients' if client else 'servers'}: {', '.join(names)}."
    short = len(text) <= _LONG
    rest = text.partition(":")[2]
    address = bareIPv6Hint(text)
    if address:
        return address
    if next(parts(text)).name is not None:
        return f"The prefix stands before all keywords. {listing}"
    if prefix.isascii() and prefix.isdigit() and short:
        return f"Did you mean 'tcp:{'localhost:' if client else ''}{visible(text)}'?"
    if text.startswith("[") and short:
        return f"Did you mean 'tcp:{visible(text)}'?"
    if rest.startswith("//"):
        example = "tcp:example.com:80" if client else "tcp:80"
        return f"That is a URL, and not a description like '{example}'. {listing}"
    if prefix.strip().lower() in names:
        return f"Did you mean {prefix.strip().lower()!r}, without the white space?"
    if prefix.startswith(("/", "./", "../", "~")) and short:
        return f"Did you mean 'unix:{visible(text)}'?"
    if prefix.lower() in otherRole:
        return f"{prefix!r} is for {'servers' if client else 'clients'} only. {listing}"
    near = nearest(prefix, names)
    if near:
        return f"Did you mean {near!r}? {listing}"
    if rest.isascii() and rest.isdigit() and isHost(prefix) and short:
        return f"Did you mean 'tcp:{text}'?" if client else f"Did you mean 'tcp:{rest}:interface={prefix}'?"
    return listing
