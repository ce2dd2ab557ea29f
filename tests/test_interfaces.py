"""The interfaces, by identity; `test_parity.py` compares them with Twisted's."""

from __future__ import annotations

from typing import Any

import pytest
from zope.interface.verify import verifyClass

from twisted_endpoints import interfaces
from twisted_endpoints.interfaces import IConsumer, IProtocol, IReactorTime, _Binding


def test_interfacesAreKnownByIdentity() -> None:
    class Clock:
        def seconds(self) -> float:
            return 0.0

        def callLater(self, delay: float, callable: Any, *args: object, **kwargs: object) -> None: ...

        def getDelayedCalls(self) -> list[object]:
            return []

    verifyClass(IReactorTime, Clock, tentative=True)
    assert not IReactorTime.implementedBy(Clock)


def test_pushProducersAreProducers() -> None:
    assert interfaces.IPushProducer.isOrExtends(interfaces.IProducer)
    assert interfaces.ITLSTransport.isOrExtends(interfaces.ITransport)
    assert not IConsumer.isOrExtends(IProtocol)


def test_bindingIsAValue() -> None:
    binding = _Binding("127.0.0.1", 80, reuseAddress=True)

    assert binding == _Binding("127.0.0.1", 80, True, False)
    assert hash(binding) == hash(_Binding("127.0.0.1", 80, True, False))
    assert binding != _Binding("127.0.0.1", 80)
    assert (binding._address, binding._port, binding._reuseAddress, binding._reusePort) == (
        "127.0.0.1",
        80,
        True,
        False,
    )
    assert _Binding() == _Binding(None, 0, False, False)
    with pytest.raises(AttributeError):
        binding._port = 81  # type: ignore[misc]
