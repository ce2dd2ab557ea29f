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


TCP = (
    "from twisted_endpoints.endpoints import clientFromString, serverFromString; "
    "serverFromString(None, 'tcp:80'); clientFromString(None, 'tcp:a:80')"
)


@pytest.mark.parametrize("heavy", ["OpenSSL", "cryptography", "service_identity", "idna"])
def test_stringsForTCPNeedNoTLS(heavy: str) -> None:
    assert heavy not in imports(TCP, "builtin")


def test_stringsAreImportedWhenTheyAreAskedFor() -> None:
    loaded = imports("from twisted_endpoints.endpoints import clientFromString", "builtin")

    assert "twisted_endpoints.strings" in loaded
    assert "twisted_endpoints.endpoints._compat" not in loaded


def test_anUnknownNameIsAnAttributeError() -> None:
    with pytest.raises(AttributeError, match=r"'twisted_endpoints\.endpoints' has no attribute 'nothing'"):
        endpoints.nothing  # noqa: B018


def test_itOffersWhatTwistedListsSoFar() -> None:
    theirs = pytest.importorskip("twisted.internet.endpoints")
    later = {
        "AdoptedStreamServerEndpoint",
        "ProcessEndpoint",
        "StandardErrorBehavior",
        "StandardIOEndpoint",
    }

    assert {name for name in endpoints.__all__ if name[0] != "_"} == set(theirs.__all__) - later | {
        "quoteStringArgument"
    }
