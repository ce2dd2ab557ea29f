"""Descriptors run out: peers wait, nobody is harmed, and the service is back when there are some."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.loops import LOOPS

from .subjects import Subject, calling, connected, echoes, isTurnedAway, running, soon

KINDS = ["tcp", "unix"]

#: What the subject may have, and what its ports leave of it.
LIMIT, RESERVE = 128, 16
#: More than it can have.
CROWD = 200


@pytest.fixture(scope="module", params=LOOPS)
def subject(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    with running(request.param, tmp_path_factory.mktemp(request.param), LIMIT) as made:
        yield made


@pytest.fixture
def closing(subject: Subject) -> Iterator[ExitStack]:
    """What a test opens; when that is closed, the subject must have the descriptors that it had before."""
    before = subject.descriptors().total()
    with ExitStack() as stack:
        yield stack
    assert soon(lambda: subject.descriptors().total() == before)


def answered(peers: list[socket.socket]) -> list[socket.socket]:
    """Return those that there is something to read for: an answer, or the end."""
    return select.select(peers, [], [], 0)[0]


def isQuiet(subject: Subject) -> bool:
    """Whether it neither burns CPU time nor fills its log: look for a while."""
    subject.log()
    before, began = subject.cpu(), time.monotonic()
    time.sleep(0.3)
    passed = time.monotonic() - began
    return subject.cpu() - before < 0.1 * passed and len(subject.log()) <= 1 + passed


@pytest.mark.parametrize("kind", KINDS)
def test_peersWaitUntilDescriptorsAreFree(subject: Subject, kind: str, closing: ExitStack) -> None:
    first = closing.enter_context(subject.open(kind))
    assert echoes(first)
    before = subject.descriptors().total()
    peers = [closing.enter_context(subject.open(kind)) for _ in range(CROWD)]
    for peer in peers:
        peer.sendall(b"here")
    assert soon(subject.log)
    full = LIMIT - RESERVE
    assert soon(lambda: len(answered(peers)) >= full - before)
    assert soon(lambda: subject.descriptors().total() == full)
    assert isQuiet(subject)
    assert echoes(first)
    assert subject.tell("connect", "unix" if kind == "tcp" else "tcp") == "done"
    # The answers of those that wait come as others go.
    while peers:
        assert soon(lambda: answered(peers))
        for peer in answered(peers):
            assert peer.recv(10) == b"here"
            peer.close()
            peers.remove(peer)
    assert echoes(first)


@pytest.mark.parametrize("kind", KINDS)
def test_theReserveIsTakenToo(subject: Subject, kind: str, closing: ExitStack) -> None:
    first = closing.enter_context(subject.open(kind))
    assert echoes(first)
    subject.tell("take", 0)
    closing.callback(subject.tell, "free", LIMIT)
    # uvloop may close these, until the port notices: libuv keeps a descriptor to accept with.
    for _ in range(20):
        closing.enter_context(subject.open(kind))
    assert soon(subject.log)
    late = closing.enter_context(subject.open(kind))
    assert isQuiet(subject)
    for other in KINDS:
        assert "Too many open files" in subject.tell("connect", other)
        assert "Too many open files" in subject.tell("listen", other)
    assert echoes(first)
    subject.tell("free", LIMIT)
    assert echoes(late)
    assert echoes(closing.enter_context(subject.open(kind)))


@pytest.mark.parametrize("kind", KINDS)
def test_peersMayBeTurnedAwayInstead(subject: Subject, kind: str, closing: ExitStack) -> None:
    subject.tell("whenFull", "drop")
    closing.callback(subject.tell, "whenFull", "wait")
    first = closing.enter_context(subject.open(kind))
    assert echoes(first)
    while subject.descriptors().total() < LIMIT - RESERVE:
        served = closing.enter_context(subject.open(kind))
        assert echoes(served)
    assert soon(subject.log)
    where = subject.tell("where")[kind]
    address = ("127.0.0.1", where) if kind == "tcp" else where
    before, began = subject.cpu(), time.monotonic()
    for _ in range(3):
        callers = [closing.enter_context(calling(address)) for _ in range(40)]
        assert all(map(isTurnedAway, callers))
        assert echoes(first)
        # Its other port may turn it away, but it can begin.
        assert "Too many" not in subject.tell("connect", "unix" if kind == "tcp" else "tcp")
    passed = time.monotonic() - began
    assert subject.cpu() - before < 0.5 * max(passed, 0.5)
    assert len(subject.log()) <= 1 + passed
    assert soon(lambda: subject.descriptors().total() == LIMIT - RESERVE)
    # The reserve is lost: they wait, as there is nothing to turn them away with.
    subject.tell("take", 0)
    closing.callback(subject.tell, "free", LIMIT)
    late = closing.enter_context(calling(address))
    assert isQuiet(subject)
    assert echoes(first)
    subject.tell("free", LIMIT)
    assert isTurnedAway(late)
    served.close()
    assert soon(lambda: echoes(closing.enter_context(subject.open(kind))))


def test_aRelayKeepsDescriptorsForItsOutgoingConnections(subject: Subject, closing: ExitStack) -> None:
    target = closing.enter_context(socket.create_server(("127.0.0.1", 0), backlog=CROWD))
    address = ("127.0.0.1", subject.tell("relay", target.getsockname()[1]))
    closing.callback(subject.tell, "unrelay")
    peers = [closing.enter_context(connected(address)) for _ in range(CROWD)]
    while peers:
        # Each that arrives is closed, and with it the stream that it belongs to: others take their turn.
        with target.accept()[0] as arrived:
            arrived.settimeout(10)
            arrived.sendall(b"there")
        assert soon(lambda: answered(peers))
        peer = answered(peers)[0]
        assert peer.recv(10) == b"there"
        peer.close()
        peers.remove(peer)
    assert not [line for line in subject.log() if "no connection" in line]
