"""
When to try which address of a host: RFC 8305, "Happy Eyeballs", as a state machine that does nothing itself.

Theory.  A name has many addresses and some of them may be dead: no route for IPv6, a host that is down, a
firewall that drops what it doesn't like.  Trying them one after the other makes the user wait for a timeout
each time; trying all at once is rude to the network and to the servers.  So (RFC 8305, section 5):

- The families take turns (section 4): if all of IPv6 is broken, every second attempt still has a chance.
  Which family is first, and the order inside a family, are the resolver's: it has sorted them by what is
  known of routes (RFC 6724).
- An attempt that has not answered after `delay` seconds stays, and the next one starts beside it.
- An attempt that fails starts the next one at once, and the delay is counted anew from there: nothing is
  learnt by waiting.
- The first to succeed wins, and the others are given up.
- At most `limit` attempts go on at a time.  A name with a thousand dead addresses must not cost a thousand
  sockets; the next address then waits for an attempt to end.  Giving up the oldest attempt for it instead was
  rejected: over a slow link (a satellite's 2 seconds and more) no address would ever have the time to answer.

What section 3 says of starting before the look-up is complete is left out: `getaddrinfo`, and with it nearly
every resolver, gives all the addresses at once.

`Race` knows neither clock nor sockets.  The caller tells it what happened, one method an event, and does what
it gets back: a list of `Start`, `Wait`, `Cancel`, `Won` and `Lost`, to be done in the order of the list.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Generic, TypeVar

A = TypeVar("A")

#: How many attempts may go on at a time: curl's number.
LIMIT = 6


def interleave(addresses: Iterable[A], family: Callable[[A], Hashable]) -> list[A]:
    """
    Let the families take turns, each in its own order, the family of the first address first.

    Args:
        addresses: as the resolver gave them.
        family: tells the family of an address.
    """
    families: dict[Hashable, list[A]] = {}
    for address in addresses:
        families.setdefault(family(address), []).append(address)
    rounds = max(map(len, families.values()), default=0)
    return [members[turn] for turn in range(rounds) for members in families.values() if turn < len(members)]


@dataclass(frozen=True)
class Start(Generic[A]):
    """Start this attempt, to this address."""

    attempt: int
    address: A


@dataclass(frozen=True)
class Wait:
    """Call `Race.delayPassed` after the delay; an earlier `Wait` no longer holds."""


@dataclass(frozen=True)
class Cancel:
    """Give up this attempt; what comes of it doesn't matter any more."""

    attempt: int


@dataclass(frozen=True)
class Won:
    """The race is over: this attempt has the connection."""

    attempt: int


@dataclass(frozen=True)
class Lost:
    """The race is over: every address failed.  `Race.failures` says why."""


Action = Start[A] | Wait | Cancel | Won | Lost


class State(Enum):
    """Where a race stands."""

    READY = auto()
    RUNNING = auto()
    OVER = auto()


class Race(Generic[A]):
    """
    The race between the addresses of one host.

    Args:
        addresses: in the order in which to try them; the index is the attempt's number.
        limit: how many attempts may go on at a time.
    """

    def __init__(self, addresses: Sequence[A], limit: int = LIMIT) -> None:
        self.addresses = addresses
        self.limit = limit
        self.state = State.READY
        #: Attempts that go on, in the order in which they were started.
        self.running: list[int] = []
        #: Attempts that failed and why, in the order in which they did.
        self.failures: list[tuple[A, str]] = []
        self._next = 0

    def begin(self) -> list[Action[A]]:
        """Start the race."""
        self.state = State.RUNNING
        return self._startNext()

    def delayPassed(self) -> list[Action[A]]:
        """Learn that the delay since the last `Wait` has passed."""
        return self._startNext() if self.state is State.RUNNING else []

    def failed(self, attempt: int, reason: str) -> list[Action[A]]:
        """Learn that an attempt failed."""
        if self.state is not State.RUNNING:
            return []
        self.running.remove(attempt)
        self.failures.append((self.addresses[attempt], reason))
        return self._startNext()

    def succeeded(self, attempt: int) -> list[Action[A]]:
        """Learn that an attempt has its connection.  Only the first one to do so wins."""
        if self.state is not State.RUNNING:
            return [Cancel(attempt)]
        self.running.remove(attempt)
        return [*self.stopped(), Won(attempt)]

    def stopped(self) -> list[Action[A]]:
        """Learn that nobody wants the connection any more."""
        self.state = State.OVER
        losers = [Cancel(attempt) for attempt in self.running]
        self.running.clear()
        return [*losers]

    def _startNext(self) -> list[Action[A]]:
        actions: list[Action[A]] = []
        if self._next < len(self.addresses) and len(self.running) < self.limit:
            actions.append(Start(self._next, self.addresses[self._next]))
            self.running.append(self._next)
            self._next += 1
            if self._next < len(self.addresses) and len(self.running) < self.limit:
                actions.append(Wait())
        elif not self.running:
            self.state = State.OVER
            actions.append(Lost())
        return actions
