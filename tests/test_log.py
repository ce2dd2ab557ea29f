"""Where log records go: to Twisted's log in Twisted's vocabulary, else to the standard `logging`."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from twisted_endpoints._vocabulary import vocabulary

PROGRAM = """
import sys
from twisted_endpoints._log import Logger, logToStandardError
from twisted_endpoints.failure import Failure

for _ in range(2):
    logToStandardError("prog")
log = Logger("twisted_endpoints.test")
log.debug("not shown")
log.info("not shown")
log.warning("100% {of} %s")
log.error("an error")
try:
    1 / 0
except ZeroDivisionError:
    log.failure("while dividing")
log.failure("later", Failure(ValueError("why")))
"""


def test_warningsAndWorseAreShownOnce() -> None:
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert ran.returncode == 0
    lines = ran.stderr.splitlines()
    assert [line.partition(": ")[2].partition(": ")[2] for line in lines if line.startswith("prog: ")] == [
        "100% {of} %s",
        "an error",
        "while dividing",
        "later",
    ]
    assert [
        line for line in lines if line.endswith(("ZeroDivisionError: division by zero", "ValueError: why"))
    ]
    assert "not shown" not in ran.stderr


@pytest.mark.skipif(vocabulary == "twisted", reason="records go to Twisted's log here")
def test_theFailureRidesAlong(caplog: pytest.LogCaptureFixture) -> None:
    from twisted_endpoints._log import Logger
    from twisted_endpoints.failure import Failure

    failure = Failure(ValueError("why"))

    Logger("twisted_endpoints.test").failure("later", failure)

    [record] = caplog.records
    assert (record.name, record.getMessage(), record.failure) == ("twisted_endpoints.test", "later", failure)  # type: ignore[attr-defined]
