"""The package as a whole: what it offers, and what an import of it costs."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from twisted_endpoints import endpoints


def imports(statement: str, vocabulary: str) -> set[str]:
    """List what a fresh interpreter has imported after a statement."""
    ran = subprocess.run(
        [sys.executable, "-c", f"{statement}\nimport sys\nprint(*sys.modules)"],
        env={**os.environ, "TWISTED_ENDPOINTS_VOCABULARY": vocabulary},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(ran.stdout.split())


@pytest.mark.parametrize("heavy", ["asyncio", "OpenSSL", "idna", "logging", "twisted_endpoints.strings"])
def test_theImportIsLight(heavy: str) -> None:
    assert heavy not in imports("import twisted_endpoints.endpoints", "builtin")


@pytest.mark.parametrize(
    "program",
    [
        "from twisted_endpoints.strings import serverFromString; serverFromString(None, 'tcp:80')",
        "from twisted_endpoints.strings import clientFromString; clientFromString(None, 'tcp:a:80')",
        "from twisted_endpoints.endpoints import _parseServer; _parseServer('tcp:80', None)",
        "from twisted_endpoints.strings.registry import servers; [*servers.everything()]",
    ],
    ids=["server", "client", "internals", "list"],
)
def test_onlyTLSNeedsOpenSSL(program: str) -> None:
    loaded = {name.partition(".")[0] for name in imports(program, "builtin")}
    assert loaded & {"OpenSSL", "cryptography", "service_identity", "idna"} == set()


def test_stringsAreImportedWhenTheyAreAskedFor() -> None:
    loaded = imports("from twisted_endpoints.endpoints import clientFromString", "builtin")

    assert "twisted_endpoints.strings" in loaded
    assert "twisted_endpoints.endpoints._compat" not in loaded


def test_anUnknownNameIsAnAttributeError() -> None:
    with pytest.raises(AttributeError, match=r"'twisted_endpoints\.endpoints' has no attribute 'nothing'"):
        endpoints.nothing  # noqa: B018


def test_itOffersWhatTwistedLists() -> None:
    theirs = pytest.importorskip("twisted.internet.endpoints")

    assert {name for name in endpoints.__all__ if name[0] != "_"} == {*theirs.__all__, "quoteStringArgument"}
