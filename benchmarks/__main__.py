"""``python -m benchmarks``: run the benchmarks, and write what came out."""

from __future__ import annotations

import argparse
import fnmatch
import sys

from .rows import MODULES, Outcome, measure, rowsOf


def show(outcome: Outcome) -> None:
    """Print one row's figures."""
    row = outcome.row
    print(f"{row.name}: {row.what}")
    for name in row.contenders:
        if name in outcome.missing:
            print(f"  {name:14} -- {outcome.missing[name].strip()}")
            continue
        line = f"  {name:14} {outcome.cost(name):12.3f} {row.unit}"
        rate = outcome.rate(name)
        line += f" {rate:12.0f}/s" if rate is not None else " " * 15
        ratio = outcome.ratio(name)
        if ratio is not None:
            line += f"  {ratio.median:7.2f}x ({ratio.low:.2f} .. {ratio.high:.2f})"
        if name in row.goals:
            line += f"  goal {row.goals[name]:g}x"
        if row.limit is not None and name.startswith("ours"):
            line += f"  at most {row.limit:g} {row.unit}"
        reached = outcome.reached(name)
        if reached is not None:
            line += "  reached" if reached else "  NOT REACHED"
        print(line)
    sys.stdout.flush()


def main() -> int:
    """Run what the command line names."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    arguments.add_argument("rows", nargs="*", default=["*"], help="names of rows, with * and ?; default: all")
    arguments.add_argument("--rounds", type=int, default=7, help="samples of each contender (default: 7)")
    arguments.add_argument("--quick", action="store_true", help="a quick look: little work in each sample")
    arguments.add_argument("--module", action="append", help="only this module, like benchmarks.streams")
    options = arguments.parse_args()
    failed = False
    for module in options.module or MODULES:
        for row in rowsOf(module):
            if any(fnmatch.fnmatch(row.name, wanted) for wanted in options.rows):
                outcome = measure(module, row, options.rounds, options.quick)
                show(outcome)
                failed = failed or any(why.startswith("failed") for why in outcome.missing.values())
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
