"""What a handshake's failure means, and what to do: OpenSSL's own words help only those who know OpenSSL."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from OpenSSL.SSL import Error

from ..error import ConnectionDone, ConnectionLost
from ..failure import Failure
from .refusals import CertificateRefused


class HandshakeFailed(Error):
    """
    The two ends could not agree on a TLS connection.

    It is one of OpenSSL's errors, so what handles those handles it.

    Args:
        text: what went wrong, and what to do.
        errors: OpenSSL's own list.
    """

    def __init__(self, text: str, errors: Any = ()) -> None:
        super().__init__(errors)
        self.text = text

    def __str__(self) -> str:
        return self.text


#: By OpenSSL's reason: what it means.  ``alert`` is in those that the peer sent.
_MEANINGS = {
    "wrong version number": "the peer doesn't speak TLS on this port",
    "packet length too long": "the peer doesn't speak TLS on this port",
    "http request": "the peer sent a plain HTTP request, and no TLS: https:// is what it needs",
    "https proxy request": "the peer sent a proxy request, and no TLS",
    "unsupported protocol": "the peer speaks only versions of TLS that are not allowed here (minVersion)",
    "no protocols available": "no version of TLS is allowed here",
    "version too low": "the peer speaks only versions of TLS that are not allowed here (minVersion)",
    "no shared cipher": "there is no cipher suite that both ends allow, or no certificate that suits one",
    "no application protocol": "there is no protocol (ALPN) that both ends know",
    "peer did not return a certificate": "the client has shown no certificate, and this server demands one",
    "protocol version": "the peer allows none of the versions of TLS that are allowed here",
    "handshake failure": "the peer refuses the handshake: no cipher suite or certificate suits both ends",
    "unrecognized name": "the server has no certificate for this name",
    "unknown ca": "the peer doesn't know who issued our certificate",
    "bad certificate": "the peer refuses our certificate",
    "certificate unknown": "the peer refuses our certificate",
    "certificate expired": "the peer refuses our certificate: it has expired",
    "certificate revoked": "the peer refuses our certificate: it was revoked",
    "unsupported certificate": "the peer refuses our certificate: it is of a kind that it doesn't take",
    "certificate required": "the server demands a certificate from us: name one, by certificate= in a string",
    "access denied": "the peer denies us access",
    "insufficient security": "the peer demands stronger cipher suites than are allowed here",
}


def explained(reason: Failure) -> Failure:
    """
    Make a better reason of why a handshake ended.

    Args:
        reason: what the transport, or OpenSSL, has said.

    Returns:
        A failure with a text to act on; the same if it has one.
    """
    value = reason.value
    if isinstance(value, CertificateRefused):
        return reason
    if isinstance(value, Error):
        text = meaningOf(value, "the TLS handshake failed")
        return Failure(HandshakeFailed(text, value.args[0] if value.args else ()))
    if type(value) in (ConnectionDone, ConnectionLost):
        return Failure(ConnectionLost("the peer closed the connection before the TLS handshake was done"))
    return reason


def meaningOf(reason: Error, otherwise: str) -> str:
    """
    Put what OpenSSL says into words.

    Args:
        reason: what it says.
        otherwise: what has happened, where there are no better words for it.
    """
    errors = reason.args[0] if reason.args else ()
    return _meaning(tuple(str(part[-1]) for part in errors if part), otherwise)


# Scanners and attackers fail in the same way again and again.
@lru_cache(maxsize=64)
def _meaning(words: tuple[str, ...], otherwise: str) -> str:
    for word in reversed(words):
        for reason, meaning in _MEANINGS.items():
            if word.endswith(reason):
                return f"{meaning} (OpenSSL: {word})"
    return f"{otherwise} (OpenSSL: {', '.join(words) or 'no reason given'})"
