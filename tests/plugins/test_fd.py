"""``fd:``, by the number of a descriptor."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.inheriting import flags
from tests.running import run
from twisted_endpoints.endpoints import AdoptedStreamServerEndpoint
from twisted_endpoints.protocol import Factory
from twisted_endpoints.strings import DescriptionError, serverFromString


@pytest.fixture(params=["INET", "INET6", "UNIX"])
def given(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(getattr(socket, f"AF_{request.param}")) as made:
        if request.param == "UNIX":
            made.bind(str(tmp_path / "s"))
        made.listen()
        yield made


@pytest.mark.parametrize("spelling", ["fd:{}", "fd:fileno={}", "FD:{}"])
def test_theFamilyIsFoundFromTheSocket(given: socket.socket, spelling: str) -> None:
    # fd:fileno= is how daphne writes it
    endpoint: Any = serverFromString(object(), spelling.format(given.fileno()))
    assert type(endpoint) is AdoptedStreamServerEndpoint
    assert (endpoint.fileno, endpoint.addressFamily) == (given.fileno(), given.family)


def test_theSocketIsListenedOn(reactor: Any) -> None:
    given = socket.create_server(("127.0.0.1", 0))
    number = given.getsockname()[1]

    async def main() -> None:
        port: Any = await serverFromString(reactor, f"fd:{given.detach()}").listen(Factory())
        assert port.getHost().port == number
        await port.stopListening()

    run(reactor, main)


def test_whatCannotBeListenedOnIsAnError() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        number = datagrams.fileno()
        before = flags(number)
        with pytest.raises(DescriptionError) as caught:
            serverFromString(object(), f"fd:{number}")
        assert str(caught.value).splitlines() == [
            (
                f"fileno can't be used: descriptor {number} is a socket for datagrams (SOCK_DGRAM),"
                " and not for streams"
            ),
            f"    fd:{number}",
            "       " + "^" * len(str(number)),
        ]
        assert flags(number) == before


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("fd:9999", "fileno can't be used: descriptor 9999 isn't open"),
        ("fd", "'fd' needs fileno"),
        ("fd:", "fileno must be a whole number"),
        ("fd:-1", "fileno must be a whole number"),
        ("fd:stdin", "fileno must be a whole number"),
        ("fd:99999999999999999999", "fileno must be a whole number"),
        ("fd:3:4", "'fd' takes only one argument"),
        ("fd:3:domain=INET", "'fd' takes no argument 'domain'"),
    ],
)
def test_badStrings(description: str, expected: str) -> None:
    with pytest.raises(DescriptionError) as caught:
        serverFromString(object(), description)
    assert str(caught.value).startswith(expected)


def test_aDescriptorThatIsClosedMeanwhile(given: socket.socket) -> None:
    number = os.dup(given.fileno())
    endpoint = serverFromString(object(), f"fd:{number}")
    os.close(number)
    problems: list[Any] = []
    endpoint.listen(Factory()).addErrback(problems.append)
    assert f"descriptor {number} was closed" in str(problems[0].value)
