"""The documented internals of the mini-language, with the results that are documented."""

from __future__ import annotations

from typing import Any

import pytest
from zope.interface.verify import verifyObject

from twisted_endpoints.endpoints import _compat
from twisted_endpoints.endpoints._compat import (
    _OP,
    _STRING,
    _matchPluginToPrefix,
    _parse,
    _parseClientTCP,
    _parseClientUNIX,
    _parseServer,
    _parseTCP,
    _parseUNIX,
    _serverFromStringLegacy,
    _tokenize,
)
from twisted_endpoints.endpoints.tcp import TCP4ServerEndpoint
from twisted_endpoints.interfaces import IStreamServerEndpointStringParser
from twisted_endpoints.plugins import tcp6
from twisted_endpoints.strings import DescriptionError
from twisted_endpoints.strings.errors import ArgumentsError, UnknownPrefix


def test_tokens() -> None:
    assert list(_tokenize(r"hello:greet\=ing=world")) == [
        (_STRING, "hello"),
        (_OP, ":"),
        (_STRING, "greet=ing"),
        (_OP, "="),
        (_STRING, "world"),
    ]
    assert list(_tokenize(b"a:\xff=b=c")) == [
        (_STRING, b"a"),
        (_OP, b":"),
        (_STRING, b"\xff"),
        (_OP, b"="),
        (_STRING, b"b=c"),
    ]
    assert list(_tokenize("")) == [(_STRING, "")]
    assert list(_tokenize("tcp:[::1]:80"))[2] == (_STRING, "::1")


@pytest.mark.parametrize(
    ("description", "result"),
    [
        ("a:b:d=1:c", (["a", "b", "c"], {"d": "1"})),
        ("", ([""], {})),
        ("a=b", ([], {"a": "b"})),
        ("a:b=1:b=2", (["a"], {"b": "2"})),
        (":=x", ([""], {"": "x"})),
        (b"a:b=c:\xff", ([b"a", b"\xff"], {"b": b"c"})),
        ("tcp:[::1]:80", (["tcp", "::1", "80"], {})),
        ("tcp:host=example.com:port=9989", (["tcp"], {"host": "example.com", "port": "9989"})),
    ],
)
def test_parse(description: Any, result: Any) -> None:
    assert _parse(description) == result


@pytest.mark.parametrize(("description", "position"), [("a\\", 1), (b"tcp:80:\xff=1", 7)])
def test_parseRefuses(description: Any, position: int) -> None:
    with pytest.raises(DescriptionError) as caught:
        _parse(description)
    assert (caught.value.description, caught.value.position) == (description, position)


@pytest.mark.parametrize(
    ("description", "result"),
    [
        ("tcp:80", ("TCP", (80, "f"), {"interface": "", "backlog": 50})),
        ("TCP:80:127.0.0.1:6", ("TCP", (80, "f"), {"interface": "127.0.0.1", "backlog": 6})),
        ("unix:/x", ("UNIX", ("/x", "f"), {"mode": 0o666, "backlog": 50, "wantPID": True})),
        (
            "unix:/x:mode=0660:lockfile=0",
            ("UNIX", ("/x", "f"), {"mode": 0o660, "backlog": 50, "wantPID": False}),
        ),
        ("tcp6:80:backlog=3", (tcp6.server, ["80"], {"backlog": "3"})),
    ],
)
def test_parseServer(description: str, result: Any) -> None:
    assert _parseServer(description, "f") == result


def test_parseServersErrorsShowThePlace() -> None:
    with pytest.raises(DescriptionError, match=r"    tcp:80:interfce=x\n           \^"):
        _parseServer("tcp:80:interfce=x", None)
    with pytest.raises(UnknownPrefix):
        _parseServer("bogus-type:nothing", None)
    with pytest.raises(ArgumentsError):
        _parseServer("tcp", None)


def test_theDefaultPrefix() -> None:
    assert _parseServer("80", "f", default="tcp") == _parseServer("tcp:80", "f")
    assert _parseServer("tcp:80", "f", default="unix") == _parseServer("tcp:80", "f")
    with pytest.warns(DeprecationWarning, match="write 'tcp:80'"):
        assert _parseServer("80", "f", default=None) == _parseServer("tcp:80", "f")
    with pytest.warns(DeprecationWarning, match="write b'tcp:80'"):
        assert _parseServer(b"80", "f", default=None) == _parseServer("tcp:80", "f")


def test_serverFromStringLegacy() -> None:
    reactor = object()
    for text in ("8080", "tcp:8080", b"8080"):
        endpoint: Any = _serverFromStringLegacy(reactor, text, "tcp")
        assert (type(endpoint), endpoint._reactor, endpoint._port) == (TCP4ServerEndpoint, reactor, 8080)


def test_theArgumentsOfServers() -> None:
    assert _parseTCP(None, "80") == ((80, None), {"interface": "", "backlog": 50})
    assert _parseTCP("f", port="80", interface="::1", backlog="6") == (
        (80, "f"),
        {"interface": "::1", "backlog": 6},
    )
    assert _parseUNIX("f", "/a:b") == (("/a:b", "f"), {"mode": 0o666, "backlog": 50, "wantPID": True})
    assert _parseUNIX("f", "/a", "600", "6", "0") == (
        ("/a", "f"),
        {"mode": 0o600, "backlog": 6, "wantPID": False},
    )
    with pytest.raises(ValueError, match="port must be"):
        _parseTCP(None, "x")
    with pytest.raises(TypeError):
        _parseUNIX("f", "/a", 0o600)  # type: ignore[arg-type]


def test_theArgumentsOfClients() -> None:
    assert _parseClientTCP("a", "80") == {"host": "a", "port": 80}
    assert _parseClientTCP("80", host="a") == {"host": "a", "port": 80}
    assert _parseClientTCP("a", port="80", timeout="7", bindAddress="b") == {
        "host": "a",
        "port": 80,
        "timeout": 7,
        "bindAddress": ("b", 0),
    }
    assert _parseClientTCP() == {}
    assert _parseClientUNIX("/a", lockfile="1", timeout="7") == {"path": "/a", "checkPID": True, "timeout": 7}
    assert _parseClientUNIX(path="/a") == {"path": "/a"}
    for parse, args in ((_parseClientTCP, ("a", "80", "x")), (_parseClientUNIX, ("/a", "/b"))):
        with pytest.raises(TypeError):
            parse(*args)
    with pytest.raises(ValueError, match="port must be a number"):
        _parseClientTCP("a", "x")


def test_argumentsThatAreNoTexts() -> None:
    # int() took them, in programs that call these functions with their own values.
    assert _parseTCP("f", b"80", b"::1", b"6") == ((80, "f"), {"interface": b"::1", "backlog": 6})  # type: ignore[arg-type]
    assert _parseUNIX("f", b"/a", lockfile=0) == (
        (b"/a", "f"),
        {"mode": 0o666, "backlog": 50, "wantPID": False},
    )
    assert _parseClientTCP("a", 80, timeout=7) == {"host": "a", "port": 80, "timeout": 7}  # type: ignore[arg-type]
    assert _parseClientUNIX("/a", lockfile=True, timeout=1.5) == {
        "path": "/a",
        "checkPID": True,
        "timeout": 1.5,
    }


def test_theErrorsOfClientsArgumentsSayWhichOne() -> None:
    with pytest.raises(
        DescriptionError, match=r"timeout must be a number of seconds, like 30 or 1\.5, not 'x'"
    ):
        _parseClientUNIX("/a", timeout="x")


def test_matchPluginToPrefix() -> None:
    class Plugin:
        def __init__(self, prefix: Any) -> None:
            self.prefix = prefix

    plugins = [object(), Plugin(None), Plugin("one"), Plugin("Two"), Plugin("two")]
    assert _matchPluginToPrefix(plugins, "TWO") is plugins[3]
    assert _matchPluginToPrefix(plugins, b"Two") is plugins[3]
    assert _matchPluginToPrefix([Plugin(b"One")], "one").prefix == b"One"
    with pytest.raises(ValueError, match="Unknown endpoint type: 'three'"):
        _matchPluginToPrefix(plugins, "three")


def test_tcp6sParser() -> None:
    parser = _compat._TCP6ServerParser()
    assert verifyObject(IStreamServerEndpointStringParser, parser)
    endpoint: Any = parser.parseStreamServer(None, "80", backlog="12", interface="::1")
    assert (endpoint._port, endpoint._backlog, endpoint._interface) == (80, 12, "::1")
