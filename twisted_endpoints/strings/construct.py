"""From text to endpoint: what users of the mini-language call."""

from __future__ import annotations

from functools import lru_cache

from ..interfaces import IStreamClientEndpoint, IStreamServerEndpoint
from .description import Description, quote
from .registry import clients, servers

__all__ = ["clientFromString", "quoteStringArgument", "serverFromString"]

#: Programs make an endpoint of the same few texts each time that they connect.
_read = lru_cache(128)(Description.parse)


def _description(text: str | bytes) -> Description:
    # What is neither str nor bytes may not even be hashable.
    return _read(text) if type(text) is str else Description.parse(text)


def serverFromString(reactor: object, description: str | bytes) -> IStreamServerEndpoint:
    r"""
    Make the endpoint to listen on that a description names.

    ``tcp:8080``, ``tcp:8080:interface=[::1]``, ``unix:/run/app.sock:mode=660``: a prefix and its arguments,
    with ``:`` between them.  See `twisted_endpoints.strings.description` for quoting; ``twisted-endpoints
    list`` shows every prefix.  Nothing is opened before the endpoint's `listen`.

    Args:
        reactor: for the endpoint.
        description: text, or its UTF-8 bytes.

    Raises:
        DescriptionError: no endpoint can be made of it.
    """
    endpoint: IStreamServerEndpoint = servers.endpoint(reactor, _description(description))
    return endpoint


def clientFromString(reactor: object, description: str | bytes) -> IStreamClientEndpoint:
    r"""
    Make the endpoint to connect to that a description names.

    ``tcp:example.com:80``, ``tcp:host=example.com:port=80:timeout=5``, ``tcp:[::1]:80``,
    ``unix:/run/app.sock``.  Nothing is opened before the endpoint's `connect`.

    Args:
        reactor: for the endpoint.
        description: text, or its UTF-8 bytes.

    Raises:
        DescriptionError: no endpoint can be made of it.
    """
    endpoint: IStreamClientEndpoint = clients.endpoint(reactor, _description(description))
    return endpoint


def quoteStringArgument(argument: str) -> str:
    r"""
    Quote any text so that a description can hold it as an argument, or as a keyword's value.

    For a path or a name that comes from elsewhere: ``"unix:" + quoteStringArgument(path)``.

    Args:
        argument: ``\``, ``:`` and ``=`` in it get a backslash before them, and so does a ``[`` at its
            beginning.
    """
    return quote(argument)
