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
from twisted_endpoints.asyncioreactor.resolver import LOOKUPS, NameResolver
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

    def __call__(self, *question: Any) -> Any:
        self.asked.append(question)
        if question[0].startswith("stall"):
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


TWO = [row(socket.AF_INET6, "2001:db8::1", 80, 0, 3), row(socket.AF_INET, "192.0.2.1", 80)]


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
    assert names.asked == [("two.example", 80, socket.AF_UNSPEC, socket.SOCK_STREAM)]


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
    assert names.asked == [("x.example", 1, family, kind)]


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


def test_stalledLookUpsDelayNoAddressNoHostsNameAndNoThread(reactor: Any, tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    path.write_text("192.0.2.1 here\n")
    names = Names(here=[row(socket.AF_INET, "192.0.2.1", 0)])
    resolver = NameResolver(reactor, names, HostsFile(str(path)))
    stalled = [Receiver() for _ in range(LOOKUPS + 10)]

    async def main() -> Any:
        for number, receiver in enumerate(stalled):
            resolver.resolveHostName(receiver, f"stall-{number}.example")
        for _ in range(LOOKUPS):
            assert names.stalled.acquire(timeout=20)
        here, literal, worked = Receiver(), Receiver(), Deferred[str]()
        resolver.resolveHostName(here, "here")
        resolver.resolveHostName(literal, "192.0.2.2")
        reactor.callInThread(reactor.callFromThread, worked.callback, "worked")
        return len(await here.done), len(await literal.done), await worked

    try:
        assert run(reactor, main) == (3, 3, "worked")
        # And neither did the shutdown wait for them.
        assert [receiver.heard[1:] for receiver in stalled] == [[]] * len(stalled)
    finally:
        names.finish()


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
