"""The command `relay`, as a process, between sockets of the test's own."""

from __future__ import annotations

import hashlib
import os
import pty
import resource
import select
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from twisted_endpoints.cli import relay as relayCommand

from .running import LOCAL, PATIENCE, Relay, Target, command, environment, finished, received, reset


def test_copiesBothWaysAndPassesTheHalfCloseOn(loop: str, target: Target) -> None:
    with Relay(LOCAL, target.string, loop=loop) as relay:
        with relay.connect() as client, target.accept() as server:
            client.sendall(b"question")
            client.shutdown(socket.SHUT_WR)
            assert received(server) == b"question"
            server.sendall(b"answer")
            server.shutdown(socket.SHUT_WR)
            assert received(client) == b"answer"
        assert relay.stopped() == (0, "")


def test_theServerMayEndFirst(loop: str, target: Target) -> None:
    with (
        Relay(LOCAL, target.string, loop=loop) as relay,
        relay.connect() as client,
        target.accept() as server,
    ):
        server.sendall(b"greeting")
        server.shutdown(socket.SHUT_WR)
        assert received(client) == b"greeting"
        client.sendall(b"x" * 1_000_000)
        client.shutdown(socket.SHUT_WR)
        assert len(received(server)) == 1_000_000


@pytest.mark.parametrize("turned", [False, True])
def test_aResetIsPassedOn(loop: str, target: Target, turned: bool) -> None:
    with (
        Relay(LOCAL, target.string, loop=loop) as relay,
        relay.connect() as client,
        target.accept() as server,
    ):
        ends, other = (server, client) if turned else (client, server)
        ends.sendall(b"half a tru")
        assert other.recv(100) == b"half a tru"
        reset(ends)
        with pytest.raises(ConnectionResetError):
            other.recv(100)


def test_memoryStaysFlatForASlowReader(loop: str, target: Target) -> None:
    size, chunk = 128 << 20, os.urandom(1 << 20)
    sent, came = hashlib.sha256(), hashlib.sha256()
    with (
        Relay(LOCAL, target.string, loop=loop) as relay,
        relay.connect() as client,
        target.accept() as server,
    ):
        client.sendall(b"warm")
        assert server.recv(4) == b"warm"
        before = relay.memory("VmRSS")
        left, rest = size, b""
        # Send as much as anybody takes, before the reader reads at all.
        while left and select.select([], [client], [], 0.5)[1]:
            rest = rest or chunk[:left]
            count = client.send(rest)
            sent.update(rest[:count])
            left, rest = left - count, rest[count:]
        assert left > size // 2, "somebody holds what nobody reads"

        client.setblocking(False)
        while True:
            readable, writable, _ = select.select([server], [client] if left else [], [], PATIENCE)
            assert readable or writable, "nothing moves"
            if writable:
                rest = rest or chunk[:left]
                count = client.send(rest)
                sent.update(rest[:count])
                left, rest = left - count, rest[count:]
                if not left:
                    client.shutdown(socket.SHUT_WR)
            if readable:
                data = server.recv(1 << 20)
                if not data:
                    break
                came.update(data)
        assert came.digest() == sent.digest()
        assert relay.memory("VmHWM") - before < 8 << 20


def test_aSignalLetsOpenStreamsEnd(loop: str, target: Target) -> None:
    with Relay(LOCAL, target.string, "--grace", "30", loop=loop) as relay:
        with relay.connect() as client, target.accept() as server:
            client.sendall(b"before")
            assert server.recv(100) == b"before"
            relay.signal(signal.SIGTERM)
            assert relay.says() == "stopping: 1 stream open, with 30 s to end; a second signal cuts them"
            with pytest.raises(ConnectionRefusedError):
                relay.connect()
            client.sendall(b"and after")
            assert server.recv(100) == b"and after"
        assert relay.ended() == (0, "")


def test_theGraceEnds(loop: str, target: Target) -> None:
    with Relay(LOCAL, target.string, "--grace", "0.1", loop=loop) as relay:
        with relay.connect() as client, target.accept() as server:
            client.sendall(b"before")
            assert server.recv(100) == b"before"
            relay.signal(signal.SIGTERM)
            for end in (client, server):
                with pytest.raises(ConnectionResetError):
                    end.recv(100)
        status, said = relay.ended()
        assert (status, said.splitlines()[1:]) == (0, ["the grace is over: 1 stream cut off"])


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_aSecondSignalCutsAtOnce(loop: str, target: Target, second: signal.Signals) -> None:
    with Relay(LOCAL, target.string, "--grace", "1000", loop=loop) as relay:
        with relay.connect() as client, target.accept() as server:
            client.sendall(b"before")
            assert server.recv(100) == b"before"
            relay.signal(signal.SIGINT)
            assert relay.says().startswith("stopping: ")
            relay.signal(second)
            for end in (client, server):
                with pytest.raises(ConnectionResetError):
                    end.recv(100)
        assert relay.ended() == (0, "a second signal came: 1 stream cut off\n")


def test_withNothingOpenASignalEndsItAtOnce(tmp_path: Path, loop: str, target: Target) -> None:
    path = tmp_path / "a:b.sock"
    with Relay(f"unix:{tmp_path}/a\\:b.sock", target.string, "--grace", "1000", loop=loop) as relay:
        assert relay.string == f"unix:{tmp_path}/a\\:b.sock"
        assert path.is_socket()
        relay.signal(signal.SIGINT)
        assert relay.ended() == (0, "")
        assert not path.exists()


def test_anInterruptEndsItInAScriptsBackgroundToo(loop: str, target: Target) -> None:
    # There it is started with SIGINT ignored.
    with Relay(
        LOCAL, target.string, loop=loop, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)
    ) as relay:
        relay.signal(signal.SIGINT)
        assert relay.ended() == (0, "")


@pytest.mark.parametrize(
    ("listen", "backlog", "mode"),
    [
        ("tcp:0", 1024, None),
        ("TCP6:0", 1024, None),
        ("tcp:0:backlog=7", 7, None),
        ("tcp:0::8", 8, None),
        ("unix:/x", 1024, 0o600),
        ("unix:/x:mode=666", 1024, 0o666),
        ("unix:/x:660:9", 9, 0o660),
    ],
)
def test_whatListenGetsThatItDoesNotSay(listen: str, backlog: int, mode: int | None) -> None:
    endpoint = relayCommand._server(object(), listen)

    assert (endpoint._backlog, getattr(endpoint, "_mode", None)) == (backlog, mode)


def test_startedWithoutStandardStreams(loop: str, target: Target) -> None:
    with (
        Relay(
            *(LOCAL, target.string, "-v", "--grace", "0"),
            loop=loop,
            preexec_fn=lambda: [os.close(number) for number in (0, 2)],
        ) as relay,
        relay.connect() as client,
        target.accept() as server,
    ):
        client.sendall(b"x")
        assert server.recv(1) == b"x"
        relay.signal(signal.SIGTERM)
        assert relay.ended() == (0, "")


def test_nobodyToAnnounceItTo(target: Target) -> None:
    # The target's port is taken: that ends it at once.
    done = subprocess.run(
        command("relay", target.string.replace("127.0.0.1:", "") + ":interface=127.0.0.1", target.string),
        stderr=subprocess.PIPE,
        text=True,
        timeout=PATIENCE,
        preexec_fn=lambda: os.close(1),
    )
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)


def test_aboveTheMaximumConnectionsWait(loop: str, target: Target) -> None:
    with (
        Relay(LOCAL, target.string, "--max-connections", "1", loop=loop) as relay,
        relay.connect() as first,
        target.accept() as server,
        relay.connect() as second,
    ):
        second.sendall(b"me too")
        first.sendall(b"first")
        assert server.recv(100) == b"first"
        assert not target.isAsked(within=0.3)
        first.close()
        server.close()
        with target.accept() as following:
            assert following.recv(100) == b"me too"


def test_aTargetThatIsNotThere(loop: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        string = f"tcp:127.0.0.1:{unused.getsockname()[1]}"
        with Relay(LOCAL, string, loop=loop) as relay:
            for _ in range(3):
                # The reset may come before connect() has returned.
                with pytest.raises(ConnectionResetError), relay.connect() as client:
                    client.recv(100)
            said = relay.says()
            assert f": cannot connect to {string}: " in said
            assert "refused" in said
            assert relay.stopped()[0] == 0


def test_verboseLinesForEachConnection(loop: str, target: Target) -> None:
    with Relay("-v", LOCAL, target.string, loop=loop) as relay:
        with relay.connect() as client, target.accept() as server:
            peer = f"tcp:127.0.0.1:{client.getsockname()[1]}"
            client.sendall(b"12345")
            client.shutdown(socket.SHUT_WR)
            assert received(server) == b"12345"
            server.sendall(b"x" * 2048)
        assert relay.says() == f"[1] {peer} connected to {target.string}"
        closed = relay.says()
        assert closed.startswith(f"[1] {peer} closed: 5 B sent, 2.00 KiB returned, ")
        assert closed.endswith(" s")


def test_verboseLinesSayWhatWentWrong(loop: str, target: Target) -> None:
    with Relay("-v", LOCAL, target.string, loop=loop) as relay:
        with relay.connect() as client, target.accept() as server:
            client.sendall(b"12345")
            assert server.recv(5) == b"12345"
            reset(server)
            with pytest.raises(ConnectionResetError):
                client.recv(1)
        relay.says()
        assert " cut off (" in relay.says()


def test_outOfDescriptorsItGoesOn(loop: str, target: Target) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))

    # No grace: streams may be left whose far end this test hasn't accepted.
    with Relay("--grace", "0", LOCAL, target.string, loop=loop, preexec_fn=limit) as relay:
        crowd = [relay.connect()]
        try:
            with target.accept() as server:
                for _ in range(60):
                    with suppress(ConnectionResetError):
                        crowd.append(relay.connect())
                crowd[0].sendall(b"the first is served")
                assert server.recv(100) == b"the first is served"
        finally:
            for client in crowd:
                client.close()
        # Those that were connected on end; what then comes is served again.
        target.socket.setblocking(False)
        while True:
            try:
                target.socket.accept()[0].close()
            except BlockingIOError:
                with relay.connect() as client:
                    client.sendall(b"again")
                    if served(target, client):
                        break
        assert relay.stopped()[0] == 0


def served(target: Target, client: socket.socket) -> bool:
    """Tell whether a client's word arrives, with the connections of others before it perhaps."""
    while target.isAsked(within=0.5):
        connection, _ = target.socket.accept()
        with connection:
            connection.settimeout(PATIENCE)
            try:
                if connection.recv(100) == b"again":
                    return True
            except ConnectionResetError:
                pass
    return False


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_aFileThroughAChain(tmp_path: Path, loop: str) -> None:
    (tmp_path / "file").write_bytes(os.urandom(1 << 20) * 64)
    wanted = hashlib.sha256((tmp_path / "file").read_bytes()).hexdigest()
    web = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"]
    with subprocess.Popen(
        web, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        try:
            assert server.stdout is not None
            port = server.stdout.readline().partition(" port ")[2].split()[0]
            path = f"unix:{tmp_path}/s"
            with Relay(path, f"tcp:127.0.0.1:{port}", loop=loop), Relay(LOCAL, path, loop=loop) as outer:
                url = f"http://127.0.0.1:{outer.port}/file"
                got = subprocess.run(["curl", "-s", url], capture_output=True, timeout=PATIENCE).stdout
        finally:
            server.terminate()
    assert hashlib.sha256(got).hexdigest() == wanted


def test_itCannotListenWhereSomebodyElseDoes(target: Target) -> None:
    port = target.socket.getsockname()[1]
    done = finished("relay", f"tcp:{port}:interface=127.0.0.1", target.string)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(
        f"twisted-endpoints relay: cannot listen on tcp:{port}:interface=127.0.0.1: "
    )
    assert done.stderr.endswith("(something else listens there: stop it, or choose another)\n")
    assert done.stderr.count("(") == 1
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["tpc:80", "tcp:localhost:80"], ["LISTEN: ", "Did you mean 'tcp'?", "twisted-endpoints list"]),
        ([LOCAL, "tcp:80"], ["CONNECT: ", "port", "twisted-endpoints list"]),
        (["tcp:localhost:80", LOCAL], ["LISTEN: ", "port", "LISTEN comes first, then CONNECT"]),
        ([LOCAL, "tcp:80"], ["CONNECT: ", "LISTEN comes first, then CONNECT"]),
        ([LOCAL], ["required: CONNECT", "--help"]),
        ([LOCAL, "tcp:localhost:80", "--grace", "soon"], ["--grace", "'soon'", "seconds"]),
        ([LOCAL, "tcp:localhost:80", "--grace", "-1"], ["--grace"]),
        ([LOCAL, "tcp:localhost:80", "--max-connections", "0"], ["--max-connections", "1 or more"]),
        ([LOCAL, "tcp:localhost:80", "--when-full", "panic"], ["--when-full", "wait", "drop"]),
    ],
)
def test_aWrongArgumentIsExplained(arguments: list[str], said: list[str]) -> None:
    done = finished("relay", *arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    for words in said:
        assert words in done.stderr


def test_onATerminalALineLives(target: Target) -> None:
    pytest.importorskip("rich")
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "twisted_endpoints", "relay", "-v", LOCAL, target.string],
            stdout=subprocess.PIPE,
            stderr=theirs,
            text=True,
            env=environment(TERM="xterm", COLUMNS="100"),
        )
        os.close(theirs)
        with process:
            assert process.stdout is not None
            port = int(process.stdout.readline().rpartition(":")[2])
            with socket.create_connection(("127.0.0.1", port)) as client, target.accept() as server:
                client.sendall(b"hello")
                assert server.recv(5) == b"hello"
                screen = b""
                while b"1 open, 1 accepted; " not in screen or b"connected to" not in screen:
                    assert select.select([ours], [], [], PATIENCE)[0], screen
                    screen += os.read(ours, 4096)
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE) == 0
    finally:
        os.close(ours)
    assert b"MB/s, 5 B in all" in screen or b"MB/s, 0 B in all" in screen
