"""What the documents show runs as it stands."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def blocks(language: str, document: str = "README.md") -> list[str]:
    """List the code blocks of a document that are in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / document).read_text(), re.M | re.S)


def environment() -> dict[str, str]:
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


@pytest.mark.parametrize(
    ("document", "number", "said"),
    [
        ("README.md", 0, ["hello"]),
        ("README.md", 1, ["not connected: ", "refused"]),
        ("README.md", 2, ["tcp:8010", "did you mean", "interface", "port"]),
        ("README.md", 3, [r"unix:/srv/a\:b\=c:mode=660"]),
        ("docs/services.md", 0, ["is anybody there?"]),
    ],
)
def test_pythonExampleRuns(document: str, number: int, said: list[str], tmp_path: Path) -> None:
    program = tmp_path / "example.py"
    program.write_text(blocks("python", document)[number].replace("/tmp/", f"{tmp_path}/"))
    # At its end, a reactor of Twisted's that has listened leaves /dev/null open.
    quiet = ["-W", "error", "-W", "ignore:unclosed file:ResourceWarning"]
    ran = subprocess.run(
        [sys.executable, *quiet, program],
        env=environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (ran.returncode, ran.stderr) == (0, "")
    for words in said:
        assert words.lower() in ran.stdout.lower()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_shellExampleRuns(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<p>through the relay</p>\n")
    [script] = blocks("sh")
    # A port and a path of the test's own; `set -m` gives the script the job numbers that a terminal has.
    script = script.replace("8010", "18010").replace("/tmp/web.sock", str(tmp_path / "web.sock"))
    ran = subprocess.run(
        ["bash", "-c", "set -m\n" + script],
        env=environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert "<p>through the relay</p>" in ran.stdout, ran.stdout + ran.stderr


def test_thereAreFiveExamples() -> None:
    assert len(blocks("python")) + len(blocks("sh")) == 5


def test_theReadmesTestCommandIsWhatCiRuns() -> None:
    [command] = re.findall(r"^    (python3 -m venv .*tox)$", (ROOT / "README.md").read_text(), re.M)

    assert (ROOT / ".ci" / "run").read_text().splitlines()[-1] == command


def test_linksLeadSomewhere() -> None:
    documents = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
    for document in documents:
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"
