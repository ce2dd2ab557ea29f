"""From text to endpoint, and that nothing but a `DescriptionError` ever comes out of bad text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twisted_endpoints.endpoints.tcp import (
    TCP4ClientEndpoint,
    TCP4ServerEndpoint,
    TCP6ClientEndpoint,
    TCP6ServerEndpoint,
)
from twisted_endpoints.endpoints.unix import UNIXClientEndpoint, UNIXServerEndpoint
from twisted_endpoints.strings import (
    DescriptionError,
    DescriptionWarning,
    clientFromString,
    quoteStringArgument,
    registry,
    serverFromString,
)
from twisted_endpoints.strings.errors import PluginError
from twisted_endpoints.testing import MemoryReactorClock


def assertMakes(make: Callable[[object, Any], Any], text: str, kind: type, expected: dict[str, Any]) -> None:
    reactor = object()
    for description in (text, text.encode()):
        endpoint = make(reactor, description)
        assert type(endpoint) is kind
        assert endpoint._reactor is reactor
        fields = {name.lstrip("_"): value for name, value in vars(endpoint).items()}
        assert fields.items() >= expected.items()


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("tcp:80", TCP4ServerEndpoint, {"port": 80, "interface": "", "backlog": 50}),
        ("TCP:80", TCP4ServerEndpoint, {"port": 80}),
        ("tcp:80:127.0.0.1:7", TCP4ServerEndpoint, {"port": 80, "interface": "127.0.0.1", "backlog": 7}),
        ("tcp:0:", TCP4ServerEndpoint, {"port": 0, "interface": ""}),
        ("tcp:80:interface=localhost", TCP4ServerEndpoint, {"interface": "localhost"}),
        # In Twisted these listen on IPv6, and programs write them.
        (r"tcp:80:interface=\:\:1", TCP4ServerEndpoint, {"interface": "::1"}),
        ("tcp:80:interface=[::1]", TCP4ServerEndpoint, {"interface": "::1"}),
        ("tcp6:80", TCP6ServerEndpoint, {"port": 80, "interface": "::", "backlog": 50}),
        ("Tcp6:80:7:[::1]", TCP6ServerEndpoint, {"interface": "::1", "backlog": 7}),
        ("unix:/x", UNIXServerEndpoint, {"address": "/x", "mode": 0o666, "backlog": 50, "wantPID": True}),
        ("unix:/x:600:3:0", UNIXServerEndpoint, {"mode": 0o600, "backlog": 3, "wantPID": False}),
        ("unix:address=/a b:lockfile=0", UNIXServerEndpoint, {"address": "/a b", "wantPID": False}),
        ("unix:\0abstract", UNIXServerEndpoint, {"address": "\0abstract"}),
    ],
)
def test_servers(text: str, kind: type, expected: dict[str, Any]) -> None:
    assertMakes(serverFromString, text, kind, expected)


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("tcp:a:80", TCP4ClientEndpoint, {"host": "a", "port": 80, "timeout": 30, "bindAddress": None}),
        ("TCP:a:80", TCP4ClientEndpoint, {"host": "a"}),
        ("tcp:host=a:80:timeout=1.5", TCP4ClientEndpoint, {"host": "a", "port": 80, "timeout": 1.5}),
        ("tcp:a:port=80:bindAddress=10.0.0.2", TCP4ClientEndpoint, {"bindAddress": ("10.0.0.2", 0)}),
        ("tcp:[::1]:80", TCP6ClientEndpoint, {"host": "::1", "port": 80}),
        (r"tcp:\:\:1:80", TCP6ClientEndpoint, {"host": "::1"}),
        ("unix:/x", UNIXClientEndpoint, {"path": "/x", "timeout": 30, "checkPID": False}),
        ("unix:path=/x:lockfile=1:timeout=9", UNIXClientEndpoint, {"timeout": 9, "checkPID": True}),
    ],
)
def test_clients(text: str, kind: type, expected: dict[str, Any]) -> None:
    assertMakes(clientFromString, text, kind, expected)


def test_eachCallMakesAnEndpointOfItsOwn() -> None:
    first, second = (serverFromString(None, "tcp:80:interface=127.0.0.1") for _ in range(2))
    assert first is not second
    assert vars(first) == vars(second)


@pytest.mark.parametrize("description", ["tcp:", "tcp:80:80=80", "nobody:80"])
def test_aWrongTextIsWrongEachTime(description: str) -> None:
    for _ in range(2):
        with pytest.raises(DescriptionError):
            serverFromString(None, description)


def test_warningsAreOfTheLineThatHasTheString() -> None:
    with pytest.warns(DescriptionWarning, match="write tcp:80") as caught:
        serverFromString(object(), "haproxy:trusted=any:endpoint=[tcp6:80:interface=127.0.0.1]")
    assert caught[0].filename == __file__


def test_tcp6OnAnIPv4InterfaceWarns() -> None:
    with pytest.warns(DescriptionWarning, match=r"write tcp:80:interface=127\.0\.0\.1") as caught:
        endpoint: Any = serverFromString(object(), "tcp6:80:interface=127.0.0.1")
    assert caught[0].filename == __file__
    assert endpoint._interface == "127.0.0.1"


@pytest.mark.parametrize(
    ("argument", "quoted"),
    [
        ("some : stuff \\", "some \\: stuff \\\\"),
        ("a=b", r"a\=b"),
        ("[a]", r"\[a]"),
        ("a[b]", "a[b]"),
        ("", ""),
    ],
)
def test_quoting(argument: str, quoted: str) -> None:
    assert quoteStringArgument(argument) == quoted


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=26))
def test_anyPathSurvivesQuoting(path: str) -> None:
    endpoint: Any = serverFromString(object(), "unix:" + quoteStringArgument(path))
    assert endpoint._address == path


WORDS = [
    "tcp",
    "tcp6",
    "unix",
    ":",
    "=",
    "\\",
    "[",
    "]",
    "80",
    "host",
    "port",
    "interface",
    "timeout",
    "mode",
]
WORDS += [
    "lockfile",
    "backlog",
    "address",
    "path",
    "::1",
    "127.0.0.1",
    "\0",
    "\n",
    "é",
    "/x",
    "-1",
    "1.5",
    " ",
]

PREFIXES = sorted({*registry.BUILTIN_SERVERS, *registry.BUILTIN_CLIENTS})

#: The names of all arguments of this package's parsers.
NAMES = sorted(
    {
        parameter.name
        for role in (registry.servers, registry.clients)
        for prefix in role._builtin
        for parameter in role._loadBuiltin(prefix).parser.declaration.parameters
    }
)

#: What could be an argument.
ARGUMENTS = st.one_of(
    st.sampled_from(WORDS),
    st.builds("{}={}".format, st.sampled_from(NAMES), st.sampled_from([*WORDS, "tcp:80", "[tcp:80]", "any"])),
    st.builds("[{}:{}]".format, st.sampled_from(PREFIXES), st.sampled_from(WORDS)),
)

#: What users mistype, and what nobody would.
DESCRIPTIONS = st.one_of(
    st.text(),
    st.lists(st.sampled_from(WORDS), max_size=12).map("".join),
    st.builds("{}:{}".format, st.sampled_from(PREFIXES), st.text()),
    st.builds("{}:{}".format, st.sampled_from(PREFIXES), st.lists(ARGUMENTS, max_size=5).map(":".join)),
    st.text(st.characters(min_codepoint=0xD7FE, max_codepoint=0xE001)),
    st.binary(),
    st.lists(st.sampled_from([*map(str.encode, WORDS), b"\xff"]), max_size=12).map(b"".join),
)


@pytest.mark.usefixtures("onlyBuiltin")
@pytest.mark.filterwarnings("ignore::twisted_endpoints.strings.DescriptionWarning")
@pytest.mark.filterwarnings("ignore::twisted_endpoints.haproxy.trust.AnyProxyWarning")
@pytest.mark.parametrize("make", [serverFromString, clientFromString])
@settings(max_examples=600, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(description=DESCRIPTIONS)
def test_nothingElseEscapes(make: Callable[[object, Any], object], description: str | bytes) -> None:
    error = None
    try:
        make(MemoryReactorClock(), description)
    except DescriptionError as raised:
        error = raised
    # A built-in parser that fails would be told as one, and is a fault of ours.
    assert not isinstance(error, PluginError)
    if error is not None:
        lines = str(error).split("\n")
        assert lines[0]
        assert all(line.isprintable() for line in lines)
        assert 0 <= error.position <= len(description)


@pytest.mark.parametrize(
    "junk", [None, 80, 8.5, ["tcp:0"], object(), bytearray(b"tcp:0"), memoryview(b"tcp:0")]
)
@pytest.mark.parametrize("make", [serverFromString, clientFromString])
def test_whatIsNoText(make: Callable[[object, Any], object], junk: object) -> None:
    with pytest.raises(DescriptionError, match="a description is text") as caught:
        make(object(), junk)
    assert isinstance(caught.value, TypeError)
