"""
Host names on a real network: one that the tests make, see `bed`.

What waits for anything it shouldn't waits for a minute and more, so that the limits here can be wide.
"""

from __future__ import annotations

import fcntl
import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from .bed import GOOD4, GOOD6, inNetwork
from .scenarios import FOREVER, IN_HOSTS, SCENARIOS, WITHOUT_IPV6, Scenario

PLAY = "tests.names.play"
#: Seconds that nothing takes.
LONG = FOREVER / 2

Outcome = dict[str, Any]


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> list[Outcome]:
    """What `play` told, of the network with both families, and of that without IPv6."""
    folder = tmp_path_factory.getbasetemp()
    # Once, and not in each of the processes that pytest-xdist may have.
    found = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "names.json"
    with open(found, "a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        text = file.read()
        if not text:
            # Both at the same time: they mostly wait.
            with ThreadPoolExecutor() as pool:
                both = pool.submit(inNetwork, PLAY)
                without = pool.submit(inNetwork, PLAY, "--without-ipv6")
                text = json.dumps([both.result(), without.result()])
            file.write(text)
    outcomes: list[Outcome] = json.loads(text)
    return outcomes


def _told(outcome: Outcome) -> Outcome:
    if "cannot" in outcome:
        pytest.skip(f"there can be no network for this test: {outcome['cannot']}")
    assert outcome["told"], outcome["errors"]
    told: Outcome = outcome["told"]
    return told


@pytest.fixture
def told(played: list[Outcome]) -> Outcome:
    return _told(played[0])


@pytest.fixture
def toldWithoutIPv6(played: list[Outcome]) -> Outcome:
    return _told(played[1])


def holds(scenario: Scenario, told: Outcome) -> None:
    """Check what came of a scenario."""
    assert told["outcome"] == scenario.outcome, told["says"]
    assert scenario.least * 0.9 <= told["seconds"] < LONG
    if scenario.attempts is not None:
        # On a machine that is slow, a short delay may have passed once more before the loop saw the answer.
        certain = len(scenario.attempts) if "attemptDelay" in scenario.options else None
        assert told["attempts"][:certain] == list(scenario.attempts)
    for part in scenario.says:
        assert part in told["says"]


@pytest.mark.parametrize("key", [*SCENARIOS, *IN_HOSTS])
def test_connecting(told: Outcome, key: str) -> None:
    holds({**SCENARIOS, **IN_HOSTS}[key], told[key])


def test_theNextStartsBesideOneThatSwallowsAfterTheDelay(told: Outcome) -> None:
    first, second = told["the first swallows"]["times"]
    assert 0.2 < second - first < LONG


def test_ofAThousandAddressesNoMoreThanSixAreTriedAtATime(told: Outcome) -> None:
    assert told["thousand-swallow"]["attempts"]
    assert told["thousand-swallow"]["busiest"] <= 6
    # The loop closes what is given up in its next round, when the next ones have begun.
    assert told["sockets"] <= 12


def test_moreNamesHangThanThereArePlaces(told: Outcome) -> None:
    assert told["all hang"]


@pytest.mark.parametrize(
    ("key", "outcome"),
    [
        ("an address", GOOD4),
        ("a name in the hosts file", GOOD4),
        ("a name in the hosts file, TCP4", GOOD4),
        ("another name", GOOD6),
        ("another name, TCP6", GOOD6),
        ("another that doesn't exist", "DNSLookupError"),
        ("one more that hangs, TCP4", "TimeoutError"),
        ("one more that hangs, TCP6, cancelled", "ConnectingCancelledError"),
    ],
)
def test_namesThatHangDelayNoOther(told: Outcome, key: str, outcome: str) -> None:
    assert told[key]["outcome"] == outcome, told[key]["says"]
    assert told[key]["seconds"] < LONG


def test_namesThatHangDelayNoThread(told: Outcome) -> None:
    assert told["a call in a thread"] < LONG


def test_aCancelHasOneTypeAtEveryStageAndIsAnsweredAtOnce(told: Outcome) -> None:
    hanging = [what["outcome"] for key, what in told.items() if key.startswith("hanging")]
    assert set(hanging) == {"ConnectingCancelledError"}
    assert told["cancelling them"] < LONG
    assert told["cancelled while connecting"]["outcome"] == "ConnectingCancelledError"
    assert told["attempts given up"]


def test_nothingIsLeft(told: Outcome) -> None:
    assert told["left"] == []


def test_theProcessEndsWhileLookUpsHang(played: list[Outcome], told: Outcome) -> None:
    assert played[0]["ended"]
    assert played[0]["errors"] == ""


@pytest.mark.parametrize("key", WITHOUT_IPV6)
def test_connectingWithoutIPv6(toldWithoutIPv6: Outcome, key: str) -> None:
    holds(WITHOUT_IPV6[key], toldWithoutIPv6[key])
    assert toldWithoutIPv6["left"] == []
