"""Host names: what a user may write, and the look-ups that need no resolver of the reactor's."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from unicodedata import normalize

from zope.interface import implementer

from .._log import Logger
from ..address import IPv4Address, IPv6Address
from ..defer import CancelledError, Deferred
from ..failure import Failure
from ..interfaces import IAddress, IHostnameResolver, IHostResolution, IReactorThreads, IResolutionReceiver
from ..threads import deferToThread, deferToThreadPool

#: What `socket.getaddrinfo` returns: rows of family, type, protocol, canonical name and socket address.
AddressInfo = Sequence[tuple[int, int, int, str, tuple[Any, ...]]]

#: Letters, digits, hyphens (RFC 1123), and underscores, which real names have.
_LABEL = re.compile(rb"[A-Za-z0-9_-]{1,63}")

#: RFC 1035, 2.3.4: 255 octets on the wire, of which the lengths of the first label and of the root are two.
_LONGEST = 253


def isIPv4(host: str) -> bool:
    """Tell whether this is an IPv4 address in dotted-quad form."""
    return _parses(socket.AF_INET, host)


def isIPv6(host: str) -> bool:
    """Tell whether this is an IPv6 address, which may have a scope: ``fe80::1%eth0``."""
    return _parses(socket.AF_INET6, host.partition("%")[0])


def _parses(family: int, host: str) -> bool:
    try:
        socket.inet_pton(family, host)
    except (OSError, ValueError):  # ValueError: it has a NUL, or is not ASCII
        return False
    return True


def scoped(host: str, scope: int | str) -> str:
    """Give an IPv6 address with its scope, without which a link-local one can't be connected to."""
    return f"{host}%{scope}" if scope and "%" not in host else host


def shown(host: str | bytes, port: object) -> str:
    """Write a host and a port for people, as a URL would have them."""
    text = host if isinstance(host, str) else host.decode("ascii", "backslashreplace")
    return f"[{text}]:{port}" if ":" in text else f"{text}:{port}"


class HostName(NamedTuple):
    """
    A host as a user wrote it, in the forms that are needed.

    A name that can't be one has `valid` False, and its other fields show it with backslash escapes.
    """

    text: str
    ascii: bytes
    valid: bool = True

    @classmethod
    def parse(cls, host: str | bytes) -> HostName:
        """Take a name, in Unicode or in its ASCII form (IDNA 2008), or an address."""
        try:
            if isinstance(host, bytes):
                text = host.decode("ascii")
                encoded = host
                if b"xn--" in host.lower():
                    import idna

                    text = idna.decode(host)
            else:
                text = normalize("NFC", host)
                encoded = text.encode("ascii") if text.isascii() else _toASCII(text)
        except UnicodeError:
            return cls._invalid(host)
        if isIPv6(text) or (len(encoded) <= _LONGEST and all(map(_LABEL.fullmatch, _labels(encoded)))):
            return cls(text, encoded)
        return cls._invalid(host)

    @classmethod
    def _invalid(cls, host: str | bytes) -> HostName:
        text = host if isinstance(host, str) else host.decode("latin-1")
        escaped = text.encode("ascii", "backslashreplace")
        return cls(escaped.decode("ascii"), escaped, valid=False)

    @property
    def isAddress(self) -> bool:
        """Whether it is an IP address, for which nobody is to be asked."""
        return isIPv4(self.text) or isIPv6(self.text)


def _labels(name: bytes) -> list[bytes]:
    # One dot at the end is the root: the name is complete, and no search domain is to be tried.
    return name.removesuffix(b".").split(b".")


def _toASCII(text: str) -> bytes:
    import idna

    # UTS 46, as browsers do: people write capitals, and CJK input methods write full-width dots.
    return idna.encode(text, uts46=True)


def lookUpInThread(
    reactor: Any,
    deferToAnyThread: Callable[..., Deferred[AddressInfo]],
    getaddrinfo: Callable[..., AddressInfo],
    *args: object,
) -> Deferred[AddressInfo]:
    """
    Call ``getaddrinfo(*args)`` in a thread.

    Args:
        reactor: the endpoint's.
        deferToAnyThread: the endpoint's ``_deferToThread``.  As long as it is `threads.deferToThread`, the
            look-up runs in the threads of `reactor`, and not in those of the installed one, which may not
            even run.
        getaddrinfo: the endpoint's ``_getaddrinfo``.
        *args: for it.
    """
    if deferToAnyThread is deferToThread and IReactorThreads.providedBy(reactor):
        return deferToThreadPool(reactor, reactor.getThreadPool(), getaddrinfo, *args)
    return deferToAnyThread(getaddrinfo, *args)


@implementer(IHostResolution)
class _Resolution:
    """A look-up by a function that returns a Deferred."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._answer: Deferred[Any] | None = None

    def cancel(self) -> None:
        if self._answer is not None:
            self._answer.cancel()


@implementer(IHostnameResolver)
class _SimpleHostnameResolver:
    """
    Makes a resolver of a function.

    Args:
        nameResolution: takes a host and a port; returns a Deferred that fires with what `socket.getaddrinfo`
            returns.  Its failure is logged, and is a name without addresses.
    """

    _log = Logger(__name__)

    def __init__(self, nameResolution: Callable[[str, int], Deferred[AddressInfo]]) -> None:
        self._nameResolution = nameResolution

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        """Begin a look-up; `addressTypes` and `transportSemantics` are the function's to know."""
        resolution = _Resolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)

        def deliver(found: AddressInfo) -> None:
            for family, _type, _protocol, _canonicalName, address in found:
                if family == socket.AF_INET6:
                    resolutionReceiver.addressResolved(IPv6Address("TCP", *address))
                elif family == socket.AF_INET:
                    resolutionReceiver.addressResolved(IPv4Address("TCP", *address))

        def report(reason: Failure) -> None:
            if not reason.check(CancelledError):
                self._log.failure(f"while looking up {hostName} with {self._nameResolution}", reason)

        def complete(_: object) -> None:
            resolution._answer = None
            resolutionReceiver.resolutionComplete()

        answer: Deferred[Any] = self._nameResolution(hostName, portNumber)
        resolution._answer = answer
        answer.addCallback(deliver).addErrback(report).addBoth(complete)
        return resolution
