"""``ssl:``, TLS over one TCP connection, as Twisted has it: ``tls:`` does more, and less by default."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from ..strings.errors import UnverifiedServerWarning
from . import (
    Backlog,
    ClientParser,
    Flag,
    Host,
    Interface,
    Kind,
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
    identityFrom,
    serverOptions,
)
from ._warning import warnAuthor
from ._wrapping import refuseAside

if TYPE_CHECKING:
    from cryptography import x509

    from .._tls.pem import Identity
    from ..endpoints.ssl import SSLClientEndpoint, SSLServerEndpoint

__all__ = ["client", "server"]


def _method(text: str) -> str:
    from OpenSSL import SSL

    if not text.endswith("_METHOD") or not isinstance(getattr(SSL, text, None), int):
        raise ValueError("Leave it out: minVersion= says which versions of TLS are spoken.")
    return text


_Method = Annotated[str, Kind("method", "the name of one of OpenSSL's methods, like TLS_METHOD", _method)]


class _Server(ServerParser):
    prefix = "ssl"
    summary = "serves TLS on a TCP port with one certificate; tls: takes a folder of them too"
    meanings = {
        **SERVERS,
        "port": "the port to listen on; 0 for any that is free",
        "privateKey": "the file of the certificate's key",
        "certKey": "the file of the certificate; or privateKey= has it",
        "sslmethod": "which versions of TLS to speak, by the name of one of OpenSSL's methods",
        "interface": "the address to listen on; empty for all of IPv4",
        "extraCertChain": "a file with the certificates between this one and its root",
        "dhParameters": "a file with numbers for Diffie-Hellman, for clients without elliptic curves",
        "minVersion": "the oldest version of TLS to speak; 1.2 if sslmethod isn't there either",
    }

    def build(
        self,
        reactor: Any,
        port: Port,
        privateKey: Path = "server.pem",
        certKey: Path | None = None,
        sslmethod: _Method | None = None,
        interface: Interface = "",
        backlog: Backlog = 50,
        extraCertChain: Path | None = None,
        dhParameters: Path | None = None,
        *,
        minVersion: TLSVersion | None = None,
        ciphers: Ciphers | None = None,
        alpn: Protocols | None = None,
        clientCAs: Path | None = None,
        handshakeTimeout: Seconds = 10,
    ) -> SSLServerEndpoint:
        from OpenSSL import SSL

        from .._tls.renewal import CertificateFiles
        from .._tls.settings import ServerSettings, diffieHellman, showAsPyOpenSSLs
        from ..endpoints.ssl import SSLServerEndpoint

        settings = ServerSettings(
            minVersion, ciphers, alpn or (), authoritiesFrom("clientCAs", clientCAs), twisteds=True
        )
        identity = identityFrom("privateKey", privateKey, "certKey", certKey)
        more: dict[str, Any] = {}
        if sslmethod is not None:
            refuseAside({"minVersion": minVersion is not None}, "sslmethod")
            more["method"] = getattr(SSL, sslmethod)
        if extraCertChain is not None:
            identity = replace(identity, chain=_chain(extraCertChain))
        if dhParameters is not None:
            try:
                more["dhParameters"] = diffieHellman(dhParameters)
            except ValueError as e:
                raise Refused("dhParameters", str(e)) from e
        options = serverOptions(settings, identity, "privateKey" if certKey is None else "certKey", **more)
        showAsPyOpenSSLs(options, identity)
        paths = (certKey or privateKey, privateKey, *([extraCertChain] if extraCertChain else []))
        files = CertificateFiles(
            paths, lambda: _load(*paths), lambda shown: settings.options(shown, **more).getContext()
        )
        return SSLServerEndpoint(reactor, port, options, backlog, interface, handshakeTimeout, files)


def _load(certificate: str, key: str, chain: str | None = None) -> Identity:
    from .._tls.files import loadChain, loadIdentity

    identity = loadIdentity(key, certificate)
    return identity if chain is None else replace(identity, chain=loadChain(chain))


def _chain(path: str) -> tuple[x509.Certificate, ...]:
    from .._tls.files import loadChain
    from .._tls.pem import PEMError

    try:
        return loadChain(path)
    except PEMError as e:
        raise Refused("extraCertChain", str(e)) from e


class _Client(ClientParser):
    prefix = "ssl"
    summary = "connects to a TLS server; hostname= checks who it is, as tls: always does"
    meanings = {
        **CLIENTS,
        "host": "whom to connect to",
        "timeout": "how long it may take to connect",
        "certKey": "the file of a certificate to show if the server asks; or privateKey= has it",
        "privateKey": "the file of its key; or certKey= has it",
        "caCertsDir": "a folder or file: the authorities to trust; else those of this machine",
        "hostname": "the name that the server's certificate must have; without it nobody looks",
        "insecure": "1 takes whoever answers for the server, and says that this is meant",
        "minVersion": "the oldest version of TLS to speak; 1.2 if it is left out",
    }

    def build(
        self,
        reactor: Any,
        host: Host,
        port: Port,
        *,
        timeout: Seconds = 30,
        bindAddress: Interface | None = None,
        certKey: Path | None = None,
        privateKey: Path | None = None,
        caCertsDir: Path | None = None,
        hostname: Host | None = None,
        insecure: Flag = False,
        minVersion: TLSVersion | None = None,
        ciphers: Ciphers | None = None,
        alpn: Protocols | None = None,
        handshakeTimeout: Seconds = 10,
        deadline: Seconds | None = None,
    ) -> SSLClientEndpoint:
        from .._tls.settings import TLSSettings, showAsPyOpenSSLs, shownAs, trustIn
        from ..endpoints.ssl import SSLClientEndpoint
        from ..ssl import CertificateOptions

        settings = TLSSettings(minVersion, ciphers, alpn or ())
        authorities = authoritiesFrom("caCertsDir", caCertsDir)
        identity = None
        if certKey is not None or privateKey is not None:
            identity = identityFrom("privateKey", privateKey, "certKey", certKey)
        if hostname is not None:
            refuseAside({"insecure": insecure}, "hostname")
            options = clientOptions(hostname, "hostname", settings, identity, authorities)
        else:
            more = argumentsOf(settings)
            if identity is not None:
                more.update(shownAs(identity))
            if authorities:
                more["trustRoot"] = trustIn(authorities)
            options = CertificateOptions(**more)
            if identity is not None:
                showAsPyOpenSSLs(options, identity)
            if not insecure:
                _warn(host, port, trusted=bool(authorities))
        local = None if bindAddress is None else (bindAddress, 0)
        return SSLClientEndpoint(reactor, host, port, options, timeout, local, handshakeTimeout, deadline)


def _warn(host: str, port: int, trusted: bool) -> None:
    shown = f"[{host}]" if ":" in host else host
    whom = "whoever has a certificate of these authorities" if trusted else "whoever answers"
    warnAuthor(
        f"'ssl:{shown}:{port}' takes {whom} for the server. Write 'tls:{shown}:{port}', or hostname={shown},"
        " to have it prove who it is; or insecure=1 if that is what you want.",
        UnverifiedServerWarning,
    )


server = _Server()
client = _Client()
