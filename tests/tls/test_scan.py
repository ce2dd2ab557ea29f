"""What sslyze, a scanner of TLS servers, has to say of ours."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.running import run
from twisted_endpoints import serverFromString
from twisted_endpoints.protocol import Factory, Protocol
from twisted_endpoints.threads import deferToThreadPool

from .authority import root

SSLYZE = shutil.which("sslyze")

pytestmark = pytest.mark.skipif(
    SSLYZE is None,
    reason="sslyze isn't in PATH: it wants an older cryptography, so an environment of its own",
)


@pytest.fixture
def reactor() -> Any:
    """One loop is enough: it has no say in this."""
    from twisted_endpoints.asyncioreactor import AsyncioReactor

    made = AsyncioReactor()
    yield made
    made._loop.close()


@pytest.fixture(params=["RSA", "EC"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    served = tmp_path / "served"
    served.mkdir()
    key = rsa.generate_private_key(65537, 2048) if request.param == "RSA" else None
    (served / "localhost.pem").write_bytes(root().issue("localhost", key=key).pem)
    return served


def scanned(port: int, report: Path) -> dict[str, Any]:
    """Scan a server; give what was found, by the name of the scan."""
    assert SSLYZE is not None
    command = [SSLYZE, "--sni=localhost", "--mozilla_config=intermediate", f"--json_out={report}"]
    subprocess.run([*command, f"127.0.0.1:{port}"], capture_output=True, timeout=50)
    (result,) = json.loads(report.read_text())["server_scan_results"]
    assert result["scan_status"] == "COMPLETED"
    return {name: scan["result"] for name, scan in result["scan_result"].items() if scan["result"]}


def test_nothingWeakIsFound(reactor: Any, folder: Path, tmp_path: Path) -> None:
    async def main() -> Any:
        server = serverFromString(reactor, f"tls:{folder}:0:interface=127.0.0.1")
        port = await server.listen(Factory.forProtocol(Protocol))
        try:
            pool = reactor.getThreadPool()
            return await deferToThreadPool(
                reactor, pool, scanned, port.getHost().port, tmp_path / "report.json"
            )
        finally:
            await port.stopListening()

    found = run(reactor, main, 58)

    accepted = {
        name: [
            suite["cipher_suite"]["name"]
            for suite in found[f"{name}_cipher_suites"]["accepted_cipher_suites"]
        ]
        for name in ("ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1", "tls_1_2", "tls_1_3")
    }
    assert [name for name in ("ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1") if accepted[name]] == []
    for suite in accepted["tls_1_2"]:
        assert suite.startswith(("TLS_ECDHE_", "TLS_DHE_"))
        assert "_GCM_" in suite or "_CHACHA20_" in suite
    assert accepted["tls_1_2"]
    assert accepted["tls_1_3"]
    curves = {curve["name"] for curve in found["elliptic_curves"]["supported_curves"]}
    assert curves <= {"X25519", "X448", "prime256v1", "secp256r1", "secp384r1", "secp521r1"}
    assert found["tls_compression"]["supports_compression"] is False
    renegotiation = found["session_renegotiation"]
    assert renegotiation["is_vulnerable_to_client_renegotiation_dos"] is False
    assert renegotiation["supports_secure_renegotiation"] is True
    assert found["heartbleed"]["is_vulnerable_to_heartbleed"] is False
    assert found["openssl_ccs_injection"]["is_vulnerable_to_ccs_injection"] is False
    assert found["robot"]["robot_result"] == "NOT_VULNERABLE_RSA_NOT_SUPPORTED"
    assert found["tls_fallback_scsv"]["supports_fallback_scsv"] is True
