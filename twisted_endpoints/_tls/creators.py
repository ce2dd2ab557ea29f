"""
What makes the OpenSSL connection: today's interfaces, and what older programs pass in their place.

Twisted has known three kinds of such objects; programs have all of them:

- providers of `IOpenSSLClientConnectionCreator` or `IOpenSSLServerConnectionCreator`, which make it;
- providers of `IOpenSSLContextFactory`, which give a context;
- anything that has a ``getContext``, with a warning.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Union

from OpenSSL.SSL import Connection, Context

from ..interfaces import (
    IOpenSSLClientConnectionCreator,
    IOpenSSLContextFactory,
    IOpenSSLServerConnectionCreator,
)

if TYPE_CHECKING:
    from .membio import TLSMemoryBIOProtocol

#: What `TLSMemoryBIOFactory` takes.
SomeConnectionCreator = (
    # Not `X | Y`: interfaces of zope have no `|`.
    Union[IOpenSSLContextFactory, IOpenSSLClientConnectionCreator, IOpenSSLServerConnectionCreator]  # noqa: UP007
)


class LegacyContextFactoryWarning(Warning):
    """An object without any of the interfaces was given to make TLS connections."""


def _convertToAppropriateFactory(
    isClient: bool, creator: Any
) -> Callable[[TLSMemoryBIOProtocol], Connection]:
    """
    Make one kind of the three.

    Args:
        isClient: which end is wanted.
        creator: one of the three.

    Returns:
        A function of the TLS protocol that makes its OpenSSL connection, ready for the handshake.

    Raises:
        TypeError: `creator` is none of the three.
    """
    make = _maker(isClient, creator)

    def connectionFor(protocol: TLSMemoryBIOProtocol) -> Connection:
        connection = make(protocol)
        if isClient:
            connection.set_connect_state()
        else:
            connection.set_accept_state()
        connection.set_app_data(protocol)
        return connection

    return connectionFor


def _maker(isClient: bool, creator: Any) -> Callable[[TLSMemoryBIOProtocol], Connection]:
    if isClient and IOpenSSLClientConnectionCreator.providedBy(creator):
        return creator.clientConnectionForTLS
    if not isClient and IOpenSSLServerConnectionCreator.providedBy(creator):
        return creator.serverConnectionForTLS
    if not IOpenSSLContextFactory.providedBy(creator):
        _warn(isClient, creator)
    return lambda protocol: Connection(creator.getContext(), None)


def _warn(isClient: bool, creator: Any) -> None:
    end = "Client" if isClient else "Server"
    warnings.warn(
        f"{creator} does not explicitly provide any OpenSSL connection-creator {end} interface; "
        f"neither IOpenSSL{end}ConnectionCreator, nor IOpenSSLContextFactory.",
        LegacyContextFactoryWarning,
        stacklevel=5,
    )
    if getattr(creator, "getContext", None) is None:
        raise TypeError(f"{creator} does not even have a `getContext` method")
    if not isinstance(creator.getContext(), Context):
        raise TypeError(f"{creator}'s `getContext` method doesn't return a `Context`")
