"""``fd:``, a socket that is open already, by the number of its descriptor."""

from __future__ import annotations

from typing import Any

from ..endpoints.adopted import AdoptedStreamServerEndpoint, NotAListener, familyOfListener
from . import Refused, ServerParser

__all__ = ["server"]


class _Server(ServerParser):
    prefix = "fd"
    summary = "listens on a socket that this process has inherited, by its descriptor's number"
    meanings = {"fileno": "the descriptor's number; it must be a stream socket that listens"}

    def build(self, reactor: Any, fileno: int) -> AdoptedStreamServerEndpoint:
        try:
            family = familyOfListener(fileno)
        except NotAListener as e:
            raise Refused("fileno", str(e)) from e
        return AdoptedStreamServerEndpoint(reactor, fileno, family)


server = _Server()
