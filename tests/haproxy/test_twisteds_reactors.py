"""On reactors of Twisted's: their transports have a place for the protocol too."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from twisted_endpoints._vocabulary import vocabulary


@pytest.mark.skipif(vocabulary != "twisted", reason="Twisted's reactors speak Twisted's vocabulary")
@pytest.mark.parametrize("reactor", ["epoll", "asyncio"])
def test_theClientIsKnownAndHalfClosesArePassedOn(reactor: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.haproxy.played", reactor], capture_output=True, text=True, timeout=30
    )
    assert ran.returncode == 0, ran.stderr
    events = json.loads(ran.stdout)
    assert events[:2] == [["192.0.2.1", "198.51.100.2"], "question"]
    assert sorted(events[2:4]) == ["answer", "lost"]
    assert events[4:] == [None]
