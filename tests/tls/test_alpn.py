"""Which protocol is spoken inside TLS."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from zope.interface import implementer

from twisted_endpoints import ssl
from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.interfaces import IProtocolNegotiationFactory
from twisted_endpoints.protocol import Factory
from twisted_endpoints.ssl import CertificateOptions

from .authority import root
from .connecting import connect, serving

onlyBuiltin = pytest.mark.skipif(vocabulary == "twisted", reason="Twisted's cuts the connection otherwise")


def negotiated(
    server: list[bytes] | None, client: list[bytes] | None, factory: type[Factory] = Factory
) -> tuple[bytes | None, bool]:
    """Connect; tell what was settled, and whether they talked."""
    ends = connect(
        serving(root().issue("x"), acceptableProtocols=server),
        CertificateOptions(acceptableProtocols=client),
        factory,
    )
    settled = {end.tls.negotiatedProtocol for end in ends}
    assert len(settled) == 1
    return settled.pop(), ends[0].said.heard == b"from the client" and ends[
        1
    ].said.heard == b"from the server"


def test_theServersMostWantedOne() -> None:
    assert negotiated([b"h2", b"http/1.1"], [b"http/1.1", b"h2"]) == (b"h2", True)
    assert negotiated([b"h3", b"http/1.1"], [b"h2", b"http/1.1"]) == (b"http/1.1", True)


def test_oneThatHasNoneGoesOnWithout() -> None:
    assert negotiated([b"h2"], None) == (None, True)
    assert negotiated(None, None) == (None, True)
    assert negotiated([], []) == (None, True)


@onlyBuiltin
def test_aServerThatHasNoneDoesNotAnswerTheOffer() -> None:
    assert negotiated(None, [b"h2"]) == (None, True)


@onlyBuiltin
def test_nothingInCommonIsAnAlert() -> None:
    server, user = connect(
        serving(root().issue("x"), acceptableProtocols=[b"h2"]),
        CertificateOptions(acceptableProtocols=[b"h3"]),
    )

    assert (server.said.heard, user.said.heard) == (b"", b"")
    assert "no application protocol" in str(user.said.lost)
    assert "the client offers [b'h3'], we speak [b'h2']: no application protocol" in str(server.said.lost)


def test_factoriesKnowProtocolsToo() -> None:
    @implementer(IProtocolNegotiationFactory)
    class Knowing(Factory):
        def acceptableProtocols(self) -> list[bytes]:
            return [b"mine"]

    assert negotiated([b"h2"], [b"h2"], Knowing) == (b"mine", True)
    assert negotiated(None, None, Knowing) == (b"mine", True)


@onlyBuiltin
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_aFactoryThatFailsIsAnAlert(error: type[BaseException], monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[None] = []

    @implementer(IProtocolNegotiationFactory)
    class Failing(Factory):
        def acceptableProtocols(self) -> list[bytes]:
            calls.append(None)
            if len(calls) == 3:  # after each end's own connection is made: in OpenSSL's callback
                raise error
            return [b"mine"]

    logged: list[str] = []
    monkeypatch.setattr("twisted_endpoints._tls.alpn._log.failure", logged.append)

    server, user = connect(serving(root().issue("x")), CertificateOptions(), Failing)

    assert (server.said.heard, user.said.heard) == (b"", b"")
    assert "alert" in str(user.said.lost)
    assert logged == ["while choosing the protocol inside TLS"]


def test_whatTheLibraryCanIsDeprecated() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        support: Any = ssl.ProtocolNegotiationSupport
        found = ssl.protocolNegotiationMechanisms()

    assert support.ALPN in found
    assert support.NPN not in found
    assert support.NOSUPPORT.value == 0
    texts = [str(warning.message) for warning in caught if "26.10.0" in str(warning.message)]
    assert "ssl.ProtocolNegotiationSupport was deprecated in Twisted 26.10.0: " in texts[0]
    assert texts[-1].endswith(".protocolNegotiationMechanisms was deprecated in Twisted 26.10.0")
    with pytest.raises(AttributeError):
        _ = ssl.nonsense
