"""
Plays the scenarios in a network of its own, and tells in one line of JSON what came of them.

    unshare --net --mount python -m tests.names.play [--without-ipv6] [--table]

With ``--table`` it tells people: a line for each, with the seconds that it took.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from zope.interface import directlyProvides, providedBy

from tests.running import run
from twisted_endpoints.asyncioreactor import AsyncioReactor
from twisted_endpoints.asyncioreactor.loops import newEventLoop
from twisted_endpoints.defer import Deferred, gatherResults
from twisted_endpoints.endpoints import HostnameEndpoint, TCP4ClientEndpoint, TCP6ClientEndpoint
from twisted_endpoints.protocol import Factory, Protocol
from twisted_endpoints.task import deferLater

from .bed import GOOD4, GOOD6, GOOD10, NAME_SERVER, PORT, CantBuild, build
from .dns import SILENCE, Answer, NameServer
from .scenarios import FOREVER, HOSTS, IN_HOSTS, SCENARIOS, WITHOUT_IPV6, Scenario, dropped6

#: How many look-ups hang: more than there are places for them.
STALLED = 40
#: What the name server knows beside the scenarios' names.
NAMES = {
    "well": Answer([GOOD6, GOOD4]),
    "dead": Answer(dropped6(2)),
    **{f"silent-{number}": SILENCE for number in range(STALLED + 3)},
}


class Watched:
    """A reactor that notes which addresses are tried, when, and how many at a time."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self.attempts: list[str] = []
        self.times: list[float] = []
        self.busiest = 0
        self._connectors: list[Any] = []
        directlyProvides(self, *providedBy(reactor))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)

    def connectTCP(self, host: str, *args: Any, **kwargs: Any) -> Any:
        self.attempts.append(host)
        self.times.append(self._reactor.seconds())
        connector = self._reactor.connectTCP(host, *args, **kwargs)
        self._connectors = [one for one in (*self._connectors, connector) if one.state == "connecting"]
        self.busiest = max(self.busiest, len(self._connectors))
        return connector


class Player:
    """
    Plays on a reactor.

    Args:
        reactor: a reactor that runs.
        server: the name server.
    """

    def __init__(self, reactor: Any, server: NameServer) -> None:
        self._reactor = reactor
        self._server = server
        self._factory = Factory.forProtocol(Protocol)
        self._factory.noisy = False
        #: What came of each play, by its name.
        self.told: dict[str, Any] = {}

    async def scenarios(self, scenarios: Mapping[str, Scenario], nameOf: Callable[[str], str]) -> None:
        """Play scenarios, all at the same time."""
        await _together(self._scenario(key, nameOf(key), scenario) for key, scenario in scenarios.items())

    async def _scenario(self, key: str, name: str, scenario: Scenario) -> None:
        watched = Watched(self._reactor)
        options = {"attemptDelay": FOREVER, **scenario.options}
        await self._tell(key, HostnameEndpoint(watched, name, PORT, **options).connect(self._factory))
        self.told[key]["attempts"] = watched.attempts
        self.told[key]["busiest"] = watched.busiest
        self.told[key]["times"] = [at - watched.times[0] for at in watched.times]

    async def sockets(self) -> None:
        """Count the sockets that are connecting to the thousand addresses that swallow, at a time."""
        most = 0

        def count() -> bool:
            nonlocal most
            most = max(most, sum(row[2].endswith("0A", 0, 8) for row in connectingNow()))
            return "thousand-swallow" in self.told

        await self._until(count, FOREVER)
        self.told["sockets"] = most

    async def besideStalled(self) -> None:
        """Look names up while others hang."""
        reactor = self._reactor
        hanging = [self._connect(f"silent-{number}") for number in range(STALLED)]
        ended = [
            Deferred.fromCoroutine(self._tell(f"hanging {number}", connecting))
            for number, connecting in enumerate(hanging)
        ]
        self.told["all hang"] = await self._until(
            lambda: sum(name.startswith("silent") for name in self._server.asked) == STALLED
        )
        began = reactor.seconds()
        inThread: Deferred[float] = Deferred()
        reactor.callInThread(reactor.callFromThread, lambda: inThread.callback(reactor.seconds() - began))
        hosts4 = TCP4ClientEndpoint(reactor, "here", PORT)
        well6 = TCP6ClientEndpoint(reactor, "well", PORT)
        hangs4 = TCP4ClientEndpoint(reactor, f"silent-{STALLED}", PORT, timeout=0.3)
        hangs6 = TCP6ClientEndpoint(reactor, f"silent-{STALLED + 1}", PORT).connect(self._factory)
        reactor.callLater(0.3, hangs6.cancel)
        await _together(
            [
                self._tell("an address", self._connect(GOOD4)),
                self._tell("a name in the hosts file", self._connect("here")),
                self._tell("a name in the hosts file, TCP4", hosts4.connect(self._factory)),
                self._tell("another name", self._connect("well")),
                self._tell("another name, TCP6", well6.connect(self._factory)),
                self._tell("another that doesn't exist", self._connect("none")),
                self._tell("one more that hangs, TCP4", hangs4.connect(self._factory)),
                self._tell("one more that hangs, TCP6, cancelled", hangs6),
            ]
        )
        self.told["a call in a thread"] = await inThread
        cancelled = reactor.seconds()
        for connecting in hanging:
            connecting.cancel()
        await _together(ended)
        self.told["cancelling them"] = reactor.seconds() - cancelled

    async def cancelled(self) -> None:
        """Cancel while attempts are under way."""
        watched = Watched(self._reactor)
        endpoint = HostnameEndpoint(watched, "dead", PORT, attemptDelay=0.01)
        connecting = endpoint.connect(self._factory)
        ended = Deferred.fromCoroutine(self._tell("cancelled while connecting", connecting))
        await self._until(lambda: len(watched.attempts) == 2)
        connecting.cancel()
        await ended
        self.told["attempts given up"] = await self._until(lambda: not connectingNow())

    async def leftSince(self, before: list[str]) -> list[str]:
        """List what is open that wasn't, and doesn't go away."""

        def since() -> list[str]:
            return [one for one in left(self._reactor) if one not in before]

        await self._until(lambda: not since())
        return since()

    # How

    def _connect(self, name: str) -> Deferred[Any]:
        return HostnameEndpoint(self._reactor, name, PORT, attemptDelay=FOREVER).connect(self._factory)

    async def _tell(self, key: str, connecting: Awaitable[Any]) -> None:
        """Wait for a connection and close it; note to which address it was, or the error, and when."""
        began, says = self._reactor.seconds(), ""
        try:
            protocol = await connecting
            outcome = protocol.transport.getPeer().host
            protocol.transport.abortConnection()
        except Exception as e:
            outcome, says = type(e).__name__, str(e)
        self.told[key] = {"outcome": outcome, "says": says, "seconds": self._reactor.seconds() - began}

    async def _until(self, condition: Callable[[], Any], most: float = 10.0) -> bool:
        end = self._reactor.seconds() + most
        while not (holds := bool(condition())) and self._reactor.seconds() < end:
            await deferLater(self._reactor, 0.01)
        return holds


async def _together(plays: Any) -> None:
    await gatherResults(
        [play if isinstance(play, Deferred) else Deferred.fromCoroutine(play) for play in plays]
    )


def connectingNow() -> list[list[str]]:
    """List the system's rows of attempts to connect over TCP, which are those that are swallowed."""
    tables = [Path(path) for path in ("/proc/net/tcp", "/proc/net/tcp6")]
    rows = [row.split() for table in tables if table.exists() for row in table.read_text().splitlines()]
    return [row for row in rows if row[3] == "02"]  # SYN_SENT


def left(reactor: Any) -> list[str]:
    """List what is open; but for the sockets of look-ups that hang, which nobody can close."""
    found = [f"call {id(call)}" for call in reactor.getDelayedCalls()]
    found += [f"task {task}" for task in asyncio.all_tasks(reactor._loop)]
    found += [f"watched {one}" for one in (*reactor.getReaders(), *reactor.getWriters())]
    for number in os.listdir("/proc/self/fd"):
        try:
            if os.readlink(f"/proc/self/fd/{number}").startswith("socket"):
                with socket.socket(fileno=os.dup(int(number))) as same:
                    # A loop's own are pairs of the other family.
                    ours = same.family != socket.AF_UNIX and same.type == socket.SOCK_STREAM
                    found += [f"socket {number}"] * ours
        except OSError:
            continue  # the one that lists them
    return found


async def playAll(reactor: Any, server: NameServer) -> dict[str, Any]:
    """Play what needs both families."""
    player = Player(reactor, server)
    before = left(reactor)
    swallow, refuse = ({key: IN_HOSTS[key]} for key in ("thousand-swallow", "thousand-refuse"))
    await _together(
        [
            player.scenarios(SCENARIOS, nameOf(SCENARIOS)),
            player.scenarios(swallow, str),
            player.sockets(),
        ]
    )
    await player.scenarios(refuse, str)
    await player.cancelled()
    await player.besideStalled()
    player.told["left"] = await player.leftSince(before)
    return player.told


async def playWithoutIPv6(reactor: Any, server: NameServer) -> dict[str, Any]:
    """Play what differs where there is no IPv6."""
    player = Player(reactor, server)
    before = left(reactor)
    await player.scenarios(WITHOUT_IPV6, nameOf(WITHOUT_IPV6))
    player.told["left"] = await player.leftSince(before)
    return player.told


def nameOf(scenarios: Mapping[str, Scenario]) -> Callable[[str], str]:
    """Give each scenario a name to look up."""
    numbers = {key: number for number, key in enumerate(scenarios)}
    return lambda key: f"scenario-{numbers[key]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--without-ipv6", action="store_true")
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    scenarios = WITHOUT_IPV6 if arguments.without_ipv6 else SCENARIOS
    hosts = "".join(f"{address} {name}\n" for name, addresses in HOSTS.items() for address in addresses)
    with tempfile.TemporaryDirectory() as folder:
        try:
            build(Path(folder), hosts, ipv6=not arguments.without_ipv6)
        except CantBuild as e:
            print(json.dumps({"cannot": str(e)}))
            return
        named = nameOf(scenarios)
        answers = {named(key): scenario.answer for key, scenario in scenarios.items()}
        server = NameServer({**NAMES, **answers}, NAME_SERVER)
        reactor = AsyncioReactor(newEventLoop())
        play = playWithoutIPv6 if arguments.without_ipv6 else playAll

        async def listenAndPlay() -> dict[str, Any]:
            listening = Factory.forProtocol(Protocol)
            for address in (GOOD4,) if arguments.without_ipv6 else (GOOD4, GOOD6, GOOD10):
                reactor.listenTCP(PORT, listening, interface=address)
            # By then the test's own time limit runs.
            await deferLater(reactor, 0)
            return await play(reactor, server)

        told = run(reactor, listenAndPlay, timeout=FOREVER - 10)
    if arguments.table:
        for key, what in told.items():
            if not isinstance(what, dict):
                print(key.ljust(45), what)
            elif not key.startswith("hanging"):
                print(key.ljust(45), f"{what['seconds']:7.3f} s  {what['outcome']}")
    else:
        print(json.dumps(told))


if __name__ == "__main__":
    main()
