"""Which vocabulary a process speaks, and that `twisted_endpoints.X` then is what it should be."""

from __future__ import annotations

import importlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from twisted_endpoints import _vocabulary
from twisted_endpoints._vocabulary import TWINS, vocabulary

PACKAGE = Path(_vocabulary.__file__).parent


def child(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("name", sorted(TWINS))
def test_moduleIsTwistedsOwnOrTheFileOfThatName(name: str) -> None:
    module = importlib.import_module(f"twisted_endpoints.{name}")

    if vocabulary == "twisted":
        assert module is importlib.import_module(TWINS[name])
    else:
        assert module.__name__ == f"twisted_endpoints.{name}"
        assert Path(module.__file__ or "").is_relative_to(PACKAGE)


@pytest.mark.parametrize("name", sorted(TWINS))
def test_everyWayToImportGivesTheSameModule(name: str) -> None:
    module = importlib.import_module(f"twisted_endpoints.{name}")
    namespace: dict[str, object] = {}

    exec(f"from twisted_endpoints import {name} as one; import twisted_endpoints.{name} as two", namespace)

    assert namespace["one"] is module
    assert namespace["two"] is module


def test_builtinCanBeDemanded() -> None:
    ran = child(
        "import sys; from twisted_endpoints import defer, interfaces, reactor;"
        "print(defer.__name__, [name for name in sys.modules if name.split('.')[0] == 'twisted'])",
        TWISTED_ENDPOINTS_VOCABULARY="builtin",
    )

    assert (ran.stdout, ran.stderr) == ("twisted_endpoints.defer []\n", "")


@pytest.mark.skipif(vocabulary == "twisted", reason="Twisted is installed here")
def test_twistedCanNotBeDemandedWhereItIsNot() -> None:
    ran = child("import twisted_endpoints", TWISTED_ENDPOINTS_VOCABULARY="twisted")

    assert ran.stderr.endswith(
        "TWISTED_ENDPOINTS_VOCABULARY=twisted, but Twisted is not installed: pip install twisted\n"
    )


def test_unknownVocabularyIsRefused() -> None:
    ran = child("import twisted_endpoints", TWISTED_ENDPOINTS_VOCABULARY="klingon")

    assert ran.stderr.endswith(
        "ImportError: TWISTED_ENDPOINTS_VOCABULARY='klingon': expected 'auto', 'builtin' or 'twisted'\n"
    )


def test_aFolderNamedTwistedIsNoTwisted(tmp_path: Path) -> None:
    (tmp_path / "twisted").mkdir()
    code = (
        "import sys; sys.path = [p for p in sys.path if 'site-packages' not in p] + [sys.argv[0]];"
        f"sys.path[:0] = [{str(PACKAGE.parent)!r}, {str(tmp_path)!r}];"
        "from twisted_endpoints._vocabulary import vocabulary; print(vocabulary)"
    )

    assert child(code, TWISTED_ENDPOINTS_VOCABULARY="auto").stdout == "builtin\n"


@pytest.mark.skipif(vocabulary == "builtin", reason="needs Twisted's reactor")
@pytest.mark.parametrize(
    "order", [("twisted_endpoints", "twisted.internet"), ("twisted.internet", "twisted_endpoints")]
)
def test_oneReactorUnderBothNames(order: tuple[str, str]) -> None:
    ran = child(
        f"from {order[0]} import reactor as one; from {order[1]} import reactor as two;"
        "print(one is two, type(one).__name__)"
    )

    reactor = "AsyncioReactor" if order[0] == "twisted_endpoints" else "EPollReactor"
    assert (ran.stdout, ran.stderr) == (f"True {reactor}\n", "")


def test_importOfThePackageIsLight() -> None:
    ran = child(
        "import twisted_endpoints.endpoints, sys;"
        "print([name for name in ('OpenSSL', 'cryptography', 'asyncio', 'ssl', 'idna', 'incremental')"
        " if name in sys.modules])",
        TWISTED_ENDPOINTS_VOCABULARY="builtin",
    )

    assert (ran.stdout, ran.stderr) == ("[]\n", "")
