"""With TLS too nothing is left of attempts, however they end, nor of users' mistakes (G10, G11, G12)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.faults import test_thousand
from tests.faults.bed import Bed, Peers, Play, playedOn
from tests.faults.left import aWhile
from tests.faults.test_raising import test_aMistakeInAClient, test_aMistakeInAServer
from tests.faults.test_thousand import noGarbage, test_aThousandLeaveNothing, test_noGarbageOfOurs
from twisted_endpoints._tls.verification import CertificateRefused, ServerCheck, VerifyingClientOptions
from twisted_endpoints.endpoints.tls import TLSClientEndpoint, wrapServerTLS

from .authority import root
from .connecting import certificate, serving

#: Played here on a bed with TLS.
__all__ = [
    "test_aMistakeInAClient",
    "test_aMistakeInAServer",
    "test_aThousandLeaveNothing",
    "test_noGarbageOfOurs",
]


class TLSBed(Bed):
    """A bed whose endpoints speak TLS."""

    #: The host that the clients want; the server is localhost.
    host = "localhost"

    def client(self, address: Any, timeout: float = 30, **options: Any) -> Any:
        creator = VerifyingClientOptions(self.host, ServerCheck(certificate(root())))
        return TLSClientEndpoint(super().client(address, timeout, **options), creator, self.reactor)

    def server(self, address: Any) -> Any:
        return wrapServerTLS(serving(root().issue("localhost")), super().server(address), self.reactor)


@pytest.fixture
def play(reactor: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    # A handshake takes two milliseconds.
    monkeypatch.setattr(test_thousand, "ATTEMPTS", 100)
    return playedOn(TLSBed(reactor, "tcp", tmp_path))


async def refusedClients(bed: Bed, endpoint: Any, count: int) -> None:
    """Connect some clients to a server that can't prove who it is."""
    factory = Peers()
    for connecting in [endpoint.connect(factory) for _ in range(count)]:
        why = await connecting.addCallbacks(type, lambda reason: reason.type)
        assert issubclass(why, CertificateRefused)
    assert [peer for peer in factory.all if peer.made] == []


async def wrongHost(bed: Any, served: Peers) -> Any:
    bed.host = "example.com"
    return bed.client(await bed.serve(served))


def test_manyWrongServersLeaveNothing(play: Play) -> None:
    async def main(bed: Bed) -> None:
        served = Peers()
        endpoint = await wrongHost(bed, served)
        for _ in range(4):
            await refusedClients(bed, endpoint, 50)
        assert served.all == []

    play(main)


def test_wrongServersAreNoGarbage(play: Play) -> None:
    async def main(bed: Bed) -> None:
        endpoint = await wrongHost(bed, Peers())

        async def refused() -> None:
            await refusedClients(bed, endpoint, 8)
            await aWhile(bed.reactor, 0.05)

        await noGarbage(bed, refused, connects=True)

    play(main)
