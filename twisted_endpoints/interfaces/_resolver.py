"""From host names to addresses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zope.interface import Attribute, Interface

if TYPE_CHECKING:
    from ..defer import Deferred
    from ._core import IAddress


class IResolverSimple(Interface):
    """A resolver that knows one address a name."""

    def getHostByName(name: str, timeout: Sequence[int] = ()) -> Deferred[str]:
        """
        Look up one address of a host.

        Args:
            name: the host's name.
            timeout: seconds after which to ask again, one number an attempt; empty for a default.

        Returns:
            A Deferred that fires with the address as text.  It fails with `defer.TimeoutError` when the last
            attempt has had no answer, and with `error.DNSLookupError` where the name is not known.
        """


class IHostResolution(Interface):
    """A look-up that is going on."""

    name: str = Attribute("The host's name, as it was asked for.")

    def cancel() -> None:
        """Abandon the look-up."""


class IResolutionReceiver(Interface):
    """
    Takes a look-up's results, as they come.

    `resolutionBegan` comes first and once, then `addressResolved` once an address, then `resolutionComplete`.
    A name that can't be resolved is one that completes with no address.
    """

    def resolutionBegan(resolutionInProgress: IHostResolution) -> None:
        """
        Learn that the look-up has begun.

        Args:
            resolutionInProgress: by which it can be cancelled.
        """

    def addressResolved(address: IAddress) -> None:
        """
        Take one address.

        Args:
            address: today an `address.IPv4Address` or `address.IPv6Address`; ignore kinds you don't know.
        """

    def resolutionComplete() -> None:
        """Learn that there will be no more addresses."""


class IHostnameResolver(Interface):
    """A resolver that finds all the addresses of a name, of any family."""

    def resolveHostName(
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        """
        Begin to look a name up.

        Args:
            resolutionReceiver: who takes the results.
            hostName: the name; what isn't ASCII is encoded as IDNA.
            portNumber: the port that the addresses shall have.
            addressTypes: the classes of address that are wanted; None for all.
            transportSemantics: ``"TCP"`` for streams or ``"UDP"`` for datagrams: the addresses' ``type``.

        Returns:
            The look-up, which can be cancelled.
        """


class IReactorPluggableResolver(Interface):
    """A reactor whose IPv4 resolver can be replaced; `IReactorPluggableNameResolver` knows IPv6 too."""

    def installResolver(resolver: IResolverSimple) -> IResolverSimple:
        """
        Use another resolver from now on.

        Args:
            resolver: the new one.

        Returns:
            The one before.
        """


class IReactorPluggableNameResolver(Interface):
    """A reactor whose resolver can be replaced."""

    nameResolver: IHostnameResolver = Attribute(
        "The resolver in use, an `IHostnameResolver`; don't assign it."
    )

    def installNameResolver(resolver: IHostnameResolver) -> IHostnameResolver:
        """
        Use another resolver from now on.

        Args:
            resolver: the new one.

        Returns:
            The one before.
        """
