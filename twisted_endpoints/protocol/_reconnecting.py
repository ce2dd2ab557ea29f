"""A client that comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from .._log import Logger
from ..error import NotConnectingError
from ._factory import ClientFactory, P

if TYPE_CHECKING:
    from ..failure import Failure
    from ..interfaces import IConnector, IDelayedCall, IReactorTime

_log = Logger("twisted_endpoints.protocol")

#: What connecting changes; a factory that was pickled starts afresh.
_PASSING = frozenset({"connector", "retries", "delay", "continueTrying", "_callID", "clock"})


class ReconnectingClientFactory(ClientFactory[P]):
    """
    Connects again whenever an attempt fails or the connection is lost, after ever longer waits.

    Call `resetDelay` when a connection is good, most often from ``buildProtocol``.

    Attributes:
        initialDelay: seconds before the first retry.
        maxDelay: seconds before any retry, at most (before jitter).
        factor: by which each wait is longer than the one before.
        jitter: the spread of each wait, as a fraction of it, so that many clients don't come back at once; 0
            or None for none.
        maxRetries: how many attempts may fail in a row; None for any number.
        clock: who is asked to wait; None for the reactor.
        delay: seconds before the next retry.
        retries: how many attempts there were since the last success.
        continueTrying: whether there will be more.
        connector: the connector of the last attempt.
    """

    maxDelay: float = 3600
    initialDelay: float = 1.0
    factor: float = 2.7182818284590451
    jitter: float | None = 0.119626565582

    delay: float = initialDelay
    retries = 0
    maxRetries: int | None = None
    _callID: IDelayedCall | None = None
    connector: IConnector | None = None
    clock: IReactorTime | None = None
    continueTrying = 1

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:
        """Try again later, unless that was given up."""
        self._again(connector)

    def clientConnectionLost(self, connector: IConnector, unused_reason: Failure) -> None:
        """Try again later, unless that was given up."""
        self._again(connector)

    def _again(self, connector: IConnector) -> None:
        if self.continueTrying:
            self.connector = connector
            self.retry()

    def retry(self, connector: IConnector | None = None) -> None:
        """
        Connect after the next delay, unless that was given up or `maxRetries` have failed.

        Args:
            connector: by which to; None for the last one.

        Raises:
            ValueError: there is none.
        """
        if connector is None:
            connector = self.connector
        if not self.continueTrying:
            self._say(f"Abandoning {connector} on explicit request")
            return
        if connector is None:
            raise ValueError("no connector to retry")
        self.retries += 1
        if self.maxRetries is not None and self.retries > self.maxRetries:
            self._say(f"Abandoning {connector} after {self.retries} retries.")
            return
        if self.jitter:
            # Not at the top: most programs never come here, and `random` takes milliseconds to import.
            import random

            self.delay = random.normalvariate(self.delay, self.delay * self.jitter)
        self._say(f"{connector} will retry in {self.delay:.0f} seconds")
        self._callID = self._waiter().callLater(self.delay, self._reconnect, connector)
        self.delay = min(self.delay * self.factor, self.maxDelay)

    def _reconnect(self, connector: IConnector) -> None:
        self._callID = None
        connector.connect()

    def _waiter(self) -> IReactorTime:
        if self.clock is None:
            # Importing the reactor installs one, which is the program's decision until it is needed.
            from .. import reactor

            self.clock = cast("IReactorTime", reactor)
        return self.clock

    def _say(self, text: str) -> None:
        if self.noisy:
            _log.info(text)

    def stopTrying(self) -> None:
        """Connect no more: neither a wait nor an attempt goes on; an open connection stays."""
        if self._callID:
            self._callID.cancel()
            self._callID = None
        self.continueTrying = 0
        if self.connector:
            try:
                self.connector.stopConnecting()
            except NotConnectingError:
                pass

    def resetDelay(self) -> None:
        """Begin again with the shortest delay and no retries counted: the connection is good."""
        self.delay = self.initialDelay
        self.retries = 0
        self._callID = None
        self.continueTrying = 1

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in _PASSING}
