"""
Ports and services of strings: the twin of `twisted.application.strports`, which works in both vocabularies.

Any server string does, also one whose parser is a plugin.
"""

from __future__ import annotations

from typing import Any

from ._installed import reactorOr
from .defer import Deferred
from .failure import Failure
from .interfaces import IListeningPort, IProtocolFactory
from .services import StreamServerEndpointService
from .strings.construct import serverFromString

__all__ = ["listen", "service"]


def service(
    description: str | bytes, factory: IProtocolFactory, reactor: Any = None
) -> StreamServerEndpointService:
    """
    Make a service that listens on what a string says.

    That it can't listen is raised when it starts, if it is known by then.

    Args:
        description: what `serverFromString` takes.
        factory: makes the protocols.
        reactor: by default the one of the process.

    Raises:
        DescriptionError: no endpoint can be made of the string.
    """
    made = StreamServerEndpointService(serverFromString(reactorOr(reactor), description), factory)
    made._raiseSynchronously = True
    return made


def listen(description: str | bytes, factory: IProtocolFactory, reactor: Any = None) -> IListeningPort:
    """
    Listen at once on what a string says.

    Args:
        description: what `serverFromString` takes.
        factory: makes the protocols.
        reactor: by default the one of the process.

    Returns:
        The port, which listens.

    Raises:
        DescriptionError: no endpoint can be made of the string.
        RuntimeError: its endpoint takes some time to listen, as some of other packages' do; it has been told
            to give up.
        Exception: what the endpoint's `listen` fails with, as `error.CannotListenError`.
    """
    listening: Deferred[Any] = serverFromString(reactorOr(reactor), description).listen(factory)
    outcome: list[Any] = []
    listening.addBoth(outcome.append)
    if not outcome:
        listening.cancel()
        raise RuntimeError(
            f"{description!r} can't be listened on at once: use serverFromString(...).listen(...),"
            " whose Deferred fires when it is"
        )
    [port] = outcome
    if isinstance(port, Failure):
        port.raiseException()
    listens: IListeningPort = port
    return listens
