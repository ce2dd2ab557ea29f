from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest
from zope.interface.verify import verifyObject

from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.address import HostnameAddress, IPv4Address, IPv6Address, UNIXAddress, _ProcessAddress
from twisted_endpoints.interfaces import IAddress

SAMPLES: list[Any] = [
    IPv4Address("TCP", "127.0.0.1", 80),
    IPv4Address("UDP", "127.0.0.1", 80),
    IPv4Address("TCP", "127.0.0.2", 80),
    IPv4Address("TCP", "127.0.0.1", 81),
    IPv6Address("TCP", "::1", 80),
    IPv6Address("TCP", "::1", 80, 1),
    IPv6Address("TCP", "::1", 80, 0, "eth0"),
    HostnameAddress(b"example.com", 80),
    HostnameAddress(b"example.net", 80),
    UNIXAddress(None),
    UNIXAddress("/nowhere/a"),
    UNIXAddress(b"/nowhere/b"),
    UNIXAddress(b""),
    UNIXAddress(b"\0abstract"),
    UNIXAddress(b"\0other"),
]


@pytest.mark.parametrize("address", SAMPLES, ids=repr)
def test_addressesProvideTheInterface(address: object) -> None:
    assert verifyObject(IAddress, address)


def test_processesHaveAnAddress() -> None:
    assert verifyObject(IAddress, _ProcessAddress())


@pytest.mark.parametrize("index", range(len(SAMPLES)))
def test_addressEqualsItselfAndNoOther(index: int) -> None:
    address = SAMPLES[index]

    assert [other == address for other in SAMPLES] == [n == index for n in range(len(SAMPLES))]
    assert address != "127.0.0.1"
    assert pickle.loads(pickle.dumps(address)) == address


@pytest.mark.parametrize(
    "address", [sample for sample in SAMPLES if not isinstance(sample, UNIXAddress)], ids=repr
)
def test_equalAddressesHashAlike(address: Any) -> None:
    assert hash(type(address)(**vars(address))) == hash(address)


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (IPv4Address("TCP", "127.0.0.1", 80), "IPv4Address(type='TCP', host='127.0.0.1', port=80)"),
        (
            IPv6Address("UDP", "::1", 80),
            "IPv6Address(type='UDP', host='::1', port=80, flowInfo=0, scopeID=0)",
        ),
        (HostnameAddress(b"example.com", 80), "HostnameAddress(hostname=b'example.com', port=80)"),
        (UNIXAddress(b"/run/a"), "UNIXAddress('/run/a')"),
        (UNIXAddress("/run/\u00e9"), "UNIXAddress('/run/\u00e9')"),
        (UNIXAddress(None), "UNIXAddress(None)"),
    ],
)
def test_representation(address: object, text: str) -> None:
    assert repr(address) == text


def test_addressesOfOneKindAreOrdered() -> None:
    low, high = IPv4Address("TCP", "127.0.0.1", 9), IPv4Address("TCP", "127.0.0.1", 10)

    assert sorted([high, low]) == [low, high]
    with pytest.raises(TypeError):
        sorted([low, HostnameAddress(b"a", 1)])  # type: ignore[type-var]


@pytest.mark.parametrize("kind", [IPv4Address, IPv6Address])
def test_unknownTypeIsRefused(kind: Any) -> None:
    with pytest.raises(ValueError, match="'SCTP'"):
        kind("SCTP", "127.0.0.1", 80)


def test_unixNameIsBytes() -> None:
    assert UNIXAddress("/run/a").name == UNIXAddress(b"/run/a").name == b"/run/a"


@pytest.mark.skipif(vocabulary == "twisted", reason="Twisted takes no path objects")
def test_unixNameMayBeAPath() -> None:
    assert UNIXAddress(Path("/run/a")).name == b"/run/a"


def test_twoNamesOfOneFileAreEqual(tmp_path: Path) -> None:
    (tmp_path / "socket").touch()
    os.symlink(tmp_path / "socket", tmp_path / "link")
    one, two = UNIXAddress(str(tmp_path / "socket")), UNIXAddress(str(tmp_path / "link"))

    assert one == two
    assert hash(one) == hash(two)


def test_theNameOfAMissingFileIsHashed() -> None:
    assert hash(UNIXAddress("/nowhere/a")) == hash(UNIXAddress(b"/nowhere/a"))
    assert hash(UNIXAddress(None)) == hash(UNIXAddress(None))


@pytest.mark.skipif(vocabulary == "twisted", reason="Twisted raises ValueError for the NUL")
def test_abstractNamesCanBeHashed() -> None:
    assert hash(UNIXAddress(b"\0abstract")) == hash(UNIXAddress("\0abstract"))


@pytest.mark.parametrize(
    ("address", "fields"),
    [
        (IPv4Address("TCP", "127.0.0.1", 80), ("type", "host", "port")),
        (IPv6Address("TCP", "::1", 80), ("type", "host", "port", "flowInfo", "scopeID")),
        (HostnameAddress(b"a", 80), ("hostname", "port")),
        (UNIXAddress(b"/a"), ("name",)),
    ],
)
def test_addressesCanBeMatchedByPosition(address: Any, fields: tuple[str, ...]) -> None:
    assert type(address).__match_args__ == fields
