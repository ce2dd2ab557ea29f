"""A relay to child processes."""

from __future__ import annotations

from typing import Any

from tests.endpoints.test_process import Stream, shell
from tests.running import run
from twisted_endpoints import clientFromString, connectProtocol, error
from twisted_endpoints.endpoints import TCP4ServerEndpoint
from twisted_endpoints.relay import RelayFactory


def test_aRelayGivesAllThatAProcessHasWrittenWhateverItsStatus(reactor: Any) -> None:
    async def main() -> Any:
        endpoint = shell(reactor, "head -c 3000000 /dev/zero; exit 3")
        port: Any = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(RelayFactory(endpoint))
        stream: Any = await connectProtocol(
            clientFromString(reactor, f"tcp:127.0.0.1:{port.getHost().port}"), Stream()
        )
        await stream.until("connectionLost")
        await port.stopListening()
        return len(stream.heard), stream.reason

    size, reason = run(reactor, main)
    assert size == 3_000_000
    assert type(reason) is error.ConnectionDone
