"""Which protocol is spoken inside TLS: both ends settle it in the handshake (ALPN, RFC 7301)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from constantly import FlagConstant, Flags
from OpenSSL import SSL

from .._log import Logger
from ..interfaces import IProtocolNegotiationFactory
from .deprecation import deprecated

_log = Logger(__name__)


def protosFromProtocol(tlsProto: Any, acceptableProtocols: Sequence[bytes]) -> tuple[bytes, ...]:
    """
    List what a connection may speak: what its factory knows, then what the options say.

    Args:
        tlsProto: the TLS protocol; its factory's ``wrappedFactory`` may be an `IProtocolNegotiationFactory`.
        acceptableProtocols: the options' list.
    """
    factory = IProtocolNegotiationFactory(tlsProto.factory.wrappedFactory, None)
    fromFactory = () if factory is None else tuple(factory.acceptableProtocols())
    return fromFactory + tuple(acceptableProtocols)


def setupForALPN(context: SSL.Context, acceptableProtocols: Sequence[bytes]) -> None:
    """
    Let a server's connections choose among the protocols that the client offers.

    The most wanted of the server's that the client offers too is taken.  If the server has a list and
    nothing is on both, the handshake fails with the alert ``no_application_protocol``.  If the server has
    none, the client's offer isn't answered, and the client goes on as without ALPN.

    Args:
        context: the connections'; the application data of each is its TLS protocol.
        acceptableProtocols: what the options say, the most wanted first.
    """

    def choose(connection: SSL.Connection, offered: Sequence[bytes]) -> Any:
        try:
            ours = protosFromProtocol(connection.get_app_data(), acceptableProtocols)
        except BaseException:
            # Only an `SSL.Error` ends in an alert: others pass through OpenSSL, and through the protocol.
            _log.failure("while choosing the protocol inside TLS")
            raise _failed("the server's protocols could not be listed") from None
        if not ours:
            return SSL.NO_OVERLAPPING_PROTOCOLS
        for protocol in ours:
            if protocol in offered:
                return protocol
        raise _failed(f"the client offers {offered!r}, we speak {list(ours)!r}: no application protocol")

    context.set_alpn_select_callback(choose)


def _failed(text: str) -> SSL.Error:
    # In the form that pyOpenSSL gives errors: a list of library, function and reason.
    return SSL.Error([("ALPN", "", text)])


class ProtocolNegotiationSupport(Flags):  # type: ignore[misc]  # constantly has no types
    """
    Deprecated: the ways of settling a protocol that the TLS library knows.

    `NPN` is a forerunner of ALPN that nobody speaks any more; `NOSUPPORT` is none of them.
    """

    NPN = FlagConstant(0x0001)
    ALPN = FlagConstant(0x0002)


# Not in the class: constantly makes wrong flags of a literal zero.
ProtocolNegotiationSupport.NOSUPPORT = ProtocolNegotiationSupport.NPN ^ ProtocolNegotiationSupport.NPN


@deprecated("Twisted 26.10.0")
def protocolNegotiationMechanisms() -> Any:
    """Get `ProtocolNegotiationSupport.ALPN`.  Deprecated: every TLS library that we work with has it."""
    return ProtocolNegotiationSupport.ALPN
