"""The interfaces are Twisted's, name by name and argument by argument."""

from __future__ import annotations

import importlib
import json
from functools import cache
from typing import Any

import pytest
from zope.interface.interface import InterfaceClass
from zope.interface.verify import verifyClass

from twisted_endpoints import interfaces
from twisted_endpoints._vocabulary import TWINS
from twisted_endpoints.interfaces import IConsumer, IProtocol, IReactorTime, _Binding

from .parity import builtin, describe

#: What differs on purpose, each with the reason.
DIFFERENT = {
    "protocol.ConsumerToProtocolAdapter": "its base is of twisted.python.components, which has no twin",
    "protocol.ProtocolToConsumerAdapter": "its base is of twisted.python.components, which has no twin",
}

#: How a TypeVar and a ParamSpec are described: they are for type checkers alone.
TYPING = ("TypeVar", "ParamSpec")


@cache
def ours(name: str) -> dict[str, Any]:
    return builtin(name)


@cache
def theirs(name: str) -> dict[str, Any]:
    pytest.importorskip("twisted.internet", reason="compares with Twisted")
    described = describe(importlib.import_module(TWINS[name]))
    return json.loads(json.dumps(described))


def interfaceNames() -> list[str]:
    return sorted(
        name
        for name, value in vars(interfaces).items()
        if isinstance(value, InterfaceClass) and name != "Interface"
    )


@pytest.mark.parametrize("name", ["interfaces", "address", "error", "protocol"])
def test_moduleHasTheNamesOfItsTwin(name: str) -> None:
    wanted = {key for key, value in theirs(name).items() if value not in TYPING}
    found = {key for key, value in ours(name).items() if value not in TYPING}

    assert wanted - found == set()
    assert [key for key in found - wanted if not key.startswith("_")] == []


@pytest.mark.parametrize("name", interfaceNames())
def test_interfaceIsTheSame(name: str) -> None:
    assert ours("interfaces")[name] == theirs("interfaces")[name]


@pytest.mark.parametrize("name", ["address", "error", "protocol"])
def test_classesAreTheSame(name: str) -> None:
    found = ours(name)

    for key, value in theirs(name).items():
        if isinstance(value, dict) and f"{name}.{key}" not in DIFFERENT:
            assert found[key] == value, key


def test_wrongSignaturesAreFound() -> None:
    # What the comparisons above rest on: a description tells two interfaces apart by one default.
    described = ours("interfaces")
    assert (
        described["IReactorTCP"]["members"]["listenTCP"] != described["IReactorTCP2"]["members"]["listenTCP"]
    )


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
