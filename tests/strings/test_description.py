"""The grammar: what a text says, where it says it, and how it is written again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_endpoints.strings import Description, DescriptionError, quoteStringArgument
from twisted_endpoints.strings.description import Part, Place, parts

#: Text that can be encoded, with what the grammar cares for more often than chance would have it.
TEXT = st.text(st.one_of(st.sampled_from("\\:=[]a"), st.characters(codec="utf-8")), max_size=30)


def read(text: str) -> tuple[Any, ...]:
    description = Description.parse(text)
    return (description.prefix, *description.args, dict(description.kwargs))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tcp", ("tcp", {})),
        ("tcp:", ("tcp", "", {})),
        ("tcp:80", ("tcp", "80", {})),
        ("a:b:d=1:c", ("a", "b", "c", {"d": "1"})),
        ("unix:address=foo=bar", ("unix", {"address": "foo=bar"})),
        (r"unix:foo\:bar\=baz\:qux\\", ("unix", "foo:bar=baz:qux\\", {})),
        (r"tcp6:80:interface=\:\:1", ("tcp6", "80", {"interface": "::1"})),
        (r"a:\b\c", ("a", "bc", {})),
        (r"a:b\=c=d", ("a", {"b=c": "d"})),
        (r"t\cp:80", ("tcp", "80", {})),
        ("a::b", ("a", "", "b", {})),
        ("a:b=", ("a", {"b": ""})),
        # The prefix is the first part that is no keyword, wherever it stands.
        ("port=80:tcp", ("tcp", {"port": "80"})),
        # Letters, as in Twisted: a bracket that isn't an argument's first or last character.
        ("unix:/tmp/a[1]:mode=660", ("unix", "/tmp/a[1]", {"mode": "660"})),
        ("a:[b]c:d", ("a", "[b]c", "d", {})),
        ("a:[b:c]d", ("a", "[b", "c]d", {})),
        ("a:[b:c", ("a", "[b", "c", {})),
        ("a:b]:c", ("a", "b]", "c", {})),
        ("a:b=c[d:e]", ("a", "e]", {"b": "c[d"})),
        (r"a:\[b:c]", ("a", "[b", "c]", {})),
        (r"a:\[b]", ("a", "[b]", {})),
        ("[::1]:80", ("[", "", "1]", "80", {})),
        ("[tcp]:80", ("[tcp]", "80", {})),
    ],
)
def test_whatItSays(text: str, said: tuple[Any, ...]) -> None:
    assert read(text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tcp:[::1]:80", ("tcp", "::1", "80", {})),
        ("tcp6:80:interface=[::]", ("tcp6", "80", {"interface": "::"})),
        ("a:[]", ("a", "", {})),
        ("a:[b]", ("a", "b", {})),
        ("a:[b=c]", ("a", "b=c", {})),
        ("a:[b]=c", ("a", {"[b]": "c"})),
        ("a:[b]=[c:d]", ("a", {"[b]": "c:d"})),
        ("a:b=[c=d:e]:f", ("a", "f", {"b": "c=d:e"})),
        ("tls:/etc/certs:endpoint=[haproxy:tcp:443]", ("tls", "/etc/certs", {"endpoint": "haproxy:tcp:443"})),
        ("a:[b:[c:[d:e]]]:f", ("a", "b:[c:[d:e]]", "f", {})),
        ("a:[[b]]", ("a", "[b]", {})),
        ("a:[b][c]", ("a", "[b][c]", {})),
        # A backslash in brackets stays, and keeps a bracket from being counted.
        (r"a:[b\:c]", ("a", r"b\:c", {})),
        (r"a:[unix:/tmp/a\]b]", ("a", r"unix:/tmp/a\]b", {})),
        (r"a:[unix:/tmp/a\[b]", ("a", r"unix:/tmp/a\[b", {})),
        (r"a:[b\\]", ("a", r"b\\", {})),
        (r"a:[b\]", ("a", "[b]", {})),
        ("a:[\n\0é]", ("a", "\n\0é", {})),
    ],
)
def test_anArgumentInBracketsIsTakenWhole(text: str, said: tuple[Any, ...]) -> None:
    assert read(text) == said


def test_nestedDescriptionsNeedNoQuoting() -> None:
    text = "tcp:80"
    for _ in range(50):
        text = f"outer:endpoint=[{text}]:last=1"
    for _ in range(50):
        description = Description.parse(text)
        assert description.kwargs["last"] == "1"
        text = description.kwargs["endpoint"]
    assert text == "tcp:80"


def test_bytesAreUtf8() -> None:
    assert Description.parse("unix:/tmp/é".encode()) == Description.parse("unix:/tmp/é")


@pytest.mark.parametrize(
    ("description", "text"),
    [
        (Description("tcp", ("80",)), "tcp:80"),
        (Description("tcp", ("::1", "80")), "tcp:[::1]:80"),
        (Description("a", (), {"b": "c=d"}), "a:b=c=d"),
        (Description("a", ("b=c",)), "a:[b=c]"),
        (Description("a", ("[b]",)), r"a:\[b]"),
        (Description("a", (r"C:\x",)), r"a:[C:\x]"),
        (Description("a", ("b:]",)), r"a:b\:]"),
        (Description("a", ("b\\",)), r"a:b\\"),
        (Description("a", ("b:\\",)), r"a:b\:\\"),
        (Description("a", (), {"b=c": "d"}), r"a:b\=c=d"),
        (Description("a", (), {"b": r"\="}), r"a:b=\\="),
        (Description("tls", ("x",), {"endpoint": "haproxy:tcp:[::1]"}), "tls:x:endpoint=[haproxy:tcp:[::1]]"),
    ],
)
def test_howItIsWritten(description: Description, text: str) -> None:
    assert str(description) == description.text == text
    assert Description.parse(text) == description


@given(
    prefix=TEXT.filter(bool),
    args=st.lists(TEXT, max_size=4),
    kwargs=st.dictionaries(TEXT.filter(bool), TEXT, max_size=4),
)
def test_everyDescriptionSurvivesBeingWritten(prefix: str, args: list[str], kwargs: dict[str, str]) -> None:
    description = Description(prefix, tuple(args), kwargs)
    again = Description.parse(description.text)
    assert again == description
    assert hash(again) == hash(description)
    assert again.text == description.text


@given(TEXT)
def test_textToDescriptionToTextToDescription(text: str) -> None:
    try:
        description = Description.parse(text)
    except DescriptionError:
        return
    assert Description.parse(description.text) == description


@given(st.lists(TEXT, max_size=3), TEXT, TEXT)
def test_aQuotedArgumentSurvivesAnywhere(before: list[str], argument: str, value: str) -> None:
    words = [
        "a",
        *map(quoteStringArgument, before),
        quoteStringArgument(argument),
        f"k={quoteStringArgument(value)}",
    ]
    assert Description.parse(":".join(words)) == Description("a", (*before, argument), {"k": value})


@given(TEXT)
def test_theShortWayThroughPlainTextAgreesWithTheLongOne(text: str) -> None:
    plain = text.replace("\\", "").replace("[", "")
    found = list(parts(plain))
    names = [part.name for part in found if part.name is not None]
    values = [part.value for part in found if part.name is None]
    if len(set(names)) < len(names) or "" in names or not values or not values[0]:
        with pytest.raises(DescriptionError):
            Description.parse(plain)
    else:
        short = Description.parse(plain)
        assert [short.prefix, *short.args] == values
        assert dict(short.kwargs) == {part.name: part.value for part in found if part.name is not None}


def test_eachPartKnowsItsPlace() -> None:
    text = r"tcp:[::1]:p\:ort=[80]"
    assert list(parts(text)) == [
        Part(None, "tcp", 0, 0, 3),
        Part(None, "::1", 4, 4, 9),
        Part("p:ort", "80", 10, 17, 21),
    ]
    description = Description.parse(text)
    assert description.positional(-1) == (text, Place(0, 3))
    assert description.positional(0) == (text, Place(4, 9))
    assert description.keyword("p:ort") == (text, Place(17, 21))
    assert description.keyword("p:ort", whole=True) == (text, Place(10, 21))
    assert description.end() == (text, Place(21, 21))
    assert description.whole() == (text, Place(0, 21))


def test_thePlacesOfADescriptionThatWasNeverText() -> None:
    description = Description("tcp", ("::1", "80"))
    assert description.positional(1) == ("tcp:[::1]:80", Place(10, 12))


@given(TEXT)
def test_partsCoverTheText(text: str) -> None:
    try:
        found = list(parts(text))
    except DescriptionError:
        return
    assert ":".join(text[part.start : part.end] for part in found) == text


def test_aDescriptionIsAValue() -> None:
    description = Description.parse("tcp:80:interface=x")
    assert description == Description("tcp", ("80",), {"interface": "x"})
    assert description != Description("tcp", ("80",))
    assert repr(description) == "Description(prefix='tcp', args=('80',), kwargs={'interface': 'x'})"
    with pytest.raises(AttributeError):
        description.prefix = "unix"  # type: ignore[misc]


@pytest.mark.parametrize(
    "text",
    [
        "a" + ":" * 200_000,
        "a:" + "[" * 200_000,
        "a" + ":[" * 100_000,
        "a" + ":[:]" * 50_000,
        "a:" + "[" * 100_000 + "]" * 100_000,
        "a:" + "\\:" * 100_000,
        "a:" + "\\\\" * 100_000,
        "a:[" + "\\]" * 100_000,
        "a:" + "b" * 200_000 + "\\c",
        "a:b" + "=" * 200_000,
        "a:b\\=" + "=" * 200_000,
    ],
    ids=lambda text: text[:8],
)
def test_longTextsAreNoTrouble(text: str) -> None:
    # Were the time not linear, this would take longer than the tests' time limit by orders of magnitude.
    description = Description.parse(text)
    assert sum(len(part.value) + len(part.name or "") for part in parts(text)) <= len(text)
    assert description.prefix == "a"
