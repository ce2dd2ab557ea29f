"""``tls:``, TLS around any other endpoint: the server's certificate is shown, and checked by the client."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from . import (
    Backlog,
    ClientParser,
    Host,
    Inner,
    Interface,
    Missing,
    Path,
    Port,
    Protocols,
    Refused,
    Seconds,
    ServerParser,
    TLSVersion,
)
from ._tls import (
    CLIENTS,
    SERVERS,
    Ciphers,
    argumentsOf,
    authoritiesFrom,
    clientOptions,
    filesAtFault,
    identityFrom,
)
from ._wrapping import innerClient, innerServer, refuseAside

if TYPE_CHECKING:
    from .._tls.settings import ServerSettings
    from ..endpoints.tls import TLSClientEndpoint, _TLSServerEndpoint

__all__ = ["client", "server"]


class _Server(ServerParser):
    prefix = "tls"
    summary = "serves TLS with a folder of certificates, or one; listens on a TCP port or on endpoint="
    meanings = {
        **SERVERS,
        "path": "a folder with certificates and keys, one or more for each name",
        "port": "the port to listen on; 0 for any that is free",
        "interface": "the address to listen on; :: for all",
        "privateKey": "instead of a folder: the file of one certificate's key; or certKey= has it",
        "certKey": "instead of a folder: the file of one certificate; or privateKey= has it",
        "endpoint": "a server's string, to listen on that instead of port",
        "default": "whose certificate to show if there is none for the name that is asked for",
    }

    def build(
        self,
        reactor: Any,
        path: Path | None = None,
        port: Port = 443,
        backlog: Backlog = 50,
        interface: Interface = "::",
        *,
        privateKey: Path | None = None,
        certKey: Path | None = None,
        endpoint: Inner | None = None,
        default: Host | None = None,
        minVersion: TLSVersion = "1.2",
        ciphers: Ciphers | None = None,
        alpn: Protocols | None = None,
        clientCAs: Path | None = None,
        handshakeTimeout: Seconds = 10,
    ) -> _TLSServerEndpoint:
        from .._tls.settings import ServerSettings
        from ..endpoints.tcp import TCP6ServerEndpoint
        from ..endpoints.tlsfolder import TLSFilesServerEndpoint

        settings = ServerSettings(minVersion, ciphers, alpn or (), authoritiesFrom("clientCAs", clientCAs))
        listening: Any
        if endpoint is None:
            listening = TCP6ServerEndpoint(reactor, port, backlog, interface)
        else:
            others = {"port": port != 443, "backlog": backlog != 50, "interface": interface != "::"}
            refuseAside(others, "endpoint")
            listening = innerServer(reactor, endpoint)
        if privateKey is None and certKey is None:
            if path is None:
                raise Missing("path", "name a folder with certificates, or privateKey= and certKey=")
            return _ofFolder(reactor, listening, path, default, settings, handshakeTimeout)
        given = "privateKey" if certKey is None else "certKey"
        if path is not None and path.isdigit():
            raise Refused("path", f"beside {given} it is no folder: for a port write port={path}")
        refuseAside({"path": path is not None, "default": default is not None}, given)
        argumentsOf(settings)
        key = privateKey or certKey or ""
        with filesAtFault("privateKey", privateKey, "certKey", certKey):
            return TLSFilesServerEndpoint(reactor, listening, key, certKey, settings, handshakeTimeout)


def _ofFolder(
    reactor: Any,
    listening: Any,
    path: str,
    default: str | None,
    settings: ServerSettings,
    handshakeTimeout: float,
) -> _TLSServerEndpoint:
    from .._tls.folder import NoDefault
    from .._tls.pem import PEMError
    from ..endpoints.tlsfolder import TLSFolderServerEndpoint

    argumentsOf(settings)
    if path.isdigit() and not os.path.exists(path):
        raise Refused("path", f"there is no such folder: for a port write port={path}, and name a folder too")
    if os.path.isfile(path):
        raise Refused("path", f"it is a file, and no folder: write privateKey={path}")
    try:
        return TLSFolderServerEndpoint(reactor, listening, path, default, settings, handshakeTimeout)
    except NoDefault as e:
        raise Refused("default", str(e)) from e
    except PEMError as e:
        raise Refused("path", str(e)) from e


class _Client(ClientParser):
    prefix = "tls"
    summary = "connects to a TLS server that proves to be this host; over TCP or over endpoint="
    meanings = {
        **CLIENTS,
        "host": "whom to connect to, and whose certificate the server must show",
        "timeout": "how long an attempt at one of the host's addresses may take",
        "certificate": "the file of a certificate to show if the server asks; or privateKey= has it",
        "privateKey": "the file of its key; or certificate= has it",
        "trustRoots": "a file or folder: the authorities to trust; else those of this machine",
        "endpoint": "a client's string, to connect to that instead of host and port",
    }

    def build(
        self,
        reactor: Any,
        host: Host,
        port: Port,
        timeout: Seconds = 30,
        bindAddress: Interface | None = None,
        certificate: Path | None = None,
        privateKey: Path | None = None,
        trustRoots: Path | None = None,
        endpoint: Inner | None = None,
        *,
        minVersion: TLSVersion = "1.2",
        ciphers: Ciphers | None = None,
        alpn: Protocols | None = None,
        handshakeTimeout: Seconds = 10,
        deadline: Seconds | None = None,
    ) -> TLSClientEndpoint:
        from .._tls.settings import TLSSettings
        from ..endpoints.hostname import HostnameEndpoint
        from ..endpoints.tls import TLSClientEndpoint

        options = clientOptions(
            host,
            "host",
            TLSSettings(minVersion, ciphers, alpn or ()),
            None
            if certificate is None and privateKey is None
            else identityFrom("privateKey", privateKey, "certificate", certificate),
            authoritiesFrom("trustRoots", trustRoots),
        )
        wrapped: Any
        if endpoint is None:
            local = None if bindAddress is None else (bindAddress, 0)
            wrapped = HostnameEndpoint(reactor, host, port, timeout, local)
        else:
            refuseAside({"timeout": timeout != 30, "bindAddress": bindAddress is not None}, "endpoint")
            wrapped = innerClient(reactor, endpoint)
        return TLSClientEndpoint(wrapped, options, reactor, handshakeTimeout, deadline)


server = _Server()
client = _Client()
