"""What a run of the benchmarks found, and where: as JSON that can be read again, and as a page for people."""

from __future__ import annotations

import datetime
import json
import os
import platform
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .rows import BASELINE, Outcome, Row, Sample, shortly


@dataclass
class Report:
    """
    A run.

    Args:
        date: when it began, as ``2026-11-22``.
        rounds: how many samples each contender took.
        quick: it was only a quick look.
        machine: what it ran on, name to value.
        outcomes: the rows, by the chart that they belong to.
    """

    date: str
    rounds: int
    quick: bool
    machine: dict[str, str]
    outcomes: dict[str, list[Outcome]] = field(default_factory=dict)

    def toJSON(self) -> str:
        """Write it down, every sample and what follows from them."""
        charts = {name: [_written(outcome) for outcome in rows] for name, rows in self.outcomes.items()}
        return json.dumps({**vars(self), "outcomes": charts}, indent=1) + "\n"

    @classmethod
    def fromJSON(cls, text: str) -> Report:
        """Read what `toJSON` wrote."""
        fields = json.loads(text)
        fields["outcomes"] = {
            name: [_read(outcome) for outcome in rows] for name, rows in fields["outcomes"].items()
        }
        return cls(**fields)

    def caption(self) -> str:
        """Say where and when, in two lines."""
        machine = dict(self.machine)
        place = [machine.pop(name) for name in ("cpu", "system") if name in machine]
        programs = ", ".join(f"{name} {value}" for name, value in machine.items())
        rounds = f"{self.rounds} rounds, a quick look only" if self.quick else f"{self.rounds} rounds"
        return f"{self.date}, {rounds}; {', '.join(place)}\n{programs}"


def begun(rounds: int, quick: bool) -> Report:
    """Make the report of a run that begins now, on this machine."""
    return Report(datetime.date.today().isoformat(), rounds, quick, _machine())


def _machine() -> dict[str, str]:
    facts = {
        "cpu": f"{_processor()}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.release()}",
        platform.python_implementation(): platform.python_version(),
    }
    for name in ("Twisted", "uvloop", "twisted_endpoints"):
        try:
            facts[name] = version(name)
        except PackageNotFoundError:
            facts[name] = "not installed"
    return facts


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.machine())


def _written(outcome: Outcome) -> dict[str, Any]:
    row = outcome.row
    contenders = {}
    for name, samples in outcome.samples.items():
        ratio = outcome.ratio(name)
        contenders[name] = {
            "cost": outcome.cost(name),
            "rate": outcome.rate(name),
            "ratio": None if ratio is None else asdict(ratio),
            "ofGoal": outcome.ofGoal(name),
            "costs": [sample.cost for sample in samples],
            "rates": [sample.rate for sample in samples],
        }
    return {
        "name": row.name,
        "what": row.what,
        "unit": row.unit,
        "goals": dict(row.goals),
        "limit": row.limit,
        "contenders": contenders,
        "missing": outcome.missing,
    }


def _read(written: dict[str, Any]) -> Outcome:
    # Contenders that can run are of no use to somebody who reads.
    row = Row(written["name"], written["what"], written["unit"], {}, written["goals"], written["limit"])
    samples = {
        name: [Sample(cost, rate) for cost, rate in zip(found["costs"], found["rates"], strict=True)]
        for name, found in written["contenders"].items()
    }
    return Outcome(row, samples, written["missing"])


def lines(outcome: Outcome) -> list[str]:
    """Write an outcome for a terminal."""
    row = outcome.row
    text = [f"{row.name}: {row.what}"]
    for name in outcome.samples:
        rate, ratio, goal = outcome.rate(name), outcome.ratio(name), _goal(outcome, name)
        line = f"  {name:14} {outcome.cost(name):12.3f} {row.unit:8}"
        line += " " * 15 if rate is None else f" {rate:12.0f}/s"
        if ratio is not None:
            line += f"  {ratio.median:7.2f} ({ratio.low:.2f} .. {ratio.high:.2f})"
        if goal:
            line += f"  {goal}"
        text.append(line)
    text += [f"  {name:14} -- {reason.strip()}" for name, reason in outcome.missing.items()]
    return text


def _goal(outcome: Outcome, contender: str) -> str:
    """Say what a contender shall reach, and if it doesn't, how near it comes; nothing if it has no goal."""
    row, reached = outcome.row, outcome.ofGoal(contender)
    if reached is None:
        return ""
    goals = [f"{row.goals[contender]:g}"] if contender in row.goals else []
    if row.limit is not None and contender.startswith("ours"):
        goals.append(f"{row.limit:g} {row.unit}")
    text = f"goal {', '.join(goals)}"
    if reached >= 1:
        return text
    return f"{text}: **missed**, {reached:.2f} of it"


def page(report: Report) -> str:
    """Write a report as Markdown: what each contender needs, and how many times better than Twisted it is."""
    text = ["# What was measured", "", *report.caption().splitlines(), ""]
    for chart, outcomes in report.outcomes.items():
        names = list(dict.fromkeys(name for outcome in outcomes for name in outcome.samples))
        text += [
            f"![{chart}]({chart}.svg)",
            "",
            f"| | {' | '.join(names)} |",
            "|---" * (len(names) + 1) + "|",
        ]
        for outcome in outcomes:
            cells = [_cell(outcome, name) for name in names]
            text.append(f"| **{outcome.row.name}**: {outcome.row.what} | {' | '.join(cells)} |")
        text.append("")
    return "\n".join(text)


def _cell(outcome: Outcome, name: str) -> str:
    if name not in outcome.samples:
        return ""
    cell, ratio, goal = f"{shortly(outcome.cost(name))} {outcome.row.unit}", outcome.ratio(name), ""
    if ratio is not None:
        if name != BASELINE:
            cell += f"<br>**{shortly(ratio.median)}** ({shortly(ratio.low)}-{shortly(ratio.high)})"
        goal = _goal(outcome, name)
    return f"{cell}<br>{goal}" if goal else cell
