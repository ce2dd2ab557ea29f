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
from ..plugins.stdio import StandardIOParser as _StandardIOParser
from ..plugins.systemd import SystemdParser as _SystemdParser
from ..plugins.tcp import server as _tcpServer
from ..plugins.tcp6 import TCP6ServerParser as _TCP6ServerParser
from ..plugins.unix import server as _unixServer
from ..strings import kinds
from ..strings.description import Description, parts
from ..strings.errors import DescriptionError, InvalidValue, UnknownPrefix, shown
from ..strings.kinds import Kind
from ..strings.registry import servers

__all__ = [
    "_NO_DEFAULT",
    "_OP",
    "_STRING",
    "_StandardIOParser",
    "_SystemdParser",
    "_TCP6ServerParser",
    "_clientParsers",
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
        DescriptionError: it ends with a backslash, or the bytes of a keyword's name are not UTF-8.
    """
    text = description.decode("latin-1") if isinstance(description, bytes) else description
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    for part in parts(text):
        value = _inType(part.value, description)
        if part.name is None:
            args.append(value)
        else:
            kwargs[_keyword(part.name, part.start, description)] = value
    return args, kwargs


def _keyword(name: str, start: int, description: str | bytes) -> str:
    if isinstance(description, str):
        return name
    raw = name.encode("latin-1")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise DescriptionError(
            "a keyword's name is not UTF-8", description, start, len(raw), "Encode it as UTF-8."
        ) from None


def _texts(*values: object) -> tuple[str, ...]:
    """Give texts for what Twisted's `int` takes as well: bytes and numbers."""
    return tuple(
        value.decode() if isinstance(value, bytes) else str(int(value) if isinstance(value, bool) else value)
        for value in values
    )


def _parseTCP(
    factory: object, port: str, interface: str = "", backlog: str | int = 50
) -> tuple[tuple[int, object], dict[str, Any]]:
    """
    Read the arguments of a ``tcp:`` server.

    Kept because it is documented, and for what `twisted.application.strports` does with `_parseServer`.

    Returns:
        The arguments and keywords for `IReactorTCP.listenTCP`.
    """
    values = _tcpServer.declaration.bind(Description("tcp", _texts(port, interface, backlog)))
    return (values["port"], factory), {"interface": interface, "backlog": values["backlog"]}


def _parseUNIX(
    factory: object,
    address: str | bytes,
    mode: str = "666",
    backlog: str | int = 50,
    lockfile: str | int = True,
) -> tuple[tuple[str | bytes, object], dict[str, Any]]:
    """
    Read the arguments of a ``unix:`` server.

    Kept for the same reasons as `_parseTCP`.

    Returns:
        The arguments and keywords for `IReactorUNIX.listenUNIX`.
    """
    # mode isn't turned into text: 0o600 would be 384.
    texts = (*_texts(address), mode, *_texts(backlog, lockfile))
    values = _unixServer.declaration.bind(Description("unix", texts))
    keywords = {"mode": values["mode"], "backlog": values["backlog"], "wantPID": values["lockfile"]}
    return (address, factory), keywords


def _parseSSL(factory: object, *args: str, **kwargs: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    # That one imports OpenSSL, which nothing else here needs.
    from . import _compatTLS

    return _compatTLS._parseSSL(factory, *args, **kwargs)


def _parseClientSSL(*args: str, **kwargs: Any) -> dict[str, Any]:
    from . import _compatTLS

    return _compatTLS._parseClientSSL(*args, **kwargs)


#: How `_parseServer` reads what is not a plugin's.  Programs look into it; what they put there is not looked
#: at by `serverFromString`, which has entry points for that.
_serverParsers: dict[str, Callable[..., tuple[tuple[Any, ...], dict[str, Any]]]] = {
    "tcp": _parseTCP,
    "ssl": _parseSSL,
    "unix": _parseUNIX,
}


def _withPrefix(description: str | bytes, default: object) -> str | bytes:
    """
    Put the default prefix before a description that has none: one that is a single word.

    Raises:
        ValueError: there is no default prefix, but one is needed.
    """
    if default is _NO_DEFAULT:
        return description
    args, kwargs = _parse(description)
    if kwargs or len(args) > 1:
        return description
    prefix = "tcp" if default is None else default
    head = f"{prefix}:"
    full = head.encode() + description if isinstance(description, bytes) else head + description
    if default is None:
        warnings.warn(
            f"write {full!r}: the prefix is left out of {description!r}", DeprecationWarning, stacklevel=4
        )
    return full


def _parseServer(
    description: str | bytes, factory: object, default: object = _NO_DEFAULT
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


def _serverFromStringLegacy(
    reactor: object, description: str | bytes, default: object
) -> IStreamServerEndpoint:
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


def _nameOf(prefix: str | bytes) -> str:
    return (prefix.decode("latin-1") if isinstance(prefix, bytes) else prefix).lower()


def _matchPluginToPrefix(plugins: Iterable[Any], endpointType: str | bytes) -> Any:
    """
    Find the first plugin that has a prefix, whatever the case of its letters.

    Kept because it is documented.  `twisted_endpoints.strings.registry` finds parsers without importing all
    of them.

    Raises:
        UnknownPrefix: none has it.
    """
    wanted = _nameOf(endpointType)
    for plugin in plugins:
        prefix = getattr(plugin, "prefix", None)
        if isinstance(prefix, str | bytes) and _nameOf(prefix) == wanted:
            return plugin
    raise UnknownPrefix(f"Unknown endpoint type: {shown(wanted)}")


def _read(kind: Kind, name: str, value: object) -> Any:
    """
    Read the value of an argument.

    Raises:
        InvalidValue: it isn't of this kind.
    """
    [text] = _texts(value)
    try:
        return kind.read(text)
    except ValueError as error:
        raise InvalidValue(f"{name} must be {kind.expected}, not {shown(text)}", hint=str(error)) from None


def _parseClientTCP(*args: str, **kwargs: Any) -> dict[str, Any]:
    """
    Read the arguments of a ``tcp:`` client: host and port by position or by name, and the keywords of
    `connectTCP`.

    Kept because it is documented.

    Returns:
        The keywords for `TCP4ClientEndpoint`.  What isn't given isn't there.

    Raises:
        TypeError: there are more than two arguments without a keyword.
        InvalidValue: a number is none.
    """
    if len(args) > 2:
        raise TypeError(f"host and port are two arguments, not {len(args)}")
    names = ("port",) if len(args) == 1 and "host" in kwargs else ("host", "port")
    kwargs.update(zip(names, args, strict=False))
    if "port" in kwargs:
        kwargs["port"] = _read(kinds.PORT, "port", kwargs["port"])
    if "timeout" in kwargs:
        kwargs["timeout"] = _read(kinds.SECONDS, "timeout", kwargs["timeout"])
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
        InvalidValue: a number is none.
    """
    if len(args) > 1:
        raise TypeError(f"the path is one argument, not {len(args)}")
    kwargs.update(zip(("path",), args, strict=False))
    if "lockfile" in kwargs:
        kwargs["checkPID"] = _read(kinds.FLAG, "lockfile", kwargs.pop("lockfile"))
    if "timeout" in kwargs:
        kwargs["timeout"] = _read(kinds.SECONDS, "timeout", kwargs["timeout"])
    return kwargs


#: What reads a client's arguments, by the prefix in upper case.  Kept for programs that look whether a prefix
#: is in it.
_clientParsers: dict[str, Callable[..., dict[str, Any]]] = {
    "TCP": _parseClientTCP,
    "SSL": _parseClientSSL,
    "UNIX": _parseClientUNIX,
}
