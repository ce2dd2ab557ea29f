"""
What endpoints, reactors, transports and protocols promise each other: `twisted.internet.interfaces`' twin.

Nothing is defined here: each subject has a file, and this module has their names.
"""

from __future__ import annotations

from ._adopted import IReactorSocket
from ._core import (
    IAddress,
    ILoggingContext,
    IReactorCore,
    IReactorDaemonize,
    IServiceCollection,
    ISystemHandle,
)
from ._core import (
    _ISupportsExitSignalCapturing as _ISupportsExitSignalCapturing,
)
from ._descriptors import (
    IFileDescriptor,
    IHalfCloseableDescriptor,
    IReactorFDSet,
    IReactorWin32Events,
    IReadDescriptor,
    IReadWriteDescriptor,
    IWriteDescriptor,
)
from ._dns import IResolver
from ._endpoints import (
    IStreamClientEndpoint,
    IStreamClientEndpointStringParserWithReactor,
    IStreamServerEndpoint,
    IStreamServerEndpointStringParser,
)
from ._process import IProcessProtocol, IProcessTransport, IReactorProcess
from ._producers import IConsumer, IProducer, IPullProducer, IPushProducer
from ._protocols import (
    IFileDescriptorReceiver,
    IHalfCloseableProtocol,
    IHandshakeListener,
    IProtocol,
    IProtocolFactory,
)
from ._resolver import (
    IHostnameResolver,
    IHostResolution,
    IReactorPluggableNameResolver,
    IReactorPluggableResolver,
    IResolutionReceiver,
    IResolverSimple,
)
from ._tcp import (
    Binding,
    IConnector,
    IListeningPort,
    IReactorTCP,
    IReactorTCP2,
)
from ._tcp import _Binding as _Binding
from ._threads import IReactorFromThreads, IReactorInThreads, IReactorThreads
from ._time import IDelayedCall, IReactorTime
from ._tls import (
    IAcceptableCiphers,
    ICipher,
    INegotiated,
    IOpenSSLClientConnectionCreator,
    IOpenSSLContextFactory,
    IOpenSSLServerConnectionCreator,
    IProtocolNegotiationFactory,
    IReactorSSL,
    ISSLTransport,
    ITLSTransport,
)
from ._transports import ITCPTransport, ITransport, IUNIXTransport
from ._udp import (
    IMulticastTransport,
    IReactorMulticast,
    IReactorUDP,
    IUDPTransport,
)
from ._unix import (
    IReactorUNIX,
    IReactorUNIXDatagram,
    IUNIXDatagramConnectedTransport,
    IUNIXDatagramTransport,
)

__all__ = [
    "Binding",
    "IAcceptableCiphers",
    "IAddress",
    "ICipher",
    "IConnector",
    "IConsumer",
    "IDelayedCall",
    "IFileDescriptor",
    "IFileDescriptorReceiver",
    "IHalfCloseableDescriptor",
    "IHalfCloseableProtocol",
    "IHandshakeListener",
    "IHostResolution",
    "IHostnameResolver",
    "IListeningPort",
    "ILoggingContext",
    "IMulticastTransport",
    "INegotiated",
    "IOpenSSLClientConnectionCreator",
    "IOpenSSLContextFactory",
    "IOpenSSLServerConnectionCreator",
    "IProcessProtocol",
    "IProcessTransport",
    "IProducer",
    "IProtocol",
    "IProtocolFactory",
    "IProtocolNegotiationFactory",
    "IPullProducer",
    "IPushProducer",
    "IReactorCore",
    "IReactorDaemonize",
    "IReactorFDSet",
    "IReactorFromThreads",
    "IReactorInThreads",
    "IReactorMulticast",
    "IReactorPluggableNameResolver",
    "IReactorPluggableResolver",
    "IReactorProcess",
    "IReactorSSL",
    "IReactorSocket",
    "IReactorTCP",
    "IReactorTCP2",
    "IReactorThreads",
    "IReactorTime",
    "IReactorUDP",
    "IReactorUNIX",
    "IReactorUNIXDatagram",
    "IReactorWin32Events",
    "IReadDescriptor",
    "IReadWriteDescriptor",
    "IResolutionReceiver",
    "IResolver",
    "IResolverSimple",
    "ISSLTransport",
    "IServiceCollection",
    "IStreamClientEndpoint",
    "IStreamClientEndpointStringParserWithReactor",
    "IStreamServerEndpoint",
    "IStreamServerEndpointStringParser",
    "ISystemHandle",
    "ITCPTransport",
    "ITLSTransport",
    "ITransport",
    "IUDPTransport",
    "IUNIXDatagramConnectedTransport",
    "IUNIXDatagramTransport",
    "IUNIXTransport",
    "IWriteDescriptor",
]
