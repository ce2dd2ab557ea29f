from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from zope.interface import implementer
from zope.interface.verify import verifyObject

from twisted_endpoints.address import IPv4Address, IPv6Address
from twisted_endpoints.asyncioreactor.hosts import HostsFile
from twisted_endpoints.asyncioreactor.resolver import ABREAST, MOST_OF_ONE, NameResolver
from twisted_endpoints.defer import Deferred
from twisted_endpoints.interfaces import IHostnameResolver, IHostResolution, IResolutionReceiver

from ..running import run
from .logged import loggedErrors


@implementer(IResolutionReceiver)
class Receiver:
    """What a resolution says, in order; `done` fires at its end."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.done: Deferred[list[Any]] = Deferred()

    def resolutionBegan(self, resolutionInProgress: Any) -> None:
        assert verifyObject(IHostResolution, resolutionInProgress)
        self.heard.append(f"began {resolutionInProgress.name}")

    def addressResolved(self, address: Any) -> None:
        self.heard.append(address)

    def resolutionComplete(self) -> None:
        self.heard.append("complete")
        self.done.callback(self.heard)


class Names:
    """A `getaddrinfo` that knows some names, and for others waits until it is let go."""

    def __init__(self, **names: Any) -> None:
        self.names = names
        self.asked: list[tuple[Any, ...]] = []
        self.stalled = threading.Semaphore(0)
        self.letGo = threading.Event()
        self.networkIsBack = False

    def __call__(self, *question: Any) -> Any:
        self.asked.append(question)
        if question[0].startswith("stall") and not self.networkIsBack:
            self.stalled.release()
            self.letGo.wait(20)
        answer = self.names.get(question[0], socket.gaierror(socket.EAI_NONAME, "no such name"))
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def finish(self) -> None:
        """Let all go, and wait for their threads."""
        self.letGo.set()
        for thread in threading.enumerate():
            if thread.name.startswith("PoolThread-names"):
                thread.join(20)


def row(family: int, *address: Any) -> tuple[Any, ...]:
    return (family, socket.SOCK_STREAM, 6, "", address)


TWO = [row(socket.AF_INET6, "2001:db8::1", 0, 0, 3), row(socket.AF_INET, "192.0.2.1", 0)]


@pytest.mark.parametrize(
    ("name", "types", "addresses"),
    [
        ("192.0.2.7", None, [IPv4Address("TCP", "192.0.2.7", 80)]),
        ("192.0.2.7", [IPv4Address], [IPv4Address("TCP", "192.0.2.7", 80)]),
        ("192.0.2.7", [IPv6Address], []),
        ("2001:db8::7", None, [IPv6Address("TCP", "2001:db8::7", 80)]),
        ("2001:db8::7", [IPv6Address, IPv4Address], [IPv6Address("TCP", "2001:db8::7", 80)]),
        ("2001:db8::7", [IPv4Address], []),
    ],
)
def test_anAddressIsAnsweredInPlace(reactor: Any, name: str, types: Any, addresses: list[Any]) -> None:
    names, receiver = Names(), Receiver()
    resolution = NameResolver(reactor, names).resolveHostName(receiver, name, 80, types)
    assert receiver.heard == [f"began {name}", *addresses, "complete"]
    assert resolution.name == name
    assert names.asked == []


def test_aScopedAddressIsAnsweredInPlace(reactor: Any) -> None:
    receiver = Receiver()
    NameResolver(reactor).resolveHostName(receiver, "fe80::1%lo", 80)
    assert receiver.heard[1].scopeID == socket.if_nametoindex("lo")


@pytest.mark.parametrize(
    ("answer", "addresses"),
    [(TWO[1:], [IPv4Address("TCP", "192.0.2.1", 80)]), (OSError("no"), []), (RuntimeError("a bug"), [])],
)
def test_aNameOfTheHostsFileIsAnsweredInPlace(
    reactor: Any, tmp_path: Path, answer: Any, addresses: list[Any]
) -> None:
    path = tmp_path / "hosts"
    path.write_text("192.0.2.1 here.example\n")
    receiver = Receiver()
    resolver = NameResolver(reactor, Names(**{"here.example": answer}), HostsFile(str(path), first=True))
    with loggedErrors() as errors:
        resolver.resolveHostName(receiver, "here.example", 80)
    assert receiver.heard == ["began here.example", *addresses, "complete"]
    assert len(errors) == isinstance(answer, RuntimeError)


def test_aNameIsLookedUpInAThread(reactor: Any) -> None:
    names, receiver = Names(**{"two.example": TWO}), Receiver()
    resolver = NameResolver(reactor, names)
    assert verifyObject(IHostnameResolver, resolver)

    async def main() -> Any:
        resolver.resolveHostName(receiver, "two.example", 80)
        assert receiver.heard == ["began two.example"]
        return await receiver.done

    assert run(reactor, main)[1:] == [
        IPv6Address("TCP", "2001:db8::1", 80, 0, 3),
        IPv4Address("TCP", "192.0.2.1", 80),
        "complete",
    ]
    assert names.asked == [("two.example", 0, socket.AF_UNSPEC, socket.SOCK_STREAM)]


@pytest.mark.parametrize(
    ("types", "transport", "family", "kind"),
    [
        (None, "TCP", socket.AF_UNSPEC, socket.SOCK_STREAM),
        ([IPv4Address], "TCP", socket.AF_INET, socket.SOCK_STREAM),
        ([IPv6Address], "UDP", socket.AF_INET6, socket.SOCK_DGRAM),
        ([IPv6Address, IPv4Address], "UDP", socket.AF_UNSPEC, socket.SOCK_DGRAM),
    ],
)
def test_typesAndTransportAreAskedFor(
    reactor: Any, types: Any, transport: str, family: int, kind: int
) -> None:
    names, receiver = Names(), Receiver()

    async def main() -> Any:
        NameResolver(reactor, names).resolveHostName(receiver, "x.example", 1, types, transport)
        return await receiver.done

    assert run(reactor, main) == ["began x.example", "complete"]
    assert names.asked == [("x.example", 0, family, kind)]


def test_otherTypesAndTransportsAreRefused(reactor: Any) -> None:
    with pytest.raises(KeyError):
        NameResolver(reactor).resolveHostName(Receiver(), "x.example", 0, [str])
    with pytest.raises(KeyError):
        NameResolver(reactor).resolveHostName(Receiver(), "x.example", 0, None, "SCTP")


@pytest.mark.parametrize(
    ("trouble", "logged"),
    [
        (socket.gaierror(socket.EAI_AGAIN, "try again"), []),
        (OSError("no more files"), []),
        (UnicodeError("label too long"), []),
        (RuntimeError("what?"), [RuntimeError]),
    ],
)
def test_whateverGoesWrongIsAResolutionWithoutAddresses(
    reactor: Any, trouble: Exception, logged: list[Any]
) -> None:
    names, receiver = Names(**{"x.example": trouble}), Receiver()

    async def main() -> Any:
        NameResolver(reactor, names).resolveHostName(receiver, "x.example")
        return await receiver.done

    with loggedErrors() as errors:
        assert run(reactor, main) == ["began x.example", "complete"]
    assert errors == logged


@pytest.mark.parametrize("name", ["a" * 70, "", "a\0b", "\ud800"])
def test_aNameThatCanNotBeIsNotFound(reactor: Any, name: str) -> None:
    receiver = Receiver()

    async def main() -> Any:
        reactor.nameResolver.resolveHostName(receiver, name)
        return await receiver.done

    assert run(reactor, main) == [f"began {name}", "complete"]


def stall(resolver: NameResolver, names: Names, number: int) -> list[Receiver]:
    """Ask for so many names that hang, and wait until they do."""
    stalled = [Receiver() for _ in range(number)]
    for index, receiver in enumerate(stalled):
        resolver.resolveHostName(receiver, f"stall-{index}.example")
    for _ in range(number):
        assert names.stalled.acquire(timeout=20)
    return stalled


def test_stalledLookUpsDelayNothingElse(reactor: Any, tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    path.write_text("192.0.2.1 here\n")
    names = Names(here=[row(socket.AF_INET, "192.0.2.1", 0)], **{"two.example": TWO})
    resolver = NameResolver(reactor, names, HostsFile(str(path), first=False))

    async def main() -> Any:
        # More than there are places.
        stalled = stall(resolver, names, 2 * ABREAST + 3)
        here, literal, two, worked = Receiver(), Receiver(), Receiver(), Deferred[str]()
        resolver.resolveHostName(here, "here")
        resolver.resolveHostName(literal, "192.0.2.2")
        resolver.resolveHostName(two, "two.example")
        reactor.callInThread(reactor.callFromThread, worked.callback, "worked")
        heard = [len(await receiver.done) for receiver in (here, literal, two)]
        return heard, await worked, [receiver.heard[1:] for receiver in stalled if receiver.heard[1:]]

    try:
        # And neither does the shutdown wait for them.
        assert run(reactor, main) == ([3, 3, 4], "worked", [])
    finally:
        names.finish()


def test_whoAsksForTheSameNameSharesTheAnswer(reactor: Any) -> None:
    names = Names(**{"stall.example": TWO})
    resolver = NameResolver(reactor, names)
    receivers = [Receiver() for _ in range(100)]
    other = Receiver()

    async def main() -> None:
        for port, receiver in enumerate(receivers):
            resolver.resolveHostName(receiver, "stall.example", port)
        resolver.resolveHostName(other, "stall.example", 80, [IPv4Address])
        receivers[7].done.addCallback(lambda _: cancelledByAnother.cancel())
        cancelledByAnother = resolver.resolveHostName(Receiver(), "stall.example")
        names.letGo.set()
        for receiver in (*receivers, other):
            await receiver.done

    run(reactor, main)
    assert [receiver.heard[2] for receiver in receivers] == [
        IPv4Address("TCP", "192.0.2.1", port) for port in range(100)
    ]
    families = sorted(question[2] for question in names.asked)
    assert families[0] == socket.AF_UNSPEC
    assert len(families) <= 1 + MOST_OF_ONE
    assert resolver._questions == {}


def test_anOverdueQuestionIsAskedAgainAndTheAnswerIsForAll(
    reactor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twisted_endpoints.asyncioreactor.resolver.PATIENCE", 0.0)
    names = Names(**{"stall.example": TWO})
    resolver = NameResolver(reactor, names)
    receivers = [Receiver() for _ in range(3)]

    async def main() -> None:
        for receiver in receivers[:2]:
            resolver.resolveHostName(receiver, "stall.example")
            assert names.stalled.acquire(timeout=20)
        names.networkIsBack = True
        resolver.resolveHostName(receivers[2], "stall.example")
        for receiver in receivers:
            await receiver.done

    try:
        run(reactor, main)
    finally:
        names.finish()
    assert [len(receiver.heard) for receiver in receivers] == [4, 4, 4]
    assert len(names.asked) == 3
    assert resolver._questions == {}


def test_aDeadNameHoldsFewThreads(reactor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twisted_endpoints.asyncioreactor.resolver.PATIENCE", 0.0)
    names = Names()
    resolver = NameResolver(reactor, names)
    receivers = [Receiver() for _ in range(MOST_OF_ONE + 10)]

    async def main() -> None:
        for receiver in receivers[:MOST_OF_ONE]:
            # Though it has been given up.
            resolver.resolveHostName(Receiver(), "stall.example").cancel()
            resolver.resolveHostName(receiver, "stall.example")
            assert names.stalled.acquire(timeout=20)
        for receiver in receivers[MOST_OF_ONE:]:
            resolver.resolveHostName(receiver, "stall.example")
        names.letGo.set()
        for receiver in receivers:
            await receiver.done

    run(reactor, main)
    assert len(names.asked) == MOST_OF_ONE
    assert [len(receiver.heard) for receiver in receivers] == [2] * len(receivers)


def test_stalledThreadsDelayNoLookUp(reactor: Any) -> None:
    names, receiver = Names(**{"two.example": TWO}), Receiver()
    gate = threading.Event()

    async def main() -> Any:
        for _ in range(12):
            reactor.callInThread(gate.wait, 20)
        NameResolver(reactor, names).resolveHostName(receiver, "two.example")
        heard = await receiver.done
        gate.set()
        return len(heard)

    assert run(reactor, main) == 4


def test_afterACancelNothingIsHeard(reactor: Any) -> None:
    names, cancelled, other = Names(), Receiver(), Receiver()
    resolver = NameResolver(reactor, names)

    async def main() -> None:
        resolution = resolver.resolveHostName(cancelled, "stall.example")
        assert names.stalled.acquire(timeout=20)
        resolution.cancel()
        names.letGo.set()
        resolver.resolveHostName(other, "x.example")
        await other.done

    run(reactor, main)
    assert cancelled.heard == ["began stall.example"]


def test_whatIsCancelledInTimeIsNotAsked(reactor: Any, tmp_path: Path) -> None:
    class SlowHosts(HostsFile):
        def spelling(self, *asked: Any) -> None:
            names.stalled.release()
            names.letGo.wait(20)

    names, other = Names(), Receiver()
    resolver = NameResolver(reactor, names, SlowHosts(str(tmp_path / "none")))

    async def main() -> None:
        cancelled = [resolver.resolveHostName(Receiver(), "x.example") for _ in range(3)]
        assert names.stalled.acquire(timeout=20)
        for resolution in cancelled:
            resolution.cancel()
            resolution.cancel()
        assert resolver._questions == {}
        names.letGo.set()
        resolver.resolveHostName(other, "y.example")
        await other.done

    run(reactor, main)
    assert [question[0] for question in names.asked] == ["y.example"]


@pytest.mark.parametrize("first", [True, False])
def test_aNameInTheHostsFileIsAskedForAsItStandsThere(reactor: Any, tmp_path: Path, first: bool) -> None:
    names, receiver = Names(), Receiver()
    hosts = tmp_path / "hosts"
    hosts.write_text("192.0.2.7 known.example\n")
    resolver = NameResolver(reactor, names, HostsFile(str(hosts), first))

    async def main() -> None:
        resolver.resolveHostName(receiver, "known.example.")
        if first:
            assert receiver.done.called
        await receiver.done

    run(reactor, main)
    # With the dot, the system would ask a name server.
    assert [question[0] for question in names.asked] == ["known.example"]


def test_aReceiverMayCancelAtOnce(reactor: Any) -> None:
    class Hasty(Receiver):
        def resolutionBegan(self, resolutionInProgress: Any) -> None:
            resolutionInProgress.cancel()

    resolver = NameResolver(reactor, Names())
    for name in ("x.example", "192.0.2.1"):
        receiver = Hasty()
        resolver.resolveHostName(receiver, name)
        assert receiver.heard == []
    assert resolver._questions == {}


@pytest.mark.parametrize("lookups", ["_local", "_remote"])
def test_noThreadIsAResolutionWithoutAddresses(reactor: Any, lookups: str) -> None:
    def call(*work: Any) -> None:
        raise RuntimeError("can't start new thread")

    receiver = Receiver()
    resolver = NameResolver(reactor, Names(**{"two.example": TWO}))

    async def main() -> Any:
        resolver._start()
        getattr(resolver, lookups).call = call
        resolver.resolveHostName(receiver, "two.example")
        return await receiver.done

    with loggedErrors() as errors:
        assert run(reactor, main) == ["began two.example", "complete"]
    assert errors == [RuntimeError]


def test_aReceiverThatRaisesStillHearsTheEnd(reactor: Any) -> None:
    class Bad(Receiver):
        def addressResolved(self, address: Any) -> None:
            raise ValueError(address)

    receiver = Bad()
    with loggedErrors() as errors:
        NameResolver(reactor).resolveHostName(receiver, "192.0.2.1")
    assert receiver.heard[-1] == "complete"
    assert errors == [ValueError]


def test_localhostIsFoundByTheRealOne(reactor: Any) -> None:
    receiver = Receiver()

    async def main() -> Any:
        reactor.nameResolver.resolveHostName(receiver, "localhost", 25, [IPv4Address])
        return await receiver.done

    assert run(reactor, main) == ["began localhost", IPv4Address("TCP", "127.0.0.1", 25), "complete"]
