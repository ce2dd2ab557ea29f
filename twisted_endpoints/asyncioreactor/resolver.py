"""
Names to addresses, with the system's own `getaddrinfo` in threads.

Theory.  `getaddrinfo` can't be interrupted, and a name server that doesn't answer holds it for half a minute,
so whatever waits in line behind it waits as long.  There are four ways around the line:

- An IP address isn't looked up at all.
- A name that is in a short hosts file is looked up on the spot: that takes less than to ask a thread.
- Every other name first comes to threads that only do what needs no network: they see whether the hosts file
  has the name, and if so ask `getaddrinfo`, which looks there first (unless nsswitch.conf was turned around).
- Other names go on to other threads.  Nothing but look-ups runs in these, so that neither keeps the functions
  that a program calls in threads waiting nor is kept waiting by them; and one that hangs doesn't keep its
  place (see `lookups`).
- Who asks for a name that is being looked up shares the answer, so that a dead name that a thousand clients
  want holds few threads.  When the answer is overdue, a few may ask again: the network may have come back
  since, and then the system answers a new question while the old one still hangs.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from socket import AF_INET, AF_INET6, AF_UNSPEC, AddressFamily, SocketKind
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

from zope.interface import implementer

from .._log import Logger
from ..address import IPv4Address, IPv6Address
from ..interfaces import IHostnameResolver, IHostResolution
from .hosts import HostsFile
from .lookups import Lookups
from .raised import calledLogged

if TYPE_CHECKING:
    from .threads import Threads

_log = Logger(__name__)

#: How many look-ups may be under way at once, those that are overdue not counted.
ABREAST = 32
#: How many there may be with those; one costs a sleeping thread and a socket.
MOST = 256
#: How many of one question.
MOST_OF_ONE = 4
#: Seconds after which a look-up is overdue; most of those that succeed take less than half of it.
PATIENCE = 0.25
#: The same for what needs no network.
LOCAL_PATIENCE = 0.05

_FAMILIES: dict[frozenset[Any], AddressFamily] = {
    frozenset((IPv4Address,)): AF_INET,
    frozenset((IPv6Address,)): AF_INET6,
    frozenset((IPv4Address, IPv6Address)): AF_UNSPEC,
}
_ADDRESSES: dict[int, Callable[..., Any]] = {AF_INET: IPv4Address, AF_INET6: IPv6Address}
_KINDS = {"TCP": socket.SOCK_STREAM, "UDP": socket.SOCK_DGRAM}


def literal(name: str, kind: SocketKind) -> list[Any]:
    """
    Read an IP address as `getaddrinfo` does, without looking anything up.

    Returns:
        `getaddrinfo`'s answer; nothing if this isn't an address.
    """
    try:
        return socket.getaddrinfo(name, 0, AF_UNSPEC, kind, 0, socket.AI_NUMERICHOST)
    except (OSError, ValueError):
        return []


class Asked(NamedTuple):
    """What is asked of `getaddrinfo`; the port has no part in it."""

    name: str
    family: AddressFamily
    kind: SocketKind


class Question:
    """One call of `getaddrinfo`, in a thread, and those who wait for its answer; they are the reactor's."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.waiting: list[Resolution] = []
        #: When a thread came to it.
        self.begun: float | None = None

    @property
    def overdue(self) -> bool:
        """Whether the system should have answered by now."""
        return self.begun is not None and monotonic() - self.begun >= PATIENCE

    def take(self) -> list[Resolution]:
        """Let go of those who wait, and return them."""
        waiting, self.waiting = self.waiting, []
        for resolution in waiting:
            resolution._question = None
        return waiting


@implementer(IHostResolution)
class Resolution:
    """One look-up, for one receiver."""

    def __init__(
        self, resolver: NameResolver, receiver: Any, asked: Asked, port: int, transport: str
    ) -> None:
        self.name = asked.name
        self._resolver = resolver
        self._receiver = receiver
        self._port = port
        self._transport = transport
        self._question: Question | None = None

    def cancel(self) -> None:
        """End the look-up: the receiver hears nothing more.  The system's own may go on in its thread."""
        self._receiver = None
        question, self._question = self._question, None
        if question is not None:
            question.waiting.remove(self)
            # A thread that comes to a question that nobody waits for leaves it.
            if not question.waiting and question.begun is None:
                self._resolver._forget(question)

    def _deliver(self, found: Sequence[Any]) -> None:
        for family, _kind, _protocol, _canonicalName, address in found:
            if family in _ADDRESSES and self._receiver is not None:
                resolved = _ADDRESSES[family](self._transport, address[0], self._port, *address[2:])
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
        self._local: Lookups
        self._remote: Lookups
        #: What is being looked up, the latest question last.
        self._questions: dict[Asked, list[Question]] = {}

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
            resolutionReceiver: an `IResolutionReceiver`.  For an IP address, and for most names in the hosts
                file, it has heard everything when this returns; a name that isn't found is a resolution
                without addresses.
            hostName: the name, in ASCII; or an IP address.
            portNumber: the port of the addresses that are found.
            addressTypes: `IPv4Address`, `IPv6Address` or both; both by default.
            transportSemantics: ``"TCP"`` or ``"UDP"``.

        Raises:
            KeyError: an address type or the transport is none of these.
        """
        types = (IPv4Address, IPv6Address) if addressTypes is None else addressTypes
        asked = Asked(hostName, _FAMILIES[frozenset(types)], _KINDS[transportSemantics])
        resolution = Resolution(self, resolutionReceiver, asked, portNumber, transportSemantics)
        resolutionReceiver.resolutionBegan(resolution)
        found = literal(hostName, asked.kind)
        if found:
            resolution._deliver([row for row in found if asked.family in (AF_UNSPEC, row[0])])
        elif resolution._receiver is None:
            pass
        elif spelling := self._hosts.spellingAtOnce(hostName, asked.family):
            resolution._deliver(self._addresses(asked._replace(name=spelling)))
        else:
            self._ask(resolution, asked)
        return resolution

    # Questions

    def _ask(self, resolution: Resolution, asked: Asked) -> None:
        """Let a look-up share the question that is under way, or ask a new one."""
        same = self._questions.setdefault(asked, [])
        new = not same or (same[-1].overdue and len(same) < MOST_OF_ONE)
        if new:
            same.append(Question(asked))
        question = resolution._question = same[-1]
        question.waiting.append(resolution)
        if new:
            if not self._started:
                self._start()
            self._hand(question, self._local, self._lookLocally)

    def _forget(self, question: Question) -> None:
        same = self._questions.get(question.asked, [])
        if question in same:
            same.remove(question)
            if not same:
                del self._questions[question.asked]

    def _answered(self, question: Question, found: Sequence[Any]) -> None:
        self._forget(question)
        waiting = question.take()
        if found:
            # For those as well whose own question still hangs; and the name is well, so forget what hung.
            for other in self._questions.pop(question.asked, []):
                waiting += other.take()
        for resolution in waiting:
            resolution._deliver(found)

    # In threads

    def _lookLocally(self, question: Question) -> None:
        """See whether a name needs the network; in a thread for those that don't."""
        spelling = self._hosts.spelling(question.asked.name, question.asked.family)
        if spelling is not None:
            self._lookUp(question, question.asked._replace(name=spelling))
        else:
            self._hand(question, self._remote, self._lookUp)

    def _lookUp(self, question: Question, asked: Asked | None = None) -> None:
        """Ask the system, in these words if not in the question's own."""
        if not question.waiting:
            return
        # After that look: a question that is given up in between is asked, and nobody shares it.
        question.begun = monotonic()
        self._answer(question, self._addresses(asked or question.asked))

    def _addresses(self, asked: Asked) -> Sequence[Any]:
        name, family, kind = asked
        try:
            return self._getaddrinfo(name, 0, family, kind)
        except (OSError, ValueError):
            # gaierror: there is no such name.  UnicodeError, ValueError: there can be none.
            return []
        except BaseException:
            _log.failure(f"while looking up {name!r}")
            return []

    def _hand(self, question: Question, lookups: Lookups, function: Callable[[Question], object]) -> None:
        """Let threads go on with a question; from any thread."""
        try:
            lookups.call(function, question)
        except RuntimeError:
            _log.failure(f"while looking up {question.asked.name!r}")
            self._answer(question, [])

    def _answer(self, question: Question, found: Sequence[Any]) -> None:
        try:
            self._reactor.callFromThread(self._answered, question, found)
        except RuntimeError:
            _log.debug(f"{question.asked.name!r} was looked up after the event loop was closed")

    # The threads

    def _start(self) -> None:
        self._started = True
        self._local = Lookups("names-local", 1, MOST, LOCAL_PATIENCE)
        self._remote = Lookups("names", ABREAST, MOST, PATIENCE)
        self._reactor.addSystemEventTrigger("during", "shutdown", self._stop)

    def _stop(self) -> None:
        """Let the threads end; those that a name server holds are not waited for."""
        self._started = False
        self._questions.clear()
        self._local.close()
        self._remote.close()
