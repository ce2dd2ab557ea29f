"""
Run the benchmarks: ``python -m benchmarks``.

A full run writes ``results.json``, ``README.md`` and a chart for each group of benchmarks into
``benchmarks/results``, in place of the last run's, once it is complete.  One of some rows only, or a quick
one, is printed, and written only on demand.  With ``--results`` files are written after each row.
"""

from __future__ import annotations

import argparse
import fnmatch
import signal
import sys
from pathlib import Path

from .arguments import atLeastOne
from .chart import chart
from .report import Report, begun, lines, page
from .rows import CHARTS, Row, measure, rowsOf

RESULTS = Path(__file__).with_name("results")


def chosen(patterns: list[str]) -> list[tuple[str, str, Row]]:
    """Give the rows whose names match one of the patterns, each with its chart and its module."""
    return [
        (name, module, row)
        for name, modules in CHARTS.items()
        for module in modules
        for row in rowsOf(module)
        if any(fnmatch.fnmatch(row.name, pattern) for pattern in patterns)
    ]


def write(report: Report, folder: Path) -> None:
    """Write a report's files into a folder, which is there."""
    (folder / "results.json").write_text(report.toJSON())
    (folder / "README.md").write_text(page(report))
    for name in CHARTS.keys() - report.outcomes.keys():
        # An older run's, and nothing to do with these results.
        (folder / f"{name}.svg").unlink(missing_ok=True)
    for name, outcomes in report.outcomes.items():
        title = f"{name.capitalize()}: how many times better than Twisted"
        (folder / f"{name}.svg").write_text(chart(title, outcomes, report.caption()))


def main() -> int:
    """Do what the command line says; the status is 1 if a contender failed."""
    arguments = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    arguments.add_argument("rows", nargs="*", help="names of rows, with * and ?; default: all")
    arguments.add_argument(
        "--rounds", type=atLeastOne, default=7, help="samples of each contender (default: 7)"
    )
    arguments.add_argument("--quick", action="store_true", help="a quick look: little work in each sample")
    where = f"where to write, after each row (default: when a full run is complete, {RESULTS})"
    arguments.add_argument("--results", type=Path, help=where)
    arguments.add_argument("--draw", action="store_true", help="run nothing: write anew from results.json")
    arguments.add_argument("--list", action="store_true", help="run nothing: show the names of the rows")
    options = arguments.parse_args()
    rows = chosen(options.rows or ["*"])
    for pattern in options.rows:
        if not chosen([pattern]):
            arguments.error(f"no row is called {pattern!r}: see --list")
    if options.list:
        for _chart, _module, row in rows:
            print(f"{row.name}: {row.what}")
        return 0
    if options.draw:
        drawn = options.results or RESULTS
        try:
            text = (drawn / "results.json").read_text()
        except OSError as error:
            arguments.error(f"--draw needs the results of a run: {error.filename}: {error.strerror}")
        write(Report.fromJSON(text), drawn)
        return 0
    full = not options.rows and not options.quick
    folder: Path | None = options.results or (RESULTS if full else None)
    if folder is not None:
        # Now: what can't be written need not be measured.
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            arguments.error(f"--results must be a folder: {error.filename}: {error.strerror}")
    for ending in (signal.SIGINT, signal.SIGTERM):
        # So that the sample which is being taken ends too: it is in a session of its own.
        signal.signal(ending, lambda number, frame: sys.exit(128 + number))
    report = begun(options.rounds, options.quick)
    failed = False
    for name, module, row in rows:
        outcome = measure(module, row, options.rounds, options.quick)
        report.outcomes.setdefault(name, []).append(outcome)
        print("\n".join(lines(outcome)), flush=True)
        failed = failed or any(why.startswith("failed") for why in outcome.missing.values())
        if options.results is not None:
            # A run takes long, and may be ended before its end.
            write(report, options.results)
    if full and options.results is None:
        # Not before: half of a run is no replacement for what is published.
        write(report, RESULTS)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
