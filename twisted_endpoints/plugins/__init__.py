"""
String parsers: what each prefix of a description accepts, one file a prefix.

A parser is any object that provides `IStreamServerEndpointStringParser` or
`IStreamClientEndpointStringParserWithReactor`.  The base classes here are the easy way to make one: say which
arguments there are, by the signature of `build`, and what endpoint they make.  See docs/plugins.md.
"""

from __future__ import annotations

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
from ..strings.description import Description
from ..strings.kinds import (
    Backlog,
    Flag,
    Host,
    Interface,
    Kind,
    Mode,
    Path,
    Port,
    Seconds,
    SocketPath,
    Text,
)

__all__ = [
    "Backlog",
    "ClientParser",
    "Flag",
    "Host",
    "Interface",
    "Kind",
    "Mode",
    "Parser",
    "Path",
    "Port",
    "Seconds",
    "ServerParser",
    "SocketPath",
    "Text",
]


class Parser:
    """
    What parsers for servers and for clients have in common.

    A subclass sets `prefix` and `summary`, and writes `build`.
    """

    #: The word that descriptions begin with, in lower case.
    prefix: ClassVar[str]

    #: What the endpoint does, one line for ``twisted-endpoints list``.
    summary: ClassVar[str] = ""

    def build(self, reactor: Any, *args: Any, **kwargs: Any) -> Any:
        """
        Make the endpoint.

        The signature of a subclass's own says which arguments a description can have: see
        `twisted_endpoints.strings.arguments`.  It opens no socket.

        Raises:
            ValueError: the values don't go together; the message is for the description's author.
        """
        raise NotImplementedError(f"{type(self).__qualname__} has no method `build`")

    @cached_property
    def declaration(self) -> Declaration:
        """
        The arguments, as `build` declares them.

        Raises:
            TypeError: there is no `build`, or its signature can't be a declaration.
        """
        if type(self).build is Parser.build:
            raise TypeError(f"{type(self).__qualname__} has no method build()")
        return declarationOf(self.build)

    def fromDescription(self, reactor: Any, description: Description) -> Any:
        """
        Make the endpoint that a description names.

        Args:
            reactor: for the endpoint.
            description: whose prefix has led here.

        Raises:
            DescriptionError: its arguments are not what `build` declares.
        """
        return self.build(reactor, **self.declaration.bind(description))


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
