"""The benchmarks' arithmetic, and that what they write can be read."""

from __future__ import annotations

import signal
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks import __main__ as program
from benchmarks import _timing, sample
from benchmarks.chart import COLOURS, chart, goalOf
from benchmarks.report import Report, lines, page
from benchmarks.rows import Failed, Outcome, Ratio, Row, Sample, Unavailable, measure, ratioOf, shuffledRounds


def notHere() -> Sample:
    raise AssertionError("only a sample's own process calls it")


NAMES = ("twisted-epoll", "asyncio", "ours-asyncio", "ours-uvloop")
ROW = Row(
    "echo <&> 1",
    "What is done & counted.",
    "us",
    dict.fromkeys(NAMES, notHere),
    {"ours-uvloop": 2, "ours-asyncio": 0.5},
    limit=60,
)
COSTS = {
    "twisted-epoll": [100.0, 110.0, 120.0],
    "asyncio": [200.0, 200.0, 200.0],
    "ours-uvloop": [40.0, 55.0, 50.0],
}


def outcome() -> Outcome:
    samples = {name: [Sample(cost, 1e6 / cost) for cost in costs] for name, costs in COSTS.items()}
    return Outcome(ROW, samples, {"ours-asyncio": "no such loop"})


def report() -> Report:
    return Report(
        "2026-11-22", 3, False, {"cpu": "a <fast> one", "CPython": "3.11"}, {"streams": [outcome()]}
    )


def test_ratiosAreTakenWithinRounds() -> None:
    assert ratioOf([(100, 50), (300, 100), (80, 80)]) == Ratio(1.5, 2, 2.5)
    assert ratioOf([(100, 50)]) == Ratio(2, 2, 2)


def test_goals() -> None:
    found = outcome()
    assert found.ofGoal("ours-uvloop") == pytest.approx(1.2)
    assert found.ofGoal("asyncio") is None
    assert found.ofGoal("ours-asyncio") is None
    assert goalOf(found, "ours-uvloop") == 2
    dear = Outcome(ROW, {**found.samples, "ours-uvloop": [Sample(61)] * 3})
    assert dear.ofGoal("ours-uvloop") == pytest.approx(110 / 61 / 2)


def test_eachRoundHasAllContenders() -> None:
    rounds = list(shuffledRounds(list(NAMES), 20))
    assert all(sorted(order) == sorted(NAMES) for order in rounds)
    assert len({tuple(order) for order in rounds}) > 5


def test_contendersThatFailAreLeftOut() -> None:
    asked: Counter[str] = Counter()

    def take(module: str, row: str, contender: str, quick: bool) -> Sample:
        asked[contender] += 1
        if contender == "asyncio":
            raise Unavailable("not here")
        if contender == "ours-uvloop" and asked[contender] == 2:
            raise RuntimeError("status 1")
        return Sample(asked[contender])

    found = measure("a.module", ROW, 3, take=take)
    assert found.missing == {"asyncio": "not here", "ours-uvloop": "failed: status 1"}
    assert asked == {"twisted-epoll": 3, "ours-asyncio": 3, "ours-uvloop": 2, "asyncio": 1}
    assert found.cost("ours-asyncio") == 2


@pytest.mark.parametrize("cost", [0.0, -2.0])
def test_aSampleThatUsedNothingHasFailed(cost: float) -> None:
    found = measure("a.module", ROW, 2, take=lambda *asked: Sample(cost if asked[2] == "asyncio" else 1.0))
    assert found.missing == {"asyncio": f"failed: it used {cost:g} us, which is less than can be measured"}
    assert found.ratio("ours-uvloop") == Ratio(1, 1, 1)
    assert "asyncio" not in found.samples


def test_nothingDoneIsNoSample(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def idle() -> Sample:
        raise Failed("nothing was done")

    row = Row("idle", "", "us", {"ours": idle})
    monkeypatch.setattr(sample, "rowsOf", lambda _module: (row,))
    sample.main("a.module", "idle", "ours")
    assert capsys.readouterr().out == '{"failed": "nothing was done"}\n'


def test_timingSaysThatTheClockStoodStill(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_timing, "_cpuTime", lambda *_: 0.0)
    monkeypatch.setattr(_timing, "SECONDS", 0)
    with pytest.raises(Failed, match="no CPU time"):
        _timing.perOperation(lambda _count: None, 1)


def test_aReportIsReadAsItWasWritten() -> None:
    text = report().toJSON()
    again = Report.fromJSON(text)
    assert again.toJSON() == text
    assert again.outcomes["streams"][0].samples == outcome().samples


def test_theChartIsAPicture() -> None:
    drawn = ElementTree.fromstring(chart("a & b", [outcome()], report().caption()))
    words = [element.text for element in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert "a & b" in words
    assert "echo <&> 1" in words
    bars = [element for element in drawn.iter() if element.get("fill") and element.get("height") == "8"]
    # Two in the row and two in the legend.
    assert len(bars) == 4


@pytest.mark.parametrize("cost", [1e-3, 1.0, 1e6])
def test_theChartHoldsAnyRatio(cost: float) -> None:
    found = Outcome(ROW, {"twisted-epoll": [Sample(1.0)], "ours-uvloop": [Sample(cost)]})
    drawn = ElementTree.fromstring(chart("title", [found], ""))
    for bar in drawn.iter("{http://www.w3.org/2000/svg}rect"):
        if bar.get("x"):
            assert 0 <= float(bar.get("x", "")) <= 860
            assert float(bar.get("width", "")) <= 860


def points(costs: list[float], goal: float) -> tuple[list[str], bool]:
    """Draw a contender and its goal; give the styles of the arrow heads, and whether they are explained."""
    row = Row("a row", "", "us", {}, {"ours": goal})
    found = Outcome(row, {"twisted-epoll": [Sample(1.0)] * len(costs), "ours": [Sample(x) for x in costs]})
    drawn = ElementTree.fromstring(chart("title", [found], ""))
    styles = [path.get("class", "bar") for path in drawn.iter("{http://www.w3.org/2000/svg}path")]
    explained = any("beyond the scale" in (element.text or "") for element in drawn.iter())
    return sorted(set(styles)), explained


@pytest.mark.parametrize(
    ("costs", "goal", "styles"),
    [
        ([1 / 8], 8, []),
        ([1 / 9], 2, ["bar", "spread"]),
        ([9], 2, ["bar", "spread"]),
        ([1 / 7, 1 / 7, 1 / 99], 2, ["spread"]),
        ([1 / 2], 50, ["goal"]),
    ],
)
def test_whatIsCutEndsInAPoint(costs: list[float], goal: float, styles: list[str]) -> None:
    assert points(costs, goal) == (styles, bool(styles))


def test_eachColourMeansOneThing() -> None:
    assert len({colour for colour, _text in COLOURS.values()}) == len(COLOURS)


def test_textsShowEachContender() -> None:
    text = "\n".join(lines(outcome()))
    assert all(name in text for name in NAMES)
    assert "**2.40** (2.20-2.45)" in page(report())


@pytest.mark.parametrize(
    ("cost", "verdict"),
    [
        (60, "goal 2, 60 us"),
        (64, "goal 2, 60 us: **missed**, 0.94 of it"),
        (80, "goal 2, 60 us: **missed**, 0.75 of it"),
    ],
)
def test_textsSayHowNearAGoalIs(cost: float, verdict: str) -> None:
    found = Outcome(ROW, {"twisted-epoll": [Sample(200.0)], "ours-uvloop": [Sample(cost)]})
    assert lines(found)[-1].endswith(f"  {verdict}")
    assert f"{verdict} |" in page(Report("2026-11-22", 1, False, {}, {"streams": [found]}))


def refused(arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """See that the program ends with argparse's status and measures nothing; give what it says."""

    def measured(*_: object) -> None:
        raise AssertionError("it measures")

    monkeypatch.setattr(program, "measure", measured)
    monkeypatch.setattr(sys, "argv", ["benchmarks", *arguments])
    with pytest.raises(SystemExit) as ended:
        program.main()
    assert ended.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize("rounds", ["0", "-3", "x"])
def test_thereIsARound(rounds: str, monkeypatch: Any, capsys: Any) -> None:
    said = refused(["--quick", "--rounds", rounds], monkeypatch, capsys)
    assert f"argument --rounds: expected a whole number, 1 or more, not '{rounds}'" in said


def test_onlyResultsCanBeDrawn(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    said = refused(["--draw", "--results", str(tmp_path)], monkeypatch, capsys)
    assert f"error: --draw needs the results of a run: {tmp_path}/results.json: No such file" in said


def test_resultsNeedAFolder(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    file = tmp_path / "file"
    file.touch()
    said = refused(["--quick", "--results", str(file)], monkeypatch, capsys)
    assert f"error: --results must be a folder: {file}: File exists" in said
    said = refused(["--quick", "--results", str(file / "within")], monkeypatch, capsys)
    assert "Not a directory" in said


@pytest.fixture
def handlers() -> Iterator[None]:
    """Put back the signal handlers that a run replaces."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("explicit", [True, False])
def test_anInterruptedRunLeavesWhatIsPublished(explicit: bool, tmp_path: Path, monkeypatch: Any) -> None:
    published = tmp_path / "published"
    published.mkdir()
    for name in ("tls.svg", "results.json"):
        (published / name).write_text("old")
    taken: list[str] = []

    def taking(_module: str, row: Row, *_: object) -> Outcome:
        if taken:
            signal.raise_signal(signal.SIGINT)
        taken.append(row.name)
        return outcome()

    monkeypatch.setattr(program, "RESULTS", published)
    monkeypatch.setattr(program, "measure", taking)
    asked = tmp_path / "asked"
    monkeypatch.setattr(sys, "argv", ["benchmarks", *(["--results", str(asked)] if explicit else [])])
    with pytest.raises(SystemExit) as ended:
        program.main()
    assert ended.value.code == 130
    assert sorted(path.read_text() for path in published.iterdir()) == ["old", "old"]
    # Who names a folder has what was measured until then.
    assert asked.exists() == explicit
    assert not explicit or len(Report.fromJSON((asked / "results.json").read_text()).outcomes) == 1


@pytest.mark.usefixtures("handlers")
def test_aCompleteRunIsPublished(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(program, "RESULTS", tmp_path)
    monkeypatch.setattr(program, "measure", lambda *_: outcome())
    monkeypatch.setattr(sys, "argv", ["benchmarks"])
    assert program.main() == 0
    assert Report.fromJSON((tmp_path / "results.json").read_text()).outcomes.keys() == program.CHARTS.keys()


@pytest.mark.usefixtures("handlers")
def test_aFolderForResultsIsMade(tmp_path: Path, monkeypatch: Any) -> None:
    folder = tmp_path / "two" / "levels"
    monkeypatch.setattr(program, "measure", lambda *_: outcome())
    monkeypatch.setattr(sys, "argv", ["benchmarks", "echo 1", "--results", str(folder)])
    assert program.main() == 0
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "results.json", "streams.svg"]


def test_chartsOfOtherResultsGo(tmp_path: Path) -> None:
    for name in ("tls.svg", "parts.svg", "streams.svg", "own.svg", "tls.txt"):
        (tmp_path / name).write_text("old")
    program.write(report(), tmp_path)
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["README.md", "own.svg", "results.json", "streams.svg", "tls.txt"]
    assert (tmp_path / "streams.svg").read_text() != "old"
