"""
Services that listen, connect and repeat: the twin of `twisted.application.internet`.

- `_client`      `ClientService`, which connects again when a connection is lost, and `backoffPolicy`
- `_server`      `StreamServerEndpointService`, which listens on any endpoint; see `strports`
- `_repeating`   `TimerService` and `CooperatorService`
- `_plain`       `TCPServer` and its like, for a reactor's methods: endpoints can do more

`IService` and its like are in `twisted_endpoints.service`.
"""

from __future__ import annotations

from ._client import ClientService, backoffPolicy
from ._plain import (
    MulticastServer,
    SSLClient,
    SSLServer,
    TCPClient,
    TCPServer,
    UDPServer,
    UNIXClient,
    UNIXServer,
)
from ._repeating import CooperatorService, TimerService
from ._server import StreamServerEndpointService

__all__ = [
    "ClientService",
    "CooperatorService",
    "MulticastServer",
    "SSLClient",
    "SSLServer",
    "StreamServerEndpointService",
    "TCPClient",
    "TCPServer",
    "TimerService",
    "UDPServer",
    "UNIXClient",
    "UNIXServer",
    "backoffPolicy",
]
