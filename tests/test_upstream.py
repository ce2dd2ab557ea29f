"""Twisted's own tests, from its installed package, on our modules: the measure of "the same behaviour"."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .loops import LOOPS
from .upstream import exclusions, table

pytest.importorskip("twisted.trial", reason="Twisted's own tests come with Twisted")

if os.environ.get("TWISTED_ENDPOINTS_VOCABULARY"):
    pytest.skip("these runs choose their vocabulary themselves", allow_module_level=True)

ROOT = Path(__file__).parents[1]

#: What runs on our built-in vocabulary, endpoints included, with all of Twisted on top of it.
BUILTIN = [
    "twisted.test.test_defer",
    "twisted.internet.test.test_defer_await",
    "twisted.internet.test.test_defer_yieldfrom",
    "twisted.internet.test.test_inlinecb",
    "twisted.test.test_failure",
    "twisted.test.test_task",
    "twisted.test.test_cooperator",
    "twisted.test.test_threads",
    "twisted.test.test_plugin",
    "twisted.internet.test.test_testing",
    "twisted.internet.test.test_address",
    "twisted.internet.test.test_error",
    "twisted.test.test_error",
    "twisted.internet.test.test_protocol",
    "twisted.test.test_factories",
    "twisted.internet.test.test_endpoints",
    "twisted.protocols.test.test_basic",
    "twisted.internet.test.test_base",
    "twisted.test.test_policies",
    "twisted.protocols.haproxy.test",
    "twisted.protocols.test.test_tls",
    "twisted.test.test_sslverify",
    "twisted.test.test_ssl",
    "twisted.test.test_sni",
    "twisted.test.test_amp",
    "twisted.application.test.test_internet",
    "twisted.application.test.test_service",
    "twisted.test.test_application",
    "twisted.test.test_strports",
]

#: What runs with only `endpoints` ours, on Twisted's vocabulary.
TWISTED = [
    "twisted.internet.test.test_endpoints",
    "twisted.web.test.test_agent",
    "twisted.test.test_strports",
]

#: Tests that Twisted writes for every reactor, run on ours, in both vocabularies.
REACTOR = [
    "twisted.internet.test.test_core",
    "twisted.internet.test.test_time",
    "twisted.internet.test.test_threads",
    "twisted.internet.test.test_fdset",
    "twisted.internet.test.test_tcp",
    "twisted.internet.test.test_unix",
    "twisted.internet.test.test_socket",
    "twisted.internet.test.test_stdio",
    "twisted.internet.test.test_tls",
    "twisted.internet.test.test_udp",
    "twisted.test.test_udp",
    "twisted.internet.test.test_process",
    "twisted.test.test_process",
    "twisted.test.test_iutils",
]


def upstream(tmp_path: Path, *arguments: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.upstream", *arguments],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=280,
    )

    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-4000:]


#: For what runs on no loop of ours.
once = pytest.mark.skipif("asyncio" not in LOOPS, reason="the environment that tests asyncio's loop runs it")


@once
@pytest.mark.timeout(300)
@pytest.mark.parametrize("module", BUILTIN)
def test_onTheBuiltinVocabulary(module: str, tmp_path: Path) -> None:
    upstream(tmp_path, module)


@once
@pytest.mark.timeout(300)
@pytest.mark.parametrize("module", TWISTED)
def test_onOurEndpoints(module: str, tmp_path: Path) -> None:
    upstream(tmp_path, "--vocabulary", "twisted", module)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("vocabulary", ["builtin", "twisted"])
@pytest.mark.parametrize("module", REACTOR)
def test_onOurReactor(module: str, vocabulary: str, tmp_path: Path) -> None:
    upstream(tmp_path, "--vocabulary", vocabulary, "--reactor", module)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("options", [["builtin", "--reactor"], ["twisted"]], ids=["ours", "epoll"])
def test_inProcessesThatTestsStart(options: list[str], tmp_path: Path) -> None:
    upstream(tmp_path, "--children", "--vocabulary", *options, "twisted.test.test_stdio")


def test_everyExclusionHasAReason() -> None:
    assert [row.name for row in exclusions() if len(row.reason.split()) < 3] == []


def test_usersCanReadWhatIsExcluded() -> None:
    document = (ROOT / "docs" / "compatibility.md").read_text()
    assert table() in document, "run: python -m tests.upstream --document"
