"""``systemd:``, a socket that systemd has opened and handed to this process."""

from __future__ import annotations

import socket
from typing import Annotated, Any

from ..endpoints.adopted import FAMILIES, AdoptedStreamServerEndpoint, NotAListener, familyOfListener
from . import Kind, Missing, Refused, ServerParser, Text
from ._inherited import Inheritance, Inherited, NotInherited

__all__ = ["SystemdParser", "server"]


def _domain(text: str) -> int:
    if text not in FAMILIES:
        raise ValueError("It can be left out: index= or name= says which socket.")
    return FAMILIES[text]


def _named(family: int) -> str:
    return socket.AddressFamily(family).name.removeprefix("AF_")


#: The family of a socket.
Domain = Annotated[int, Kind("domain", "INET, INET6 or UNIX", _domain, _named)]


class SystemdParser(ServerParser):
    """
    Parses ``systemd:``.

    Attributes:
        _sddaemon: what was inherited, with the methods of Twisted's ``ListenFDs``.  A program's own is
            believed.
    """

    prefix = "systemd"
    summary = "listens on a socket that systemd has opened, by its index or its name"
    meanings = {
        "domain": "what the socket must be; nobody needs to say it",
        "index": "which of the sockets, from 0 on",
        "name": "the socket's FileDescriptorName=, by default the name of its .socket unit",
    }

    _sddaemon: Any = Inheritance()

    def build(
        self, reactor: Any, domain: Domain | None = None, index: int | None = None, name: Text | None = None
    ) -> AdoptedStreamServerEndpoint:
        if index is not None and name is not None:
            raise Refused("name", "index is given too, and one of them is enough")
        given = "index" if name is None else "name"
        try:
            if name is not None:
                descriptor = self._inherited().byName(name)
            elif index is not None:
                descriptor = self._inherited().byIndex(index)
            else:
                raise Missing("index", "say which socket by index= or name=")
            family = self._familyOf(descriptor, domain)
        except (NotInherited, NotAListener) as e:
            raise Refused(given, str(e)) from e
        if domain is not None and family != domain:
            raise Refused("domain", f"descriptor {descriptor} is a socket of {_named(family)}")
        if isinstance(self._sddaemon, Inheritance):
            self._sddaemon.take()
        return AdoptedStreamServerEndpoint(reactor, descriptor, family)

    def _inherited(self) -> Inherited:
        if isinstance(self._sddaemon, Inheritance):
            return self._sddaemon.read()
        names = {number: name for name, number in self._sddaemon.inheritedNamedDescriptors().items()}
        descriptors = tuple(self._sddaemon.inheritedDescriptors())
        return Inherited(descriptors, tuple(names.get(number, "") for number in descriptors))

    def _familyOf(self, descriptor: int, domain: int | None) -> int:
        """
        Look what a descriptor is.

        Raises:
            NotInherited: it isn't any more what was inherited.
            NotAListener: it can't be listened on.
        """
        if not isinstance(self._sddaemon, Inheritance):
            return familyOfListener(descriptor) if domain is None else domain
        if self._sddaemon.isUsed(descriptor):
            raise NotInherited(f"descriptor {descriptor} is in use: something listens on it already")
        return familyOfListener(descriptor)


server = SystemdParser()
