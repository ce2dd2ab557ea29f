from __future__ import annotations

import os
from pathlib import Path
from socket import AF_INET, AF_INET6, AF_UNSPEC

import pytest

from twisted_endpoints.asyncioreactor.hosts import HostsFile, parseHosts

TEXT = """\
# the usual
127.0.0.1\tlocalhost  LocalHost.LocalDomain
::1 localhost ip6-localhost # and a comment
192.0.2.1
  192.0.2.2   spaced
fe80::1%lo scoped
"""


def test_eachNameHasTheFamiliesOfItsAddresses() -> None:
    assert parseHosts(TEXT) == {
        "localhost": {AF_INET, AF_INET6},
        "localhost.localdomain": {AF_INET},
        "ip6-localhost": {AF_INET6},
        "spaced": {AF_INET},
        "scoped": {AF_INET6},
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
