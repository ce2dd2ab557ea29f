"""What the parsers of wrappers have in common: ``endpoint=`` names what they wrap."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from ..strings.errors import DescriptionError
from ..strings.wrapping import WrapperDeclaration
from . import Parser, Refused


class WrapperParser(Parser):
    """A parser for which ``endpoint`` can be all of the string that isn't its own."""

    @cached_property
    def declaration(self) -> WrapperDeclaration:
        """The arguments, as `build` declares them."""
        return WrapperDeclaration(super().declaration.parameters)


def innerServer(reactor: Any, text: str) -> Any:
    """
    Make the endpoint that ``endpoint=`` says a server listens on.

    Raises:
        Refused: no endpoint can be made of it.
    """
    from ..strings.construct import serverFromString

    return _inner(serverFromString, reactor, text)


def innerClient(reactor: Any, text: str) -> Any:
    """
    Make the endpoint that ``endpoint=`` says a client connects to.

    Raises:
        Refused: no endpoint can be made of it.
    """
    from ..strings.construct import clientFromString

    return _inner(clientFromString, reactor, text)


def _inner(make: Callable[[Any, str], Any], reactor: Any, text: str) -> Any:
    try:
        return make(reactor, text)
    except DescriptionError as e:
        raise Refused("endpoint", e) from e


def refuseAside(given: dict[str, bool], name: str) -> None:
    """
    Refuse arguments that another one makes meaningless.

    Args:
        given: the arguments, and whether they are given.
        name: the other one.

    Raises:
        Refused: one is given.
    """
    for other, isGiven in given.items():
        if isGiven:
            raise Refused(other, f"beside {name} it would mean nothing: leave one of them out")
