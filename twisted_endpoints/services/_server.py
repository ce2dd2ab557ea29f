"""A service that listens on an endpoint."""

from __future__ import annotations

from typing import Any

from .._log import Logger
from ..defer import CancelledError, Deferred, succeed
from ..failure import Failure
from ..interfaces import IListeningPort, IProtocolFactory, IStreamServerEndpoint
from ..service import Service

_log = Logger(__name__)


class StreamServerEndpointService(Service):
    """
    Listens on an endpoint while it runs; where it is privileged to start, from then on.

    That it can't listen is logged.

    Args:
        endpoint: where to listen.
        factory: makes the protocols.

    Attributes:
        _raiseSynchronously: raise what `listen` fails with at once, instead of logging it: for programs that
            are not to run then, as those of `strports.service`.
        _waitingForPort: a Deferred that fires with the port, or with None if there is none; None before the
            start.
    """

    _raiseSynchronously = False

    def __init__(self, endpoint: IStreamServerEndpoint, factory: IProtocolFactory) -> None:
        self.endpoint = endpoint
        self.factory = factory
        self._waitingForPort: Deferred[Any] | None = None
        self._starting = False
        self._problem: Failure | None = None

    def privilegedStartService(self) -> None:
        super().privilegedStartService()
        self._starting = True
        try:
            self._waitingForPort = self.endpoint.listen(self.factory)
            self._waitingForPort.addErrback(self._failed)
        finally:
            self._starting = False
        problem, self._problem = self._problem, None
        if problem is not None:
            self._waitingForPort = None
            problem.raiseException()

    def _failed(self, reason: Failure) -> None:
        if self._starting and self._raiseSynchronously:
            self._problem = reason
        elif not reason.check(CancelledError):
            _log.failure(f"can't listen on {self.endpoint!r}", reason)

    def startService(self) -> None:
        if self._waitingForPort is None:
            self.privilegedStartService()
        super().startService()

    def stopService(self) -> Deferred[Any]:
        """
        Stop listening, or give up the attempt.

        Returns:
            A Deferred that fires with None when nothing is listened on any more; it fails as the port's
            `stopListening` does.
        """
        waiting, self._waitingForPort = self._waitingForPort, None
        if waiting is None:
            return succeed(super().stopService())
        waiting.cancel()
        return waiting.addCallback(_stopListening).addBoth(self._stopped)

    def _stopped(self, result: Any) -> Any:
        super().stopService()
        return result


def _stopListening(port: IListeningPort | None) -> Any:
    return None if port is None else port.stopListening()
