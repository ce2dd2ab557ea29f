"""Whose headers are believed."""

from __future__ import annotations

import re

import pytest

from twisted_endpoints.address import HostnameAddress, IPv4Address, IPv6Address, UNIXAddress
from twisted_endpoints.haproxy.trust import EVERYBODY, Trust

V4 = IPv4Address("TCP", "10.1.2.3", 1)
MAPPED = IPv6Address("TCP", "::ffff:10.1.2.3", 1)
V6 = IPv6Address("TCP", "fd00::1", 1)
SCOPED = IPv6Address("TCP", "fe80::1%eth0", 1)
UNIX = UNIXAddress(None)
NAME = HostnameAddress(b"10.1.2.3", 1)
ALL = [V4, MAPPED, V6, SCOPED, UNIX, NAME, None, IPv4Address("TCP", "proxy", 1)]


@pytest.mark.parametrize(
    ("text", "believed"),
    [
        ("10.0.0.0/8", [V4, MAPPED]),
        ("10.1.2.3", [V4, MAPPED]),
        ("10.1.2.4", []),
        ("192.0.2.0/24,10.1.0.0/16", [V4, MAPPED]),
        ("fd00::/8", [V6]),
        ("fe80::/10", [SCOPED]),
        ("fd00::1,10.1.2.3", [V4, MAPPED, V6]),
        ("0.0.0.0/0", [V4, MAPPED]),
        ("::/0", [V6, SCOPED]),
        ("unix", [UNIX]),
        ("10.1.2.3,unix", [V4, MAPPED, UNIX]),
        ("any", ALL),
        ("unix,any", ALL),
    ],
)
def test_whoIsBelieved(text: str, believed: list[object]) -> None:
    trust = Trust.parse(text)
    assert [address for address in ALL if address in trust] == believed
    assert Trust.parse(str(trust)) == trust


def test_everybodyAndNobody() -> None:
    assert all(address in EVERYBODY for address in ALL)
    assert not any(address in Trust() for address in ALL)
    assert (str(EVERYBODY), str(Trust.parse("fd00::/8,10.0.0.1,unix"))) == ("any", "unix,fd00::/8,10.0.0.1")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "'' is neither a network, nor an address, nor unix or any."),
        ("10.0.0.0/8,", "'' is neither"),
        ("10.0.0.0/8, 10.0.0.1", "' 10.0.0.1' is neither"),
        ("proxy.example.com", "'proxy.example.com' is neither"),
        ("10.0.0.0/33", "'10.0.0.0/33' is neither"),
        ("10.0.0.0/-1", "'10.0.0.0/-1' is neither"),
        ("010.0.0.1", "'010.0.0.1' is neither"),
        ("10.1.2.3/8", "'10.1.2.3/8' is an address in a network: write 10.0.0.0/8 for all of that."),
        ("ANY", "'ANY' is neither"),
    ],
)
def test_whatIsNoNetworkIsRefused(text: str, hint: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(hint)}"):
        Trust.parse(text)
