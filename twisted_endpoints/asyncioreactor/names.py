"""Which resolver the reactor uses, and the old kind of resolver and the new in each other's place."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from socket import AF_INET
from typing import Any

from zope.interface import implementer

from .._log import Logger
from ..address import IPv4Address
from ..defer import Deferred, succeed
from ..error import DNSLookupError
from ..failure import Failure
from ..interfaces import (
    IHostnameResolver,
    IHostResolution,
    IResolutionReceiver,
    IResolverSimple,
)
from .addresses import isLiteral
from .resolver import NameResolver
from .threads import Threads
from .timers import Timers

_log = Logger(__name__)

#: Seconds after which a look-up has failed, if it isn't said: `IResolverSimple` adds up a query and its
#: repetitions.
TIMEOUT = (1, 3, 11, 45)


@implementer(IResolutionReceiver)
class _First:
    """
    Gives a Deferred the first address that a resolution finds.

    Args:
        name: whose address.
        kind: IPv4Address or IPv6Address.
        clock: for the time limit.
        timeout: it, in seconds.
    """

    def __init__(self, name: str, kind: type[Any], clock: Timers, timeout: float) -> None:
        self._name = name
        self._kind = kind
        self._resolution: Any = None
        self._limit = clock.callLater(timeout, self._tooLate, timeout)
        self._found: Deferred[str] | None = None

    def find(self, resolver: Any) -> Deferred[str]:
        """Begin the look-up."""
        found: Deferred[str] = Deferred(self._cancel)
        self._found = found
        try:
            resolver.resolveHostName(self, self._name, 0, [self._kind], "TCP")
        except BaseException:
            self._limit.cancel()
            raise
        return found

    def resolutionBegan(self, resolutionInProgress: Any) -> None:
        self._resolution = resolutionInProgress

    def addressResolved(self, address: Any) -> None:
        self._end(address.host)

    def resolutionComplete(self) -> None:
        self._end(DNSLookupError(f"no {self._kind.__name__[:4]} address found for {self._name!r}"))

    def _tooLate(self, timeout: float) -> None:
        self._abandon()
        self._end(DNSLookupError(f"no answer about {self._name!r} within {timeout} seconds"))

    def _cancel(self, ignored: object) -> None:
        self._found = None
        self._limit.cancel()
        self._abandon()

    def _end(self, result: str | DNSLookupError) -> None:
        # Let go of before it fires: a callback may raise, and the traceback holds what holds this object.
        found, self._found = self._found, None
        if found is None:
            return
        if self._limit.active():
            self._limit.cancel()
        try:
            found.callback(result) if isinstance(result, str) else found.errback(result)
        finally:
            del found, result

    def _abandon(self) -> None:
        try:
            self._resolution.cancel()
        except NotImplementedError:
            # Resolvers may well be unable to: Twisted's are.
            pass


@implementer(IResolverSimple)
class SimpleResolver:
    """
    An `IHostnameResolver` in the place of an `IResolverSimple`.

    Args:
        nameResolver: it.
        clock: for the time limit.
    """

    def __init__(self, nameResolver: Any, clock: Timers) -> None:
        self._nameResolver = nameResolver
        self._clock = clock

    def getHostByName(self, name: str, timeout: Sequence[float] = TIMEOUT) -> Deferred[str]:
        """
        Find an IPv4 address for a name.

        Args:
            name: the name.
            timeout: its sum is the time limit in seconds; 60 if it is empty.

        Returns:
            A Deferred that fires with the first address as text, or fails with DNSLookupError.  A cancel ends
            the look-up.
        """
        return _First(name, IPv4Address, self._clock, sum(timeout) or 60).find(self._nameResolver)


@implementer(IHostResolution)
class _SimpleResolution:
    """A look-up by an `IResolverSimple`."""

    def __init__(self, name: str, receiver: Any, port: int) -> None:
        self.name = name
        self._receiver = receiver
        self._port = port
        self._answer: Deferred[Any] | None = None

    def cancel(self) -> None:
        """End the look-up: the receiver hears nothing more."""
        self._receiver = None
        if self._answer is not None:
            self._answer.cancel()

    def _await(self, answer: Deferred[str]) -> None:
        self._answer = answer.addCallbacks(self._found, self._failed)
        self._answer.addErrback(self._failed)
        self._answer.addBoth(self._complete)

    def _found(self, host: str) -> None:
        if self._receiver is not None:
            self._receiver.addressResolved(IPv4Address("TCP", host, self._port))

    def _failed(self, reason: Failure) -> None:
        if self._receiver is not None and reason.check(DNSLookupError) is None:
            _log.failure(f"while looking up {self.name!r}", reason)

    def _complete(self, ignored: object) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.resolutionComplete()


@implementer(IHostnameResolver)
class SimpleNameResolver:
    """
    An `IResolverSimple` in the place of an `IHostnameResolver`: it finds one IPv4 address.

    Args:
        simpleResolver: it.
    """

    def __init__(self, simpleResolver: Any) -> None:
        self._simpleResolver = simpleResolver

    def resolveHostName(
        self,
        resolutionReceiver: Any,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[Any]] | None = None,
        transportSemantics: str = "TCP",
    ) -> _SimpleResolution:
        """Look a name up; as `NameResolver.resolveHostName`, but types and transport are what they are."""
        resolution = _SimpleResolution(hostName, resolutionReceiver, portNumber)
        resolutionReceiver.resolutionBegan(resolution)
        resolution._await(self._simpleResolver.getHostByName(hostName))
        return resolution


class Names(Threads, Timers):
    """Implements `IReactorPluggableNameResolver`, `IReactorPluggableResolver` and `IReactorCore.resolve`."""

    def __init__(self, eventloop: asyncio.AbstractEventLoop | None = None) -> None:
        super().__init__(eventloop)
        self._nameResolver: Any = NameResolver(self)
        self.resolver: Any = SimpleResolver(self._nameResolver, self)

    @property
    def nameResolver(self) -> Any:
        """The `IHostnameResolver` that is installed."""
        return self._nameResolver

    def _firstAddressOf(self, name: str, kind: type[Any]) -> Deferred[str]:
        """Find the first address of this kind that a name has."""
        return _First(name, kind, self, sum(TIMEOUT)).find(self._nameResolver)

    def installNameResolver(self, resolver: Any) -> Any:
        """Look names up with this `IHostnameResolver` from now on; return the previous one."""
        previous, self._nameResolver = self._nameResolver, resolver
        self.resolver = SimpleResolver(resolver, self)
        return previous

    def installResolver(self, resolver: Any) -> Any:
        """
        Look names up with this `IResolverSimple` from now on; return the previous one.

        Raises:
            AssertionError: it provides no `IResolverSimple`.
        """
        if not IResolverSimple.providedBy(resolver):
            raise AssertionError(f"{resolver!r} does not provide IResolverSimple")
        previous, self.resolver = self.resolver, resolver
        self._nameResolver = SimpleNameResolver(resolver)
        return previous

    def resolve(self, name: str, timeout: Sequence[float] = TIMEOUT) -> Deferred[str]:
        """
        Find an IPv4 address for a name.

        Args:
            name: the name; the empty one is any address, ``0.0.0.0``, and an IPv4 address is itself.
            timeout: its sum is the time limit in seconds; 60 if it is empty.

        Returns:
            A Deferred that fires with the first address as text, or fails with DNSLookupError.  A cancel ends
            the look-up.
        """
        if not name:
            return succeed("0.0.0.0")
        if isLiteral(name, AF_INET):
            return succeed(name)
        result: Deferred[str] = self.resolver.getHostByName(name, timeout)
        return result
