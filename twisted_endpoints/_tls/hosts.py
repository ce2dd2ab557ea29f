"""The host that a client means: what it asks for by SNI, and what the server's certificate must name."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address

from service_identity.hazmat import DNS_ID, IPAddress_ID, ServiceID


@dataclass(frozen=True)
class Host:
    """
    A host, as the user wrote it and as certificates do.

    Args:
        text: as it was written.
        ascii: the name in ASCII (IDNA 2008), in lower case and without a dot at the end; or the address,
            without a zone.
        isName: whether it is a name, and not an address.
    """

    text: str
    ascii: str
    isName: bool

    @classmethod
    def parse(cls, text: str) -> Host:
        """
        Understand a host.

        Raises:
            ValueError: it is no name and no address.
        """
        address = text.partition("%")[0]  # the zone of fe80::1%eth0 is this machine's own business
        try:
            ip_address(address)
        except ValueError:
            return cls(text, _toASCII(text), True)
        return cls(text, address, False)

    def serviceID(self) -> ServiceID:
        """
        Get what service-identity compares certificates with.

        Raises:
            ValueError: no certificate can be for such a name.
        """
        return DNS_ID(self.ascii) if self.isName else IPAddress_ID(self.ascii)


def _toASCII(text: str) -> str:
    if text.isascii():
        name = text.lower()
    else:
        import idna

        # UTS 46, as browsers do and as the look-up of the name does.
        name = idna.encode(text, uts46=True).decode("ascii")
    # The dot at the end means "complete"; neither SNI (RFC 6066, section 3) nor certificates have it.
    name = name.removesuffix(".")
    if any(not 1 <= len(label) <= 63 for label in name.split(".")):
        raise ValueError(f"{text!r} is no host name: each part between its dots has 1 to 63 characters")
    return name
