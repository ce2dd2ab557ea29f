"""
Names of `twisted.internet.endpoints` that are documented, or that programs lean on, and that we wouldn't
write ourselves.

`twisted_endpoints.strings` does this work now: it says where in a description an error is, and a parser
declares its arguments instead of converting them by hand.  Each name here re-tells a part of that in its old
shape, with the reason why it is kept.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..interfaces import IStreamServerEndpoint
from ..plugins.tcp import server as _tcpServer
from ..plugins.tcp6 import TCP6ServerParser as _TCP6ServerParser
from ..plugins.unix import server as _unixServer
from ..strings import kinds
from ..strings.description import Description, parts
from ..strings.errors import UnknownPrefix, shown
from ..strings.registry import servers
from .tcp import TCP4ClientEndpoint, TCP4ServerEndpoint
from .unix import UNIXClientEndpoint, UNIXServerEndpoint

__all__ = [
    "_NO_DEFAULT",
    "_OP",
    "_STRING",
    "_TCP6ServerParser",
    "_clientParsers",
    "_endpointClientFactories",
    "_endpointServerFactories",
    "_matchPluginToPrefix",
    "_parse",
    "_parseClientTCP",
    "_parseClientUNIX",
    "_parseServer",
    "_parseTCP",
    "_parseUNIX",
    "_serverFromStringLegacy",
    "_serverParsers",
    "_tokenize",
]

#: The first items of what `_tokenize` yields.
_OP, _STRING = range(2)

#: Says that `_parseServer` was given no default at all: None is one, and means ``tcp``.
_NO_DEFAULT = object()


def _inType(value: str, like: str | bytes) -> Any:
    # Latin-1 both ways: it gives back any byte as it was.
    return value.encode("latin-1") if isinstance(like, bytes) else value


def _tokenize(description: str | bytes) -> Iterator[tuple[int, Any]]:
    """
    Yield the pieces of a description: ``(_STRING, text)`` and, between those, ``(_OP, ":")`` or ``(_OP,
    "=")``.

    Kept because it is documented.

    Args:
        description: the items are of its type.

    Raises:
        DescriptionError: it ends with a backslash.
    """
    text = description.decode("latin-1") if isinstance(description, bytes) else description
    for number, part in enumerate(parts(text)):
        if number:
            yield _OP, _inType(":", description)
        if part.name is not None:
            yield _STRING, _inType(part.name, description)
            yield _OP, _inType("=", description)
        yield _STRING, _inType(part.value, description)


def _parse(description: str | bytes) -> tuple[list[Any], dict[str, Any]]:
    """
    Split a description into its positional parts, the prefix among them, and its keywords.

    Kept because programs that look into descriptions call it: buildbot-worker, magic-folder, Twisted's
    Jabber.  New code reads a `Description`, which also says where each part stands.

    Args:
        description: the values are of its type; a keyword's name always is `str`, and the last one of a name
            counts.

    Raises:
        DescriptionError: it ends with a backslash.
    """
    text = description.decode("latin-1") if isinstance(description, bytes) else description
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    for part in parts(text):
        value = _inType(part.value, description)
        if part.name is None:
            args.append(value)
        else:
            name = _inType(part.name, description)
            kwargs[name.decode() if isinstance(name, bytes) else name] = value
    return args, kwargs


def _parseTCP(
    factory: object, port: str, interface: str = "", backlog: str | int = 50
) -> tuple[tuple[int, object], dict[str, Any]]:
    """
    Read the arguments of a ``tcp:`` server.

    Kept because it is documented, and for what `twisted.application.strports` does with `_parseServer`.

    Returns:
        The arguments and keywords for `IReactorTCP.listenTCP`.
    """
    values = _tcpServer.declaration.bind(Description("tcp", (str(port), interface, str(backlog))))
    return (values.pop("port"), factory), values


def _parseUNIX(
    factory: object, address: str, mode: str = "666", backlog: str | int = 50, lockfile: str | bool = True
) -> tuple[tuple[str, object], dict[str, Any]]:
    """
    Read the arguments of a ``unix:`` server.

    Kept for the same reasons as `_parseTCP`.

    Returns:
        The arguments and keywords for `IReactorUNIX.listenUNIX`.
    """
    lock = str(int(lockfile)) if isinstance(lockfile, bool) else lockfile
    values = _unixServer.declaration.bind(Description("unix", (address, mode, str(backlog), lock)))
    values["wantPID"] = values.pop("lockfile")
    return (values.pop("address"), factory), values


#: How `_parseServer` reads what is not a plugin's.  Programs look into it; what they put there is not looked
#: at by `serverFromString`, which has entry points for that.
_serverParsers: dict[str, Callable[..., tuple[tuple[Any, ...], dict[str, Any]]]] = {
    "tcp": _parseTCP,
    "unix": _parseUNIX,
}

#: The endpoints that belong to the names that `_parseServer` returns, and to their clients.
_endpointServerFactories: dict[str, Callable[..., Any]] = {
    "TCP": TCP4ServerEndpoint,
    "UNIX": UNIXServerEndpoint,
}
_endpointClientFactories: dict[str, Callable[..., Any]] = {
    "TCP": TCP4ClientEndpoint,
    "UNIX": UNIXClientEndpoint,
}


def _withPrefix(description: str, default: object) -> str:
    """
    Put the default prefix before a description that has none: one that is a single word.

    Raises:
        ValueError: there is no default prefix, but one is needed.
    """
    args, kwargs = _parse(description)
    if default is _NO_DEFAULT or kwargs or len(args) > 1:
        return description
    if default is None:
        warnings.warn(
            f"write 'tcp:{description}': the prefix is left out of {description!r}",
            DeprecationWarning,
            stacklevel=4,
        )
        default = "tcp"
    return f"{default}:{description}"


def _parseServer(
    description: str, factory: object, default: object = _NO_DEFAULT
) -> tuple[Any, Any, dict[str, Any]]:
    """
    Read a server's description as far as its reactor method's arguments.

    Kept because it is documented, and because `twisted.application.strports.listen` calls
    ``reactor.listen<name>`` with the result.

    Args:
        description: what `serverFromString` takes.
        factory: is passed through to its place among the arguments.
        default: deprecated; the prefix for a description without one, or None for ``tcp`` and a warning.

    Returns:
        For a built-in prefix its name in upper case, a tuple of arguments and the keywords; for any other the
        parser, the list of the arguments' texts, and the keywords' texts.

    Raises:
        DescriptionError: no endpoint can be made of it.
    """
    parsed = Description.parse(_withPrefix(description, default))
    parser = servers.find(parsed).parser
    prefix = parsed.prefix.lower()
    if prefix not in _serverParsers:
        return parser, list(parsed.args), dict(parsed.kwargs)
    # For its errors: these know the places in the description.
    parser.declaration.bind(parsed)
    args, kwargs = _serverParsers[prefix](factory, *parsed.args, **parsed.kwargs)
    return prefix.upper(), args, kwargs


def _serverFromStringLegacy(reactor: object, description: str, default: object) -> IStreamServerEndpoint:
    """
    Do what `serverFromString` does, also for a description without a prefix.

    Kept because it is documented.  It served `twisted.application.strports`, when ``8080`` was a description.

    Args:
        reactor: for the endpoint.
        description: what `serverFromString` takes, or without its prefix.
        default: the prefix, or None for ``tcp`` and a warning that it is deprecated.

    Raises:
        DescriptionError: no endpoint can be made of it.
    """
    endpoint: IStreamServerEndpoint = servers.endpoint(
        reactor, Description.parse(_withPrefix(description, default))
    )
    return endpoint


def _matchPluginToPrefix(plugins: Iterable[Any], endpointType: str) -> Any:
    """
    Find the first plugin that has a prefix, whatever the case of its letters.

    Kept because it is documented.  `twisted_endpoints.strings.registry` finds parsers without importing all
    of them.

    Raises:
        UnknownPrefix: none has it.
    """
    wanted = endpointType.lower()
    for plugin in plugins:
        prefix = getattr(plugin, "prefix", None)
        if isinstance(prefix, str) and prefix.lower() == wanted:
            return plugin
    raise UnknownPrefix(f"Unknown endpoint type: {shown(wanted)}")


def _parseClientTCP(*args: str, **kwargs: Any) -> dict[str, Any]:
    """
    Read the arguments of a ``tcp:`` client: host and port by position or by name, and the keywords of
    `connectTCP`.

    Kept because it is documented.

    Returns:
        The keywords for `TCP4ClientEndpoint`.  What isn't given isn't there.

    Raises:
        TypeError: there are more than two arguments without a keyword.
        ValueError: a number is none.
    """
    if len(args) > 2:
        raise TypeError(f"host and port are two arguments, not {len(args)}")
    names = ("port",) if len(args) == 1 and "host" in kwargs else ("host", "port")
    kwargs.update(zip(names, args, strict=False))
    if "port" in kwargs:
        kwargs["port"] = kinds.PORT.read(str(kwargs["port"]))
    if "timeout" in kwargs:
        kwargs["timeout"] = kinds.SECONDS.read(kwargs["timeout"])
    if "bindAddress" in kwargs:
        kwargs["bindAddress"] = (kwargs["bindAddress"], 0)
    return kwargs


def _parseClientUNIX(*args: str, **kwargs: Any) -> dict[str, Any]:
    """
    Read the arguments of a ``unix:`` client: the path by position or by name, and the keywords.

    Kept because it is documented.

    Returns:
        The keywords for `UNIXClientEndpoint`.  What isn't given isn't there.

    Raises:
        TypeError: there is more than one argument without a keyword.
        ValueError: a number is none.
    """
    if len(args) > 1:
        raise TypeError(f"the path is one argument, not {len(args)}")
    kwargs.update(zip(("path",), args, strict=False))
    if "lockfile" in kwargs:
        kwargs["checkPID"] = kinds.FLAG.read(kwargs.pop("lockfile"))
    if "timeout" in kwargs:
        kwargs["timeout"] = kinds.SECONDS.read(kwargs["timeout"])
    return kwargs


#: What reads a client's arguments, by the prefix in upper case.  Kept for programs that look whether a prefix
#: is in it.
_clientParsers: dict[str, Callable[..., dict[str, Any]]] = {"TCP": _parseClientTCP, "UNIX": _parseClientUNIX}
