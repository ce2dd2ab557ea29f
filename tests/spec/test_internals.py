"""The documented functions that read strings for servers, TCP and UNIX, each by its description."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from zope.interface.verify import verifyObject

from twisted_endpoints import endpoints
from twisted_endpoints.interfaces import (
    IReactorTCP,
    IReactorUNIX,
    IStreamServerEndpoint,
    IStreamServerEndpointStringParser,
)
from twisted_endpoints.protocol import Factory
from twisted_endpoints.testing import MemoryReactorClock

# _parseTCP and _parseUNIX

SERVERS = pytest.mark.parametrize(
    ("parse", "method", "endpoint", "first"),
    [
        (endpoints._parseTCP, IReactorTCP["listenTCP"], endpoints.TCP4ServerEndpoint, "80"),
        (endpoints._parseUNIX, IReactorUNIX["listenUNIX"], endpoints.UNIXServerEndpoint, "/run/server"),
    ],
    ids=["tcp", "unix"],
)


@SERVERS
def test_aServersArgumentsAreThoseOfTheReactorsMethod(
    parse: Any, method: Any, endpoint: Any, first: str
) -> None:
    factory = Factory()
    reactor: Any = MemoryReactorClock()
    args, kwargs = parse(factory, first)

    assert set(kwargs) <= set(method.getSignatureInfo()["positional"])
    getattr(reactor, method.getName())(*args, **kwargs)
    [call] = reactor.tcpServers + reactor.unixServers
    assert (str(call[0]), call[1]) == (first, factory)


@SERVERS
def test_withoutTheFactoryTheyAreThoseOfTheEndpoint(
    parse: Any, method: Any, endpoint: Any, first: str
) -> None:
    (where, factory), kwargs = parse(None, first)
    assert factory is None
    made = endpoint(MemoryReactorClock(), where, **kwargs)
    assert verifyObject(IStreamServerEndpoint, made)


@pytest.mark.parametrize("factory", [None, Factory()], ids=["None", "a factory"])
def test_theFactoryIsPassedThroughAndMayBeNone(factory: Any) -> None:
    assert endpoints._parseTCP(factory, "80")[0] == (80, factory)
    assert endpoints._parseUNIX(factory, "/run/server")[0] == ("/run/server", factory)


def test_theStringOfAPortBecomesAnInteger() -> None:
    (port, _), _ = endpoints._parseTCP(None, port="8080")
    assert port == 8080
    assert isinstance(port, int)


def test_interfaceIsTheIPToListenOn() -> None:
    assert endpoints._parseTCP(None, "80", interface="127.0.0.1")[1]["interface"] == "127.0.0.1"


@SERVERS
def test_theStringOfABacklogIsTheLengthOfTheListenQueue(
    parse: Any, method: Any, endpoint: Any, first: str
) -> None:
    assert parse(None, first, backlog="7")[1]["backlog"] == 7


def test_addressIsThePathOfTheUnixSocket() -> None:
    assert endpoints._parseUNIX(None, address="/run/server")[0][0] == "/run/server"


@pytest.mark.parametrize(("lockfile", "wantPID"), [("0", False), ("1", True)])
def test_lockfileIs0Or1ForFalseOrTrueWhichIsWantPID(lockfile: str, wantPID: bool) -> None:
    assert endpoints._parseUNIX(None, "/run/server", lockfile=lockfile)[1]["wantPID"] is wantPID


# _tokenize


def test_itYieldsTwoTuplesOfOpOrStringAndText() -> None:
    found = list(endpoints._tokenize("one:two=three"))
    assert {kind for kind, _ in found} == {endpoints._OP, endpoints._STRING}
    assert [text for kind, text in found if kind == endpoints._STRING] == ["one", "two", "three"]
    assert [text for kind, text in found if kind == endpoints._OP] == [":", "="]


@pytest.mark.parametrize("description", ["tcp:80", b"tcp:80"])
def test_itTokenizesTextAndBytes(description: Any) -> None:
    colon = description[3:4]
    assert list(endpoints._tokenize(description)) == [
        (endpoints._STRING, description[:3]),
        (endpoints._OP, colon),
        (endpoints._STRING, description[4:]),
    ]


def test_anEscapedSignIsPartOfAString() -> None:
    assert list(endpoints._tokenize(r"hello:greet\=ing=world")) == [
        (endpoints._STRING, "hello"),
        (endpoints._OP, ":"),
        (endpoints._STRING, "greet=ing"),
        (endpoints._OP, "="),
        (endpoints._STRING, "world"),
    ]


# _parse


def test_itConvertsADescriptionToPositionalAndKeywordParameters() -> None:
    assert endpoints._parse("a:b:d=1:c") == (["a", "b", "c"], {"d": "1"})


@pytest.mark.parametrize("description", ["a:b:c", "a=1:b=2", "a:b=1:c"])
def test_argsHaveNoEqualsSignAndKwargsDo(description: str) -> None:
    args, kwargs = endpoints._parse(description)
    parts = description.split(":")
    assert args == [part for part in parts if "=" not in part]
    assert [f"{name}={value}" for name, value in kwargs.items()] == [part for part in parts if "=" in part]


# _parseServer and _serverFromStringLegacy


def test_theThreeTupleOfABuiltInType() -> None:
    factory = Factory()
    name, args, kwargs = endpoints._parseServer("tcp:80:interface=127.0.0.1", factory)
    assert (name, args, kwargs) == ("TCP", (80, factory), {"interface": "127.0.0.1", "backlog": 50})


def test_theThreeTupleOfAPlugin() -> None:
    plugin, args, kwargs = endpoints._parseServer("tcp6:80:interface=[::1]", None)
    assert IStreamServerEndpointStringParser.providedBy(plugin)
    assert (args, kwargs) == (["80"], {"interface": "::1"})


def test_theDeprecatedDefaultIsForDescriptionsWithoutAColonAndPrefix() -> None:
    assert endpoints._parseServer("80", None, default="tcp") == endpoints._parseServer("tcp:80", None)
    assert endpoints._parseServer("unix:/run/server", None, default="tcp")[0] == "UNIX"
    with pytest.warns(DeprecationWarning, match="tcp:80"):
        assert endpoints._parseServer("80", None, default=None) == endpoints._parseServer("tcp:80", None)


def test_itIsUnderServerFromStringWhichDoesNotHaveTheDeprecatedDefault() -> None:
    reactor = MemoryReactorClock()
    for description, default in (("8080", "tcp"), ("tcp:8080", "unix")):
        endpoints._serverFromStringLegacy(reactor, description, default).listen(Factory())
    endpoints.serverFromString(reactor, "tcp:8080").listen(Factory())

    assert [(port, backlog, interface) for port, _, backlog, interface in reactor.tcpServers] == [
        (8080, 50, "")
    ] * 3
    assert "default" not in inspect.signature(endpoints.serverFromString).parameters
    with pytest.raises(ValueError, match="8080"):
        endpoints.serverFromString(reactor, "8080")


# _matchPluginToPrefix


class Plugin:
    def __init__(self, prefix: str) -> None:
        self.prefix = prefix


def test_aPluginIsMatchedToItsPrefix() -> None:
    plugins = [Plugin("one"), Plugin("two")]
    assert endpoints._matchPluginToPrefix(plugins, "two") is plugins[1]
    with pytest.raises(ValueError, match="three"):
        endpoints._matchPluginToPrefix(plugins, "three")


# _parseClientTCP and _parseClientUNIX


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        (("a", "80"), {}),
        (("a",), {"port": "80"}),
        (("80",), {"host": "a"}),
        ((), {"host": "a", "port": "80"}),
    ],
)
def test_aTCPClientsPositionalArgumentsAreHostAndPort(args: Any, kwargs: Any) -> None:
    assert endpoints._parseClientTCP(*args, **kwargs) == {"host": "a", "port": 80}


def test_aTCPClientsKeywordsAreThoseOfConnectTCPAndAreCoerced() -> None:
    found = endpoints._parseClientTCP("a", "80", timeout="5", bindAddress="127.0.0.1")
    assert found == {"host": "a", "port": 80, "timeout": 5, "bindAddress": ("127.0.0.1", 0)}
    assert set(found) <= set(IReactorTCP["connectTCP"].getSignatureInfo()["positional"])


@pytest.mark.parametrize(("args", "kwargs"), [(("/run/server",), {}), ((), {"path": "/run/server"})])
def test_aUnixClientsPositionalArgumentIsPathInTheAddressesPlace(args: Any, kwargs: Any) -> None:
    found = endpoints._parseClientUNIX(*args, **kwargs)
    assert found == {"path": "/run/server"}
    assert "address" in IReactorUNIX["connectUNIX"].getSignatureInfo()["positional"]


@pytest.mark.parametrize(("lockfile", "checkPID"), [("0", False), ("1", True)])
def test_aUnixClientsKeywordsAreThoseOfConnectUNIXButLockfileForCheckPID(
    lockfile: str, checkPID: bool
) -> None:
    found = endpoints._parseClientUNIX("/run/server", lockfile=lockfile, timeout="5")
    assert found == {"path": "/run/server", "checkPID": checkPID, "timeout": 5}
    known = set(IReactorUNIX["connectUNIX"].getSignatureInfo()["positional"])
    assert set(found) - {"path"} <= known


@pytest.mark.parametrize(
    ("parse", "args"), [(endpoints._parseClientTCP, ("a", "80")), (endpoints._parseClientUNIX, ("/run",))]
)
def test_theCoercedValuesOfClientsAreADict(parse: Any, args: Any) -> None:
    assert type(parse(*args)) is dict
