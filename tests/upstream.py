"""
Runs Twisted's own tests, from its installed package, on our modules.

    python -m tests.upstream [--vocabulary builtin|twisted] [--reactor] MODULE_OR_TEST...

``--vocabulary builtin`` (the default): our built-in modules stand in `sys.modules` under Twisted's names
before anything of Twisted is imported, so that all of Twisted, its tests and their runner, runs on our
Deferred, our Failure and so on.
``--vocabulary twisted``: only `twisted.internet.endpoints` and `.stdio` are ours.
``--children``: so it is in the processes that the tests start, too.
``--reactor``: tests that are written for every reactor run on `AsyncioReactor` and on no other, and it is the
installed one.

Exit status 0 if every test holds, but for those that `upstream_exclusions.txt` lists with a reason.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import itertools
import os
import pkgutil
import sys
import tempfile
import unittest
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

#: The environment variable that tells processes that tests start which vocabulary is substituted.
CHILDREN = "TWISTED_ENDPOINTS_SUBSTITUTED"

EXCLUSIONS = Path(__file__).with_name("upstream_exclusions.txt")


#: Private modules of Twisted that its tests reach into, and the package where ours has the same names.
PRIVATE = {"twisted.internet._sslverify": "twisted_endpoints._tls"}

#: The same where ours stands in both vocabularies.
ALWAYS_PRIVATE = {
    f"twisted.protocols.haproxy.{name}": "twisted_endpoints.haproxy"
    for name in ("_exceptions", "_v1parser", "_v2parser", "_wrapper")
}


class Exclusion(NamedTuple):
    """A test of Twisted's own that can't hold for us."""

    #: The test's id; a ``*`` at its end stands for all that begin so.
    name: str
    #: The vocabulary that it can't hold in, or "both".
    vocabulary: str
    reason: str

    def covers(self, name: str, vocabulary: str) -> bool:
        """Whether a test is left out."""
        same = name.startswith(self.name[:-1]) if self.name.endswith("*") else name == self.name
        return same and self.vocabulary in ("both", vocabulary)


def exclusions() -> list[Exclusion]:
    """Read `upstream_exclusions.txt`."""
    rows = []
    for line in EXCLUSIONS.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, reason = line.partition(": ")
            vocabulary, _, name = name.strip().rpartition(" ")
            rows.append(Exclusion(name, vocabulary or "both", reason.strip()))
    return rows


def table() -> str:
    """Write the exclusions as docs/compatibility.md shows them, those with the same reason in one row."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for name, vocabulary, reason in exclusions():
        reasons.setdefault((reason, vocabulary), []).append(f"`{name}`")
    lines = ["| tests | vocabulary | why they can't hold |", "|---|---|---|"]
    lines += [f"| {'<br>'.join(names)} | {where} | {why} |" for (why, where), names in reasons.items()]
    return "\n".join(lines) + "\n"


def substitute(vocabulary: str) -> None:
    """
    Put our modules in the place of Twisted's.

    Names that Twisted's modules have and ours don't are lent by its own where whole modules of Twisted, or
    of its tests, could not be imported else.
    """
    from twisted_endpoints._vocabulary import TWINS

    twins = dict(TWINS) if vocabulary == "builtin" else {}
    twins["endpoints"] = "twisted.internet.endpoints"
    twins["stdio"] = "twisted.internet.stdio"
    twins["strports"] = "twisted.application.strports"
    for ours, theirs in twins.items():
        sys.modules[theirs] = importlib.import_module(f"twisted_endpoints.{ours}")
    for ours, theirs in twins.items():
        package, _, name = theirs.rpartition(".")
        setattr(importlib.import_module(package), name, sys.modules[f"twisted_endpoints.{ours}"])
    private = {**PRIVATE, **ALWAYS_PRIVATE} if vocabulary == "builtin" else ALWAYS_PRIVATE
    for theirs, package in private.items():
        sys.modules[theirs] = _Private(theirs, importlib.import_module(package))
    if vocabulary == "builtin":
        _fewKeys()
        _forwardLogs()
        _oneReactor()
        _replaceParts()
        _lend("service", "twisted.application", "service")
        _lend("services", "twisted.application", "internet")
    _lend("endpoints", "twisted.internet", "endpoints")


class _Private(ModuleType):
    """Stands for a module of Twisted's, whose names are in modules of ours, and are patched there."""

    def __init__(self, name: str, package: ModuleType) -> None:
        super().__init__(name)
        names = [found.name for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")]
        vars(self)["homes"] = [package, *map(importlib.import_module, names)]

    def __getattr__(self, name: str) -> object:
        for home in self.homes:
            if name in vars(home):
                return vars(home)[name]
        raise AttributeError(name)

    def __setattr__(self, name: str, value: object) -> None:
        for home in self.homes:
            if name in vars(home):
                setattr(home, name, value)


def _replaceParts() -> None:
    """Put classes of ours in place of Twisted's, that Twisted has in modules without a twin."""
    from twisted_endpoints._lines import LineReceiver
    from twisted_endpoints._tls.creators import LegacyContextFactoryWarning
    from twisted_endpoints.task._clock import DelayedCall

    legacy: Any = importlib.import_module("twisted.protocols._tls_legacy")
    legacy.LegacyContextFactoryWarning = LegacyContextFactoryWarning
    importlib.import_module("twisted.protocols.basic").LineReceiver = LineReceiver  # type: ignore[attr-defined]
    importlib.import_module("twisted.internet.base").DelayedCall = DelayedCall  # type: ignore[attr-defined]


def _lend(name: str, package: str, module: str) -> None:
    ours = sys.modules[f"twisted_endpoints.{name}"]
    path = Path(importlib.import_module(package).__file__ or "").with_name(f"{module}.py")
    spec = spec_from_file_location(f"{package}._{module}OfTwisted", path)
    assert spec is not None
    assert spec.loader is not None
    theirs = module_from_spec(spec)
    spec.loader.exec_module(theirs)
    for name, value in vars(theirs).items():
        if not hasattr(ours, name):
            setattr(ours, name, value)


def _fewKeys() -> None:
    """Hand out the same few RSA keys in turn: to make them is most of what Twisted's tests of TLS do."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    make = rsa.generate_private_key
    turns = itertools.cycle(range(8))

    @functools.cache
    def made(exponent: int, size: int, turn: int) -> rsa.RSAPrivateKey:
        return make(exponent, size)

    def take(public_exponent: int, key_size: int) -> rsa.RSAPrivateKey:
        return made(public_exponent, key_size, next(turns))

    rsa.generate_private_key = take  # type: ignore[assignment]


def _oneReactor() -> None:
    """Let our modules take the reactor that runs the tests, when they ask for the installed one."""
    import twisted_endpoints

    lazily = twisted_endpoints.__getattr__

    def withReactor(name: str) -> object:
        return importlib.import_module("twisted.internet.reactor") if name == "reactor" else lazily(name)

    twisted_endpoints.__getattr__ = withReactor  # type: ignore[assignment]


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
    """Make Twisted's reactor tests run on our reactor alone, those that want the installed one too."""
    import twisted.internet
    from twisted.internet.test.reactormixins import ReactorBuilder

    from twisted_endpoints.asyncioreactor import AsyncioReactor

    ReactorBuilder._reactors = ["twisted_endpoints.asyncioreactor.AsyncioReactor"]
    sys.modules["twisted.internet.reactor"] = AsyncioReactor()  # type: ignore[assignment]
    twisted.internet.reactor = sys.modules["twisted.internet.reactor"]  # type: ignore[attr-defined]


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
    arguments.add_argument("--children", action="store_true")
    arguments.add_argument("--all", action="store_true", help="run the excluded ones too")
    arguments.add_argument("--document", action="store_true", help="print the excluded ones as a table")
    arguments.add_argument("tests", nargs="*")
    options = arguments.parse_args()
    if options.document:
        print(table(), end="")
        return 0
    os.environ["TWISTED_ENDPOINTS_VOCABULARY"] = options.vocabulary
    if options.children:
        os.environ[CHILDREN] = options.vocabulary
        # Python imports `sitecustomize` from where its path leads; Twisted's tests hand theirs on.
        sys.path.insert(0, str(Path(__file__).with_name("substituted")))
    substitute(options.vocabulary)
    from twisted.trial.reporter import TestResult, TreeReporter
    from twisted.trial.runner import TestLoader, TrialRunner

    if options.reactor:
        onlyOurReactor()
    excluded = [] if options.all else exclusions()
    suite = unittest.TestSuite()
    left: list[str] = []
    for test in flatten(TestLoader().loadByNames(options.tests, recurse=True)):
        name = test.id()
        if any(row.covers(name, options.vocabulary) for row in excluded):
            left.append(name)
        else:
            suite.addTest(test)
    with tempfile.TemporaryDirectory() as folder:
        runner = TrialRunner(TreeReporter, workingDirectory=f"{folder}/trial")
        result: TestResult = runner.run(suite)
    print(f"left out, with a reason in {EXCLUSIONS.name}: {len(left)}")
    return 0 if result.wasSuccessful() and result.testsRun else 1


if __name__ == "__main__":
    sys.exit(main())
