"""The arguments of wrappers: what is the wrapper's, and what the wrapped endpoint's."""

from __future__ import annotations

from typing import Any

import pytest

from twisted_endpoints.strings import Description
from twisted_endpoints.strings.arguments import declarationOf
from twisted_endpoints.strings.errors import ArgumentsError, InvalidValue
from twisted_endpoints.strings.kinds import Inner, Seconds
from twisted_endpoints.strings.wrapping import WrapperDeclaration


def wrap(reactor: Any, endpoint: Inner, *, limit: Seconds = 5, who: str | None = None) -> None: ...


DECLARATION = WrapperDeclaration(declarationOf(wrap).parameters)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("w:tcp:80", {"endpoint": "tcp:80"}),
        ("w:tcp:80:interface=[::1]", {"endpoint": "tcp:80:interface=[::1]"}),
        (r"w:unix:/a\:b", {"endpoint": r"unix:/a\:b"}),
        ("w:tcp:80:limit=3", {"endpoint": "tcp:80", "limit": 3}),
        ("w:limit=3:tcp:80", {"endpoint": "tcp:80", "limit": 3}),
        ("w:tcp:limit=3:80:who=a:backlog=7", {"endpoint": "tcp:80:backlog=7", "limit": 3, "who": "a"}),
        ("w:[tcp:80:limit=9]:limit=3", {"endpoint": "tcp:80:limit=9", "limit": 3}),
        ("w:endpoint=[tcp:80]", {"endpoint": "tcp:80"}),
        ("w:endpoint=[tcp:80:limit=9]:limit=3", {"endpoint": "tcp:80:limit=9", "limit": 3}),
        ("w:stdio", {"endpoint": "stdio"}),
        ("w:w:w:tcp:80", {"endpoint": "w:w:tcp:80"}),
    ],
)
def test_whoseArgumentsTheyAre(text: str, values: dict[str, Any]) -> None:
    assert DECLARATION.bind(Description.parse(text)) == values


@pytest.mark.parametrize(
    ("text", "kind", "problem"),
    [
        ("w", ArgumentsError, "'w' needs endpoint"),
        ("w:limit=3", ArgumentsError, "'w' needs endpoint"),
        ("w:", InvalidValue, "endpoint must be the string of an endpoint, in brackets, not empty"),
        ("w:tcp:80:limit=x", InvalidValue, "limit must be a number of seconds"),
        ("w:[tcp:80]:interface=a", ArgumentsError, "'w' takes no argument 'interface'"),
        ("w:[tcp:80]:90", ArgumentsError, "'w' takes only one argument without a keyword, not 2"),
        ("w:endpoint=[tcp:80]:interface=a", ArgumentsError, "'w' takes no argument 'interface'"),
    ],
)
def test_errors(text: str, kind: Any, problem: str) -> None:
    with pytest.raises(kind) as caught:
        DECLARATION.bind(Description.parse(text))
    assert str(caught.value).startswith(problem)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("w:tcp:80", "tcp:80"),
        ("w:limit=3:tcp:80", "tcp:80"),
        ("w:[tcp:80]:limit=3", "[tcp:80]"),
        ("w:endpoint=[tcp:80]", "[tcp:80]"),
    ],
)
def test_whereTheWrappedStringStands(text: str, place: str) -> None:
    value, (source, (start, end)) = DECLARATION.place(Description.parse(text), "endpoint")
    assert (value, source[start:end]) == ("tcp:80", place)
