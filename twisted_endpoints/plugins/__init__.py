"""
String parsers: what each prefix of a description accepts, one file a prefix.

A parser is any object that provides `IStreamServerEndpointStringParser` or
`IStreamClientEndpointStringParserWithReactor`.  The base classes here are the easy way to make one: say which
arguments there are, by the signature of `build`, and what endpoint they make.  See docs/plugins.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

from zope.interface import implementer

from ..interfaces import (
    IStreamClientEndpoint,
    IStreamClientEndpointStringParserWithReactor,
    IStreamServerEndpoint,
    IStreamServerEndpointStringParser,
)
from ..plugin import IPlugin
from ..strings.arguments import Declaration, declarationOf
from ..strings.description import Description, Place
from ..strings.errors import ArgumentsError, DescriptionError, InvalidValue, visible
from ..strings.kinds import (
    Backlog,
    Flag,
    Host,
    Inner,
    Interface,
    Kind,
    Mode,
    Path,
    Port,
    Protocols,
    Seconds,
    SocketPath,
    Text,
    TLSVersion,
)

__all__ = [
    "Backlog",
    "ClientParser",
    "Flag",
    "Host",
    "Inner",
    "Interface",
    "Kind",
    "Missing",
    "Mode",
    "Parser",
    "Path",
    "Port",
    "Protocols",
    "Refused",
    "Seconds",
    "ServerParser",
    "SocketPath",
    "TLSVersion",
    "Text",
]


class Refused(ValueError):
    """
    What a parser's `build` raises if the value of one argument can't be used.

    Args:
        name: the argument.
        reason: what is wrong with the value, and what to do; or, if the value is a description too, the error
            that is in it.
    """

    _kind: type[DescriptionError] = InvalidValue
    _what = "can't be used"

    def __init__(self, name: str, reason: str | DescriptionError) -> None:
        super().__init__(f"{name} {self._what}: {reason}")
        self.name = name
        self.reason = reason

    def at(self, value: str, where: tuple[str, Place], hint: str = "") -> DescriptionError:
        """
        Make the error for the description that the argument is in.

        Args:
            value: the argument's text, without quoting.
            where: the description, and the argument's place in it.
            hint: what to do, if the description has a mistake that is known.
        """
        inner = self.reason
        if isinstance(inner, str):
            # It may quote the value: no control character of that is a command to a terminal.
            return self._kind.at(visible(str(self)), where, hint)
        text, (start, end) = where
        written = text[start:end]
        if value and written in (value, f"[{value}]"):
            # Nothing is quoted one by one: the inner description stands here as it is.
            start += inner.position + (written != value)
            end = start + inner.length
        return type(inner).at(
            f"in {self.name}: {inner.problem}", (text, Place(start, end)), hint or inner.hint
        )


class Missing(Refused):
    """What `build` raises if the other arguments leave no choice but to give one that isn't there."""

    _kind = ArgumentsError
    _what = "is missing"


class Parser:
    """
    What parsers for servers and for clients have in common.

    A subclass sets `prefix`, `summary` and `meanings`, and writes `build`.
    """

    #: The word that descriptions begin with, in lower case.
    prefix: ClassVar[str]

    #: What the endpoint does, one line for ``twisted-endpoints list``.
    summary: ClassVar[str] = ""

    #: What its arguments say, by name, in 80 characters at most, for ``twisted-endpoints list``.  One that
    #: says what all of its kind say (`Backlog`, `TLSVersion`, ...) can be left out.
    meanings: ClassVar[Mapping[str, str]] = {}

    def build(self, reactor: Any, *args: Any, **kwargs: Any) -> Any:
        """
        Make the endpoint.

        The signature of a subclass's own says which arguments a description can have: see
        `twisted_endpoints.strings.arguments`.  It opens no socket.

        Raises:
            Refused: the value of an argument can't be used.
            ValueError: the values don't go together; the message is for the description's author.
        """
        raise NotImplementedError(f"{type(self).__qualname__} has no method `build`")

    @cached_property
    def declaration(self) -> Declaration:
        """
        The arguments, as `build` declares them.

        Raises:
            TypeError: there is no `build`, or its signature can't be a declaration, or `meanings` has others.
        """
        if type(self).build is Parser.build:
            raise TypeError(f"{type(self).__qualname__} has no method build()")
        return declarationOf(self.build, self.meanings)

    def fromDescription(self, reactor: Any, description: Description) -> Any:
        """
        Make the endpoint that a description names.

        Args:
            reactor: for the endpoint.
            description: whose prefix has led here.

        Raises:
            DescriptionError: its arguments are not what `build` declares.
        """
        values = self.declaration.bind(description)
        try:
            return self.build(reactor, **values)
        except Refused as refused:
            declaration = self.declaration
            place = declaration.place(description, refused.name)
            hint = declaration.colonHint(description) or declaration.misspeltHint(description, refused.reason)
            raise refused.at(*place, hint) from refused.__cause__


@implementer(IPlugin, IStreamServerEndpointStringParser)
class ServerParser(Parser):
    """A parser whose `build` returns an `IStreamServerEndpoint`."""

    def parseStreamServer(self, reactor: Any, *args: object, **kwargs: object) -> IStreamServerEndpoint:
        """Make the endpoint from a description's arguments without its prefix, as Twisted calls parsers."""
        endpoint: IStreamServerEndpoint = self.fromDescription(reactor, _described(self.prefix, args, kwargs))
        return endpoint


@implementer(IPlugin, IStreamClientEndpointStringParserWithReactor)
class ClientParser(Parser):
    """A parser whose `build` returns an `IStreamClientEndpoint`."""

    def parseStreamClient(self, reactor: Any, *args: object, **kwargs: object) -> IStreamClientEndpoint:
        """Make the endpoint from a description's arguments without its prefix, as Twisted calls parsers."""
        endpoint: IStreamClientEndpoint = self.fromDescription(reactor, _described(self.prefix, args, kwargs))
        return endpoint


def _described(prefix: str, args: tuple[object, ...], kwargs: dict[str, object]) -> Description:
    return Description(
        prefix, tuple(map(_text, args)), {name: _text(value) for name, value in kwargs.items()}
    )


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
