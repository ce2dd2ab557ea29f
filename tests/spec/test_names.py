"""The table of names: each is there, is what the document says, and takes the documented parameters."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from zope.interface.interface import InterfaceClass

from twisted_endpoints import endpoints

CLASSES = [
    "StandardIOEndpoint",
    "StandardErrorBehavior",
    "ProcessEndpoint",
    "TCP4ServerEndpoint",
    "TCP6ServerEndpoint",
    "TCP4ClientEndpoint",
    "TCP6ClientEndpoint",
    "HostnameEndpoint",
    "SSL4ServerEndpoint",
    "SSL4ClientEndpoint",
    "UNIXServerEndpoint",
    "UNIXClientEndpoint",
    "AdoptedStreamServerEndpoint",
    "_WrappingProtocol",
    "_WrappingFactory",
    "_ProcessEndpointTransport",
    "_WrapIProtocol",
    "_TCPServerEndpoint",
    "_StandardIOParser",
    "_SystemdParser",
    "_TCP6ServerParser",
    "_WrapperEndpoint",
    "_WrapperServerEndpoint",
    "_TLSClientEndpointParser",
]

#: Each function, with the parameters that the document describes.
FUNCTIONS = {
    "serverFromString": "reactor description",
    "quoteStringArgument": "argument",
    "clientFromString": "reactor description",
    "connectProtocol": "endpoint protocol",
    "wrapClientTLS": "connectionCreator wrappedEndpoint",
    "_parseTCP": "factory port interface backlog",
    "_parseUNIX": "factory address mode backlog lockfile",
    "_parseSSL": "factory port privateKey certKey sslmethod interface backlog extraCertChain dhParameters",
    "_tokenize": "description",
    "_parse": "description",
    "_parseServer": "description factory default",
    "_serverFromStringLegacy": "reactor description default",
    "_matchPluginToPrefix": "plugins endpointType",
    "_parseClientTCP": "*args **kwargs",
    "_loadCAsFromDir": "directoryPath",
    "_parseTrustRootPath": "pathName",
    "_privateCertFromPaths": "certificatePath keyPath",
    "_parseClientSSLOptions": "kwargs",
    "_parseClientSSL": "*args **kwargs",
    "_parseClientUNIX": "*args **kwargs",
    "_parseClientTLS": (
        "reactor host port timeout bindAddress certificate privateKey trustRoots endpoint **kwargs"
    ),
}


def parameters(function: Any) -> list[str]:
    marks: dict[Any, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    found = inspect.signature(function).parameters.values()
    return [marks.get(parameter.kind, "") + parameter.name for parameter in found]


@pytest.mark.parametrize("name", CLASSES)
def test_classesAreThere(name: str) -> None:
    assert isinstance(getattr(endpoints, name), type)


def test_theInterfaceIsThere() -> None:
    assert isinstance(endpoints._IProcessTransportWithConsumerAndProducer, InterfaceClass)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functionsTakeTheDocumentedParameters(name: str) -> None:
    function = getattr(endpoints, name)
    documented = FUNCTIONS[name].split()
    found = parameters(function)
    variable = [parameter for parameter in documented if parameter.startswith("*")]

    assert inspect.isfunction(function)
    assert found[: len(documented) - len(variable)] == documented[: len(documented) - len(variable)]
    assert set(variable) <= set(found)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_whatElseAFunctionTakesIsOptional(name: str) -> None:
    found = inspect.signature(getattr(endpoints, name)).parameters
    others = [parameter for entry, parameter in found.items() if entry not in FUNCTIONS[name].split()]
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    assert all(other.default is not other.empty or other.kind in variable for other in others)


def test_namesWithoutUnderscoreAreOfferedToUsers() -> None:
    public = {name for name in (*CLASSES, *FUNCTIONS) if not name.startswith("_")}
    assert public <= set(endpoints.__all__)
