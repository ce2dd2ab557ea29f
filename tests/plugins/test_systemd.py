"""``systemd:``, in an environment that the test makes; the real one is in test_activation.py."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.inheriting import VARIABLES, HandOver, flags, handOver
from tests.running import run
from twisted_endpoints.endpoints import AdoptedStreamServerEndpoint, _SystemdParser
from twisted_endpoints.plugins import _inherited, systemd
from twisted_endpoints.plugins._inherited import Inheritance
from twisted_endpoints.protocol import Factory
from twisted_endpoints.strings import DescriptionError, serverFromString

__all__ = ["handOver"]


@pytest.fixture
def sockets() -> Iterator[list[socket.socket]]:
    """One that listens on IPv4, one on a UNIX socket, and one that doesn't listen."""
    with ExitStack() as stack:
        kinds = (socket.AF_INET, socket.AF_UNIX, socket.AF_INET)
        made = [stack.enter_context(socket.socket(family)) for family in kinds]
        for each in made[:2]:
            each.listen() if each.family == socket.AF_INET else each.bind(f"\0te{os.getpid()}{each.fileno()}")
        made[1].listen()
        yield made


def parsed(description: str) -> Any:
    return serverFromString(object(), description)


def problem(description: str) -> str:
    """Give the first line of the error."""
    with pytest.raises(DescriptionError) as caught:
        serverFromString(object(), description)
    assert caught.value.description == description
    return caught.value.problem


def test_byIndex(handOver: HandOver, sockets: list[socket.socket]) -> None:
    descriptors = handOver(*sockets)
    endpoint = parsed("systemd:index=0")
    assert type(endpoint) is AdoptedStreamServerEndpoint
    assert (endpoint.fileno, endpoint.addressFamily) == (descriptors[0], socket.AF_INET)
    endpoint = parsed("systemd:index=1")
    assert (endpoint.fileno, endpoint.addressFamily) == (descriptors[1], socket.AF_UNIX)


def test_byName(handOver: HandOver, sockets: list[socket.socket]) -> None:
    descriptors = handOver(*sockets, names="web:admin:web")
    assert parsed("systemd:name=admin").fileno == descriptors[1]


@pytest.mark.parametrize(
    "description", ["systemd:domain=INET:index=0", "systemd:INET:0", "systemd:INET:name=unknown"]
)
def test_asTwistedSpellsIt(handOver: HandOver, sockets: list[socket.socket], description: str) -> None:
    descriptors = handOver(sockets[0])
    assert parsed(description).fileno == descriptors[0]


@pytest.mark.parametrize("names", [None, ""], ids=["no names", "empty"])
def test_whatHasNoNameIsCalledUnknown(
    handOver: HandOver, sockets: list[socket.socket], names: str | None
) -> None:
    # sd_listen_fds_with_names(3)
    descriptors = handOver(sockets[0], names=names)
    assert parsed("systemd:name=unknown").fileno == descriptors[0]


def test_theVariablesAreTakenAndChildrenInheritNothing(
    handOver: HandOver, sockets: list[socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LISTEN_PIDFDID", "1")
    descriptors = handOver(*sockets, names="a:b:c")
    for descriptor in descriptors:
        os.set_inheritable(descriptor, True)
    parsed("systemd:name=a")
    assert [name for name in VARIABLES if name in os.environ] == []
    assert [os.get_inheritable(descriptor) for descriptor in descriptors] == [False] * 3
    # What they said is remembered.
    assert parsed("systemd:index=1").fileno == descriptors[1]
    assert parsed("systemd:name=b").fileno == descriptors[1]


def test_theEnvironmentIsReadWhenAStringIs(handOver: HandOver, sockets: list[socket.socket]) -> None:
    assert "nothing was inherited" in problem("systemd:index=0")
    descriptors = handOver(sockets[0])
    assert parsed("systemd:index=0").fileno == descriptors[0]
    # Something new is handed over: by this process to itself.
    descriptors = handOver(sockets[1])
    assert parsed("systemd:index=0").fileno == descriptors[0]


def test_aSocketIsHandedOutOnce(handOver: HandOver, sockets: list[socket.socket], reactor: Any) -> None:
    [descriptor] = handOver(sockets[0])

    async def main() -> None:
        endpoint = serverFromString(reactor, "systemd:index=0")
        port = await endpoint.listen(Factory())
        try:
            assert problem("systemd:index=0") == (
                f"index can't be used: descriptor {descriptor} is in use: something listens on it already"
            )
            # Also if the number is another socket's.
            os.dup2(sockets[1].fileno(), descriptor)
            assert "is in use" in problem("systemd:index=0")
            os.close(descriptor)
        finally:
            await port.stopListening()

    run(reactor, main)


#: What is wrong with the environment, the string, and what is said of it.
BAD = {
    "nothing set": (
        {"LISTEN_PID": None, "LISTEN_FDS": None},
        "index=0",
        (
            "index can't be used: nothing was inherited, as LISTEN_PID and LISTEN_FDS are not set:"
            " is this started by systemd, for a .socket unit, or by systemd-socket-activate?"
        ),
    ),
    "no process": (
        {"LISTEN_PID": None},
        "index=0",
        "index can't be used: nothing was inherited, as LISTEN_PID is not set:",
    ),
    "no number": (
        {"LISTEN_FDS": None},
        "name=a",
        "name can't be used: nothing was inherited, as LISTEN_FDS is not set:",
    ),
    "another process": (
        {"LISTEN_PID": "1"},
        "index=0",
        (
            f"index can't be used: LISTEN_PID is '1', and this is process {os.getpid()}:"
            " what was inherited is for another one (a shell before this program must start it by exec)"
        ),
    ),
    "a process that is none": (
        {"LISTEN_PID": "me"},
        "index=0",
        "index can't be used: LISTEN_PID is 'me', and this is process",
    ),
    "a number that is none": (
        {"LISTEN_FDS": "many"},
        "index=0",
        "index can't be used: LISTEN_FDS is 'many', and no number of descriptors",
    ),
    "a number below zero": (
        {"LISTEN_FDS": "-1"},
        "index=0",
        "index can't be used: LISTEN_FDS is '-1', and no",
    ),
    "a number of other digits": (
        {"LISTEN_FDS": "٣"},
        "index=0",
        "index can't be used: LISTEN_FDS is '٣', and no",
    ),
    "a number beyond all": (
        {"LISTEN_FDS": "99999999999"},
        "index=0",
        "index can't be used: LISTEN_FDS is '99999999999'",
    ),
    "none at all": (
        {"LISTEN_FDS": "0"},
        "index=0",
        "index can't be used: 0 descriptors were inherited, counted from 0",
    ),
    "an index beyond": (
        {},
        "index=3",
        "index can't be used: 3 descriptors were inherited ('a', 'b', 'a'), counted from 0",
    ),
    "one": (
        {"LISTEN_FDS": "1", "LISTEN_FDNAMES": None},
        "index=1",
        "index can't be used: 1 descriptor was inherited ('unknown'), counted from 0",
    ),
    "a name of none": (
        {},
        "name=c",
        "name can't be used: no descriptor has this name: 3 descriptors were inherited ('a', 'b', 'a')",
    ),
    "a name of several": (
        {},
        "name=a",
        "name can't be used: 2 descriptors have this name: choose by index=0 or index=2",
    ),
    "no name": (
        {"LISTEN_FDNAMES": None},
        "name=unknown",
        "name can't be used: 3 descriptors have this name: choose by index=0 or index=1 or index=2",
    ),
    "too few names": (
        {"LISTEN_FDNAMES": "a:b"},
        "name=a",
        "name can't be used: LISTEN_FDNAMES has 2 names, and LISTEN_FDS is 3",
    ),
    "too many names": (
        {"LISTEN_FDNAMES": "a:b:c:d"},
        "name=a",
        "name can't be used: LISTEN_FDNAMES has 4 names, and LISTEN_FDS is 3",
    ),
    "one that does not listen": (
        {},
        "index=2",
        "index can't be used: descriptor {2} is a socket that doesn't listen",
    ),
    "one that is closed": (
        {"LISTEN_FDS": "4", "LISTEN_FDNAMES": None},
        "index=3",
        "index can't be used: descriptor {3} isn't open",
    ),
    "another family": (
        {},
        "domain=INET6:index=0",
        "domain can't be used: descriptor {0} is a socket of INET",
    ),
    "the family of another": (
        {},
        "domain=INET:name=b",
        "domain can't be used: descriptor {1} is a socket of UNIX",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_badEnvironmentsAreExplainedAndLeftAsTheyAre(
    case: str, handOver: HandOver, sockets: list[socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    changes, arguments, expected = BAD[case]
    descriptors = handOver(*sockets, names="a:b:a")
    os.set_inheritable(descriptors[0], True)
    for name, value in changes.items():
        monkeypatch.delenv(name) if value is None else monkeypatch.setenv(name, value)
    before = dict(os.environ), [flags(descriptor) for descriptor in descriptors]
    said = problem(f"systemd:{arguments}")
    assert said.startswith(expected.format(*descriptors, descriptors[-1] + 1))
    assert (dict(os.environ), [flags(descriptor) for descriptor in descriptors]) == before


def test_anIndexIsGoodWhateverTheNames(handOver: HandOver, sockets: list[socket.socket]) -> None:
    descriptors = handOver(*sockets, names="a:b")
    assert parsed("systemd:index=1").fileno == descriptors[1]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("domain=INET", "index is missing: say which socket by index= or name="),
        ("INET:0:web", "name can't be used: index is given too, and one of them is enough"),
        ("index=-1", "index must be a whole number"),
        ("domain=BOGUS:index=0", "domain must be INET, INET6 or UNIX, not 'BOGUS'"),
        ("domain=inet:index=0", "domain must be INET, INET6 or UNIX, not 'inet'"),
        ("0", "domain must be INET, INET6 or UNIX, not '0'"),
    ],
)
def test_badArguments(arguments: str, expected: str) -> None:
    assert problem(f"systemd:{arguments}").startswith(expected)


def test_aSocketWithoutIndexOrNameIsExplained() -> None:
    with pytest.raises(DescriptionError, match="index= or name= says which"):
        parsed("systemd:0")


class ListenFDs:
    """As Twisted's: a program can say itself what was inherited."""

    def inheritedDescriptors(self) -> list[int]:
        return [5, 6]

    def inheritedNamedDescriptors(self) -> dict[str, int]:
        return {"five": 5, "six": 6}


@pytest.mark.parametrize(("arguments", "expected"), [({"index": "1"}, 6), ({"name": "five"}, 5)])
def test_whatAProgramSaysIsBelieved(arguments: dict[str, str], expected: int) -> None:
    # It is documented as _SystemdParser._sddaemon.
    parser = _SystemdParser()
    parser._sddaemon = ListenFDs()
    reactor = object()
    endpoint: Any = parser.parseStreamServer(reactor, domain="INET6", **arguments)
    assert (endpoint.reactor, endpoint.fileno, endpoint.addressFamily) == (reactor, expected, socket.AF_INET6)


def test_whatAProgramSaysIsLookedAtIfItDoesNotSayWhatItIs(sockets: list[socket.socket]) -> None:
    class Own(ListenFDs):
        def inheritedDescriptors(self) -> list[int]:
            return [sockets[1].fileno()]

    parser = _SystemdParser()
    parser._sddaemon = Own()
    endpoint: Any = parser.parseStreamServer(object(), index="0")
    assert endpoint.addressFamily == socket.AF_UNIX
    with pytest.raises(DescriptionError, match="1 descriptor was inherited"):
        parser.parseStreamServer(object(), index="1")


def test_itIsWhatItsDocumentationSays(handOver: HandOver, sockets: list[socket.socket]) -> None:
    assert _SystemdParser is systemd.SystemdParser
    daemon = systemd.server._sddaemon
    assert (daemon.inheritedDescriptors(), daemon.inheritedNamedDescriptors()) == ([], {})
    descriptors = handOver(*sockets, names="a:b:c")
    for _ in range(2):
        assert daemon.inheritedDescriptors() == descriptors
        assert daemon.inheritedNamedDescriptors() == dict(zip("abc", descriptors, strict=True))
        # Nothing is taken by looking.
        assert os.environ["LISTEN_FDS"] == "3"


def test_whatTwistedHasTakenAwayIsFound(
    handOver: HandOver, sockets: list[socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    descriptors = handOver(sockets[0])
    begun = {name: os.environ.pop(name) for name in ("LISTEN_PID", "LISTEN_FDS")}
    monkeypatch.setattr(_inherited, "environmentAtStart", lambda: begun)
    monkeypatch.delitem(_inherited.sys.modules, "twisted.internet.endpoints", raising=False)
    assert "are not set" in problem("systemd:index=0")
    monkeypatch.setitem(_inherited.sys.modules, "twisted.internet.endpoints", _inherited)
    assert parsed("systemd:index=0").fileno == descriptors[0]
    begun["LISTEN_PID"] = "1"
    monkeypatch.setattr(systemd.SystemdParser, "_sddaemon", Inheritance())
    assert "are not set" in problem("systemd:index=0")


def test_anEnvironmentOfOnesOwn() -> None:
    environ = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "2", "LISTEN_FDNAMES": "a:b"}
    inheritance = Inheritance(environ)
    assert inheritance.inheritedNamedDescriptors() == {"a": 3, "b": 4}
    assert inheritance.read().byName("b") == 4


def test_theEnvironmentAtTheStartIsKnown() -> None:
    # Of a child, as this process's own may have been changed since.
    assert "PATH" in _inherited.environmentAtStart() or not os.path.exists("/proc/self/environ")
