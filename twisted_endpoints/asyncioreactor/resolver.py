"""
Names to addresses, with the system's own `getaddrinfo` in threads.

Theory.  `getaddrinfo` can't be interrupted, and a name server that doesn't answer holds it for half a minute,
so whatever waits in line behind it waits as long.  There are three ways around the line:

- An IP address isn't looked up at all.
- Every name first comes to one thread that only does what needs no network: it sees whether the hosts file
  has the name, and if so asks `getaddrinfo`, which looks there first (unless nsswitch.conf was turned
  around).
- Other names go on to threads of their own.  Nothing but look-ups runs in these, so that neither keeps the
  functions that a program calls in threads waiting nor is kept waiting by them.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from socket import AF_INET, AF_INET6, AF_UNSPEC, AddressFamily, SocketKind
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from .._log import Logger
from ..address import IPv4Address, IPv6Address
from ..interfaces import IHostnameResolver, IHostResolution
from .core import calledLogged
from .hosts import HostsFile
from .threadpool import ThreadPool

if TYPE_CHECKING:
    from .threads import Threads

_log = Logger(__name__)

#: How many look-ups may be under way at once; one that waits costs a sleeping thread.
LOOKUPS = 32

_FAMILIES: dict[frozenset[Any], AddressFamily] = {
    frozenset((IPv4Address,)): AF_INET,
    frozenset((IPv6Address,)): AF_INET6,
    frozenset((IPv4Address, IPv6Address)): AF_UNSPEC,
}
_ADDRESSES: dict[int, Callable[..., Any]] = {AF_INET: IPv4Address, AF_INET6: IPv6Address}
_KINDS = {"TCP": socket.SOCK_STREAM, "UDP": socket.SOCK_DGRAM}


def literal(name: str, port: int, kind: SocketKind) -> list[Any]:
    """
    Read an IP address as `getaddrinfo` does, without looking anything up.

    Returns:
        `getaddrinfo`'s answer; nothing if this isn't an address.
    """
    try:
        return socket.getaddrinfo(name, port, AF_UNSPEC, kind, 0, socket.AI_NUMERICHOST)
    except (OSError, ValueError):
        return []


@implementer(IHostResolution)
class Resolution:
    """One look-up: from the reactor's thread to others and back."""

    def __init__(
        self,
        resolver: NameResolver,
        receiver: Any,
        name: str,
        port: int,
        family: AddressFamily,
        transport: str,
    ) -> None:
        self.name = name
        self._resolver = resolver
        self._receiver = receiver
        self._port = port
        self._family = family
        self._transport = transport
        self._kind = _KINDS[transport]

    def cancel(self) -> None:
        """End the look-up: the receiver hears nothing more.  The system's own may go on in its thread."""
        self._receiver = None

    def _begin(self) -> None:
        self._receiver.resolutionBegan(self)
        found = literal(self.name, self._port, self._kind)
        if found:
            self._deliver([row for row in found if self._family in (AF_UNSPEC, row[0])])
        else:
            self._resolver._local.callInThread(self._lookLocally)

    def _lookLocally(self) -> None:
        """See whether this name needs the network; in the thread for those that don't."""
        if self._resolver._hosts.knows(self.name, self._family):
            self._lookUp()
        else:
            self._resolver._remote.callInThread(self._lookUp)

    def _lookUp(self) -> None:
        """Ask the system; in a thread."""
        if self._receiver is None:
            return
        try:
            found = self._resolver._getaddrinfo(self.name, self._port, self._family, self._kind)
        except (OSError, ValueError):
            # gaierror: there is no such name.  UnicodeError, ValueError: there can be none.
            found = []
        except BaseException:
            _log.failure(f"while looking up {self.name!r}")
            found = []
        try:
            self._resolver._reactor.callFromThread(self._deliver, found)
        except RuntimeError:
            _log.debug(f"{self.name!r} was looked up after the event loop was closed")

    def _deliver(self, found: Sequence[Any]) -> None:
        for family, _kind, _protocol, _canonicalName, address in found:
            if family in _ADDRESSES and self._receiver is not None:
                resolved = _ADDRESSES[family](self._transport, *address)
                calledLogged(f"while looking up {self.name!r}", self._receiver.addressResolved, resolved)
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            calledLogged(f"while looking up {self.name!r}", receiver.resolutionComplete)


@implementer(IHostnameResolver)
class NameResolver:
    """
    Looks names up with the system's `getaddrinfo`.

    Args:
        reactor: in whose thread the receivers are called, and at whose shutdown the threads end.
        getaddrinfo: in place of the system's, for tests.
        hosts: which names are looked up without the network.
    """

    def __init__(
        self,
        reactor: Threads,
        getaddrinfo: Callable[..., Sequence[Any]] = socket.getaddrinfo,
        hosts: HostsFile | None = None,
    ) -> None:
        self._reactor = reactor
        self._getaddrinfo = getaddrinfo
        self._hosts = HostsFile() if hosts is None else hosts
        self._started = False
        self._local = ThreadPool(0, 1, "names-local")
        self._remote = ThreadPool(0, LOOKUPS, "names")

    def resolveHostName(
        self,
        resolutionReceiver: Any,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[Any]] | None = None,
        transportSemantics: str = "TCP",
    ) -> Resolution:
        """
        Look a name up.

        Args:
            resolutionReceiver: an `IResolutionReceiver`.  For an IP address it has heard everything when this
                returns; a name that isn't found is a resolution without addresses.
            hostName: the name, in ASCII; or an IP address.
            portNumber: the port of the addresses that are found.
            addressTypes: `IPv4Address`, `IPv6Address` or both; both by default.
            transportSemantics: ``"TCP"`` or ``"UDP"``.

        Raises:
            KeyError: an address type or the transport is none of these.
        """
        types = (IPv4Address, IPv6Address) if addressTypes is None else addressTypes
        family = _FAMILIES[frozenset(types)]
        resolution = Resolution(self, resolutionReceiver, hostName, portNumber, family, transportSemantics)
        if not self._started:
            self._start()
        resolution._begin()
        return resolution

    def _start(self) -> None:
        self._started = True
        self._local.start()
        self._remote.start()
        self._reactor.addSystemEventTrigger("during", "shutdown", self._stop)

    def _stop(self) -> None:
        """Let the threads end; those that a name server holds are not waited for."""
        self._started = False
        for thread in self._remote._dismiss(forgetQueue=True):
            thread.join()
        self._local._dismiss(forgetQueue=True)
        for thread in list(self._local.threads):
            # What needs no network is done by then.
            thread.join(0.5)
