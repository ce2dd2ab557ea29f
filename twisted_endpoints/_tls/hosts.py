"""The host that a client means: what it asks for by SNI, and what the server's certificate must name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from cryptography import x509
from service_identity import CertificateError
from service_identity.hazmat import (
    DNS_ID,
    DNSPattern,
    IPAddress_ID,
    IPAddressPattern,
    ServiceID,
)


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

    @staticmethod
    def parse(text: str) -> Host:
        """
        Understand a host.

        Raises:
            ValueError: it is no name and no address.
        """
        return _parsed(text)

    @cached_property
    def serviceID(self) -> ServiceID:
        """What service-identity compares with a certificate's names."""
        return DNS_ID(self.ascii) if self.isName else IPAddress_ID(self.ascii)

    def isNamedBy(self, certificate: x509.Certificate) -> bool:
        """
        Tell whether a certificate is for this host.

        Only its subjectAltName counts: no common name does (RFC 9525, section 2).  A name in it that can't be
        any is passed over (section 6.3).
        """
        return _isNamedBy(self, certificate)


@lru_cache(maxsize=128)
def _parsed(text: str) -> Host:
    # Remembered: programs make an endpoint of the same few strings each time that they connect.
    address = text.partition("%")[0]  # the zone of fe80::1%eth0 is this machine's own business
    try:
        ip_address(address)
    except ValueError:
        host = Host(text, _toASCII(text), True)
    else:
        host = Host(text, address, False)
    try:
        host.serviceID  # noqa: B018
    except ValueError:
        raise ValueError(f"{text!r} is no host name: a certificate can't be for it") from None
    return host


@lru_cache(maxsize=128)
def _isNamedBy(host: Host, certificate: x509.Certificate) -> bool:
    # Remembered: whoever connects to a host again is mostly shown the same certificate.
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    patterns = _dnsNames(names, host) if host.isName else _addresses(names)
    return any(host.serviceID.verify(pattern) for pattern in patterns)


def _dnsNames(names: x509.SubjectAlternativeName, host: Host) -> Iterator[DNSPattern]:
    for name in names.get_values_for_type(x509.DNSName):
        # Cheap, before what isn't: a certificate may have hundreds.
        if "*" not in name and name.lower() != host.ascii:
            continue
        try:
            yield DNSPattern.from_bytes(name.encode())
        except CertificateError:
            continue  # *.com, or an address that is written as a name


def _addresses(names: x509.SubjectAlternativeName) -> Iterator[IPAddressPattern]:
    for address in names.get_values_for_type(x509.IPAddress):
        if isinstance(address, (IPv4Address, IPv6Address)):  # networks are for constraints only
            yield IPAddressPattern(address)


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
