from __future__ import annotations

import os
from pathlib import Path
from socket import AF_INET, AF_INET6, AF_UNSPEC

import pytest

from twisted_endpoints.asyncioreactor.hosts import HostsFile, filesFirst, parseHosts

TEXT = """\
# the usual
127.0.0.1\tlocalhost  LocalHost.LocalDomain
::1 localhost ip6-localhost # and a comment
192.0.2.1
  192.0.2.2   spaced
# What the system takes for no address.
fe80::1%lo scoped
127.0.0.300 high
127.1 short
"""


def test_eachNameHasTheFamiliesOfItsAddresses() -> None:
    assert parseHosts(TEXT) == {
        "localhost": {AF_INET, AF_INET6},
        "localhost.localdomain": {AF_INET},
        "ip6-localhost": {AF_INET6},
        "spaced": {AF_INET},
    }


@pytest.mark.parametrize(
    ("name", "family", "known"),
    [
        ("localhost", AF_UNSPEC, True),
        ("LOCALHOST", AF_INET6, True),
        ("localhost.", AF_INET, True),
        ("spaced", AF_INET6, False),
        ("spaced", AF_UNSPEC, True),
        ("192.0.2.1", AF_UNSPEC, False),
        ("scoped", AF_UNSPEC, False),
        ("example.com", AF_UNSPEC, False),
    ],
)
def test_aNameIsKnownByFamily(tmp_path: Path, name: str, family: int, known: bool) -> None:
    path = tmp_path / "hosts"
    path.write_text(TEXT)
    assert HostsFile(str(path)).knows(name, family) is known  # type: ignore[arg-type]


def test_theFileIsReadAgainWhenItHasChanged(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    hosts = HostsFile(str(path))
    assert not hosts.knows("one", AF_UNSPEC)
    path.write_text("192.0.2.1 one\n")
    assert hosts.knows("one", AF_UNSPEC)
    path.write_text("192.0.2.1 two\n")
    os.utime(path, (1, 1))
    assert not hosts.knows("one", AF_UNSPEC)
    assert hosts.knows("two", AF_UNSPEC)
    path.unlink()
    assert not hosts.knows("two", AF_UNSPEC)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("hosts: files dns\n", True),
        ("passwd: files\n  hosts:files mdns4_minimal [NOTFOUND=return] dns\n", True),
        ("hosts: dns files\n", False),
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
        ("", True, "localhost", AF_UNSPEC, True),
        ("", True, "spaced", AF_INET, True),
        ("", True, "spaced", AF_INET6, False),
        ("", True, "example.com", AF_UNSPEC, False),
        ("", False, "localhost", AF_UNSPEC, False),
        # One that keeps advertisements away may have a hundred thousand lines.
        ("0.0.0.0 advertisement.example\n" * 600, True, "localhost", AF_UNSPEC, False),
    ],
)
def test_whatTheSystemAnswersAtOnce(
    tmp_path: Path, more: str, first: bool, name: str, family: int, atOnce: bool
) -> None:
    path = tmp_path / "hosts"
    hosts = HostsFile(str(path), first)
    assert not hosts.answersAtOnce(name, family)  # type: ignore[arg-type]
    path.write_text(TEXT + more)
    assert hosts.answersAtOnce(name, family) is atOnce  # type: ignore[arg-type]
