"""quoteStringArgument: each sentence of its description."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.plugins.tlsfiles import LEAF, Files
from twisted_endpoints.endpoints import (
    SSL4ServerEndpoint,
    clientFromString,
    quoteStringArgument,
    serverFromString,
)
from twisted_endpoints.protocol import Factory
from twisted_endpoints.ssl import PrivateCertificate
from twisted_endpoints.strings import Description, DescriptionError
from twisted_endpoints.testing import MemoryReactorClock


@pytest.mark.parametrize("path", ["/run/a:b", r"C:\server", "/run/a=b", "[::1]", "/run/a b"])
def test_itQuotesAnArgumentToServersAndClients(path: str) -> None:
    reactor: Any = MemoryReactorClock()
    text = f"unix:{quoteStringArgument(path)}"
    serverFromString(reactor, text).listen(Factory())
    clientFromString(reactor, text).connect(Factory())
    assert (reactor.unixServers[0][0], reactor.unixClients[0][0]) == (path, path)


def test_aPathThatIsNotQuotedMayAppearToWork(files: Files) -> None:
    assert serverFromString(MemoryReactorClock(), f"ssl:443:privateKey={files.leaf_pem}")
    with pytest.raises(DescriptionError):
        serverFromString(MemoryReactorClock(), r"ssl:443:privateKey=C:\leaf.pem")


def test_itIsCorrectForAnyPath(files: Files) -> None:
    folder = Path("C:\\")
    folder.mkdir()
    files.write(f"{folder}/leaf.pem", LEAF.pem)
    path = f"{folder}/leaf.pem"
    endpoint = serverFromString(MemoryReactorClock(), f"ssl:443:privateKey={quoteStringArgument(path)}")
    assert isinstance(endpoint, SSL4ServerEndpoint)


def test_usuallyTheEndpointsTypeIsConstructedInstead(files: Files) -> None:
    options = PrivateCertificate.loadPEM(Path(files.leaf_pem).read_bytes()).options()
    reactor = MemoryReactorClock()
    factory = Factory()
    SSL4ServerEndpoint(reactor, 443, options).listen(factory)
    assert reactor.sslServers == [(443, factory, options, 50, "")]


@given(st.text(st.characters(codec="utf-8")))
def test_whatItReturnsPassesThrough(argument: str) -> None:
    quoted = quoteStringArgument(argument)
    description = Description.parse(f"prefix:{quoted}:name={quoted}")
    assert (description.args, description.kwargs) == ((argument,), {"name": argument})
