"""
Names of `twisted.internet.endpoints` about TLS that are documented, and that we wouldn't write ourselves.

The parsers in `twisted_endpoints.plugins` do this work now.  Each name here re-tells a part of it in its old
shape, for programs that lean on it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

from OpenSSL import SSL, crypto
from OpenSSL.crypto import FILETYPE_PEM

from ..interfaces import IStreamClientEndpoint
from ..plugins.ssl import server as _sslServer
from ..plugins.tls import client as _tlsClient
from ..plugins.tls import server as _tlsServer
from ..ssl import (
    Certificate,
    CertificateOptions,
    KeyPair,
    PrivateCertificate,
    optionsForClientTLS,
    trustRootFromCertificates,
)
from ._compat import _parseClientTCP
from .tcp import TCP4ClientEndpoint, TCP4ServerEndpoint
from .tls import SSL4ClientEndpoint, SSL4ServerEndpoint
from .unix import UNIXClientEndpoint, UNIXServerEndpoint

#: The parsers of ``tls:``.
_TLSClientEndpointParser = type(_tlsClient)
_TLSServerEndpointParser = type(_tlsServer)

#: The endpoints that belong to the names that `_parseServer` returns, and to their clients.
_endpointServerFactories: dict[str, Callable[..., Any]] = {
    "TCP": TCP4ServerEndpoint,
    "SSL": SSL4ServerEndpoint,
    "UNIX": UNIXServerEndpoint,
}
_endpointClientFactories: dict[str, Callable[..., Any]] = {
    "TCP": TCP4ClientEndpoint,
    "SSL": SSL4ClientEndpoint,
    "UNIX": UNIXClientEndpoint,
}


def _content(path: Any) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _parseSSL(
    factory: object,
    port: str,
    privateKey: str = "server.pem",
    certKey: str | None = None,
    sslmethod: str | None = None,
    interface: str = "",
    backlog: str | int = 50,
    extraCertChain: str | None = None,
    dhParameters: str | None = None,
    **more: str,
) -> tuple[tuple[int, object, Any], dict[str, Any]]:
    """
    Read the arguments of an ``ssl:`` server.

    Kept because it is documented, and for what `twisted.application.strports` does with `_parseServer`.

    Returns:
        The arguments and keywords for `IReactorSSL.listenSSL`.

    Raises:
        DescriptionError: no endpoint can be made of them.
    """
    optional = {
        "certKey": certKey,
        "sslmethod": sslmethod,
        "extraCertChain": extraCertChain,
        "dhParameters": dhParameters,
    }
    more.update((name, value) for name, value in optional.items() if value is not None)
    endpoint: Any = _sslServer.parseStreamServer(
        None, port, privateKey, interface=interface, backlog=backlog, **more
    )
    return (
        (endpoint._port, factory, endpoint._sslContextFactory),
        {"interface": endpoint._interface, "backlog": endpoint._backlog},
    )


def _loadCAsFromDir(directoryPath: Any) -> Any:
    """
    Read the certificates of the authorities in a folder: the first one in each file whose name ends with
    ``.pem``.  What can't be read, and what is no certificate, is passed over.

    Kept because it is documented.

    Args:
        directoryPath: the folder's path, or a `FilePath`.

    Returns:
        What trusts them, each once.
    """
    found: dict[bytes, Certificate] = {}
    for data in _pems(directoryPath):
        try:
            certificate = Certificate.loadPEM(data)
        except (crypto.Error, SSL.Error, ValueError):
            continue
        found[certificate.digest("sha256")] = certificate
    return trustRootFromCertificates(found.values())


def _pems(folder: Any) -> Iterator[bytes]:
    """Read the files of a folder that can be read."""
    if hasattr(folder, "children"):
        readers = [(child.basename(), child.getContent) for child in folder.children()]
    else:
        readers = [(entry.name, lambda path=entry.path: _content(path)) for entry in os.scandir(folder)]
    for name, read in readers:
        if os.fsdecode(name).lower().endswith(".pem"):
            try:
                yield read()
            except OSError:
                continue


def _parseTrustRootPath(pathName: str | bytes | None) -> Any:
    """
    Read whom to trust from a folder.

    Kept because it is documented.

    Returns:
        What `_loadCAsFromDir` returns, or None for None.
    """
    return None if pathName is None else _loadCAsFromDir(pathName)


def _privateCertFromPaths(
    certificatePath: str | bytes | None, keyPath: str | bytes | None
) -> PrivateCertificate | None:
    """
    Read a certificate and its key.

    Kept because it is documented.

    Args:
        certificatePath: of the file with the certificate; None for none.
        keyPath: of the file with the key; None if it is that of the certificate.

    Raises:
        OSError: a file can't be read.
        OpenSSL.crypto.Error: there is no certificate, or no key, in it.
        error.VerifyError: they don't belong together.
    """
    if certificatePath is None:
        return None
    data = _content(certificatePath)
    if keyPath is None:
        return PrivateCertificate.loadPEM(data)
    key = KeyPair.load(_content(keyPath), FILETYPE_PEM)
    return PrivateCertificate.fromCertificateAndKeyPair(Certificate.loadPEM(data), key)


def _parseClientSSLOptions(kwargs: dict[str, Any]) -> dict[str, Any]:
    """
    Replace the arguments ``certKey``, ``privateKey``, ``caCertsDir`` and ``hostname`` by an
    ``sslContextFactory`` that does what they say; without ``hostname`` that lets anybody be the server.

    Kept because it is documented.

    Args:
        kwargs: the arguments of an ``ssl:`` client; it is changed.

    Returns:
        The same object.
    """
    hostname = kwargs.pop("hostname", None)
    shown = _privateCertFromPaths(kwargs.pop("certKey", None), kwargs.pop("privateKey", None))
    trustRoot = _parseTrustRootPath(kwargs.pop("caCertsDir", None))
    if hostname is not None:
        kwargs["sslContextFactory"] = optionsForClientTLS(_text(hostname), trustRoot, shown)
    else:
        kwargs["sslContextFactory"] = CertificateOptions(
            trustRoot=trustRoot,
            privateKey=None if shown is None else shown.privateKey.original,
            certificate=None if shown is None else shown.original,
        )
    return kwargs


def _parseClientSSL(*args: str, **kwargs: Any) -> dict[str, Any]:
    """
    Read the arguments of an ``ssl:`` client: those of a ``tcp:`` client, and those that
    `_parseClientSSLOptions` replaces.

    Kept because it is documented.

    Returns:
        The keywords for `SSL4ClientEndpoint`.  What isn't given isn't there.
    """
    return _parseClientSSLOptions(_parseClientTCP(*args, **kwargs))


def _parseClientTLS(
    reactor: Any,
    host: str | bytes,
    port: str | bytes,
    timeout: str | bytes = b"30",
    bindAddress: str | bytes | None = None,
    certificate: str | bytes | None = None,
    privateKey: str | bytes | None = None,
    trustRoots: str | bytes | None = None,
    endpoint: str | bytes | None = None,
    **kwargs: object,
) -> IStreamClientEndpoint:
    """
    Make the endpoint that a ``tls:`` client's arguments name.

    Kept because it is documented.

    Raises:
        DescriptionError: no endpoint can be made of them.
    """
    optional = {
        "bindAddress": bindAddress,
        "certificate": certificate,
        "privateKey": privateKey,
        "trustRoots": trustRoots,
        "endpoint": endpoint,
    }
    given = {name: value for name, value in optional.items() if value is not None}
    made: IStreamClientEndpoint = _tlsClient.parseStreamClient(
        reactor, host, port, timeout=timeout, **given, **kwargs
    )
    return made


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
