"""
What a benchmark is made of, and how the contenders take turns.

A module of benchmarks exposes ``ROWS: tuple[Row, ...]``.  Each row compares contenders that do the same work:

- ``twisted-epoll``: Twisted on its epoll reactor, that the others are compared to;
- ``asyncio``, ``uvloop``: a bare protocol on that loop, without this package: what could be had;
- ``ours-asyncio``, ``ours-uvloop``: this package in its built-in vocabulary on that loop;
  ``ours`` where no loop matters.

A machine that others share is faster at one moment than at the next.  So all contenders of a row take one
sample each, in shuffled order, and that is a round; the ratios within rounds tell how far a figure
can be trusted.  Each sample is taken in a fresh process: no contender warms or burdens another.  So a module
of benchmarks must be cheap to import: what a contender needs it imports when it is called.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import random
import signal
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

#: The contender that the others are compared to.
BASELINE = "twisted-epoll"

#: The charts, each with the modules whose rows it shows, in the order in which they run.
CHARTS = {
    "streams": ("benchmarks.streams",),
    "tls": ("benchmarks.tls",),
    "parts": (
        "benchmarks.micro_strings",
        "benchmarks.micro_haproxy",
        "benchmarks.micro_imports",
        "benchmarks.micro_timers",
        "benchmarks.micro_defer",
    ),
}

#: Set in a sample's process when only a quick look is wanted.
QUICK = "TWISTED_ENDPOINTS_BENCHMARKS_QUICK"

#: How long one sample may take, in seconds.
TIMEOUT = 300


class Unavailable(Exception):
    """A contender can't run on this machine; the text says why."""


class Failed(RuntimeError):
    """A sample came to nothing; the text says why, so that nobody needs the traceback."""


@dataclass(frozen=True)
class Sample:
    """
    What one contender needed in one round.

    Args:
        cost: in the row's unit, lower is better: as a rule microseconds of CPU time for one operation.
        rate: operations in a second of wall time, where that says something; shown beside the cost.
    """

    cost: float
    rate: float | None = None


@dataclass(frozen=True)
class Row:
    """
    One comparison.

    Args:
        name: short and unique, as it is typed and shown: ``parse server tcp``.
        what: one sentence for the reader of the results: what is done, and what is counted.
        unit: of the costs, ``us`` for microseconds of CPU time.
        contenders: what each of them does, by its name; called without arguments in a process of its own.
        goals: for a contender, how many times better than `BASELINE` it shall be.
        limit: what ours may cost at most, in `unit`, where the goal is an absolute one.
    """

    name: str
    what: str
    unit: str
    contenders: Mapping[str, Callable[[], Sample]]
    goals: Mapping[str, float] = field(default_factory=dict)
    limit: float | None = None


def scaled(count: int) -> int:
    """Give how often to repeat something: `count`, or a twentieth of it when only a quick look is wanted."""
    return max(1, count // 20) if os.environ.get(QUICK) else count


def shortly(value: float) -> str:
    """Write a figure with three digits or so."""
    return f"{value:,.0f}" if value >= 100 else f"{value:#.3g}"


def rowsOf(module: str) -> tuple[Row, ...]:
    """Import a module of benchmarks and give its rows."""
    rows: tuple[Row, ...] = importlib.import_module(module).ROWS
    return rows


# -- taking samples


def takeSample(module: str, row: str, contender: str, quick: bool = False) -> Sample:
    """
    Let one contender run once, in a fresh process.

    Raises:
        Unavailable: it can't run here.
        Failed: it has nothing to show.
        RuntimeError: it failed, or took longer than `TIMEOUT`; with what it wrote on standard error.
    """
    environment = {**os.environ, "TWISTED_ENDPOINTS_VOCABULARY": "builtin"}
    # It would make every import of ours compile anew.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment.pop(QUICK, None)
    if quick:
        environment[QUICK] = "1"
    child = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.sample", module, row, contender],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        output, errors = child.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"not done after {TIMEOUT} s") from None
    finally:
        # It may have started peers: they are in its session, and end with it whatever happens.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    if child.returncode:
        raise RuntimeError(f"status {child.returncode}\n{errors}")
    answer = json.loads(output.splitlines()[-1])
    if "unavailable" in answer:
        raise Unavailable(answer["unavailable"])
    if "failed" in answer:
        raise Failed(answer["failed"])
    return Sample(answer["cost"], answer["rate"])


def shuffledRounds(names: list[str], rounds: int, seed: int = 26) -> Iterator[list[str]]:
    """Give the order of the contenders in each round."""
    order = random.Random(seed)
    for _ in range(rounds):
        yield order.sample(names, len(names))


@dataclass
class Outcome:
    """
    The samples of a row.

    Args:
        samples: for each contender one per round, in the order of the rounds.
        missing: contenders without samples, each with the reason.
    """

    row: Row
    samples: dict[str, list[Sample]]
    missing: dict[str, str] = field(default_factory=dict)

    def cost(self, contender: str) -> float:
        """Give the median of a contender's costs."""
        return statistics.median(sample.cost for sample in self.samples[contender])

    def rate(self, contender: str) -> float | None:
        """Give the median of a contender's rates, if it has any."""
        rates = [sample.rate for sample in self.samples[contender] if sample.rate is not None]
        return statistics.median(rates) if rates else None

    def ratio(self, contender: str) -> Ratio | None:
        """Compare a contender to `BASELINE`; None if one of them has no samples."""
        if contender not in self.samples or BASELINE not in self.samples:
            return None
        rounds = zip(self.samples[BASELINE], self.samples[contender], strict=True)
        return ratioOf([(theirs.cost, ours.cost) for theirs, ours in rounds])

    def ofGoal(self, contender: str) -> float | None:
        """Tell what part of its goal a contender reaches, 1 for all; None without a goal or samples."""
        if contender not in self.samples:
            return None
        parts = []
        ratio = self.ratio(contender)
        if contender in self.row.goals and ratio is not None:
            parts.append(ratio.median / self.row.goals[contender])
        if self.row.limit is not None and contender.startswith("ours"):
            parts.append(self.row.limit / self.cost(contender))
        return min(parts, default=None)


@dataclass(frozen=True)
class Ratio:
    """
    How many times better than the baseline: the quartiles of the ratios within the rounds.

    Not the ratio of the medians, as what slows a machine down for a round slows both.

    Args:
        low: the first quartile.
        median: the figure that counts.
        high: the third quartile.
    """

    low: float
    median: float
    high: float


def ratioOf(costs: list[tuple[float, float]]) -> Ratio:
    """
    Compare costs that were taken in the same rounds.

    Args:
        costs: the baseline's and the contender's, for each round.
    """
    each = [theirs / ours for theirs, ours in costs]
    return Ratio(*(statistics.quantiles(each, n=4, method="inclusive") if len(each) > 1 else each * 3))


def _counted(sample: Sample, unit: str) -> Sample:
    """Give a sample back, or raise `Failed` if others can't be compared to it."""
    if sample.cost <= 0:
        raise Failed(f"it used {sample.cost:g} {unit}, which is less than can be measured")
    return sample


def measure(
    module: str,
    row: Row,
    rounds: int,
    quick: bool = False,
    take: Callable[[str, str, str, bool], Sample] = takeSample,
) -> Outcome:
    """
    Let all contenders of a row take turns.

    A contender that can't run, or fails once, is left out, and the outcome says why.

    Args:
        module: where the row stands.
        row: the row.
        rounds: how many samples each contender takes.
        quick: whether only a quick look is wanted.
        take: takes one sample; for tests.
    """
    outcome = Outcome(row, {name: [] for name in row.contenders})
    for order in shuffledRounds(list(row.contenders), rounds):
        for name in order:
            if name in outcome.missing:
                continue
            try:
                outcome.samples[name].append(_counted(take(module, row.name, name, quick), row.unit))
            except Unavailable as reason:
                outcome.missing[name] = str(reason)
            except RuntimeError as failure:
                outcome.missing[name] = f"failed: {failure}"
            if name in outcome.missing:
                del outcome.samples[name]
    return outcome
