"""The command `relay` and the PROXY protocol: who the client is gets through."""

from __future__ import annotations

import itertools
import socket
from typing import Any

import pytest

from tests.haproxy.headers import V4_ADDRESSES
from tests.haproxy.outcomes import Read, plain, whole
from tests.loops import LOOPS
from twisted_endpoints.cli import relay as relayCommand
from twisted_endpoints.haproxy import ProxyServerEndpoint, v1, v2
from twisted_endpoints.strings import DescriptionError
from twisted_endpoints.strings.errors import ArgumentsError

from .running import LOCAL, Relay, Target, finished, received


def through(relay: Relay, target: Target, sent: bytes) -> tuple[Any, bytes, Any]:
    """Send something through a relay; give what arrives: a header, the rest; and the client's ends."""
    with relay.connect() as client:
        ends = tuple(("TCP", *name) for name in (client.getsockname(), client.getpeername()))
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        with target.accept() as server:
            outcome = whole(received(server))
    assert isinstance(outcome, Read)
    return outcome.info, outcome.rest, ends


@pytest.mark.parametrize(
    ("version", "loop"), list(zip(("v1", "v2"), itertools.cycle(LOOPS))), ids=["v1", "v2"]
)
def test_theClientIsTold(version: str, loop: str, target: Target) -> None:
    with Relay("--proxy-protocol", version, LOCAL, target.string, loop=loop) as relay:
        info, rest, ends = through(relay, target, b"question")
        assert (plain(info), rest, f"v{info.version}") == (ends, b"question", version)
        assert relay.stopped() == (0, "")


def test_aHeaderIsPassedOn(target: Target) -> None:
    header = v1.build(*V4_ADDRESSES)
    with Relay(
        *("-v", "--proxy-protocol", "v2", f"haproxy:{LOCAL}:trusted=127.0.0.1", target.string), loop="asyncio"
    ) as relay:
        info, rest, _ = through(relay, target, header + b"question")
        assert (info.header, rest) == (v2.build(*V4_ADDRESSES), b"question")
        # It is the client that is written about, too.
        assert "192.0.2.1:8080" in relay.says()


def test_whatConnectAsksFor(target: Target) -> None:
    with Relay(LOCAL, f"haproxy:{target.string}:version=1", loop="asyncio") as relay:
        info, _, ends = through(relay, target, b"question")
        assert (plain(info), info.version) == (ends, 1)


def test_askedForTwice() -> None:
    done = finished("relay", "--proxy-protocol", "v1", LOCAL, "haproxy:tcp:localhost:80")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"twisted-endpoints relay: {relayCommand.TWICE}\n"


def test_noHeader(target: Target) -> None:
    with Relay(f"haproxy:{LOCAL}:trusted=any", target.string, loop="asyncio") as relay:
        with relay.connect() as client:
            client.sendall(b"GET / HTTP/1.1\r\n\r\n")
            with pytest.raises(ConnectionResetError):
                client.recv(1)
        assert not target.isAsked(0)
        status, said = relay.stopped()
        assert status == 0
        assert "PROXY protocol: closed the connection from" in said


@pytest.mark.parametrize(
    ("listen", "backlog", "mode"),
    [
        ("haproxy:tcp:0:trusted=any", 1024, None),
        ("HAPROXY:tcp:0:backlog=7:trusted=any", 7, None),
        ("haproxy:endpoint=[tcp6:0]:trusted=any", 1024, None),
        ("haproxy:unix:/x", 1024, 0o600),
        ("haproxy:unix:/x:mode=666:trusted=any", 1024, 0o666),
    ],
)
def test_whatListenGetsThatItDoesNotSay(listen: str, backlog: int, mode: int | None) -> None:
    endpoint = relayCommand._server(object(), listen)
    assert isinstance(endpoint, ProxyServerEndpoint)
    wrapped: Any = endpoint._wrappedEndpoint
    assert (wrapped._backlog, getattr(wrapped, "_mode", None)) == (backlog, mode)


@pytest.mark.parametrize(
    "listen", ["haproxy:tcp:0", "haproxy:endpoint=[tcp:0]:headerTimeout=3", "haproxy:fd:0"]
)
def test_whomToBelieveHasToBeSaid(listen: str) -> None:
    with pytest.raises(ArgumentsError, match="'haproxy' needs trusted") as caught:
        relayCommand._server(object(), listen)
    assert caught.value.position == len(listen)
    assert "trusted=any" in caught.value.hint


@pytest.mark.parametrize(
    ("listen", "marked"),
    [
        ("haproxy:tcp:nine:trusted=any", "nine"),
        ("haproxy:trusted=any:endpoint=[tcp:9:x=1]", "x=1"),
        ("haproxy:tcp:9:trusted=me", "me"),
    ],
)
def test_errorsShowThePlaceThatWasWritten(listen: str, marked: str) -> None:
    with pytest.raises(DescriptionError) as caught:
        relayCommand._server(object(), listen)
    error = caught.value
    assert error.description == listen
    assert listen[error.position : error.position + error.length] == marked
