"""serverFromString: each sentence of its description."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from zope.interface.verify import verifyObject

from tests.plugins.tlsfiles import LEAF, Files
from tests.running import run
from tests.strings.distributions import Site
from twisted_endpoints.endpoints import SSL4ServerEndpoint, serverFromString
from twisted_endpoints.interfaces import IStreamServerEndpoint
from twisted_endpoints.protocol import Factory
from twisted_endpoints.ssl import Certificate
from twisted_endpoints.testing import MemoryReactorClock


def listened(description: str | bytes) -> Any:
    """Listen on what a string says, on a reactor in memory; give that."""
    reactor = MemoryReactorClock()
    serverFromString(reactor, description).listen(Factory())
    return reactor


def shownBy(description: str) -> tuple[bytes, Any]:
    """Give the certificate and the key that an SSL server has."""
    endpoint: Any = serverFromString(MemoryReactorClock(), description)
    assert isinstance(endpoint, SSL4ServerEndpoint)
    options: Any = endpoint._sslContextFactory
    return Certificate(options.certificate).dumpPEM(), options.privateKey.to_cryptography_key()


def test_itConstructsAServerEndpointFromAString() -> None:
    assert verifyObject(IStreamServerEndpoint, serverFromString(MemoryReactorClock(), "tcp:80"))


def test_aDescriptionCanBeAByteString() -> None:
    assert listened(b"tcp:80").tcpServers[0][0] == 80


@pytest.mark.parametrize(
    ("description", "where"),
    [("tcp:80", "tcpServers"), ("tcp6:80", "tcpServers"), ("unix:/run/server", "unixServers")],
)
def test_aPrefixNamesTheTypeThenComeAColonAndItsArguments(description: str, where: str) -> None:
    [call] = getattr(listened(description), where)
    assert str(call[0]) == description.partition(":")[2]


def test_tcp80ListensOnTCPPort80() -> None:
    assert [call[0] for call in listened("tcp:80").tcpServers] == [80]


def test_additionalArgumentsAreKeywordsSeparatedWithColons() -> None:
    [(port, _, backlog, interface)] = listened("tcp:80:interface=127.0.0.1:backlog=7").tcpServers
    assert (port, interface, backlog) == (80, "127.0.0.1", 7)


def test_aTCPServerBindsToTheInterface() -> None:
    [(_, _, _, interface)] = listened("tcp:80:interface=127.0.0.1").tcpServers
    assert interface == "127.0.0.1"


def test_sslServersHaveAPrivateKeyAndACertificateFile(files: Files) -> None:
    certificate, key = shownBy("ssl:443:privateKey=leaf.key:certKey=leaf.crt")
    assert certificate == LEAF.certificatePEM
    assert key.private_numbers() == LEAF.key.private_numbers()


def test_withoutAPrivateKeyItIsInServerPem(files: Files) -> None:
    files.write("server.pem", LEAF.pem)
    certificate, key = shownBy("ssl:443:certKey=leaf.crt")
    assert certificate == LEAF.certificatePEM
    assert key.private_numbers() == LEAF.key.private_numbers()


def test_withoutACertificateItIsInTheFileOfThePrivateKey(files: Files) -> None:
    assert shownBy("ssl:443:privateKey=leaf.pem")[0] == LEAF.certificatePEM
    files.write("server.pem", LEAF.pem)
    assert shownBy("ssl:443")[0] == LEAF.certificatePEM


def test_aBackslashEscapesAColonAsInWindowsPaths(files: Files) -> None:
    Path("C:").mkdir()
    files.write("C:/key.pem", LEAF.keyPEM)
    files.write("C:/cert.pem", LEAF.certificatePEM)
    certificate, _ = shownBy(r"ssl:443:privateKey=C\:/key.pem:certKey=C\:/cert.pem")
    assert certificate == LEAF.certificatePEM


@pytest.mark.parametrize(
    ("description", "mode"), [("unix:/var/run/finger", 0o666), ("unix:/var/run/finger:mode=660", 0o660)]
)
def test_unixNamesASocketInTheFileSystemWithAMode(description: str, mode: int) -> None:
    [(path, _, _, given, _)] = listened(description).unixServers
    assert (path, given) == ("/var/run/finger", mode)


def test_theSocketFileThatListenCreatesHasTheMode(reactor: Any, tmp_path: Path) -> None:
    path = tmp_path / "finger"

    async def main() -> int:
        port: Any = await serverFromString(reactor, f"unix:{path}:mode=660").listen(Factory())
        mode = path.stat().st_mode
        await port.stopListening()
        return mode

    assert stat.S_IMODE(run(reactor, main)) == 0o660


def test_newTypesAreRegisteredAsPlugins(site: Site) -> None:
    site.module("bare")
    site.server("their-dist", "theirs = bare:parser")
    reactor = object()
    endpoint: Any = serverFromString(reactor, "theirs:one:two=3")
    assert (endpoint.args, endpoint.kwargs) == ((reactor, "one"), {"two": "3"})


@pytest.mark.parametrize("description", ["tcp:80", "tcp6:80", "unix:/run/server"])
def test_theEndpointHasTheReactor(description: str) -> None:
    reactor = MemoryReactorClock()
    endpoint: Any = serverFromString(reactor, description)
    assert endpoint._reactor is reactor


def test_whatItReturnsIsNewAndListensWithTheDescriptionsParameters() -> None:
    reactor = MemoryReactorClock()
    first, second = (serverFromString(reactor, "tcp:80:backlog=7") for _ in range(2))
    assert first is not second
    factory = Factory()
    first.listen(factory)
    assert reactor.tcpServers == [(80, factory, 7, "")]


@pytest.mark.parametrize(
    "description",
    [
        "",
        ":",
        "80",
        "nothing:80",
        "tcp",
        "tcp:http",
        "tcp:80:50:60:70",
        "tcp:80:bogus=1",
        "unix:",
        "tcp:80\\",
    ],
)
def test_aDescriptionThatCannotBeParsedIsAValueError(description: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # the texts are tests of strings
        serverFromString(MemoryReactorClock(), description)
    assert str(caught.value)
