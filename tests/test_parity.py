"""Our modules of the vocabulary have what their twins have: names, classes, parameters, attributes."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from twisted_endpoints._vocabulary import TWINS, vocabulary

from .parity import described

pytestmark = pytest.mark.skipif(vocabulary != "twisted", reason="it compares with Twisted's")

#: What differs on purpose, each with the reason; docs/compatibility.md tells users.
DIFFERENT = {
    "protocol.ConsumerToProtocolAdapter": "its base is of twisted.python.components, which has no twin",
    "protocol.ProtocolToConsumerAdapter": "its base is of twisted.python.components, which has no twin",
    "testing.LineSendingProtocol": "its base is of twisted.protocols.basic, which has no twin",
    "testing.EventLoggingObserver": "its base is of twisted.logger, which has no twin",
    "tls.TLSMemoryBIOProtocol": "ours can be half closed and paused, and names parameters as ITransport does",
    "tls.BufferingTLSTransport": "as its base, TLSMemoryBIOProtocol",
    "testing.FakeDatagramTransport": "ours has all that its interface asks for",
}

#: What Twisted's modules have because they import it, or only for Twisted's own reactors.
LEFT_OUT = {
    "testing": {"AF_INET", "AF_INET6"},
    "ssl": {"Client", "Connector", "Port", "Server"},
    # for twistd
    "service": {"Application", "IProcess", "IServiceMaker", "Process", "ServiceMaker", "loadApplication"},
    # our reactor has no UNIX datagrams
    "services": {"UNIXDatagramClient", "UNIXDatagramServer"},
}

#: How a TypeVar and a ParamSpec are described: they are for type checkers alone.
TYPING = ("TypeVar", "ParamSpec")

#: Ancestors that are for type checkers, or that a class has by its methods.
FOR_TYPES = {"Generic", "Awaitable"}


@cache
def vocabularies() -> tuple[Any, Any]:
    """Describe ours and Twisted's."""
    return described("builtin"), described("twisted")


def ours(name: str) -> Any:
    return vocabularies()[0][name]


def theirs(name: str) -> Any:
    return vocabularies()[1][name]


def public(described: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in described.items() if name[0] != "_" and value not in TYPING}


def methods(described: dict[str, Any]) -> dict[str, Any]:
    # A constructor that takes nothing is as good as none.
    return {
        name: taken for name, taken in described["methods"].items() if name != "__init__" or len(taken) > 1
    }


@pytest.mark.parametrize("name", TWINS)
def test_moduleHasTheNamesOfItsTwin(name: str) -> None:
    assert set(public(ours(name))) == set(public(theirs(name))) - LEFT_OUT.get(name, set())


@pytest.mark.parametrize("name", ["interfaces", "address", "error", "protocol"])
def test_moduleHasThePrivateNamesOfItsTwinToo(name: str) -> None:
    wanted = {each for each, value in theirs(name).items() if value not in TYPING}
    assert wanted - set(ours(name)) == set()


@pytest.mark.parametrize("module", TWINS)
def test_classesAreTheSame(module: str) -> None:
    for name, wanted in public(theirs(module)).items():
        if not isinstance(wanted, dict) or "methods" not in wanted or f"{module}.{name}" in DIFFERENT:
            continue
        if name in LEFT_OUT.get(module, set()):
            continue
        found = ours(module)[name]
        assert methods(found) == methods(wanted), name
        assert set(found["ancestors"]) - FOR_TYPES == set(wanted["ancestors"]) - FOR_TYPES, name
        has = {"__init__", *found["attributes"], *ours("instances").get(name, [])}
        assert set(wanted["attributes"]) - has == set(), name


@pytest.mark.parametrize("module", ["interfaces", "service"])
def test_interfacesAreTheSame(module: str) -> None:
    for name, wanted in public(theirs(module)).items():
        if "members" in wanted and name not in LEFT_OUT.get(module, set()):
            assert ours(module)[name] == wanted, name


def test_wrongSignaturesAreFound() -> None:
    # What the comparison above rests on: a description tells two interfaces apart by one default.
    members = {
        name: ours("interfaces")[name]["members"]["listenTCP"] for name in ("IReactorTCP", "IReactorTCP2")
    }
    assert len(set(map(str, members.values()))) == 2


def test_instancesHaveTheSameAttributes() -> None:
    lacking = {
        name: [each for each in attributes if each not in ours("instances")[name]]
        for name, attributes in theirs("instances").items()
    }
    assert {name: some for name, some in lacking.items() if some} == {}
