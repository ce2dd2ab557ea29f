"""TLS servers that show the certificates of a folder, each for its names, or of files, and renew them."""

from __future__ import annotations

from typing import Any

from .._tls.files import loadIdentity
from .._tls.folder import CertificateFolder
from .._tls.renewal import CertificateFiles, Renewed, Watch
from .._tls.settings import ServerSettings
from .._tls.sni import SNIConnectionCreator
from ..interfaces import IProtocolFactory, IStreamServerEndpoint
from ._securing import AwaitingFactory
from .tls import HANDSHAKE_TIMEOUT, _TLSServerEndpoint


class RenewingServerEndpoint(_TLSServerEndpoint):
    """
    Listens on another endpoint, and does TLS; as long as it listens, certificates are looked after.

    Args:
        reactor: an `IReactorTime` and `IReactorThreads`.
        endpoint: takes the connections.
        creator: makes OpenSSL's connections.
        renewed: what is looked at, once a second, in a thread.
        handshakeTimeout: seconds for the handshake; None for no limit.
    """

    def __init__(
        self,
        reactor: Any,
        endpoint: IStreamServerEndpoint,
        creator: Any,
        renewed: Renewed,
        handshakeTimeout: float | None,
    ) -> None:
        super().__init__(endpoint, creator, reactor, handshakeTimeout)
        self._renewed = renewed

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._renewed.path} around {self.endpoint!r}>"

    def _awaiting(self, factory: IProtocolFactory) -> AwaitingFactory:
        return _WatchingFactory(factory, Watch(self.clock, self._renewed))


class TLSFolderServerEndpoint(RenewingServerEndpoint):
    """
    Listens on another endpoint, and does TLS with the certificate for the name that each client asks for.

    While it listens, the folder is looked through once a second, in a thread: what is new or renewed there is
    shown from then on.

    Args:
        reactor: an `IReactorTime` and `IReactorThreads`.
        endpoint: takes the connections.
        path: the folder's; its files whose names end with ``.pem`` count, and those of the folders in it.
        default: the name whose certificate is shown to who asks for an unknown name, or for none; without
            it, the former are refused, and the latter are shown the certificate in the first file.
        settings: what else is said of TLS.
        handshakeTimeout: seconds for the handshake; None for no limit.

    Raises:
        PEMError: there is no such folder, no certificate with its key in it, or none for `default`.
        ValueError: OpenSSL can't do what the settings say.
    """

    def __init__(
        self,
        reactor: Any,
        endpoint: IStreamServerEndpoint,
        path: str,
        default: str | None = None,
        settings: ServerSettings | None = None,
        handshakeTimeout: float | None = HANDSHAKE_TIMEOUT,
    ) -> None:
        settings = settings or ServerSettings()
        folder = CertificateFolder(path, settings.context, default)
        creator = SNIConnectionCreator(folder, settings.context(None))
        super().__init__(reactor, endpoint, creator, folder, handshakeTimeout)


class TLSFilesServerEndpoint(RenewingServerEndpoint):
    """
    Listens on another endpoint, and does TLS with one certificate.

    While it listens, the files are looked at once a second, in a thread: when they have changed, what is in
    them is shown from then on.

    Args:
        reactor: an `IReactorTime` and `IReactorThreads`.
        endpoint: takes the connections.
        privateKey: the path of the file with the key.
        certKey: that of the file with the certificate, and then those of its issuers; None if it is the same.
        settings: what else is said of TLS.
        handshakeTimeout: seconds for the handshake; None for no limit.

    Raises:
        PEMError: a file can't be read, or the two don't belong together.
        ValueError: OpenSSL can't do what the settings say, or not with this certificate.
    """

    def __init__(
        self,
        reactor: Any,
        endpoint: IStreamServerEndpoint,
        privateKey: str,
        certKey: str | None = None,
        settings: ServerSettings | None = None,
        handshakeTimeout: float | None = HANDSHAKE_TIMEOUT,
    ) -> None:
        certificate = privateKey if certKey is None else certKey
        files = CertificateFiles(
            (certificate, privateKey),
            lambda: loadIdentity(privateKey, certificate),
            (settings or ServerSettings()).context,
        )
        super().__init__(reactor, endpoint, files, files, handshakeTimeout)


class _WatchingFactory(AwaitingFactory):
    """
    Looks after certificates as long as a port listens.

    Args:
        protocolFactory: the user's factory.
        watch: what looks.
    """

    def __init__(self, protocolFactory: IProtocolFactory, watch: Watch) -> None:
        super().__init__(protocolFactory)
        self._watch = watch

    def doStart(self) -> None:
        super().doStart()
        self._watch.start()

    def doStop(self) -> None:
        self._watch.stop()
        super().doStop()
