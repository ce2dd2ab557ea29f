"""Host names: what a user may write, and the look-ups that need no resolver of the reactor's."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from unicodedata import normalize

from zope.interface import implementer

from .._log import Logger
from ..address import IPv4Address, IPv6Address
from ..defer import CancelledError, Deferred
from ..failure import Failure
from ..interfaces import (
    IAddress,
    IHostnameResolver,
    IHostResolution,
    IReactorPluggableNameResolver,
    IReactorThreads,
    IResolutionReceiver,
)
from ..threads import deferToThread, deferToThreadPool

_log = Logger(__name__)

#: What `socket.getaddrinfo` returns: rows of family, type, protocol, canonical name and socket address.
AddressInfo = Sequence[tuple[int, int, int, str, tuple[Any, ...]]]

#: Letters, digits, hyphens (RFC 1123), and underscores, which real names have.
_LABEL = re.compile(rb"[A-Za-z0-9_-]{1,63}")

#: RFC 1035, 2.3.4: 255 octets on the wire, of which the lengths of the first label and of the root are two.
_LONGEST = 253


def isIPv4(host: str) -> bool:
    """Tell whether this is an IPv4 address in dotted-quad form."""
    return _parses(socket.AF_INET, host)


def isIPv6(host: str | bytes) -> bool:
    """Tell whether this is an IPv6 address, which may have a scope: ``fe80::1%eth0``."""
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
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
    #: Whether it is an IP address, for which nobody is to be asked.
    isAddress: bool = False

    @staticmethod
    def parse(host: str | bytes) -> HostName:
        """Take a name, in Unicode or in its ASCII form (IDNA 2008), or an address."""
        return _parsed(host)

    @classmethod
    def _invalid(cls, host: str | bytes) -> HostName:
        text = host if isinstance(host, str) else host.decode("latin-1")
        escaped = text.encode("ascii", "backslashreplace")
        return cls(escaped.decode("ascii"), escaped, valid=False)


# Remembered: programs make an endpoint of the same host each time that they connect.
@lru_cache(maxsize=1024)
def _parsed(host: str | bytes) -> HostName:
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
        return HostName._invalid(host)
    if isIPv4(text) or isIPv6(text):
        return HostName(text, encoded, isAddress=True)
    if len(encoded) <= _LONGEST and all(map(_LABEL.fullmatch, _labels(encoded))):
        return HostName(text, encoded)
    return HostName._invalid(host)


@lru_cache(maxsize=1024)
def inASCII(host: str | bytes) -> str:
    """
    Give a host as systems are asked for it: in ASCII, by IDNA 2008.

    They take Unicode by IDNA 2003, which sends ``faß.de`` to another host, ``fass.de``.  What can't be a
    name is given with backslash escapes, by which nobody finds it.
    """
    if isinstance(host, str) and host.isascii():
        return host
    name = HostName.parse(host)
    return name.ascii.decode("ascii") if name.valid else name.text


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
    host: str,
    port: int,
    family: int,
    *kind: int,
) -> Deferred[AddressInfo]:
    """
    Call ``getaddrinfo(host, port, family, *kind)`` in a thread, or ask who does.

    Args:
        reactor: the endpoint's.
        deferToAnyThread: the endpoint's ``_deferToThread``.  As long as it is `threads.deferToThread`, the
            look-up is the business of `reactor`, and not of the installed one, which may not even run.
        getaddrinfo: the endpoint's ``_getaddrinfo``.  As long as it is the system's, the resolver of
            `reactor` is asked, where it has one: in threads that others wait for, a look-up that hangs would
            hold up these, and the end of the process.
        host: for `getaddrinfo`, as all that follow.
        port: the port of the addresses.
        family: one that `socket` has.
        *kind: the type of socket, or nothing.
    """
    if deferToAnyThread is deferToThread and IReactorThreads.providedBy(reactor):
        resolver = reactor.nameResolver if IReactorPluggableNameResolver.providedBy(reactor) else None
        if resolver is not None and family == socket.AF_INET6 and getaddrinfo is socket.getaddrinfo:
            return _IPv6Rows().ask(resolver, host, port)
        return deferToThreadPool(reactor, reactor.getThreadPool(), getaddrinfo, host, port, family, *kind)
    return deferToAnyThread(getaddrinfo, host, port, family, *kind)


@implementer(IResolutionReceiver)
class _IPv6Rows:
    """Makes of what a resolver finds what `getaddrinfo` would have returned."""

    def __init__(self) -> None:
        self._rows: list[tuple[int, int, int, str, tuple[Any, ...]]] = []
        self._resolution: IHostResolution | None = None
        #: None when it has fired, or is about to.
        self._answer: Deferred[AddressInfo] | None = None

    def ask(self, resolver: IHostnameResolver, host: str, port: int) -> Deferred[AddressInfo]:
        """Look a name up; the Deferred fires with the rows.  No rows is a `socket.gaierror`."""
        answer = self._answer = Deferred(self._cancelled)
        resolver.resolveHostName(self, host, port, [IPv6Address])
        return answer

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:
        self._resolution = resolutionInProgress

    def addressResolved(self, address: IAddress) -> None:
        # Resolvers may give what they weren't asked for: those that know one kind of address do.
        if isinstance(address, IPv6Address):
            sockaddr = (address.host, address.port, address.flowInfo, address.scopeID)
            self._rows.append((socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", sockaddr))

    def resolutionComplete(self) -> None:
        self._resolution = None
        answer, self._answer = self._answer, None
        if answer is None:
            return
        if self._rows:
            answer.callback(self._rows)
        else:
            answer.errback(socket.gaierror(socket.EAI_NONAME, "Name or service not known"))

    def _cancelled(self, answer: Deferred[AddressInfo]) -> None:
        resolution, self._answer, self._resolution = self._resolution, None, None
        if resolution is not None:
            cancelResolution(resolution)


def cancelResolution(resolution: IHostResolution) -> None:
    """Give a look-up up, whether or not its resolver can do so."""
    try:
        resolution.cancel()
    except NotImplementedError:
        pass  # Twisted's own can't be cancelled; its answer is ignored
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException:
        _log.failure("while cancelling a hostname lookup")


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
