"""``twisted-endpoints doctor``: tries every kind of endpoint that this machine can do, for real."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ._reactor import NoSuchLoop, chooseReactor

if TYPE_CHECKING:
    from ._trial import Outcome

NAME = "doctor"
SUMMARY = "tries every kind of endpoint on this machine: relays bytes through it, and compares them"
EXAMPLES = """\
For each kind a server listens on a server string, a relay that listens on another leads to it, and a client
that connects to the relay and the server send each other 8 MiB of random bytes.  All of it stays on this
machine.

exit status: 0 every kind that this machine can do is ok, 1 one failed, 2 a wrong argument
"""

HEADINGS = ("kind", "server", "client", "result", "MB/s")


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e6:
        raise ValueError(text)
    return value


# What argparse calls it in its errors.
_seconds.__name__ = "number of seconds"


def addArguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `doctor`."""
    parser.add_argument("--json", action="store_true", help="write what came of it as JSON")
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=_seconds,
        default=30.0,
        help="how long one kind may take until it counts as failed (default: 30)",
    )


def run(options: argparse.Namespace) -> int:
    """Try each kind in turn, and show what came of it."""
    try:
        reactor = chooseReactor(options.loop)
    except NoSuchLoop as error:
        print(f"twisted-endpoints doctor: {error}", file=sys.stderr)
        return 2
    about = versions(reactor)
    if not options.json:
        for name, value in about.items():
            print(f"{name + ':':<19}{value}")
        print(flush=True)
    try:
        temporary = tempfile.TemporaryDirectory(prefix="te-", dir=_shortFolder())
    except OSError as error:
        print(
            f"twisted-endpoints doctor: there is no folder for temporary files: {error.strerror or error};"
            " set TMPDIR to one that can be written to",
            file=sys.stderr,
        )
        return 1
    with temporary as folder:
        outcomes = _tryAll(reactor, folder, options.timeout)
    if outcomes is None:
        print("twisted-endpoints doctor: stopped before the end", file=sys.stderr)
        return 1
    if options.json:
        rows = [vars(outcome) for outcome in outcomes]
        print(json.dumps({"versions": about, "kinds": rows}, indent=2))
    else:
        print("\n".join(table([HEADINGS, *map(_row, outcomes)])))
    return 1 if any(outcome.status == "failed" for outcome in outcomes) else 0


def _shortFolder() -> str | None:
    """Say where temporary folders go: elsewhere than usual if that path is too long for a UNIX socket's."""
    usual = tempfile.gettempdir()
    return "/tmp" if len(os.fsencode(usual)) > 70 and os.path.isdir("/tmp") else None


def versions(reactor: Any) -> dict[str, str]:
    """Say what runs here, without importing what isn't needed."""
    import platform
    from importlib import metadata

    from .. import __version__, _vocabulary

    def installed(distribution: str) -> str:
        try:
            return metadata.version(distribution)
        except metadata.PackageNotFoundError:
            return "not installed"

    loop = type(getattr(reactor, "_loop", getattr(reactor, "_asyncioEventloop", None)))
    library = loop.__module__.partition(".")[0]
    return {
        "Python": f"{platform.python_version()} on {platform.system()} {platform.release()}",
        "twisted_endpoints": str(__version__.public()),
        "vocabulary": _vocabulary.vocabulary,
        "event loop": f"{library} {installed(library)}" if library == "uvloop" else library,
        "Twisted": installed("twisted"),
        "pyOpenSSL": installed("pyopenssl"),
    }


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Align rows in columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def _row(outcome: Outcome) -> tuple[str, ...]:
    result = f"{outcome.status}: {outcome.reason}" if outcome.reason else outcome.status
    speed = "" if outcome.speed is None else f"{outcome.speed:4.0f}"
    return outcome.kind, outcome.server, outcome.client, result, speed


def _tryAll(reactor: Any, folder: str, limit: float) -> list[Outcome] | None:
    """Try each kind in turn on a reactor that runs for it; None if it was stopped before the end."""
    from ..defer import Deferred
    from ..error import ReactorNotRunning
    from ._kinds import KINDS
    from ._trial import Trial

    outcomes: list[Outcome] = []

    async def main() -> None:
        for number, kind in enumerate(KINDS):
            own = os.path.join(folder, str(number))
            os.mkdir(own)
            outcomes.append(await Trial(reactor, kind, own, limit).run())

    def end(_: object) -> None:
        try:
            reactor.stop()
        except ReactorNotRunning:
            pass  # a signal has stopped it

    failures: list[Any] = []
    reactor.callWhenRunning(
        lambda: Deferred.fromCoroutine(main()).addErrback(failures.append).addCallback(end)
    )
    reactor.run()
    for failure in failures:
        failure.raiseException()
    return outcomes if len(outcomes) == len(KINDS) else None
