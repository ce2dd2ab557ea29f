"""What is tried in the network of `bed`: names, and what is to come of connecting to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .bed import GOOD4, GOOD6, GOOD10, STALL
from .dns import NO_SUCH_NAME, SERVER_FAILURE, SILENCE, Answer

#: Longer than any scenario may take: who waits for this once has done wrong.
FOREVER = STALL


@dataclass(frozen=True)
class Scenario:
    """
    One `HostnameEndpoint.connect`.

    Args:
        answer: what the name server says of the name.
        outcome: the address that is connected to, or the type of the error.
        attempts: the addresses that are tried, in order, or those that are certain to be; None if it doesn't
            matter.
        options: the endpoint's; without them one that waits for anything waits for ever.
        least: seconds that it takes at least.
        says: what the error's text has.
    """

    answer: Answer
    outcome: str
    attempts: Sequence[str] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    least: float = 0.0
    says: Sequence[str] = ()


def refusing(number: int) -> list[str]:
    return [f"192.0.2.{index + 2}" for index in range(number)]


def dropped6(number: int) -> list[str]:
    return [f"2001:db8::d:{index + 1:x}" for index in range(number)]


REFUSED6, RESET6 = "2001:db8::c:1", "2001:db8::a:1"
REFUSED4, DROPPED4, RESET4, UNREACHABLE4 = "192.0.2.2", "192.0.2.65", "192.0.2.81", "192.0.2.97"

SCENARIOS = {
    "an address of each family": Scenario(Answer([GOOD6, GOOD4]), GOOD6, [GOOD6]),
    "the first refuses": Scenario(Answer([REFUSED6, GOOD4]), GOOD4, [REFUSED6, GOOD4]),
    "the first resets": Scenario(Answer([RESET6, GOOD4]), GOOD4, [RESET6, GOOD4]),
    "the first can't be reached": Scenario(Answer([UNREACHABLE4, GOOD4]), GOOD4, [UNREACHABLE4, GOOD4]),
    "the first swallows": Scenario(
        Answer([*dropped6(1), GOOD4]), GOOD4, [*dropped6(1), GOOD4], {"attemptDelay": 0.25}, 0.2
    ),
    "ten refuse": Scenario(Answer([*refusing(10), GOOD4]), GOOD4, [*refusing(10), GOOD4]),
    "four of IPv6 swallow": Scenario(
        Answer([*dropped6(4), GOOD4]), GOOD4, [dropped6(1)[0], GOOD4], {"attemptDelay": 0.25}, 0.2
    ),
    "all fail": Scenario(
        Answer([RESET6, REFUSED4, UNREACHABLE4]),
        "ConnectError",
        [RESET6, REFUSED4, UNREACHABLE4],
        {},
        0.0,
        [
            "all 3 addresses",
            f"[{RESET6}]:7: Connection was refused",
            f"{REFUSED4}:7: Connection was refused",
            f"{UNREACHABLE4}:7: An error occurred while connecting: 113: No route to host",
        ],
    ),
    "all swallow, for as long as an attempt may take": Scenario(
        Answer([*dropped6(1), DROPPED4]),
        "TimeoutError",
        [*dropped6(1), DROPPED4],
        {"attemptDelay": 0.05, "timeout": 0.5},
        0.5,
        ["all 2 addresses", f"[{dropped6(1)[0]}]:7: User timeout", f"{DROPPED4}:7: User timeout"],
    ),
    "all swallow, until the deadline": Scenario(
        Answer([*dropped6(2), DROPPED4]),
        "TimeoutError",
        None,
        {"attemptDelay": 0.05, "deadline": 1.0},
        1.0,
        ["within 1.0 seconds"],
    ),
    "slow to be found": Scenario(Answer([GOOD4], after=0.4), GOOD4, [GOOD4], {}, 0.4),
    "no such name": Scenario(Answer(code=NO_SUCH_NAME), "DNSLookupError", [], {}, 0, ["no results"]),
    "a name of nothing": Scenario(Answer(), "DNSLookupError", []),
    "the name server fails": Scenario(Answer(code=SERVER_FAILURE), "DNSLookupError", []),
    "no answer, until the deadline": Scenario(
        SILENCE, "TimeoutError", [], {"deadline": 0.5}, 0.5, ["the name look-up gave no answer"]
    ),
}

#: Names in the hosts file, and their scenarios.
HOSTS = {
    "here": [GOOD4],
    "localhost": ["127.0.0.1"],
    "thousand-refuse": [*(f"10.0.{index // 250}.{index % 250 + 1}" for index in range(1000)), GOOD10],
    "thousand-swallow": [f"10.0.{128 + index // 250}.{index % 250 + 1}" for index in range(1000)],
}
IN_HOSTS = {
    "thousand-refuse": Scenario(Answer(), GOOD10, HOSTS["thousand-refuse"]),
    "thousand-swallow": Scenario(
        Answer(),
        "TimeoutError",
        None,
        {"attemptDelay": 0.01, "timeout": 0.1, "deadline": 1.0},
        1.0,
        ["within 1.0 seconds"],
    ),
}

#: Where there is no IPv6.
WITHOUT_IPV6 = {
    "an address of each family": Scenario(Answer([GOOD6, GOOD4]), GOOD4),
    "ten of IPv6": Scenario(Answer([*dropped6(10), GOOD4]), GOOD4),
    "IPv6 only": Scenario(Answer([GOOD6]), "ConnectError", [GOOD6]),
}
