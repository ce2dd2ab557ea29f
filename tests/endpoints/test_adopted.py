"""Adopted sockets: what an endpoint does with a descriptor, and what it leaves of one that it can't use."""

from __future__ import annotations

import os
import pty
import select
import socket
import stat
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from zope.interface.verify import verifyObject

from tests.asyncioreactor.conftest import loop, reactor
from tests.inheriting import flags
from tests.running import run
from twisted_endpoints.endpoints import (
    AdoptedStreamServerEndpoint,
    HostnameEndpoint,
    UNIXClientEndpoint,
)
from twisted_endpoints.endpoints.adopted import NotAListener, familyOfListener
from twisted_endpoints.error import AlreadyListened, CannotListenError, UnsupportedAddressFamily
from twisted_endpoints.interfaces import IStreamServerEndpoint
from twisted_endpoints.protocol import Factory
from twisted_endpoints.task import deferLater
from twisted_endpoints.testing import MemoryReactorClock, RaisingMemoryReactor

from .test_tcp import Collect, Echo

__all__ = ["loop", "reactor"]

KINDS = ("tcp", "tcp6", "unix", "abstract")


def listener(kind: str, folder: Path) -> socket.socket:
    """Make a socket that listens, and blocks, as those of other programs do."""
    if kind == "tcp":
        return socket.create_server(("127.0.0.1", 0))
    if kind == "tcp6":
        try:
            return socket.create_server(("::1", 0), family=socket.AF_INET6)
        except OSError:
            pytest.skip("this machine has no IPv6")
    made = socket.socket(socket.AF_UNIX)
    path = f"\0{folder}" if kind == "abstract" else str(folder / "s")
    made.bind(path)
    if kind == "unix":
        os.chmod(path, 0o600)
    made.listen()
    return made


@pytest.fixture(params=KINDS)
def given(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[socket.socket]:
    with listener(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def descriptor() -> Iterator[int]:
    """A descriptor that nobody but the test closes, unless the endpoint does."""
    number = socket.create_server(("127.0.0.1", 0)).detach()
    yield number
    try:
        os.close(number)
    except OSError:
        pass


def failureOf(deferred: Any) -> Any:
    """Give the error that a Deferred has failed with."""
    found: list[Any] = []
    deferred.addErrback(found.append)
    [failure] = found
    return failure.value


class Fails(Factory):
    """A factory that can't be started, so that a reactor gives up listening at the last moment."""

    def doStart(self) -> None:
        raise ZeroDivisionError


def test_theReactorAdoptsTheSocketAndThenItIsClosed(descriptor: int) -> None:
    memory = MemoryReactorClock()
    factory = Factory()
    endpoint = AdoptedStreamServerEndpoint(memory, descriptor, socket.AF_INET)
    verifyObject(IStreamServerEndpoint, endpoint)
    assert repr(endpoint) == f"<AdoptedStreamServerEndpoint of descriptor {descriptor}, AF_INET>"
    assert (endpoint.reactor, endpoint.fileno, endpoint.addressFamily) == (memory, descriptor, socket.AF_INET)

    endpoint.listen(factory)

    assert memory.adoptedPorts == [(descriptor, socket.AF_INET, factory)]
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_theReactorGetsItNonBlocking(descriptor: int) -> None:
    seen: list[bool] = []

    class Looks(MemoryReactorClock):  # type: ignore[misc]
        def adoptStreamPort(self, fileno: int, addressFamily: Any, factory: Any) -> Any:
            seen.append(os.get_blocking(fileno))
            return super().adoptStreamPort(fileno, addressFamily, factory)

    AdoptedStreamServerEndpoint(Looks(), descriptor, socket.AF_INET).listen(Factory())
    assert seen == [False]


def test_itListensOnce(descriptor: int) -> None:
    memory = MemoryReactorClock()
    endpoint = AdoptedStreamServerEndpoint(memory, descriptor, socket.AF_INET)
    endpoint.listen(Factory())
    assert type(failureOf(endpoint.listen(Factory()))) is AlreadyListened
    assert len(memory.adoptedPorts) == 1


def test_aDescriptorIsHandedOutOnce(descriptor: int, tmp_path: Path) -> None:
    memory = MemoryReactorClock()
    first, second = (AdoptedStreamServerEndpoint(memory, descriptor, socket.AF_INET) for _ in range(2))
    first.listen(Factory())
    assert f"descriptor {descriptor} was closed" in str(failureOf(second.listen(Factory())))
    # Its number is used again, by a socket that would do.
    with listener("tcp", tmp_path) as other:
        if other.fileno() != descriptor:
            os.dup2(other.fileno(), descriptor)
        assert type(failureOf(second.listen(Factory()))) is AlreadyListened
        assert os.get_blocking(other.fileno())
    assert len(memory.adoptedPorts) == 1


@pytest.mark.parametrize("blocking", [True, False], ids=["blocking", "non-blocking"])
def test_aFailureLeavesTheDescriptorAsItWas(descriptor: int, blocking: bool) -> None:
    os.set_blocking(descriptor, blocking)
    before = flags(descriptor)
    problem = CannotListenError(None, 1, OSError())
    endpoint = AdoptedStreamServerEndpoint(RaisingMemoryReactor(problem), descriptor, socket.AF_INET)
    assert failureOf(endpoint.listen(Factory())) is problem
    assert flags(descriptor) == before
    # And it can be tried again.
    endpoint.reactor = MemoryReactorClock()
    endpoint.listen(Factory())
    assert len(endpoint.reactor.adoptedPorts) == 1


def test_aDescriptorThatIsNotOpenIsAFailure() -> None:
    endpoint = AdoptedStreamServerEndpoint(MemoryReactorClock(), 9999, socket.AF_INET)
    assert isinstance(failureOf(endpoint.listen(Factory())), OSError)


def test_aCloseThatFailsChangesNothing(descriptor: int) -> None:
    def close(number: int) -> None:
        os.close(number)
        raise OSError(5, "Input/output error")

    memory = MemoryReactorClock()
    endpoint = AdoptedStreamServerEndpoint(memory, descriptor, socket.AF_INET)
    endpoint._close = close  # type: ignore[method-assign]
    ports: list[Any] = []
    endpoint.listen(Factory()).addCallback(ports.append)
    assert len(ports) == 1


def test_bytesGoThereAndBack(reactor: Any, given: socket.socket) -> None:
    address, family = given.getsockname(), given.family
    client: Any
    if family == socket.AF_UNIX:
        client = UNIXClientEndpoint(reactor, address)
    else:
        client = HostnameEndpoint(reactor, *address[:2])

    async def main() -> Any:
        endpoint = AdoptedStreamServerEndpoint(reactor, given.detach(), family)
        port = await endpoint.listen(Factory.forProtocol(Echo))
        protocol: Any = await client.connect(Factory.forProtocol(Collect))
        got = await protocol.closed
        await port.stopListening()
        return got

    assert run(reactor, main) == b"hello"
    if isinstance(address, str):
        # Its file is its maker's affair.
        assert stat.S_IMODE(os.stat(address).st_mode) == 0o600


@pytest.mark.parametrize("meanwhile", ["changed", "removed", "replaced"])
def test_theModeOfASocketIsPutBackIfTheReactorChangesIt(meanwhile: str, tmp_path: Path) -> None:
    given = listener("unix", tmp_path)
    path = given.getsockname()

    class Changes(MemoryReactorClock):  # type: ignore[misc]
        # As Twisted's own reactors do.
        def adoptStreamPort(self, fileno: int, addressFamily: Any, factory: Any) -> Any:
            os.chmod(path, 0o666)
            if meanwhile != "changed":
                os.unlink(path)
            if meanwhile == "replaced":
                Path(path).touch(0o644)
            return super().adoptStreamPort(fileno, socket.AF_INET, factory)  # it knows no other

    ports: list[Any] = []
    endpoint = AdoptedStreamServerEndpoint(Changes(), given.detach(), socket.AF_UNIX)
    endpoint.listen(Factory()).addCallback(ports.append)
    assert len(ports) == 1
    modes = [stat.S_IMODE(found.stat().st_mode) for found in tmp_path.iterdir()]
    assert modes == {"changed": [0o600], "removed": [], "replaced": [0o644]}[meanwhile]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_nobodyCanAdoptWhatRootHasOpened(reactor: Any, tmp_path: Path) -> None:
    given = listener("unix", tmp_path)
    path = given.getsockname()
    endpoint = AdoptedStreamServerEndpoint(reactor, given.detach(), socket.AF_UNIX)

    async def main() -> None:
        os.seteuid(65534)
        try:
            port = await endpoint.listen(Factory())
        finally:
            os.seteuid(0)
        await port.stopListening()

    run(reactor, main)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


@pytest.mark.parametrize("problem", ["factory", "family"])
def test_whatOurReactorRefusesIsAsItWas(reactor: Any, given: socket.socket, problem: str) -> None:
    before = flags(given.fileno())
    family = given.family
    factory = Factory()
    if problem == "factory":
        factory = Fails()
    else:
        family = socket.AF_INET if family == socket.AF_UNIX else socket.AF_UNIX
    failure = failureOf(AdoptedStreamServerEndpoint(reactor, given.fileno(), family).listen(factory))
    assert type(failure) is (ZeroDivisionError if problem == "factory" else UnsupportedAddressFamily)
    assert flags(given.fileno()) == before


def test_manyLeaveNothing(reactor: Any, tmp_path: Path) -> None:
    counts: list[int] = []

    async def main() -> None:
        for number in range(100):
            given = listener("tcp", tmp_path)
            endpoint = AdoptedStreamServerEndpoint(reactor, given.fileno(), given.family)
            if number % 2:
                assert type(failureOf(endpoint.listen(Fails()))) is ZeroDivisionError
                given.close()
            else:
                given.detach()
                await (await endpoint.listen(Factory())).stopListening()
            if number in (1, 99):
                # uvloop closes when it comes round.
                await deferLater(reactor, 0)
                await deferLater(reactor, 0)
                counts.append(len(os.listdir("/proc/self/fd")))

    run(reactor, main)
    assert counts[0] == counts[1]


def test_theFamilyIsFoundFromTheSocket(given: socket.socket) -> None:
    before = flags(given.fileno())
    assert familyOfListener(given.fileno()) == given.family
    assert flags(given.fileno()) == before


class Files:
    """What a descriptor may be that nobody can listen on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.open = ExitStack()

    def make(self, kind: str) -> Any:
        made: Any = getattr(self, kind)()
        return self.open.enter_context(made) if hasattr(made, "__exit__") else made

    def file(self) -> Any:
        return open(self.folder / "f", "w")

    def folderItself(self) -> Any:
        number = os.open(self.folder, os.O_RDONLY)
        self.open.callback(os.close, number)
        return number

    def device(self) -> Any:
        return open(os.devnull)

    def pipe(self) -> Any:
        return self._first(os.pipe())

    def terminal(self) -> Any:
        return self._first(pty.openpty()[::-1])

    def epoll(self) -> Any:
        return select.epoll()

    def datagrams(self) -> Any:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind(("127.0.0.1", 0))
        return made

    def packets(self) -> Any:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        made.bind(f"\0{self.folder}")
        made.listen()
        return made

    def idle(self) -> Any:
        return socket.socket()

    def connection(self) -> Any:
        ours, theirs = socket.socketpair()
        self.open.enter_context(theirs)
        return ours

    def netlink(self) -> Any:
        return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)

    def _first(self, numbers: Any) -> int:
        for number in numbers:
            self.open.callback(os.close, number)
        return int(numbers[0])


#: And what is said of it.
SAID = {
    "file": "is a file, and no socket",
    "folderItself": "is a folder, and no socket",
    "device": "is a device, and no socket",
    "pipe": "is a pipe, and no socket",
    "terminal": "is a terminal, and no socket",
    "epoll": "is an object of the kernel's, and no socket",
    "datagrams": "is a socket for datagrams (SOCK_DGRAM), and not for streams",
    "packets": "is a socket for packets (SOCK_SEQPACKET), and not for streams",
    "idle": "is a socket that doesn't listen",
    "connection": "is a connection, and no socket that listens (in a unit of systemd's, write Accept=no)",
    "netlink": "is a socket of AF_NETLINK",
}


@pytest.mark.parametrize("kind", SAID)
def test_whatCannotBeListenedOnIsNamedAndLeftAsItIs(kind: str, tmp_path: Path) -> None:
    files = Files(tmp_path)
    with files.open:
        made = files.make(kind)
        number = made if isinstance(made, int) else made.fileno()
        before = flags(number)
        with pytest.raises(NotAListener) as caught:
            familyOfListener(number)
        assert str(caught.value) == f"descriptor {number} {SAID[kind]}"
        assert flags(number) == before


@pytest.mark.parametrize("number", [9999, 2**31 - 1, 2**40])
def test_whatIsNotOpenIsNamed(number: int) -> None:
    with pytest.raises(NotAListener, match=f"^descriptor {number} isn't open$"):
        familyOfListener(number)


def test_aDefaultTimeoutOfTheProgramsDoesNotMakeItNonBlocking(given: socket.socket) -> None:
    before = flags(given.fileno())
    socket.setdefaulttimeout(1.0)
    try:
        familyOfListener(given.fileno())
    finally:
        socket.setdefaulttimeout(None)
    assert flags(given.fileno()) == before
