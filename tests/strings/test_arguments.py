"""Binding: which argument is whose, and what a parser may declare."""

from __future__ import annotations

from typing import Annotated, Any

import pytest

from twisted_endpoints.strings import Description, DescriptionError
from twisted_endpoints.strings.arguments import REQUIRED, Declaration, Parameter, declarationOf
from twisted_endpoints.strings.errors import ArgumentsError, InvalidValue
from twisted_endpoints.strings.kinds import TEXT, Backlog, Kind, Mode, Port, Seconds, TLSVersion


def server(reactor: Any, port: Port, interface: str = "", backlog: int = 50) -> None: ...


def client(
    reactor: Any, host: str, port: Port, *, timeout: Seconds = 30, bind: str | None = None
) -> None: ...


def optional(reactor: Any, path: str = "") -> None: ...


def onlyKeyword(reactor: Any, *, path: str = "") -> None: ...


def nothing(reactor: Any) -> None: ...


def bind(build: Any, text: str) -> dict[str, Any]:
    return declarationOf(build).bind(Description.parse(text))


@pytest.mark.parametrize(
    ("build", "text", "values"),
    [
        (server, "x:80", {"port": 80}),
        (server, "x:80:a:3", {"port": 80, "interface": "a", "backlog": 3}),
        (server, "x:80:backlog=3", {"port": 80, "backlog": 3}),
        (server, "x:backlog=3:80", {"port": 80, "backlog": 3}),
        (server, "x:port=80:interface=", {"port": 80, "interface": ""}),
        (server, "x:80:", {"port": 80, "interface": ""}),
        (client, "x:a:80", {"host": "a", "port": 80}),
        (client, "x:host=a:80", {"host": "a", "port": 80}),
        (client, "x:a:port=80", {"host": "a", "port": 80}),
        (client, "x:port=80:host=a:timeout=2", {"host": "a", "port": 80, "timeout": 2}),
        (client, "x:a:80:bind=b", {"host": "a", "port": 80, "bind": "b"}),
        (nothing, "x", {}),
        (nothing, "x:", {}),
    ],
)
def test_arguments(build: Any, text: str, values: dict[str, Any]) -> None:
    assert bind(build, text) == values


@pytest.mark.parametrize(
    ("build", "text", "kind", "begin"),
    [
        (server, "x", ArgumentsError, "'x' needs port"),
        (client, "x", ArgumentsError, "'x' needs host and port"),
        (server, "x:80:port=81", ArgumentsError, "port is given twice"),
        (client, "x:a:80:5", ArgumentsError, "'x' takes at most 2 arguments without a keyword, not 3"),
        (client, "x:a:80:host=b", ArgumentsError, "host is given twice"),
        (nothing, "x:a", ArgumentsError, "'x' takes no arguments"),
        (onlyKeyword, "x:a", ArgumentsError, "'x' takes no argument without a keyword, not 1"),
        (nothing, "x:a=b", ArgumentsError, "'x' takes no argument 'a'"),
        # What is wrong with the shape comes first: a value may only be wrong because of it.
        (server, "x:a:b:c:d", ArgumentsError, "'x' takes at most 3"),
        (server, "x:a", InvalidValue, "port must be a number from 0 to 65535, not 'a'"),
        (client, "x:host=a:b", InvalidValue, "port must be a number from 0 to 65535, not 'b'"),
    ],
)
def test_errors(build: Any, text: str, kind: type[DescriptionError], begin: str) -> None:
    with pytest.raises(kind) as caught:
        bind(build, text)
    assert str(caught.value).startswith(begin)


def test_whatADeclarationTells() -> None:
    declaration = declarationOf(client)
    assert [
        (p.name, p.kind.name, p.required, p.defaultText, p.keywordOnly) for p in declaration.parameters
    ] == [
        ("host", "text", True, None, False),
        ("port", "port", True, None, False),
        ("timeout", "seconds", False, "30", True),
        ("bind", "text", False, None, True),
    ]
    assert declaration.usage() == "host and port (optional: timeout, bind)"
    assert declarationOf(nothing).usage() == "no arguments"
    assert declarationOf(optional).usage() == "no required argument (optional: path)"
    assert repr(REQUIRED) == "REQUIRED"


def test_meaningsAreThoseGivenOrOfTheKind() -> None:
    def build(reactor: Any, port: Port, backlog: Backlog = 3, version: TLSVersion = "1.2") -> None: ...

    given = {"port": "where", "version": "of TLS"}
    assert [parameter.meaning for parameter in declarationOf(build, given).parameters] == [
        "where",
        "how many connections may wait to be accepted",
        "of TLS",
    ]
    assert declarationOf(build).parameters[0].meaning == ""
    with pytest.raises(TypeError, match="has no parameter 'prot', but a meaning for it"):
        declarationOf(build, {"prot": "where"})


def test_defaultsAreWrittenAsADescriptionHasThem() -> None:
    def build(reactor: Any, mode: Mode = 0o660, lock: bool = True) -> None: ...

    assert [parameter.defaultText for parameter in declarationOf(build).parameters] == ["660", "1"]


def test_plainTypesAreKindsToo() -> None:
    def build(reactor: Any, a, b: str, c: int, d: float, e: bool, f: Any, g: int | None = None) -> None: ...  # type: ignore[no-untyped-def]

    assert bind(build, "x:1:2:3:4.5:1:6:7") == {
        "a": "1",
        "b": "2",
        "c": 3,
        "d": 4.5,
        "e": True,
        "f": "6",
        "g": 7,
    }


def test_aKindOfOnesOwn() -> None:
    def read(text: str) -> str:
        if text == "blue":
            raise ValueError("Blue is sold out.")
        if text not in ("red", "green"):
            raise ValueError
        return text.upper()

    kind = Kind("colour", "red or green", read)

    def build(reactor: Any, colour: Any) -> None: ...

    build.__annotations__["colour"] = Annotated[str, kind]
    assert bind(build, "x:red") == {"colour": "RED"}
    with pytest.raises(InvalidValue) as caught:
        bind(build, "x:blue")
    assert (
        str(caught.value)
        == "colour must be red or green, not 'blue'\n    x:blue\n      ^^^^\nBlue is sold out."
    )


def test_aMethodsSelfIsNoArgument() -> None:
    class Parser:
        def build(self, reactor: Any, port: Port) -> None: ...

    assert bind(Parser().build, "x:80") == {"port": 80}


def test_theReactorsAnnotationIsNotLookedAt() -> None:
    def build(reactor: OnlyForTypeCheckers, port: Port) -> OnlyForTypeCheckers: ...  # type: ignore[name-defined]  # noqa: F821

    assert bind(build, "x:80") == {"port": 80}


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ("*args", "variadic positional"),
        ("**kwargs", "variadic keyword"),
        ("a, /", "positional-only"),
        ("a: list", "no kind of value"),
        ("a: 'int | str'", "no kind of value"),
        ("a: {}", "no kind of value"),
    ],
)
def test_whatNoDescriptionCanGiveCanNotBeDeclared(parameter: str, message: str) -> None:
    names: dict[str, Any] = {}
    exec(f"def build(reactor, {parameter}): ...", names)
    with pytest.raises(TypeError, match=message):
        declarationOf(names["build"])


def test_aDeclarationWithoutParameters() -> None:
    assert Declaration(()).bind(Description("x")) == {}


def test_aDeclarationIsUsedAgain() -> None:
    declaration = declarationOf(client)
    for host in ("a", "b"):
        for text in (f"x:{host}:80", f"x:host={host}:80", f"x:80:host={host}", f"x:port=80:{host}"):
            assert declaration.bind(Description.parse(text)) == {"host": host, "port": 80}
    with pytest.raises(InvalidValue, match="port must be a number"):
        declaration.bind(Description.parse("x:a:b"))
    with pytest.raises(InvalidValue, match="port must be a number"):
        declaration.bind(Description.parse("x:host=a:b"))


def test_aDeclarationRemembersNotEveryDescription() -> None:
    names = [f"k{number}" for number in range(20)]
    declaration = Declaration(tuple(Parameter(name, TEXT, "") for name in names))
    for first in names:
        for second in names[1:]:
            if first != second:
                found = declaration.bind(Description.parse(f"x:{first}=1:{second}=2"))
                assert found == {first: "1", second: "2"}
    assert len(declaration._shapes) <= 100
