"""A server chooses its certificate by the name that the client asks for; whatever goes wrong is an alert."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from twisted_endpoints._tls.pem import Identity
from twisted_endpoints._tls.settings import ServerSettings
from twisted_endpoints._tls.sni import SNIConnectionCreator
from twisted_endpoints._tls.verification import ServerCheck, VerifyingClientOptions

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


def test_anErrorIsAnAlert(monkeypatch: pytest.MonkeyPatch) -> None:
    hooked: list[object] = []
    monkeypatch.setattr(sys, "excepthook", lambda *exception: hooked.append(exception[0]))

    def fail(name: bytes | None) -> Any:
        raise ZeroDivisionError

    server, client = play(fail)
    assert "unrecognized name" in str(client.said.lost)
    assert (client.said.heard, server.said.heard) == (b"", b"")
    assert hooked == [ZeroDivisionError]
