"""The document's first paragraph: what the endpoints implement, which reactor interfaces they wrap."""

from __future__ import annotations

from typing import Any

import pytest
from zope.interface import implementer
from zope.interface.verify import verifyObject

from twisted_endpoints import endpoints
from twisted_endpoints.endpoints import clientFromString, serverFromString
from twisted_endpoints.interfaces import (
    IReactorSSL,
    IReactorTCP,
    IReactorUNIX,
    IStreamClientEndpoint,
    IStreamServerEndpoint,
)
from twisted_endpoints.protocol import Factory
from twisted_endpoints.ssl import CertificateOptions
from twisted_endpoints.testing import MemoryReactorClock

#: The endpoints that wrap a method of a reactor: how each is made, and the reactor's interface.
SERVERS: dict[str, tuple[Any, Any]] = {
    "TCP4ServerEndpoint": ((80,), IReactorTCP),
    "TCP6ServerEndpoint": ((80,), IReactorTCP),
    "SSL4ServerEndpoint": ((443, CertificateOptions()), IReactorSSL),
    "UNIXServerEndpoint": (("/run/server",), IReactorUNIX),
}
CLIENTS: dict[str, tuple[Any, Any]] = {
    "TCP4ClientEndpoint": (("192.0.2.1", 80), IReactorTCP),
    "TCP6ClientEndpoint": (("2001:db8::1", 80), IReactorTCP),
    "SSL4ClientEndpoint": (("192.0.2.1", 443, CertificateOptions()), IReactorSSL),
    "UNIXClientEndpoint": (("/run/server",), IReactorUNIX),
}


def reactorOf(interface: Any) -> Any:
    """Make a reactor that has one interface's methods, and notes their calls."""

    @implementer(interface)
    class Reactor:
        def __init__(self) -> None:
            self.called: list[str] = []

        def __getattr__(self, name: str) -> Any:
            if name not in interface:
                raise AttributeError(name)
            return lambda *args, **kwargs: self.called.append(name)

    return Reactor()


def made(name: str, arguments: tuple[Any, ...], reactor: Any) -> Any:
    return getattr(endpoints, name)(reactor, *arguments)


@pytest.mark.parametrize("name", SERVERS)
def test_serversImplementIStreamServerEndpoint(name: str) -> None:
    assert verifyObject(IStreamServerEndpoint, made(name, SERVERS[name][0], MemoryReactorClock()))


@pytest.mark.parametrize("name", CLIENTS)
def test_clientsImplementIStreamClientEndpoint(name: str) -> None:
    assert verifyObject(IStreamClientEndpoint, made(name, CLIENTS[name][0], MemoryReactorClock()))


def test_aNameBasedClientImplementsItToo() -> None:
    endpoint = endpoints.HostnameEndpoint(MemoryReactorClock(), "192.0.2.1", 80)
    assert verifyObject(IStreamClientEndpoint, endpoint)


@pytest.mark.parametrize("name", SERVERS)
def test_serversWrapTheReactorsInterface(name: str) -> None:
    arguments, interface = SERVERS[name]
    reactor = reactorOf(interface)
    made(name, arguments, reactor).listen(Factory())
    assert reactor.called == [f"listen{interface.__name__.removeprefix('IReactor')}"]


@pytest.mark.parametrize("name", CLIENTS)
def test_clientsWrapTheReactorsInterface(name: str) -> None:
    arguments, interface = CLIENTS[name]
    reactor = reactorOf(interface)
    made(name, arguments, reactor).connect(Factory())
    assert reactor.called == [f"connect{interface.__name__.removeprefix('IReactor')}"]


def test_theMiniLanguageDescribesEndpoints() -> None:
    assert isinstance(serverFromString(object(), "tcp:80"), endpoints.TCP4ServerEndpoint)
    assert isinstance(clientFromString(object(), "tcp:192.0.2.1:80"), endpoints.TCP4ClientEndpoint)
