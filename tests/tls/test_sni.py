"""A server chooses its certificate by the name that the client asks for; whatever goes wrong is an alert."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from twisted_endpoints._tls.factory import TLSMemoryBIOFactory
from twisted_endpoints._tls.hello import UNRECOGNIZED_NAME
from twisted_endpoints._tls.pem import Identity
from twisted_endpoints._tls.settings import ServerSettings
from twisted_endpoints._tls.sni import SNIConnectionCreator
from twisted_endpoints._tls.verification import ServerCheck, VerifyingClientOptions
from twisted_endpoints.error import ConnectionDone, ConnectionLost
from twisted_endpoints.protocol import Factory
from twisted_endpoints.task import Clock

from .authority import Issued, root
from .connecting import End, certificate, connect


def context(issued: Issued) -> Any:
    identity = Identity("a.pem", "a.pem", issued.certificate, issued.key, (), ("example.com",))
    return ServerSettings().context(identity)


class Folder:
    """Gives contexts by a function of the name."""

    def __init__(self, choose: Callable[[bytes | None], Any]) -> None:
        self.context = choose


def play(choose: Callable[[bytes | None], Any], host: str = "example.com") -> tuple[End, End]:
    folder: Any = Folder(choose)
    server = SNIConnectionCreator(folder, ServerSettings().context(None))
    return connect(server, VerifyingClientOptions(host, ServerCheck(certificate(root()))))


def test_theNameChooses() -> None:
    shown = {name: context(root().issue(name.decode())) for name in (b"example.com", b"example.org")}
    for name in shown:
        server, client = play(shown.get, name.decode())
        assert (client.said.heard, server.said.heard) == (b"from the server", b"from the client")


def test_whoAsksForNobodyIsAskedForToo() -> None:
    asked: list[bytes | None] = []
    shown = context(root().issue("192.0.2.1"))

    def choose(name: bytes | None) -> Any:
        asked.append(name)
        return shown

    _, client = play(choose, "192.0.2.1")
    assert client.said.heard == b"from the server"
    assert asked == [None]


def test_anUnknownNameIsAnAlertAndNoNews(capsys: pytest.CaptureFixture[str]) -> None:
    hook = sys.excepthook
    server, client = play(lambda name: None)
    assert "unrecognized name" in str(client.said.lost)
    assert (client.said.heard, server.said.heard) == (b"", b"")
    assert sys.excepthook is hook
    assert capsys.readouterr().err == ""


def test_anUnknownNameCostsNothingOfOpenSSL() -> None:
    made: list[object] = []

    class Counting(SNIConnectionCreator):
        def serverConnectionForTLS(self, protocol: Any) -> Any:
            made.append(protocol)
            return super().serverConnectionForTLS(protocol)

    shown = {b"example.com": context(root().issue("example.com"))}
    folder: Any = Folder(shown.get)
    creator = Counting(folder, ServerSettings().context(None))
    check = ServerCheck(certificate(root()))
    server, client = connect(
        creator, VerifyingClientOptions("unknown.example", check), wrapper=TLSMemoryBIOFactory
    )
    assert "unrecognized name" in str(client.said.lost)
    assert "unrecognized name" in str(server.said.lost)
    assert not made
    # After that, nothing does anything.
    server.tls.dataReceived(b"more")
    server.tls.abortConnection()
    assert server.take() == b""
    assert not made

    _, client = connect(creator, VerifyingClientOptions("example.com", check), wrapper=TLSMemoryBIOFactory)
    assert client.said.heard == b"from the server"
    assert len(made) == 1


def test_aNameThatOnlyOpenSSLFindsIsRefusedToo(capsys: pytest.CaptureFixture[str]) -> None:
    folder: Any = Folder(lambda name: None)
    creator = SNIConnectionCreator(folder, ServerSettings().context(None))
    server = End(b"", creator, False, TLSMemoryBIOFactory)
    client = End(b"", VerifyingClientOptions("example.com", ServerCheck(certificate(root()))), True)
    for end in (server, client):
        end.start(Clock(), Factory)
    message = client.take()[5:]
    for part in (message[:70], message[70:]):
        # One message in two records: RFC 8446, section 5.1, allows it.
        server.tls.dataReceived(b"\x16\x03\x01" + len(part).to_bytes(2, "big") + part)
    assert server.take() == UNRECOGNIZED_NAME
    assert server.ended
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("end", ["loseConnection", "abortConnection", "connectionLost"])
def test_aServerThatHasHeardNothingCanEnd(end: str) -> None:
    folder: Any = Folder(lambda name: None)
    creator = SNIConnectionCreator(folder, ServerSettings().context(None))
    server = End(b"", creator, False, TLSMemoryBIOFactory)
    server.start(Clock(), Factory)
    server.tls.dataReceived(b"\x16\x03")
    if end == "connectionLost":
        server.close(ConnectionDone())
        assert isinstance(server.said.lost, ConnectionLost)
    else:
        getattr(server.tls, end)()
        assert server.ended
    # Whatever comes then comes too late.
    server.take()
    server.tls.dataReceived(bytes(100))
    assert server.take() == b""


def test_anErrorIsAnAlert(monkeypatch: pytest.MonkeyPatch) -> None:
    hooked: list[object] = []
    monkeypatch.setattr(sys, "excepthook", lambda *exception: hooked.append(exception[0]))

    def fail(name: bytes | None) -> Any:
        raise ZeroDivisionError

    server, client = play(fail)
    assert "unrecognized name" in str(client.said.lost)
    assert (client.said.heard, server.said.heard) == (b"", b"")
    assert hooked == [ZeroDivisionError]
