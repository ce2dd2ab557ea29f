"""The strings ``haproxy:``: what they say, and what is wrong with them."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from twisted_endpoints.endpoints import (
    TCP4ClientEndpoint,
    TCP4ServerEndpoint,
    TCP6ServerEndpoint,
    UNIXServerEndpoint,
    clientFromString,
    serverFromString,
)
from twisted_endpoints.endpoints.wrapping import _WrapperServerEndpoint
from twisted_endpoints.haproxy import AnyProxyWarning, ProxyClientEndpoint, ProxyServerEndpoint, Trust
from twisted_endpoints.plugins import haproxy
from twisted_endpoints.strings import Description, DescriptionError
from twisted_endpoints.strings.errors import ArgumentsError, InvalidValue, UnknownPrefix
from twisted_endpoints.testing import MemoryReactorClock


def server(string: str) -> Any:
    """Make a server's endpoint, from a string that says whom to trust or not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AnyProxyWarning)
        return serverFromString(MemoryReactorClock(), string)


def factoryOf(endpoint: Any) -> Any:
    return endpoint._wrapperFactory(None)


@pytest.mark.parametrize(
    ("string", "kind", "attributes"),
    [
        ("haproxy:tcp:8080", TCP4ServerEndpoint, {"_port": 8080}),
        ("HAProxy:tcp:8080", TCP4ServerEndpoint, {"_port": 8080}),
        ("haproxy:tcp6:8080", TCP6ServerEndpoint, {"_port": 8080}),
        ("haproxy:unix:address=/tmp/socket", UNIXServerEndpoint, {"_address": "/tmp/socket"}),
        (
            "haproxy:tcp:80:interface=[::1]:backlog=7",
            TCP4ServerEndpoint,
            {"_interface": "::1", "_backlog": 7},
        ),
        (r"haproxy:tcp:80:interface=\:\:1", TCP4ServerEndpoint, {"_interface": "::1"}),
        ("haproxy:trusted=any:tcp:80", TCP4ServerEndpoint, {"_port": 80}),
        (
            "haproxy:tcp:headerTimeout=3:80:trusted=any:interface=[::1]",
            TCP4ServerEndpoint,
            {"_interface": "::1"},
        ),
        ("haproxy:interface=[::1]:tcp:80", TCP4ServerEndpoint, {"_interface": "::1"}),
        ("haproxy:endpoint=[tcp:80:interface=[::1]]", TCP4ServerEndpoint, {"_interface": "::1"}),
        (r"haproxy:endpoint=tcp\:80\:interface\=127.0.0.1", TCP4ServerEndpoint, {"_interface": "127.0.0.1"}),
        ("haproxy:[tcp:80]", TCP4ServerEndpoint, {"_port": 80}),
        (r"haproxy:unix:/tmp/a\:b\=c", UNIXServerEndpoint, {"_address": "/tmp/a:b=c"}),
        (
            "haproxy:unix:[/tmp/a:b=c]:mode=600",
            UNIXServerEndpoint,
            {"_address": "/tmp/a:b=c", "_mode": 0o600},
        ),
    ],
)
def test_whatIsWrapped(string: str, kind: type, attributes: dict[str, Any]) -> None:
    endpoint = server(string)
    assert isinstance(endpoint, ProxyServerEndpoint)
    assert isinstance(endpoint, _WrapperServerEndpoint)
    wrapped: Any = endpoint._wrappedEndpoint
    assert type(wrapped) is kind
    assert {name: getattr(wrapped, name) for name in attributes} == attributes


def test_itsOwnArguments() -> None:
    reactor = MemoryReactorClock()
    string = "haproxy:tcp:80:trusted=[10.0.0.0/8,fd00::/8]:headerTimeout=2.5:headerLimit=500"
    factory = factoryOf(serverFromString(reactor, string))
    assert factory.trusted == Trust.parse("10.0.0.0/8,fd00::/8")
    assert (factory.headerTimeout, factory.headerLimit, factory.clock) == (2.5, 500, reactor)
    factory = factoryOf(server("haproxy:tcp:80"))
    assert (str(factory.trusted), factory.headerTimeout, factory.headerLimit) == ("any", 5, 4096)


def test_anybodyIsBelievedWithAWarning() -> None:
    with pytest.warns(AnyProxyWarning, match=r"Add trusted=10\.0\.0\.0/8") as caught:
        serverFromString(object(), "haproxy:tcp:80")
    assert caught[0].filename == __file__
    assert str(caught[0].message).startswith("'haproxy:tcp:80' lets whoever can connect claim any address.")


def test_aUNIXSocketsModeSaysWhoCanConnect() -> None:
    assert str(factoryOf(serverFromString(MemoryReactorClock(), "haproxy:unix:/x")).trusted) == "unix"
    assert str(factoryOf(server("haproxy:unix:/x:trusted=any")).trusted) == "any"


@pytest.mark.parametrize(
    ("string", "version"),
    [
        ("haproxy:tcp:127.0.0.1:80", 2),
        ("haproxy:tcp:127.0.0.1:80:version=1:timeout=3", 1),
        ("haproxy:version=2:endpoint=[tcp:127.0.0.1:80]", 2),
        ("haproxy:tcp:host=127.0.0.1:port=80", 2),
    ],
)
def test_clients(string: str, version: int) -> None:
    endpoint: Any = clientFromString(object(), string)
    assert isinstance(endpoint, ProxyClientEndpoint)
    assert isinstance(endpoint._wrappedEndpoint, TCP4ClientEndpoint)
    assert (endpoint._wrappedEndpoint._host, endpoint._wrappedEndpoint._port) == ("127.0.0.1", 80)
    assert repr(endpoint) == f"<ProxyClientEndpoint around {endpoint._wrappedEndpoint!r}, version {version}>"


def invalid(argument: str, value: str, expected: str) -> tuple[str, type, str, str]:
    """Give the row of `BAD` for a value that an argument of the wrapper's own can't have."""
    problem = f"{argument} must be {expected}, not {value!r}"
    return f"haproxy:tcp:80:{argument}={value}", InvalidValue, problem, value


BAD = [
    ("haproxy", ArgumentsError, "'haproxy' needs endpoint", ""),
    ("haproxy:", InvalidValue, "endpoint must be the string of an endpoint, in brackets, not empty", ""),
    ("haproxy:headerTimeout=3", ArgumentsError, "'haproxy' needs endpoint", ""),
    ("haproxy:bogus=3", ArgumentsError, "'haproxy' takes no argument 'bogus'", "bogus=3"),
    ("haproxy:tcp", ArgumentsError, "in endpoint: 'tcp' needs port", ""),
    ("haproxy:tcp:x", InvalidValue, "in endpoint: port must be a number from 0 to 65535, not 'x'", "x"),
    ("haproxy:tcp:80:x=1", ArgumentsError, "in endpoint: 'tcp' takes no argument 'x'", "x=1"),
    (
        "haproxy:tcp:80:trusted=any:x=1",
        ArgumentsError,
        "in endpoint: 'tcp' takes no argument 'x'",
        "tcp:80:trusted=any:x=1",
    ),
    ("haproxy:nope:1", UnknownPrefix, "in endpoint: Unknown endpoint type: 'nope'", "nope"),
    ("haproxy:endpoint=[nope:1]", UnknownPrefix, "in endpoint: Unknown endpoint type: 'nope'", "nope"),
    invalid("headerTimeout", "x", "a number of seconds, like 30 or 1.5"),
    invalid("headerLimit", "65536", "a number from 0 to 65535"),
    invalid("headerLimit", "1.5", "a number from 0 to 65535"),
    invalid("trusted", "me", "networks with commas between, like 10.0.0.0/8,192.0.2.7, or unix, or any"),
    (
        "haproxy:haproxy:tcp:0:trusted=any",
        InvalidValue,
        "endpoint can't be used: it does this already, and a connection has one header: say haproxy once",
        "haproxy:tcp:0",
    ),
    (
        "haproxy:tcp:80:trusted=any:trusted=any",
        ArgumentsError,
        "the keyword 'trusted' is given twice",
        "trusted=any",
    ),
]


@pytest.mark.parametrize(("string", "kind", "problem", "marked"), BAD, ids=[row[0] for row in BAD])
def test_whatIsWrongIsShown(string: str, kind: type, problem: str, marked: str) -> None:
    with pytest.raises(DescriptionError) as caught:
        server(string)
    error = caught.value
    assert (type(error), error.problem, error.description) == (kind, problem, string)
    assert string[error.position :][: error.length].startswith(marked)
    assert bool(error.length) == bool(marked)


@pytest.mark.parametrize(
    ("string", "problem"),
    [
        ("haproxy:tcp:h:80:version=3", "version must be 1 or 2, not '3'"),
        ("haproxy:tcp:h", "in endpoint: 'tcp' needs port"),
        ("haproxy:tcp:h:80:trusted=any", "in endpoint: 'tcp' takes no argument 'trusted'"),
        (
            "haproxy:haproxy:tcp:h:80",
            "endpoint can't be used: it does this already, and a connection has one header: say haproxy once",
        ),
    ],
)
def test_whatIsWrongForAClient(string: str, problem: str) -> None:
    with pytest.raises(DescriptionError) as caught:
        clientFromString(object(), string)
    assert caught.value.problem == problem


def test_theHintAboutBrackets() -> None:
    with pytest.raises(DescriptionError) as caught:
        server("haproxy:endpoint=tcp:80")
    assert caught.value.hint == "The string of endpoint= needs brackets around it: endpoint=[tcp:...]."


def test_calledAsTwistedCallsParsers() -> None:
    endpoint = haproxy.server.parseStreamServer(object(), "unix", "/tmp/a:b", mode="600", trusted="any")
    wrapped: Any = endpoint._wrappedEndpoint  # type: ignore[attr-defined]
    assert (wrapped._address, wrapped._mode) == ("/tmp/a:b", 0o600)
    client = haproxy.client.parseStreamClient(object(), b"tcp", b"::1", b"80", version=b"1")
    assert client._wrappedEndpoint._host == "::1"  # type: ignore[attr-defined]


def test_theDescriptionsTextIsKept() -> None:
    description = Description.parse("haproxy:tcp:80:trusted=any")
    gathered = haproxy.server.declaration.gathered(description)
    assert gathered.kwargs == {"trusted": "any", "endpoint": "tcp:80"}
    assert gathered.keyword("endpoint") == ("haproxy:tcp:80:trusted=any", (8, 14))
    assert gathered.keyword("trusted")[1] == (23, 26)
    assert str(gathered) == "haproxy:trusted=any:endpoint=[tcp:80]"
    without = Description.parse("haproxy:endpoint=[tcp:80]")
    assert haproxy.server.declaration.gathered(without) is without
