from __future__ import annotations

import io
import pickle

import pytest

from twisted_endpoints.protocol import DatagramProtocol


def test_startsAndStops() -> None:
    events = []

    class Quiet(DatagramProtocol):
        noisy = False

        def startProtocol(self) -> None:
            events.append("start")

        def stopProtocol(self) -> None:
            events.append("stop")

    made, transport = Quiet(), object()
    made.makeConnection(transport)  # type: ignore[arg-type]
    assert (events, made.transport, made.numPorts) == (["start"], transport, 1)
    with pytest.raises(AssertionError):
        made.makeConnection(transport)  # type: ignore[arg-type]
    made.doStop()
    assert (events, made.transport, made.numPorts) == (["start", "stop"], None, 0)
    with pytest.raises(AssertionError):
        made.doStop()


def test_aPickleHasNoTransport() -> None:
    made = DatagramProtocol()
    made.transport = io.BytesIO()  # type: ignore[assignment]
    assert pickle.loads(pickle.dumps(made)).transport is None
