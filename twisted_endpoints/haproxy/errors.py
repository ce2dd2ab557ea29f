"""What is raised for a header that is none."""

from __future__ import annotations


class InvalidProxyHeader(ValueError):
    """These bytes are no header of the PROXY protocol; the text says why, and holds no control characters."""


class InvalidNetworkProtocol(InvalidProxyHeader):
    """The header is about a network protocol that there isn't."""


class MissingAddressData(InvalidProxyHeader):
    """The header's addresses aren't all there."""
