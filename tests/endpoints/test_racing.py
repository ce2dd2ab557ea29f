"""The race between addresses, as decisions: no clock, no sockets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_endpoints.endpoints._racing import Cancel, Lost, Race, Start, State, Wait, Won, interleave


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", ""),
        ("a", "a"),
        ("abc", "abc"),
        ("abcD", "aDbc"),
        ("Dabc", "Dabc"),
        ("aDbE", "aDbE"),
        ("abcDEF", "aDbEcF"),
        ("DEFabc", "DaEbFc"),
        ("ab1D", "a1Db"),
    ],
)
def test_familiesTakeTurns(given: str, expected: str) -> None:
    def family(letter: str) -> str:
        return "digit" if letter.isdigit() else "upper" if letter.isupper() else "lower"

    assert "".join(interleave(given, family)) == expected


def test_attemptsStartOneAfterTheOther() -> None:
    race = Race("abc")

    assert race.begin() == [Start(0, "a"), Wait()]
    assert race.delayPassed() == [Start(1, "b"), Wait()]
    assert race.delayPassed() == [Start(2, "c")]
    assert race.delayPassed() == []
    assert race.running == [0, 1, 2]


def test_aFailureStartsTheNextAtOnce() -> None:
    race = Race("abc")
    race.begin()

    assert race.failed(0, "refused") == [Start(1, "b"), Wait()]
    assert race.failed(1, "refused") == [Start(2, "c")]


def test_theLastFailureLosesTheRace() -> None:
    race = Race("ab")
    race.begin()
    race.delayPassed()

    assert race.failed(1, "no route") == []
    assert race.failed(0, "refused") == [Lost()]
    assert race.failures == [("b", "no route"), ("a", "refused")]
    assert race.state is State.OVER


def test_noAddressesLoseAtOnce() -> None:
    assert Race("").begin() == [Lost()]


def test_theWinnerCancelsTheRest() -> None:
    race = Race("abcd")
    race.begin()
    race.delayPassed()
    race.delayPassed()

    assert race.succeeded(1) == [Cancel(0), Cancel(2), Won(1)]
    assert race.running == []


def test_aSecondWinnerIsCancelled() -> None:
    race = Race("ab")
    race.begin()
    race.delayPassed()
    race.succeeded(0)

    assert race.succeeded(1) == [Cancel(1)]


def test_nothingStartsAfterTheEnd() -> None:
    race = Race("abc")
    race.begin()
    race.delayPassed()

    assert race.stopped() == [Cancel(0), Cancel(1)]
    assert race.delayPassed() == []
    assert race.failed(0, "late") == []
    assert race.failures == []


def test_noMoreAttemptsThanTheLimit() -> None:
    race = Race("abcd", limit=2)
    race.begin()

    assert race.delayPassed() == [Start(1, "b")]
    assert race.delayPassed() == []
    assert race.failed(0, "refused") == [Start(2, "c")]
    assert race.failed(1, "refused") == [Start(3, "d")]


@given(
    addresses=st.integers(1, 30),
    limit=st.integers(1, 7),
    steps=st.lists(st.tuples(st.sampled_from(["delay", "fail", "succeed"]), st.integers(0, 6)), max_size=80),
)
def test_everyRaceKeepsItsPromises(addresses: int, limit: int, steps: list[tuple[str, int]]) -> None:
    """Each address starts once and in order, never more than the limit go on, and the race has one end."""
    race = Race(range(addresses), limit)
    done = list(race.begin())
    open_: list[int] = []
    for kind, which in [("none", 0), *steps, *[("fail", 0)] * addresses]:
        new = []
        if kind == "delay":
            new = race.delayPassed()
        elif open_ and kind in ("fail", "succeed"):
            attempt = open_.pop(which % len(open_))
            new = race.failed(attempt, "x") if kind == "fail" else race.succeeded(attempt)
        done += new
        for action in done if kind == "none" else new:
            if isinstance(action, Start):
                open_.append(action.attempt)
            elif isinstance(action, Cancel):
                open_.remove(action.attempt)
        assert len(open_) <= limit
        assert sorted(open_) == sorted(race.running)

    started = [action.attempt for action in done if isinstance(action, Start)]
    ends = [action for action in done if isinstance(action, (Won, Lost))]
    assert started == list(range(len(started)))
    assert len(ends) == 1
    assert done[-1] is ends[0]
    assert isinstance(ends[0], Won) or len(race.failures) == addresses
