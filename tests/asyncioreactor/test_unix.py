"""UNIX sockets: the file, its lock, abstract names, and the passing of descriptors."""

from __future__ import annotations

import array
import errno
import os
import shutil
import socket
import stat
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from zope.interface import implementer
from zope.interface.verify import verifyObject

from tests.faults.left import Held, nothingIsLeft
from tests.running import run
from twisted_endpoints import error
from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.address import UNIXAddress
from twisted_endpoints.asyncioreactor import SocketModeWarning
from twisted_endpoints.endpoints import UNIXServerEndpoint
from twisted_endpoints.error import (
    BadFileError,
    CannotListenError,
    ConnectError,
    ConnectionDone,
    FileDescriptorOverrun,
)
from twisted_endpoints.interfaces import IFileDescriptorReceiver, IReactorUNIX, ITCPTransport, IUNIXTransport
from twisted_endpoints.protocol import Factory
from twisted_endpoints.strings import serverFromString

from .limits import allDescriptors, descriptorsLeft
from .logged import loggedErrors
from .streams import (
    CountingFactory,
    OneClientFactory,
    OneFactory,
    Play,
    Recorder,
    Scene,
    Takes,
    descriptorsOpen,
)

MUCH = 16 * 1024 * 1024


@pytest.fixture
def kind() -> str:
    return "unix"


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o027)
    yield
    os.umask(before)


def stop(reactor: Any, *ports: Any) -> None:
    async def main() -> None:
        for port in ports:
            await port.stopListening()

    run(reactor, main)


def staleSocket(path: Path) -> None:
    """Leave what a killed server leaves, with the lock of a process that is gone."""
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
    os.symlink(str(child), f"{path}.lock")


# The file


@pytest.mark.parametrize("mode", [0o600, 0o660, 0o666, 0o777, 0o000])
def test_theModeIsExact(reactor: Any, tmp_path: Path, umask: None, mode: int) -> None:
    path = tmp_path / "s"
    port = reactor.listenUNIX(str(path), OneFactory(None), mode=mode)
    assert stat.S_IMODE(os.stat(path).st_mode) == mode
    stop(reactor, port)


def test_theModeIsNeverWiderThanAskedFor(
    reactor: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s"
    seen: list[int] = []
    real = os.lstat

    def look(name: Any) -> os.stat_result:
        found = real(name)
        if name == os.fsencode(path):
            # The first thing that is done with the path after the bind.
            seen.append(stat.S_IMODE(found.st_mode))
        return found

    monkeypatch.setattr(os, "lstat", look)
    port = reactor.listenUNIX(str(path), OneFactory(None), mode=0o600)
    stop(reactor, port)
    assert seen[0] == 0o600


def test_theFileIsRemovedAtTheEnd(reactor: Any, tmp_path: Path) -> None:
    path = tmp_path / "s"
    port = reactor.listenUNIX(str(path), OneFactory(None), wantPID=True)
    verifyObject(IReactorUNIX, reactor)
    assert path.is_socket()
    assert sorted(os.listdir(tmp_path)) == ["s", "s.flock", "s.lock"]
    assert os.readlink(f"{path}.lock") == str(os.getpid())
    assert port.getHost() == UNIXAddress(str(path))
    assert str(path) in repr(port)
    stop(reactor, port)
    assert os.listdir(tmp_path) == []
    assert "(not listening)" in repr(port)


def test_aFileThatIsGoneIsNoError(reactor: Any, tmp_path: Path) -> None:
    path = tmp_path / "s"
    port = reactor.listenUNIX(str(path), CountingFactory(), wantPID=True)
    path.unlink()
    stop(reactor, port)
    assert os.listdir(tmp_path) == []
    assert port.factory.calls == ["start", "stop"]


def test_theSocketOfASuccessorIsNotRemoved(reactor: Any, tmp_path: Path) -> None:
    path = tmp_path / "s"
    port = reactor.listenUNIX(str(path), OneFactory(None))
    path.unlink()
    with socket.socket(socket.AF_UNIX) as successor:
        successor.bind(str(path))
        stop(reactor, port)
        assert path.is_socket()


@pytest.mark.parametrize("wantPID", [False, True])
def test_whatIsNoSocketIsLeftAlone(reactor: Any, tmp_path: Path, wantPID: bool) -> None:
    path = tmp_path / "s"
    path.write_text("precious")
    before = descriptorsOpen()
    factory = CountingFactory()
    with pytest.raises(CannotListenError, match="Address already in use"):
        reactor.listenUNIX(str(path), factory, wantPID=wantPID)
    assert path.read_text() == "precious"
    assert os.listdir(tmp_path) == ["s"]
    assert descriptorsOpen() == before
    assert factory.calls == []
    # And the process may try again.
    path.unlink()
    stop(reactor, reactor.listenUNIX(str(path), factory, wantPID=wantPID))


def test_whatIsNoSocketIsInTheWay(reactor: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("nothing")
    for path in (tmp_path, tmp_path / "file", tmp_path / "link"):
        with pytest.raises(CannotListenError, match="what is there is no socket: move it away"):
            reactor.listenUNIX(str(path), OneFactory(None))


def test_aStaleSocketIsReplaced(reactor: Any, tmp_path: Path) -> None:
    path = tmp_path / "s"
    staleSocket(path)
    with pytest.raises(CannotListenError, match="something else listens there"):
        reactor.listenUNIX(str(path), OneFactory(None))
    port = reactor.listenUNIX(str(path), OneFactory(None), wantPID=True)
    stop(reactor, port)
    assert os.listdir(tmp_path) == []


def test_aLivingSocketIsNotReplacedWhateverTheLockSays(reactor: Any, tmp_path: Path) -> None:
    path = tmp_path / "s"
    staleSocket(path)
    path.unlink()
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        with pytest.raises(CannotListenError):
            reactor.listenUNIX(str(path), OneFactory(None), wantPID=True)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
    assert os.listdir(tmp_path) == ["s"]


def test_aLinkIsNoStaleSocket(reactor: Any, tmp_path: Path) -> None:
    path = tmp_path / "s"
    staleSocket(path)
    path.rename(tmp_path / "other")
    path.symlink_to(tmp_path / "other")
    with pytest.raises(CannotListenError):
        reactor.listenUNIX(str(path), OneFactory(None), wantPID=True)
    assert path.is_symlink()
    assert (tmp_path / "other").is_socket()


def test_aLockThatAnotherProcessHolds(reactor: Any, tmp_path: Path) -> None:
    path = tmp_path / "s"
    os.symlink(str(os.getppid()), f"{path}.lock")
    with pytest.raises(CannotListenError, match="Cannot acquire lock"):
        reactor.listenUNIX(str(path), OneFactory(None), wantPID=True)
    assert os.listdir(tmp_path) == ["s.lock"]


@pytest.mark.parametrize("wantPID", [False, True])
@pytest.mark.parametrize("umask_", [0o022, 0o000], ids=["umask", "no umask"])
def test_whateverFailsALaterListenIsAsIfNothingHadBeen(
    reactor: Any, tmp_path: Path, wantPID: bool, umask_: int
) -> None:
    # The limit of descriptors fails each step in turn that takes one.
    path = tmp_path / "s"
    factory = Factory()
    factory.noisy = False
    before = os.umask(umask_)
    try:
        # One for the lock, one for the socket, one to give back what the umask took.
        for free in range(1 + wantPID + bool(umask_)):
            with descriptorsLeft(free):
                with pytest.raises(CannotListenError, match="Too many open files") as caught:
                    reactor.listenUNIX(str(path), factory, mode=0o666, wantPID=wantPID)
                assert len(allDescriptors(close=True)) == free
            assert caught.value.socketError.errno == errno.EMFILE
            assert factory.numPorts == 0
            assert os.listdir(tmp_path) == []
    finally:
        os.umask(before)
    port = reactor.listenUNIX(str(path), factory, mode=0o666, wantPID=wantPID)
    assert factory.numPorts == 1
    stop(reactor, port)
    assert factory.numPorts == 0
    assert os.listdir(tmp_path) == []


def test_aFactoryThatFailsToStartLeavesNothing(reactor: Any, tmp_path: Path) -> None:
    class Fails(CountingFactory):
        def doStart(self) -> None:
            raise ZeroDivisionError

    async def main() -> None:
        # The first port that there is brings the descriptor that the process keeps in reserve.
        await reactor.listenUNIX(str(tmp_path / "s"), CountingFactory()).stopListening()
        before = Held.by(reactor)
        with pytest.raises(ZeroDivisionError):
            reactor.listenUNIX(str(tmp_path / "s"), Fails(), wantPID=True)
        assert os.listdir(tmp_path) == []
        await nothingIsLeft(reactor, before)

    run(reactor, main)


def test_theUmaskIsMadeGoodOrNothingIsLeft(
    reactor: Any, tmp_path: Path, umask: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*args: Any) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "chmod", refuses)
    with pytest.raises(CannotListenError, match="not permitted"):
        reactor.listenUNIX(str(tmp_path / "s"), CountingFactory(), mode=0o666, wantPID=True)
    assert os.listdir(tmp_path) == []


def test_aFileThatCannotBeRemovedIsNoErrorEither(
    reactor: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As for a process that has given its privileges away meanwhile.
    def refuses(*args: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    port = reactor.listenUNIX(str(tmp_path / "s"), CountingFactory(), wantPID=True)
    monkeypatch.setattr(os, "unlink", refuses)
    before = descriptorsOpen()
    with loggedErrors() as logged:
        stop(reactor, port)
    assert logged == []
    assert descriptorsOpen() <= before - 2
    monkeypatch.undo()
    # The next server finds its way.
    port = reactor.listenUNIX(str(tmp_path / "s"), CountingFactory(), wantPID=True)
    port._shutdown()
    assert os.listdir(tmp_path) == []


def test_aFolderThatIsReachedByALink(reactor: Any, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    (tmp_path / "current").symlink_to("one")
    first = reactor.listenUNIX(str(tmp_path / "current" / "s"), CountingFactory(), wantPID=True)
    (tmp_path / "current").unlink()
    (tmp_path / "current").symlink_to("two")
    second = reactor.listenUNIX(str(tmp_path / "current" / "s"), CountingFactory(), wantPID=True)
    first._shutdown()
    assert os.listdir(tmp_path / "one") == []
    assert sorted(os.listdir(tmp_path / "two")) == ["s", "s.flock", "s.lock"]
    second._shutdown()
    assert os.listdir(tmp_path / "two") == []


def test_aRelativePathOutlivesAChangeOfFolder(
    reactor: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("x" * 100) / "deep"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    port = reactor.listenUNIX("s", CountingFactory(), wantPID=True)
    assert sorted(os.listdir(deep)) == ["s", "s.flock", "s.lock"]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s").touch()
    port._shutdown()
    assert os.listdir(deep) == []
    assert os.listdir(tmp_path) == ["x" * 100, "s"] or os.listdir(tmp_path) == ["s", "x" * 100]


def test_aCurrentFolderThatIsGone(reactor: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    before = descriptorsOpen()
    for wantPID in (False, True):
        with pytest.raises(CannotListenError, match=r"No such file"):
            reactor.listenUNIX("s", CountingFactory(), wantPID=wantPID)
    assert descriptorsOpen() == before


@pytest.mark.parametrize("name", [b"\xff\xfe", "\udcff\udcfe", "n\u00fc", b"n\xc3\xbc"])
def test_pathsOfAnyBytes(reactor: Any, tmp_path: Path, name: Any) -> None:
    if vocabulary == "twisted" and name == "\udcff\udcfe":
        pytest.skip("Twisted's UNIXAddress has no such names")
    folder = os.fsencode(tmp_path)
    path = os.path.join(folder if isinstance(name, bytes) else str(tmp_path), name)
    port = reactor.listenUNIX(path, CountingFactory(), wantPID=True)
    name = os.fsencode(name)
    assert sorted(os.listdir(folder)) == [name, name + b".flock", name + b".lock"]
    assert port.getHost().name == os.path.join(folder, name)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
    assert repr(port).isprintable()
    stop(reactor, port)
    assert os.listdir(folder) == []


def test_abstractNamesHaveNoFiles(reactor: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError

    for function in ("chmod", "fchmod", "lstat", "symlink", "unlink", "readlink"):
        monkeypatch.setattr(os, function, never)
    port = reactor.listenUNIX(f"\0{tmp_path}", CountingFactory(), wantPID=True)
    port._shutdown()
    monkeypatch.undo()
    assert os.listdir(tmp_path) == []


# Who may connect, by default


@pytest.fixture
def publicFolder(tmp_path: Path) -> Iterator[Path]:
    """A folder that every user can reach."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_aSocketForEverybodyThatNobodyAskedForIsWarnedOf(reactor: Any, publicFolder: Path) -> None:
    path = publicFolder / "s"
    with pytest.warns(SocketModeWarning, match="every user of this machine can connect to .*/s") as caught:
        port = reactor.listenUNIX(str(path), CountingFactory(), wantPID=True)
    assert caught[0].filename == __file__
    # Twisted's default, for whoever counts on it.
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o666
    port._shutdown()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for mode in (0o600, 0o666):
            reactor.listenUNIX(str(path), CountingFactory(), mode=mode)._shutdown()
        (publicFolder / "private").mkdir(mode=0o700)
        reactor.listenUNIX(str(publicFolder / "private" / "s"), CountingFactory())._shutdown()
        reactor.listenUNIX(f"\0{path}", CountingFactory())._shutdown()
        with pytest.raises(SocketModeWarning):
            reactor.listenUNIX(str(path), CountingFactory(), wantPID=True)
    assert os.listdir(publicFolder) == ["private"]


def test_endpointsAndStringsAreWarnedOfToo(reactor: Any, publicFolder: Path) -> None:
    path = publicFolder / "s"

    async def main() -> None:
        for endpoint in (UNIXServerEndpoint(reactor, str(path)), serverFromString(reactor, f"unix:{path}")):
            with pytest.warns(SocketModeWarning, match="write mode 600"):
                port = await endpoint.listen(OneFactory(None))
            await port.stopListening()
        await (
            await serverFromString(reactor, f"unix:{path}:mode=666").listen(OneFactory(None))
        ).stopListening()

    run(reactor, main)


LONG = "/" + "x" * 107
BAD_PATHS = {
    "": "the path is empty",
    "a\0b": "a path has no NUL byte but a first one, for an abstract name",
    LONG: "the path has 108 bytes, of 107 possible: try one relative to the current folder",
    "\0" + LONG: "the name has 109 bytes, of 108 possible",
}


@pytest.mark.parametrize("path", BAD_PATHS)
@pytest.mark.parametrize("wantPID", [False, True])
def test_pathsThatCannotBe(reactor: Any, path: str, wantPID: bool) -> None:
    before = descriptorsOpen()
    with pytest.raises(CannotListenError) as caught:
        reactor.listenUNIX(path, OneFactory(None), wantPID=wantPID)
    assert str(caught.value) == f"Couldn't listen on any:{path.encode()!r}: {BAD_PATHS[path]}."
    assert descriptorsOpen() == before


@pytest.mark.parametrize("wantPID", [False, True])
def test_aFolderThatIsMissing(reactor: Any, tmp_path: Path, wantPID: bool) -> None:
    before = descriptorsOpen()
    with pytest.raises(CannotListenError, match=r"No such file.*the folder doesn't exist") as caught:
        reactor.listenUNIX(str(tmp_path / "no" / "s"), OneFactory(None), wantPID=wantPID)
    assert caught.value.socketError.errno == errno.ENOENT
    assert descriptorsOpen() == before


def test_theLongestPathsThatCan(reactor: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "s").ljust(107, "x")
    ports = [reactor.listenUNIX(name, OneFactory(None)) for name in (path, "\0" + path)]
    stop(reactor, *ports)


def test_abstractNames(play: Play, tmp_path: Path) -> None:
    name = f"\0{tmp_path}/abstract"

    async def main(scene: Scene) -> None:
        server, client = Recorder(), Recorder()
        port = scene.reactor.listenUNIX(name, OneFactory(server), wantPID=True)
        scene.ports.append(port)
        assert port.getHost() == UNIXAddress(name)
        connector = scene.reactor.connectUNIX(name, OneClientFactory(client), checkPID=True)
        await client.made
        await server.made
        assert connector.getDestination() == client.transport.getPeer() == UNIXAddress(name)
        client.transport.write(b"x")
        await server.size(1)
        client.transport.loseConnection()
        await server.lost
        assert os.listdir(tmp_path) == []

    play(main)


# Clients


def test_connecting(play: Play) -> None:
    async def main(scene: Scene) -> None:
        server, client = Recorder(), Recorder()
        port = scene.listen(OneFactory(server))
        factory = OneClientFactory(client)
        connector = scene.reactor.connectUNIX(scene.path, factory)
        await client.made
        await server.made
        verifyObject(IUNIXTransport, client.transport)
        verifyObject(ITCPTransport, client.transport)
        assert client.transport.getPeer() == server.transport.getHost() == port.getHost()
        assert client.transport.getHost() == server.transport.getPeer() == UNIXAddress(None)
        stream: Any = server.transport
        stream.setTcpNoDelay(True)
        assert stream.getTcpNoDelay() is False
        connector.disconnect()
        assert isinstance(await factory.lost, ConnectionDone)
        assert factory.calls == ["start", "connecting", "build", "lost", "stop"]

    play(main)


@pytest.mark.parametrize(
    ("path", "kind", "text"),
    [
        ("missing", ConnectError, "No such file or directory"),
        ("file", error.ConnectionRefusedError, "Connection refused"),
        ("x" * 200, ConnectError, "bytes, of 107 possible"),
        ("", ConnectError, "the path is empty"),
    ],
)
def test_whatCannotBeConnectedTo(
    play: Play, tmp_path: Path, path: str, kind: type[Exception], text: str
) -> None:
    (tmp_path / "file").touch()

    async def main(scene: Scene) -> None:
        factory = OneClientFactory(None)
        scene.reactor.connectUNIX(str(tmp_path / path) if path else path, factory)
        reason = await factory.failed
        assert isinstance(reason, kind)
        assert text in str(reason)

    play(main)


def test_checkPIDWantsALivingServer(play: Play, tmp_path: Path) -> None:
    async def main(scene: Scene) -> None:
        path = tmp_path / "stale"
        staleSocket(path)
        factory = OneClientFactory(None)
        scene.reactor.connectUNIX(str(path), factory, checkPID=True)
        assert isinstance(await factory.failed, BadFileError)
        # A client tidies up nothing.
        assert sorted(os.listdir(tmp_path)) == ["stale", "stale.lock"]
        path = tmp_path / "served"
        client = Recorder()
        scene.ports.append(scene.reactor.listenUNIX(str(path), OneFactory(Recorder()), wantPID=True))
        scene.reactor.connectUNIX(str(path), OneClientFactory(client), checkPID=True)
        await client.made
        client.transport.loseConnection()
        await client.lost

    play(main)


def test_aFullQueueIsWaitedFor(play: Play) -> None:
    async def main(scene: Scene) -> None:
        with socket.socket(socket.AF_UNIX) as busy:
            busy.bind(scene.path)
            busy.listen(0)
            busy.setblocking(False)
            clients = [Recorder() for _ in range(3)]
            for client in clients:
                scene.reactor.connectUNIX(scene.path, OneClientFactory(client))
            await clients[0].made
            accepted = []
            while not all(client.events for client in clients):
                try:
                    accepted.append(busy.accept()[0])
                except BlockingIOError:
                    await scene.soon()
            for client in clients:
                client.transport.loseConnection()
                await client.lost
            for sock in accepted:
                sock.close()

    play(main)


def test_anAttemptIsGivenUpJustBeforeItsNextStep(play: Play) -> None:
    async def main(scene: Scene) -> None:
        with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as waits:
            busy.bind(scene.path)
            busy.listen(0)
            waits.connect(scene.path)
            factory = OneClientFactory(Recorder())
            # The loop runs from now on, and has the descriptors that it needs for that.
            await scene.soon(1)
            before = descriptorsOpen()
            connector = scene.reactor.connectUNIX(scene.path, factory)
            # It has waited long enough to try again, and will in the loop's next round.
            connector._attempt._next.set_result(None)
            connector.stopConnecting()
            assert type(await factory.failed) is error.UserError
            await scene.soon()
            assert descriptorsOpen() == before

    play(main)


# Descriptors


@implementer(IFileDescriptorReceiver)
class Receiver(Takes, Recorder):
    def fileDescriptorReceived(self, descriptor: int) -> None:
        super().fileDescriptorReceived(descriptor)
        self.events.append(f"descriptor after {len(self.received)}")


def contents(descriptors: tuple[int, ...]) -> list[bytes]:
    """Read the beginning of what each descriptor leads to, and close it."""
    found = []
    for descriptor in descriptors:
        assert not os.get_inheritable(descriptor)
        found.append(os.pread(descriptor, 10, 0))
        os.close(descriptor)
    return found


@pytest.fixture
def files(tmp_path: Path) -> Iterator[list[int]]:
    """Descriptors of three files that say which they are."""
    made = []
    for number in range(3):
        (tmp_path / f"file{number}").write_text(f"file {number}")
        made.append(os.open(tmp_path / f"file{number}", os.O_RDONLY))
    yield made
    for descriptor in made:
        os.close(descriptor)


async def couple(scene: Scene, server: Any, client: Any) -> Any:
    """Connect two streams, and return the client's."""
    scene.listen(OneFactory(server))
    scene.reactor.connectUNIX(scene.path, OneClientFactory(client))
    await server.made
    await client.made
    return client.transport


@pytest.mark.parametrize("sender", [Recorder, Receiver])
def test_descriptorsArePassed(play: Play, files: list[int], sender: type[Recorder]) -> None:
    async def main(scene: Scene) -> None:
        server = Receiver()
        stream = await couple(scene, server, sender())
        stream.write(b"before")
        await server.size(6)
        for descriptor in files:
            stream.sendFileDescriptor(descriptor)
        stream.write(b"3 files")
        await server.size(13)
        assert server.received == b"before3 files"
        assert contents(server.descriptors) == [b"file 0", b"file 1", b"file 2"]
        assert server.events[1] == "descriptor after 6"
        stream.loseConnection()
        await server.lost

    play(main)


def test_descriptorsComeInTheirPlace(play: Play, files: list[int]) -> None:
    async def main(scene: Scene) -> None:
        server = Receiver()
        client = Recorder()
        stream = await couple(scene, server, client)
        # The loop's transport still has most of this when the descriptor is sent.
        server.transport.pauseProducing()
        stream.write(b"x" * MUCH)
        stream.sendFileDescriptor(files[1])
        stream.write(b"with a file")
        stream.loseConnection()
        server.transport.write(b"heard meanwhile")
        await client.size(15)
        server.transport.resumeProducing()
        await server.lost
        assert len(server.received) == MUCH + 11
        assert server.received.endswith(b"xwith a file")
        assert len(server.events) == 3
        # One read of the kernel's may bring bytes from before with it, but never from behind.
        place = int(server.events[1].split()[-1])
        assert MUCH - 65536 <= place <= MUCH
        assert contents(server.descriptors) == [b"file 1"]
        assert await client.lost is ConnectionDone

    play(main)


def test_bytesBothWaysAroundDescriptors(play: Play, files: list[int]) -> None:
    async def main(scene: Scene) -> None:
        server, client = Receiver(), Receiver()
        stream = await couple(scene, server, client)
        for _ in range(10):
            stream.sendFileDescriptor(files[0])
            stream.write(b"a" * (MUCH // 10))
            server.transport.write(b"b" * (MUCH // 10))
        await server.size(MUCH // 10 * 10)
        await client.size(MUCH // 10 * 10)
        assert contents(server.descriptors) == [b"file 0"] * 10
        assert set(server.received) == {ord("a")}
        assert set(client.received) == {ord("b")}
        stream.loseWriteConnection()
        await server.lost
        assert await client.lost is ConnectionDone

    play(main)


@pytest.mark.parametrize("sender", [Recorder, Receiver])
def test_aDescriptorWithoutAByteIsAnError(play: Play, files: list[int], sender: type[Recorder]) -> None:
    async def main(scene: Scene) -> None:
        server, client = Receiver(), sender()
        stream = await couple(scene, server, client)
        stream.sendFileDescriptor(files[0])
        stream.sendFileDescriptor(files[1])
        stream.write(b"1")
        assert await client.lost is FileDescriptorOverrun
        assert await server.lost is ConnectionDone
        assert (server.received, server.descriptors) == (b"", ())
        stream.sendFileDescriptor(files[0])

    play(main)


def test_aDescriptorWithoutAByteIsAnErrorOfWhoClosesAtOnceToo(play: Play, files: list[int]) -> None:
    class Hasty(Recorder):
        def connectionMade(self) -> None:
            super().connectionMade()
            self.transport.sendFileDescriptor(files[0])  # type: ignore[union-attr]
            self.transport.loseConnection()  # type: ignore[union-attr]

    async def main(scene: Scene) -> None:
        server, client = Receiver(), Hasty()
        scene.listen(OneFactory(server))
        scene.reactor.connectUNIX(scene.path, OneClientFactory(client))
        assert await client.lost is FileDescriptorOverrun
        assert await server.lost is ConnectionDone
        assert server.descriptors == ()

    play(main)


def test_manyDescriptorsPauseAProducer(play: Play, files: list[int]) -> None:
    class Producer:
        def __init__(self) -> None:
            self.told: list[str] = []

        def pauseProducing(self) -> None:
            self.told.append("pause")

        def resumeProducing(self) -> None:
            self.told.append("resume")

        def stopProducing(self) -> None:
            self.told.append("stop")

    async def main(scene: Scene) -> None:
        server, producer = Receiver(), Producer()
        stream = await couple(scene, server, Recorder())
        stream.registerProducer(producer, True)
        for _ in range(64):
            stream.sendFileDescriptor(files[0])
        assert producer.told == []
        stream.sendFileDescriptor(files[0])
        assert producer.told == ["pause"]
        stream.write(b"x" * 65)
        await server.size(65)
        await scene.soon()
        assert producer.told == ["pause", "resume"]
        assert contents(server.descriptors) == [b"file 0"] * 65

    play(main)


def test_descriptorsThatNobodyTakesAreClosed(play: Play, files: list[int]) -> None:
    async def main(scene: Scene) -> None:
        server = Recorder()
        stream = await couple(scene, server, Receiver())
        stream.sendFileDescriptor(files[0])
        stream.write(b"here")
        await server.size(4)
        await scene.soon(5)
        before = descriptorsOpen()
        stream.sendFileDescriptor(files[0])
        stream.write(b"there")
        await server.size(9)
        assert descriptorsOpen() == before

    play(main)


def test_descriptorsOfAProtocolThatWasExchangedAreClosed(play: Play, files: list[int]) -> None:
    async def main(scene: Scene) -> None:
        server, second = Receiver(), Recorder()
        stream = await couple(scene, server, Receiver())
        server.transport.protocol = second  # type: ignore[attr-defined]
        await scene.soon(5)
        before = descriptorsOpen()
        stream.sendFileDescriptor(files[0])
        stream.write(b"here")
        await second.size(4)
        assert descriptorsOpen() == before
        second.transport = server.transport
        stream.loseConnection()
        await second.lost

    play(main)


def test_severalDescriptorsInOneMessage(play: Play, files: list[int]) -> None:
    async def main(scene: Scene) -> None:
        server = Receiver()
        peer = await scene.connected(server)
        rights = array.array("i", files * 80)
        peer.sock.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
        await server.size(1)
        assert contents(server.descriptors) == [b"file 0", b"file 1", b"file 2"] * 80

    play(main)


def test_whatAReceiverRaisesEndsItsConnection(play: Play, files: list[int]) -> None:
    class Raises(Receiver):
        def fileDescriptorReceived(self, descriptor: int) -> None:
            os.close(descriptor)
            raise ZeroDivisionError

    async def main(scene: Scene) -> None:
        server = Raises()
        stream = await couple(scene, server, Recorder())
        before = descriptorsOpen()
        for descriptor in files:
            stream.sendFileDescriptor(descriptor)
        with loggedErrors() as logged:
            stream.write(b"abc")
            assert await server.lost is ZeroDivisionError
        assert logged == [ZeroDivisionError]
        assert server.received == b""
        assert descriptorsOpen() <= before

    play(main)


def test_theErrorOfASendEndsTheConnection(play: Play) -> None:
    async def main(scene: Scene) -> None:
        client = Recorder()
        stream = await couple(scene, Receiver(), client)
        stream.sendFileDescriptor(99999)
        stream.write(b"x")
        assert await client.lost is error.ConnectionLost
        assert os.strerror(errno.EBADF) in str(client.reason.value)

    play(main)
