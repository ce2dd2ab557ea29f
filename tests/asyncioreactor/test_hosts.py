from __future__ import annotations

import os
from pathlib import Path
from socket import AF_INET, AF_INET6, AF_UNSPEC, AddressFamily

import pytest

from twisted_endpoints.asyncioreactor.hosts import HostsFile, filesFirst, parseHosts

TEXT = b"""\
# the usual
127.0.0.1\tlocalhost  LocalHost.LocalDomain
::1 localhost ip6-localhost # and a comment
192.0.2.1
  192.0.2.2   spaced
# What the system takes for no address.
fe80::1%lo scoped
127.0.0.300 high
127.1 short
::ffff:192.0.2.3 mapped
192.0.2.4 dotted. again again.
192.0.2.5 carriage\rreturn no\xc2\xa0break separators\x1cof\xe2\x80\xa8python # \x85 192.0.2.6 remark
192.0.2.7 before\0behind
"""


def test_eachNameHasTheFamiliesOfItsAddresses() -> None:
    assert parseHosts(TEXT) == {
        "localhost": {AF_INET, AF_INET6},
        "localhost.localdomain": {AF_INET},
        "ip6-localhost": {AF_INET6},
        "spaced": {AF_INET},
        "mapped": {AF_INET6},
        **{key: {AF_INET} for key in ("dotted.", "again", "again.", "carriage", "return", "before")},
        # Two names of bytes, which nobody asks for in these letters.
        "no\xc2\xa0break": {AF_INET},
        "separators\x1cof\xe2\x80\xa8python": {AF_INET},
    }


@pytest.mark.parametrize(
    ("name", "family", "spelling", "certain"),
    [
        ("localhost", AF_UNSPEC, "localhost", True),
        ("LOCALHOST", AF_INET6, "LOCALHOST", True),
        ("localhost.", AF_INET, "localhost", True),
        ("spaced", AF_INET6, None, False),
        ("spaced", AF_UNSPEC, "spaced", True),
        # The system may have an address of IPv4 for these.
        ("ip6-localhost", AF_INET, "ip6-localhost", False),
        ("mapped", AF_INET, "mapped", False),
        ("mapped", AF_INET6, "mapped", True),
        ("dotted.", AF_INET, "dotted.", False),
        ("dotted", AF_INET, None, False),
        ("again.", AF_INET, "again.", True),
        ("192.0.2.1", AF_UNSPEC, None, False),
        ("scoped", AF_UNSPEC, None, False),
        ("example.com", AF_UNSPEC, None, False),
        ("no\xa0break", AF_UNSPEC, None, False),
        ("no", AF_UNSPEC, None, False),
        ("no\xc2\xa0break", AF_UNSPEC, None, False),
        ("\N{KELVIN SIGN}nown", AF_UNSPEC, None, False),
        ("", AF_UNSPEC, None, False),
        (".", AF_UNSPEC, None, False),
    ],
)
def test_howTheSystemIsAskedForAName(
    tmp_path: Path, name: str, family: AddressFamily, spelling: str | None, certain: bool
) -> None:
    path = tmp_path / "hosts"
    path.write_bytes(TEXT + b"192.0.2.8 known\n")
    hosts = HostsFile(str(path), True)
    assert hosts.spelling(name, family) == spelling
    assert (hosts.spellingAtOnce(name, family) is not None) == certain


def test_theFileIsReadAgainWhenItHasChanged(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    hosts = HostsFile(str(path))
    assert not hosts.spelling("one", AF_UNSPEC)
    path.write_text("192.0.2.1 one\n")
    assert hosts.spelling("one", AF_UNSPEC)
    path.write_text("192.0.2.1 two\n")
    os.utime(path, (1, 1))
    assert not hosts.spelling("one", AF_UNSPEC)
    assert hosts.spelling("two", AF_UNSPEC)
    path.unlink()
    assert not hosts.spelling("two", AF_UNSPEC)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("hosts: files dns\n", True),
        ("passwd: files\n  hosts:files mdns4_minimal [NOTFOUND=return] dns\n", True),
        ("hosts: dns files\n", False),
        # It asks the others too.
        ("hosts: files [SUCCESS=continue] dns\n", False),
        ("hosts:\nfiles\n", False),
        ("hosts: mymachines files dns\n", False),
        ("hosts: filesystem dns\n", False),
        ("# hosts: files\n", False),
        ("", False),
    ],
)
def test_whetherTheSystemLooksIntoTheFileFirst(tmp_path: Path, text: str, first: bool) -> None:
    path = tmp_path / "nsswitch.conf"
    assert not filesFirst(str(path))
    path.write_text(text)
    assert filesFirst(str(path)) is first


@pytest.mark.parametrize(
    ("more", "first", "name", "family", "atOnce"),
    [
        (b"", True, "localhost", AF_UNSPEC, True),
        (b"", True, "spaced", AF_INET, True),
        (b"", True, "spaced", AF_INET6, False),
        (b"", True, "example.com", AF_UNSPEC, False),
        (b"", False, "localhost", AF_UNSPEC, False),
        # One that keeps advertisements away may have a hundred thousand lines.
        (b"0.0.0.0 advertisement.example\n" * 600, True, "localhost", AF_UNSPEC, False),
    ],
)
def test_whatTheSystemAnswersAtOnce(
    tmp_path: Path, more: bytes, first: bool, name: str, family: AddressFamily, atOnce: bool
) -> None:
    path = tmp_path / "hosts"
    hosts = HostsFile(str(path), first)
    assert hosts.spellingAtOnce(name, family) is None
    path.write_bytes(TEXT + more)
    assert hosts.spellingAtOnce(name, family) == (name if atOnce else None)
