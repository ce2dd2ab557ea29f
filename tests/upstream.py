"""
Runs Twisted's own tests, from its installed package, on our modules.

    python -m tests.upstream [--vocabulary builtin|twisted] [--reactor] MODULE_OR_TEST...

``--vocabulary builtin`` (the default): our built-in modules stand in `sys.modules` under Twisted's names before anything
of Twisted is imported, so that all of Twisted, its tests and their runner, runs on our Deferred, our Failure and so on.
``--vocabulary twisted``: only `twisted.internet.endpoints` is ours.
``--reactor``: tests that are written for every reactor run on `AsyncioReactor` and on no other.

Exit status 0 if every test holds, but for those that `upstream_exclusions.txt` lists with a reason.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import unittest
from pathlib import Path

EXCLUSIONS = Path(__file__).with_name("upstream_exclusions.txt")


def exclusions() -> dict[str, str]:
    """Read the tests that can't hold for us: ``name: reason`` a line, where the name may end in ``*``."""
    rows = {}
    for line in EXCLUSIONS.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, reason = line.partition(": ")
            rows[name.strip()] = reason.strip()
    return rows


def substitute(vocabulary: str) -> None:
    """Put our modules in the place of Twisted's."""
    from twisted_endpoints._vocabulary import TWINS

    twins = dict(TWINS) if vocabulary == "builtin" else {}
    twins["endpoints"] = "twisted.internet.endpoints"
    for ours, theirs in twins.items():
        module = importlib.import_module(f"twisted_endpoints.{ours}")
        sys.modules[theirs] = module
    for ours, theirs in twins.items():
        package, _, name = theirs.rpartition(".")
        setattr(importlib.import_module(package), name, sys.modules[f"twisted_endpoints.{ours}"])
    if vocabulary == "builtin":
        _forwardLogs()


def _forwardLogs() -> None:
    """Pass our log records on to Twisted's log, where trial's ``flushLoggedErrors`` looks."""
    import logging

    from twisted.logger import Logger

    class Forward(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            log = Logger(record.name)
            failure = getattr(record, "failure", None)
            if failure is None and record.exc_info and record.exc_info[1]:
                from twisted_endpoints.failure import Failure

                failure = Failure(record.exc_info[1], record.exc_info[0], record.exc_info[2])
            text = record.getMessage()
            if failure is not None:
                head, _, rest = text.partition("\n")
                if head == "Unhandled error in Deferred:":
                    # One record of ours is two events of Twisted's.
                    log.critical(head, isError=True)
                    text = rest
                log.failure("{text}", failure=failure, text=text)
            else:
                level = {"WARNING": "warn", "CRITICAL": "critical"}.get(record.levelname)
                getattr(log, level or record.levelname.lower())("{text}", text=record.getMessage())

    logger = logging.getLogger("twisted_endpoints")
    logger.addHandler(Forward())
    logger.propagate = False
    logger.setLevel(logging.DEBUG)


def onlyOurReactor() -> None:
    """Make Twisted's reactor tests run on our reactor alone."""
    from twisted.internet.test.reactormixins import ReactorBuilder

    ReactorBuilder._reactors = ["twisted_endpoints.asyncioreactor.AsyncioReactor"]


def flatten(suite: unittest.TestSuite) -> list[unittest.TestCase]:
    """List the test cases of nested suites."""
    cases: list[unittest.TestCase] = []
    for test in suite:
        cases.extend(flatten(test) if hasattr(test, "__iter__") else [test])  # type: ignore[arg-type]
    return cases


def main() -> int:
    """Run what the command line names."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[1])
    arguments.add_argument("--vocabulary", choices=["builtin", "twisted"], default="builtin")
    arguments.add_argument("--reactor", action="store_true")
    arguments.add_argument("--all", action="store_true", help="run the excluded ones too")
    arguments.add_argument("tests", nargs="+")
    options = arguments.parse_args()
    os.environ["TWISTED_ENDPOINTS_VOCABULARY"] = options.vocabulary
    substitute(options.vocabulary)
    from twisted.trial.reporter import TestResult, TreeReporter
    from twisted.trial.runner import TestLoader, TrialRunner

    if options.reactor:
        onlyOurReactor()
    excluded = {} if options.all else exclusions()
    suite = unittest.TestSuite()
    left: list[str] = []
    for test in flatten(TestLoader().loadByNames(options.tests, recurse=True)):
        name = test.id()
        if any(name == row or (row.endswith("*") and name.startswith(row[:-1])) for row in excluded):
            left.append(name)
        else:
            suite.addTest(test)
    runner = TrialRunner(TreeReporter, workingDirectory=f"_trial_temp/{os.getpid()}")
    result: TestResult = runner.run(suite)
    print(f"left out, with a reason in {EXCLUSIONS.name}: {len(left)}")
    return 0 if result.wasSuccessful() and result.testsRun else 1


if __name__ == "__main__":
    sys.exit(main())
