"""The soak test and the slow reader: what they refuse, what they judge, and that no relay outlives them."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import json
import resource
import signal
import socket
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import twisted_endpoints
from benchmarks import slow_reader, soak, soak_load
from benchmarks.soak_ends import Client, Kind, Server, Trip
from benchmarks.soak_load import Load

LOCAL = "tcp:0:interface=127.0.0.1"
READING = soak.Reading(1, 1, 1, 1, 1, 1, 1)


def isListening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize(
    ("string", "address"),
    [
        ("tcp:127.0.0.1:45991", ("127.0.0.1", 45991)),
        ("TCP:127.0.0.1:45991", ("127.0.0.1", 45991)),
        ("tcp:host=127.0.0.1:port=45992", ("127.0.0.1", 45992)),
        ("tcp:host=127.0.0.1:45992:timeout=3", ("127.0.0.1", 45992)),
        ("tcp:[::1]:80", ("::1", 80)),
        (r"tcp:\:\:1:80", ("::1", 80)),
        ("unix:/tmp/a", "/tmp/a"),
        ("UNIX:path=/tmp/a", "/tmp/a"),
    ],
)
def test_stringsAreReadAsTheRelayReadsThem(string: str, address: Any) -> None:
    assert soak.addressOf(string) == address


@pytest.mark.parametrize("string", ["tls:127.0.0.1:80", "tcp:127.0.0.1", "tcp:127.0.0.1:x", "nonsense", ""])
def test_otherStringsAreRefused(
    string: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refused(soak, ["soak", LOCAL, string], monkeypatch)
    assert "error: CONNECT: " in capsys.readouterr().err


@pytest.mark.parametrize(
    "string", ["tls:0", "haproxy:tcp:0", "stdio:", "tcp:x", "tcp:0:backlog=x", "nonsense", ""]
)
def test_itListensOnWhatTheLoadSpeaks(
    string: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refused(soak, ["soak", string], monkeypatch)
    assert "error: LISTEN: " in capsys.readouterr().err
    for good in (LOCAL, "TCP6:0", "unix:/tmp/a:mode=600"):
        soak.checkServer(good)


@pytest.mark.parametrize("string", ["tcp:192.0.2.1:9", "unix:/does/not/exist"])
def test_aTargetThatCannotListenIsAWrongArgument(
    string: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(resource, "setrlimit", lambda *_: None)
    monkeypatch.setattr(sys, "argv", ["soak", LOCAL, string])
    assert soak.main() == 2
    assert f"CONNECT: nothing can listen at {string}: " in capsys.readouterr().err


def refused(module: Any, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """See that a program ends with argparse's status, and begins nothing."""

    def begun(*_: object) -> None:
        raise AssertionError("it begins")

    for name in ("soak", "Relay"):
        monkeypatch.setattr(module, name, begun, raising=False)
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as ended:
        module.main()
    assert ended.value.code == 2


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "x"])
@pytest.mark.parametrize("option", ["--minutes", "--rate"])
def test_aSoakNeedsTimeAndConnections(
    option: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refused(soak, ["soak", option, value], monkeypatch)
    assert f"argument {option}: expected a number above 0, not '{value}'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("--mib", "0", "a whole number, 1 or more"),
        ("--mib", "-1", "a whole number, 1 or more"),
        ("--mib", "1.5", "a whole number, 1 or more"),
        ("--rest", "-1", "a number, 0 or more"),
        ("--rest", "nan", "a number, 0 or more"),
    ],
)
def test_aSlowReaderNeedsBytes(
    option: str,
    value: str,
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    refused(slow_reader, ["slow_reader", option, value], monkeypatch)
    assert f"argument {option}: expected {expected}, not '{value}'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("string", "host", "rest"),
    [
        ("tcp:127.0.0.1:0", "127.0.0.1", ""),
        ("tcp:127.0.0.9:0", "127.0.0.9", ""),
        ("TCP:host=127.0.0.9:port=0:timeout=3", "127.0.0.9", ":timeout=3"),
        ("tcp:[::1]:0", "[::1]", ""),
    ],
)
def test_anOpenPortBecomesTheServers(string: str, host: str, rest: str) -> None:
    async def main() -> tuple[str, int]:
        server = await Load(asyncio.get_running_loop(), 1).listen(soak.addressOf(string))
        port = server.sockets[0].getsockname()[1]
        located = soak.located(string, server)
        server.close()
        return located, port

    located, port = asyncio.run(main())
    assert located == f"tcp:{host}:{port}{rest}"
    assert soak.located(f"tcp:host={host}:port=80", None) == f"tcp:host={host}:port=80"


@pytest.mark.parametrize(
    ("listensOnUNIX", "connectsToUNIX"), [(False, False), (False, True), (True, False), (True, True)]
)
def test_aResetIsToBeSeenWhereBothEndsCan(listensOnUNIX: bool, connectsToUNIX: bool, tmp_path: Path) -> None:
    async def main() -> Counter[str]:
        load = Load(asyncio.get_running_loop(), 1)
        path = str(tmp_path / "socket")
        server = await load.listen(path if connectsToUNIX else ("127.0.0.1", 0))
        await load.run(path if listensOnUNIX else ("127.0.0.1", 1), 1, 0)
        for number, (kind, judged) in enumerate([(Kind.CLIENT_RESETS, Server), (Kind.SERVER_RESETS, Client)]):
            load.trips[number] = Trip(number, kind, load.chance)
            end: Any = judged(load) if judged is Server else judged(load, load.trips[number])
            end.trip = load.trips[number]
            load.ended(end, None)
        server.close()
        return load.unexpected

    seen = asyncio.run(main())
    assert sum(seen.values()) == (0 if listensOnUNIX or connectsToUNIX else 2)


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_clientsGiveUpOnBothFamilies(family: socket.AddressFamily, host: str) -> None:
    async def main(address: tuple[str, int]) -> None:
        load = Load(asyncio.get_running_loop(), 1)
        await load.run(address, 1, 0)
        load._giveUp(reset=False)

    with socket.create_server((host, 0), family=family) as server:
        asyncio.run(main(server.getsockname()[:2]))
        server.settimeout(10)
        server.accept()[0].close()


def test_aTargetIsSilentForAWhile(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("SILENCE", 0.05), ("TRIED_AGAIN", 0), ("IN_SILENCE", 3), ("AFTER", (0, 0.01))):
        monkeypatch.setattr(soak_load, name, value)

    def answers(target: Any) -> bool:
        with socket.socket() as probe:
            probe.settimeout(0.05)
            return probe.connect_ex(target) == 0

    async def main(relay: Any) -> None:
        load = Load(asyncio.get_running_loop(), 1)
        target = (await load.listen(("127.0.0.1", 0))).sockets[0].getsockname()
        answered = []

        async def opened() -> int:
            answered.append(answers(target))
            return 2

        await load.run(relay, 1, 0)
        for _ in range(2):
            await load.silence(opened)
            assert answers(target)
            await asyncio.sleep(0.02)  # who was answered is to be accepted, too
            await load.drain()
        await load.stop()
        assert answered == [False, False]
        assert load.unexpected == {"in a silence: the relay keeps what was reset": 4}
        assert load.expected["given up"] == 12

    with socket.create_server(("127.0.0.1", 0)) as relay:
        soak.run(main(relay.getsockname()))  # on the loop that the load has


def test_aPathIsNotSilent(tmp_path: Path) -> None:
    async def opened() -> int:
        raise AssertionError("it is silent")

    async def main() -> None:
        load = Load(asyncio.get_running_loop(), 1)
        await load.listen(str(tmp_path / "socket"))
        await load.silence(opened)
        await load.stop()

    asyncio.run(main())


def test_aFarEndThatNeverEndsIsStuck(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> Counter[str]:
        load = Load(asyncio.get_running_loop(), 1)
        server = await load.listen(("127.0.0.1", 0))
        with socket.create_connection(server.sockets[0].getsockname()):
            while not load.ends:
                await asyncio.sleep(0)
            monkeypatch.setattr(soak_load, "PATIENCE", 0)
            await asyncio.wait_for(load.drain(), 10)
        await load.stop()
        return load.unexpected

    assert asyncio.run(main()) == {"no trip: stuck": 1}


def test_aTripThatIsStuckMayFailToConnectAfterwards(tmp_path: Path) -> None:
    async def main() -> Counter[str]:
        load = Load(asyncio.get_running_loop(), 1)
        await load.run(str(tmp_path / "socket"), 1, 0)
        await load._connect(Trip(0, Kind.SHORT, load.chance))
        return load.unexpected

    assert sum(asyncio.run(main()).values()) == 1


def test_streamsThatStayOpenAreNotWaitedForForEver(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Still(Load):
        async def silence(self, opened: Any) -> None:
            assert await opened() == 1

    async def sleep(seconds: float) -> None:
        pass

    staying = replace(READING, streams=2)
    process: Any = SimpleNamespace(read=lambda: staying, said=Counter())
    load = Still(None, 1)  # type: ignore[arg-type]
    monkeypatch.setattr(soak, "PATIENCE", 0)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    assert asyncio.run(soak.settled(load, process)) == staying
    assert soak.report(load, process, staying, staying, [0.1], 1.0, 0) == 1
    assert "WRONG: streams stay open\n" in capsys.readouterr().out


def test_memoryThatIsFreeIsNotCounted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    trimmed: list[int] = []
    loop = asyncio.new_event_loop()
    reactor = SimpleNamespace(getDelayedCalls=list, _loop=loop, _open={})
    monkeypatch.setattr(twisted_endpoints, "reactor", reactor, raising=False)
    for library in (SimpleNamespace(malloc_trim=trimmed.append), SimpleNamespace()):
        monkeypatch.setattr(ctypes, "CDLL", lambda name, library=library: library)
        soak._report()
        assert json.loads(capsys.readouterr().out)["memory"] > 0
    loop.close()
    assert trimmed == [0]


@pytest.mark.parametrize(("latencies", "status"), [([0.1], 0), ([], 1)])
def test_nothingThatWasCheckedIsNotWell(
    latencies: list[float], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    load = Load(None, 1)  # type: ignore[arg-type]
    process: Any = SimpleNamespace(said=Counter())
    assert soak.report(load, process, READING, READING, latencies, 1.0, 0) == status
    assert ("all is well" in capsys.readouterr().out) is not status


def test_aRelayEndsWithWhatUsesIt() -> None:
    with (
        contextlib.suppress(ZeroDivisionError),
        soak.Relay("asyncio", LOCAL, "tcp:127.0.0.1:9") as relay,
    ):
        assert isListening(soak.addressOf(relay.string)[1])
        raise ZeroDivisionError
    assert relay.process.returncode == -signal.SIGKILL


def test_aRelayGivesBackPagesAndNotArenas() -> None:
    with soak.Relay("asyncio", LOCAL, "tcp:127.0.0.1:9") as relay:
        environment = Path(f"/proc/{relay.process.pid}/environ").read_bytes()
    assert b"PYTHONMALLOC=malloc" in environment.split(b"\0")


def test_aRelayThatEndsByItselfEndsTheSoak(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def measured(load: Load, process: soak.Relay, rate: float, minutes: float) -> int:
        process.process.kill()
        await soak.reading(process)
        return 0

    monkeypatch.setattr(soak, "measured", measured)
    options = argparse.Namespace(
        loop="asyncio", listen=LOCAL, connect=soak.DEFAULT_CONNECT, rate=1, minutes=1, seed=1
    )
    assert asyncio.run(soak.soak(options)) == 1
    said = capsys.readouterr().out
    assert "bytes checked: 0" in said
    assert "WRONG: the relay has ended by itself: exit status -9, []" in said


def test_aRelayThatDoesNotListenSaysWhy() -> None:
    with pytest.raises(SystemExit, match=r"the relay doesn't listen: 2, .*LISTEN"):
        soak.Relay("asyncio", "nonsense", "tcp:127.0.0.1:9")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_aSoakThatIsToldToEndLeavesNothing(number: signal.Signals, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    command = [sys.executable, "-m", "benchmarks.soak", "--minutes", "5", LOCAL, f"unix:{path}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            first = process.stdout.readline()
            port = int(first.split()[1].rpartition(":")[2])
            assert isListening(port)
            process.send_signal(number)
            assert process.wait(30) == 128 + number
        finally:
            process.kill()
    assert not isListening(port)
    assert not path.exists()


class Pipe:
    """Keeps what is sent, in pieces, until it is received."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def sendall(self, data: bytes) -> None:
        self.pieces.append(data)

    def shutdown(self, how: int) -> None:
        pass

    def recv(self, size: int, flags: int) -> bytes:
        return self.pieces.pop(0) if self.pieces else b""


def test_aSlowReaderSeesWhatIsExchanged() -> None:
    pipe: Any = Pipe()
    slow_reader.send(pipe, 3)
    assert slow_reader.receive(pipe, 0) == 3 << 20
    slow_reader.send(pipe, 3)
    pipe.pieces.reverse()
    with pytest.raises(SystemExit, match="other bytes than were sent"):
        slow_reader.receive(pipe, 0)


@pytest.mark.parametrize(
    ("count", "growth", "status", "said", "reasons"),
    [
        (9, 0, 0, [], []),
        (8, 0, 0, [], ["8 of 9 bytes came"]),
        (9, 8 << 20, 0, [], ["8.00 MiB more memory meanwhile, where 8 may be needed"]),
        (9, 0, 1, ["an error"], ["exit status 1", "the relay said ['an error']"]),
    ],
)
def test_aSlowReaderSaysWhatIsWrong(
    count: int, growth: int, status: int, said: list[str], reasons: list[str]
) -> None:
    assert slow_reader.faults(9, count, growth, status, said) == reasons


def test_aSlowReaderThatIsToldToEndLeavesNothing(monkeypatch: pytest.MonkeyPatch) -> None:
    relays = []

    class Relay(soak.Relay):
        def __enter__(self) -> Relay:
            relays.append(self)
            return self

    def receive(sink: socket.socket, rest: float) -> int:
        sink.recv(1)
        signal.raise_signal(signal.SIGTERM)
        return 0

    monkeypatch.setattr(slow_reader, "Relay", Relay)
    monkeypatch.setattr(slow_reader, "receive", receive)
    monkeypatch.setattr(sys, "argv", ["slow_reader", "--mib", "64", "--loop", "asyncio"])
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit) as ended:
            slow_reader.main()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert ended.value.code == 128 + signal.SIGTERM
    assert [relay.process.returncode for relay in relays] == [-signal.SIGKILL]
