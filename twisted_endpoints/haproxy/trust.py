"""Who is believed: the networks that proxies are in.  Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..address import IPv4Address, IPv6Address, UNIXAddress

if TYPE_CHECKING:
    from typing_extensions import Self

_ANY, _UNIX = "any", "unix"


class AnyProxyWarning(UserWarning):
    """Whoever connects may say that he is somebody else, as with Twisted's ``haproxy:``."""


@dataclass(frozen=True)
class Trust:
    """
    Whose headers are believed.

    Args:
        networks: of IP; of a network of one address, that one.
        unix: whoever connects to a UNIX socket; the socket's mode says who can.
        everybody: there is no limit.
    """

    networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()
    unix: bool = False
    everybody: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """
        Read networks with commas between: ``10.0.0.0/8,192.0.2.7,fd00::/8``; or ``unix`` or ``any`` there.

        Raises:
            ValueError: one of them is none.
        """
        words = text.split(",")
        networks = tuple(_network(word) for word in words if word not in (_ANY, _UNIX))
        return cls(networks, _UNIX in words, _ANY in words)

    def __str__(self) -> str:
        words = [_ANY] * self.everybody + [_UNIX] * self.unix
        return ",".join([*words, *map(_shown, self.networks)])

    def __contains__(self, address: object) -> bool:
        """Tell whether a header from this address is believed."""
        if self.everybody:
            return True
        if isinstance(address, UNIXAddress):
            return self.unix
        if not isinstance(address, (IPv4Address, IPv6Address)):
            return False
        try:
            host = ipaddress.ip_address(address.host.partition("%")[0])
        except ValueError:
            return False
        # A socket of both families shows an IPv4 peer as IPv6.
        mapped = getattr(host, "ipv4_mapped", None)
        return any((mapped or host) in network for network in self.networks)


#: What a program that doesn't say otherwise gets, as with Twisted.
EVERYBODY = Trust(everybody=True)


def _network(word: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """
    Read a network, or one address.

    Raises:
        ValueError: it isn't one.
    """
    try:
        return ipaddress.ip_network(word)
    except ValueError:
        pass
    try:
        wider = ipaddress.ip_network(word, strict=False)
    except ValueError:
        raise ValueError(f"{word!r} is neither a network, nor an address, nor {_UNIX} or {_ANY}.") from None
    raise ValueError(f"{word!r} is an address in a network: write {wider} for all of that.")


def _shown(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> str:
    return str(network.network_address) if network.num_addresses == 1 else str(network)
