"""A TLS server that shows the certificates of a folder, each for its names, and renews them by itself."""

from __future__ import annotations

from typing import Any

from .._tls.folder import CertificateFolder
from .._tls.settings import ServerSettings
from .._tls.sni import SNIConnectionCreator, Watch
from ..interfaces import IProtocolFactory, IStreamServerEndpoint
from ._securing import AwaitingFactory
from .tls import HANDSHAKE_TIMEOUT, _TLSServerEndpoint


class TLSFolderServerEndpoint(_TLSServerEndpoint):
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
        self._folder = CertificateFolder(path, settings.context, default)
        creator = SNIConnectionCreator(self._folder, settings.context(None))
        super().__init__(endpoint, creator, reactor, handshakeTimeout)
        self._reactor = reactor

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._folder.path} around {self.endpoint!r}>"

    def _awaiting(self, factory: IProtocolFactory) -> AwaitingFactory:
        return _WatchingFactory(factory, Watch(self._reactor, self._folder))


class _WatchingFactory(AwaitingFactory):
    """
    Looks after a folder as long as a port listens.

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
