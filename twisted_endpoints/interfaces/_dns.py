"""All of DNS: a resolver that answers for each type of record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ._resolver import IResolverSimple

if TYPE_CHECKING:
    from ..defer import Deferred


class IResolver(IResolverSimple):
    """
    A DNS resolver.

    Each method takes a name and a timeout (seconds after which to ask again, one number an attempt; when
    the last has passed, the query has failed).  Each Deferred fires with three lists of records, the answers,
    the authorities and the additional ones; or fails with the resolver's error or `NotImplementedError`.
    """

    def query(query: Any, timeout: Sequence[int]) -> Deferred[Any]:
        """
        Ask for what a query object says.

        Args:
            query: name, class and type of the records.
            timeout: as everywhere in this interface.
        """

    def lookupAddress(name: str, timeout: Sequence[int]) -> Deferred[Any]:
        """Look up A records: IPv4 addresses."""

    def lookupAddress6(name: str, timeout: Sequence[int]) -> Deferred[Any]:
        """Look up A6 records: IPv6 addresses in the abandoned A6 form."""

    def lookupIPV6Address(name: str, timeout: Sequence[int]) -> Deferred[Any]:
        """Look up AAAA records: IPv6 addresses."""

    def lookupMailExchange(name: str, timeout: Sequence[int]) -> Deferred[Any]:
        """Look up MX records: mail servers."""

    def lookupNameservers(name: str, timeout: Sequence[int]) -> Deferred[Any]:
        """Look up NS records: name servers."""

    def lookupCanonicalName(name: str, timeout: Sequence[int]) -> Deferred[Any]:
        """Look up CNAME records: real name behind an alias."""

    def lookupMailBox(name: str, timeout: Sequence[int]) -> Deferred[Any]:
        """Look up MB records: host of a mailbox."""

    def lookupMailGroup(name: str, timeout: Sequence[int]) -> Deferred[Any]:
        """Look up MG records: members of a mail group."""

    def lookupMailRename(name: str, timeout: Sequence[int]) -> Deferred[Any]:
        """Look up MR records: new name of a mailbox."""

    def lookupPointer(name: str, timeout: Sequence[int]) -> Deferred[Any]:
        """Look up PTR records: name behind an address."""

    def lookupAuthority(name: str, timeout: Sequence[int]) -> Deferred[Any]:
        """Look up SOA records: start of authority of a zone."""

    def lookupNull(name: str, timeout: Sequence[int]) -> Deferred[Any]:
        """Look up NULL records: records of no defined content."""

    def lookupWellKnownServices(name: str, timeout: Sequence[int]) -> Deferred[Any]:
        """Look up WKS records: services of a host."""

    def lookupHostInfo(name: str, timeout: Sequence[int]) -> Deferred[Any]:
        """Look up HINFO records: hardware and system of a host."""

    def lookupMailboxInfo(name: str, timeout: Sequence[int]) -> Deferred[Any]:
        """Look up MINFO records: people in charge of a mailbox or list."""

    def lookupText(name: str, timeout: Sequence[int]) -> Deferred[Any]:
        """Look up TXT records: texts."""

    def lookupResponsibility(name: str, timeout: Sequence[int]) -> Deferred[Any]:
        """Look up RP records: person in charge of a host."""

    def lookupAFSDatabase(name: str, timeout: Sequence[int]) -> Deferred[Any]:
        """Look up AFSDB records: AFS database servers."""

    def lookupService(name: str, timeout: Sequence[int]) -> Deferred[Any]:
        """Look up SRV records: hosts and ports of a service."""

    def lookupAllRecords(name: str, timeout: Sequence[int]) -> Deferred[Any]:
        """Look up ANY records: records of every type that the server cares to send."""

    def lookupSenderPolicy(name: str, timeout: Sequence[int]) -> Deferred[Any]:
        """Look up SPF records: mail sender policy."""

    def lookupNamingAuthorityPointer(name: str, timeout: Sequence[int]) -> Deferred[Any]:
        """Look up NAPTR records: rules that rewrite a name to a URI or service."""

    def lookupZone(name: str, timeout: int) -> Deferred[Any]:
        """Transfer a zone (AXFR): all its records come as answers, and `timeout` is one number of seconds."""
