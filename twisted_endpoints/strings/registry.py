"""
Which parser answers to a prefix.

Three places, in this order: the table of what is built in; the entry points of installed distributions, whose
names are the prefixes, so that only the parser that is asked for is imported; and, in Twisted's vocabulary,
`twisted.plugins`, where the prefix is an attribute of an object, so modules are imported until one has
it.  What was found is kept.  A parser that can't be loaded, or has no prefix, spoils nothing but itself.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from importlib import import_module
from typing import Any

# The package, not a name in it: whoever imports that first imports this on the way.
from .. import plugins
from .._log import Logger
from .._vocabulary import vocabulary
from ..interfaces import IStreamClientEndpointStringParserWithReactor, IStreamServerEndpointStringParser
from ..plugin import getPlugins
from ._distributions import OWN, Announcements, distributionOf
from ._hints import prefixHint
from .description import Description
from .errors import (
    DescriptionError,
    DescriptionWarning,
    PluginError,
    PluginTypeError,
    UnknownPrefix,
    shown,
    visible,
)

__all__ = [
    "BUILTIN_CLIENTS",
    "BUILTIN_SERVERS",
    "Found",
    "PrefixConflict",
    "Registry",
    "clients",
    "refresh",
    "servers",
]

_log = Logger(__name__)

#: The parsers of this package: the same lines as in setup.cfg.
BUILTIN_SERVERS = {
    "fd": "twisted_endpoints.plugins.fd:server",
    "haproxy": "twisted_endpoints.plugins.haproxy:server",
    "ssl": "twisted_endpoints.plugins.ssl:server",
    "stdio": "twisted_endpoints.plugins.stdio:server",
    "systemd": "twisted_endpoints.plugins.systemd:server",
    "tcp": "twisted_endpoints.plugins.tcp:server",
    "tcp6": "twisted_endpoints.plugins.tcp6:server",
    "tls": "twisted_endpoints.plugins.tls:server",
    "unix": "twisted_endpoints.plugins.unix:server",
}
BUILTIN_CLIENTS = {
    "haproxy": "twisted_endpoints.plugins.haproxy:client",
    "process": "twisted_endpoints.plugins.process:client",
    "ssl": "twisted_endpoints.plugins.ssl:client",
    "tcp": "twisted_endpoints.plugins.tcp:client",
    "tls": "twisted_endpoints.plugins.tls:client",
    "unix": "twisted_endpoints.plugins.unix:client",
}


class PrefixConflict(DescriptionWarning):
    """Two distributions have a parser for one prefix."""


@dataclass(frozen=True)
class Found:
    """
    A parser, or one that can't be loaded.

    Args:
        prefix: what it is found by.
        make: makes an endpoint of a reactor and a `Description`.
        parser: the object; `None` if it can't be loaded.
        problem: why it can't be loaded.
        announcedBy: the distribution, where the parser was found by one.
    """

    prefix: str
    make: Callable[[Any, Description], Any] | None
    parser: Any = None
    problem: BaseException | None = None
    announcedBy: str | None = None

    @cached_property
    def origin(self) -> str:
        """The distribution that it is from."""
        return self.announcedBy or distributionOf(self.parser)

    @property
    def reason(self) -> str:
        """Why it can't be loaded, in words; empty if it can."""
        return "" if self.problem is None else _told(self.problem)


class Registry:
    """
    The parsers of one role.

    Args:
        role: ``server`` or ``client``.
        builtin: prefix to ``module:name``.
        interface: what Twisted's plugins of this role provide.
        parse: the interface's method.
        act: the method that endpoints of this role have.
    """

    def __init__(self, role: str, builtin: Mapping[str, str], interface: Any, parse: str, act: str) -> None:
        self.role = role
        self._builtin = builtin
        self._announcements = Announcements(f"twisted_endpoints.stream_{role}_parsers")
        self._interface = interface
        self._parse = parse
        self._act = act
        self._found: dict[str, Found] = {}
        # Of Twisted's plugins, and good as long as they are looked for in the same folders.
        self._foundInTwisted: dict[str, Found] = {}
        self._twistedFolders: tuple[str, ...] = ()
        self._warned: set[str] = set()

    def refresh(self) -> None:
        """Forget what was found, because something was installed or removed while the program runs."""
        self._found.clear()
        self._foundInTwisted.clear()
        self._announcements.refresh()
        self._warned.clear()

    def endpoint(self, reactor: Any, description: Description) -> Any:
        """
        Make the endpoint that a description names.

        Raises:
            DescriptionError: nobody knows the prefix, its parser can't be loaded, or it doesn't like the
                arguments.
        """
        found = self._found.get(description.prefix) or self.find(description)
        try:
            endpoint = found.make(reactor, description)  # type: ignore[misc]  # find() never gives a broken one
            getattr(endpoint, self._act)
        except DescriptionError:
            raise
        except (Exception, SystemExit) as error:  # some read their arguments as a program does, and leave
            raise self._failed(found, description, error) from error
        return endpoint

    def find(self, description: Description) -> Found:
        """
        Find the parser for a description's prefix.

        Raises:
            UnknownPrefix: nobody has it.
            PluginError: its parser can't be loaded, or is none.
        """
        prefix = description.prefix.lower()
        found = self._found.get(prefix) or self._search(prefix)
        if found is None:
            raise self._unknown(description)
        if found.problem is None:
            return found
        raise PluginError.at(
            f"the parser for {shown(prefix)} can't be loaded: {visible(found.reason)}",
            description.positional(-1),
            f"It belongs to {found.origin}: repair or remove that. Other prefixes are not affected.",
        ) from found.problem

    def everything(self) -> Iterator[Found]:
        """
        Load every parser that there is, and yield it or why it is broken.

        Where two have one prefix, the first is the one that `find` gives.
        """
        for prefix in sorted(self._builtin):
            yield self._loadBuiltin(prefix)
        for prefix, claims in sorted(self._announcements.byPrefix().items()):
            for announced in claims:
                yield self._loaded(prefix, announced.entry.load, announced.distribution)
        yield from self._inTwisted()

    def _search(self, prefix: str) -> Found | None:
        if prefix in self._builtin:
            return self._kept(self._loadBuiltin(prefix))
        claims = self._announced().get(prefix)
        if claims:
            if len(claims) > 1:
                self._warn(prefix, claims[0].distribution, claims[1].distribution)
            return self._kept(self._loaded(prefix, claims[0].entry.load, claims[0].distribution))
        if vocabulary != "twisted":
            return None
        folders = tuple(import_module("twisted.plugins").__path__)
        if folders != self._twistedFolders:
            self._foundInTwisted, self._twistedFolders = {}, folders
        if prefix not in self._foundInTwisted:
            for found in self._inTwisted():
                self._foundInTwisted.setdefault(found.prefix, found)
                if found.prefix == prefix:
                    break
        return self._foundInTwisted.get(prefix)

    def _kept(self, found: Found) -> Found:
        if found.problem is None:
            self._found[found.prefix] = found
        return found

    def _loadBuiltin(self, prefix: str) -> Found:
        module, _, name = self._builtin[prefix].partition(":")
        return self._loaded(prefix, lambda: getattr(import_module(module), name), OWN)

    def _loaded(self, prefix: str, load: Callable[[], Any], origin: str) -> Found:
        try:
            parser = load()
            if isinstance(parser, type):
                parser = parser()
            return Found(prefix, self._maker(parser), parser, announcedBy=origin)
        except (Exception, SystemExit) as error:  # a module that leaves is broken, and no reason to leave
            return Found(prefix, None, problem=error, announcedBy=origin)

    def _maker(self, parser: Any) -> Callable[[Any, Description], Any]:
        """
        Give what makes an endpoint with a parser.

        Raises:
            TypeError: it isn't one.
        """
        method = getattr(parser, self._parse, None)
        if not callable(method):
            raise TypeError(f"{parser!r} is no parser for {self.role}s: it has no method {self._parse}()")
        if isinstance(parser, plugins.Parser):
            # Read now: a wrong declaration is a broken plugin, and not an error of whoever wrote the
            # description.
            parser.declaration  # noqa: B018
            return parser.fromDescription
        return partial(_makeFromTexts, method)

    def _announced(self) -> Mapping[str, Any]:
        claims = self._announcements.byPrefix()
        for prefix in claims.keys() & self._builtin.keys():
            self._warn(prefix, OWN, claims[prefix][0].distribution)
        return claims

    def _warn(self, prefix: str, winner: str, loser: str) -> None:
        if prefix not in self._warned:
            self._warned.add(prefix)
            warnings.warn(
                f"two parsers for {self.role}s claim the prefix {prefix!r}:"
                f" {winner}, which is used, and {loser}",
                PrefixConflict,
                stacklevel=2,
            )

    def _inTwisted(self) -> Iterator[Found]:
        """Yield the parsers among Twisted's plugins."""
        if vocabulary != "twisted":
            return
        try:
            for parser in getPlugins(self._interface):
                try:
                    yield self._ofTwisted(parser)
                except Exception:
                    _log.failure(f"a plugin of type {type(parser).__name__} is left out")
        except Exception:
            _log.failure("Twisted's plugins can't be looked through")

    def _ofTwisted(self, parser: Any) -> Found:
        """
        Describe one of Twisted's plugins.

        Raises:
            TypeError: it has no prefix.
        """
        prefix = parser.prefix.decode() if isinstance(parser.prefix, bytes) else parser.prefix
        if not isinstance(prefix, str):
            raise TypeError(f"the prefix is {prefix!r}")
        try:
            return Found(prefix.lower(), self._maker(parser), parser)
        except TypeError as error:
            return Found(prefix.lower(), None, parser, error)

    def names(self) -> set[str]:
        """Give the prefixes that are known without importing any parser."""
        return {*self._builtin, *self._announcements.byPrefix(), *self._foundInTwisted}

    def _unknown(self, description: Description) -> DescriptionError:
        where = description.positional(-1)
        other = clients if self is servers else servers
        hint = prefixHint(
            where[0], description.prefix, self.names(), other.names(), client=self.role == "client"
        )
        # The beginning is Twisted's text, which programs look for.
        return UnknownPrefix.at(f"Unknown endpoint type: {shown(description.prefix)}", where, hint)

    def _failed(self, found: Found, description: Description, error: BaseException) -> DescriptionError:
        kind = PluginTypeError if isinstance(error, TypeError) else PluginError
        # A parser raises a ValueError on purpose, and its text says enough.
        reason = (isinstance(error, ValueError) and _text(error)) or _told(error)
        problem = f"the parser for {shown(description.prefix)} refuses this: {visible(reason)}"
        return kind.at(problem, description.whole(), f"The parser is from {found.origin}.")


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # it is somebody else's class
        return ""


def _told(error: BaseException) -> str:
    reason = _text(error)
    return f"{type(error).__name__}: {reason}" if reason else type(error).__name__


def _makeFromTexts(parse: Callable[..., Any], reactor: Any, description: Description) -> Any:
    return parse(reactor, *description.args, **description.kwargs)


servers = Registry(
    "server", BUILTIN_SERVERS, IStreamServerEndpointStringParser, "parseStreamServer", "listen"
)
clients = Registry(
    "client", BUILTIN_CLIENTS, IStreamClientEndpointStringParserWithReactor, "parseStreamClient", "connect"
)


def refresh() -> None:
    """Look for parsers anew: for a program in which something was installed while it runs."""
    servers.refresh()
    clients.refresh()
