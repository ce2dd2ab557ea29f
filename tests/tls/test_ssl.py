"""The surface of `ssl`, and what is loaded for it."""

from __future__ import annotations

import subprocess
import sys
import warnings

import pytest

from twisted_endpoints import ssl
from twisted_endpoints._vocabulary import vocabulary

from ..parity import ROOT


def test_allNamesAreThere() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        assert all(getattr(ssl, name) is not None for name in ssl.__all__)
    assert ssl.supported
    assert ssl.DN is ssl.DistinguishedName


@pytest.mark.parametrize(
    "program",
    [
        "import twisted_endpoints.endpoints",
        "from twisted_endpoints.endpoints import TCP4ClientEndpoint, HostnameEndpoint, connectProtocol",
        (
            "from twisted_endpoints import clientFromString, serverFromString; "
            "from twisted_endpoints.testing import MemoryReactorClock as Reactor; "
            "clientFromString(Reactor(), 'tcp:x:1'); serverFromString(Reactor(), 'tcp:80')"
        ),
    ],
)
def test_nothingOfOpenSSLIsLoadedWithoutTLS(program: str) -> None:
    assert (
        loaded(program) & {"OpenSSL", "cryptography", "service_identity", "twisted_endpoints._tls"} == set()
    )


@pytest.mark.skipif(vocabulary == "builtin", reason="there `ssl` is made of all of `_tls`")
def test_theCheckOfStringsNeedsLittleOfOurTLS() -> None:
    ours = {
        name for name in loaded("import twisted_endpoints._tls.verification") if "endpoints._tls." in name
    }

    assert ours == {f"twisted_endpoints._tls.{name}" for name in ("hosts", "refusals", "verification")}


def loaded(program: str) -> set[str]:
    """Tell which modules are loaded after a program, in a process of its own."""
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", f"import sys; {program}; print(*sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return set(ran.stdout.split())
