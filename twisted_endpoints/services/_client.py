"""
A service that keeps one connection: it connects, and when that fails or is lost, it waits and connects again.

Whose turn it is says one field, the state:

    IDLE ──start──▶ CONNECTING ──made, prepared──▶ CONNECTED
                      ▲     │ failed                 │ lost
                      └─────┴──────── WAITING ◀──────┘

To stop leads from any of these to IDLE: at once, or by LEAVING, as long as an attempt or a connection ends.
Who starts it again meanwhile turns LEAVING into RESTARTING, which ends in CONNECTING.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from .._installed import reactorOr
from .._log import Logger
from ..defer import CancelledError, Deferred, fail, maybeDeferred, succeed
from ..failure import Failure
from ..interfaces import IDelayedCall, IProtocol, IProtocolFactory, IReactorTime, IStreamClientEndpoint
from ..protocol import connectionDone
from ..service import Service

_log = Logger(__name__)

#: Beyond this attempt delays don't grow: with any sensible factor they are at their maximum, or 0.
_MOST = 100


@dataclass(frozen=True)
class _Backoff:
    """What `backoffPolicy` makes."""

    initialDelay: float
    maxDelay: float
    factor: float
    jitter: Callable[[], float]

    def __call__(self, attempt: int) -> float:
        try:
            grown = self.initialDelay * self.factor ** min(attempt, _MOST)
        except OverflowError:
            grown = self.maxDelay
        return min(grown, self.maxDelay) + self.jitter()


def backoffPolicy(
    initialDelay: float = 1.0,
    maxDelay: float = 60.0,
    factor: float = 1.5,
    jitter: Callable[[], float] = random.random,
) -> Callable[[int], float]:
    """
    Make a policy for `ClientService` whose delays grow by a factor.

    Args:
        initialDelay: seconds; the first delay is this, grown once.
        maxDelay: seconds; what a delay without jitter never exceeds.
        factor: how much each delay is of the one before.
        jitter: gives the seconds to add, so that many clients don't come back at the same moment; by default
            0 to 1.

    Returns:
        A function that gives the seconds to wait, of how many attempts have failed in a row.
    """
    return _Backoff(initialDelay, maxDelay, factor, jitter)


class _State(Enum):
    """What the service is about."""

    NEW = "it was never started"
    CONNECTING = "an attempt is under way, or its connection is being prepared"
    CONNECTED = "there is a connection"
    WAITING = "the next attempt will be made later"
    LEAVING = "it is stopped, and waits for the attempt or the connection to end"
    RESTARTING = "as LEAVING, and then it connects again"
    IDLE = "it is stopped"


class _Between:
    """
    Stands between the reactor and an object of the program's, which gets all that isn't handled here.

    What the object provides, this does: zope asks for `__providedBy__`, which isn't handled here either.
    """

    def __init__(self, wrapped: Any) -> None:
        self._wrapped = wrapped

    def __getattr__(self, name: str) -> Any:
        # While it is being copied it has nothing yet.
        if name == "_wrapped":
            raise AttributeError(name)
        return getattr(self._wrapped, name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} before {self._wrapped!r}>"


class _Connection(_Between):
    """
    Stands before a protocol, to hear of the end of its connection.

    Attributes:
        reason: why it was lost; None while it wasn't.
    """

    transport: Any = None
    reason: Failure | None = None

    def __init__(self, protocol: Any, lost: Callable[[_Connection], None]) -> None:
        super().__init__(protocol)
        self._lost = lost

    @property
    def _protocol(self) -> Any:
        return self._wrapped

    def makeConnection(self, transport: Any) -> None:
        self.transport = transport
        self._protocol.makeConnection(transport)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.reason = reason
        try:
            self._protocol.connectionLost(reason)
        finally:
            self._lost(self)


class _Watching(_Between):
    """Stands before a factory, to hear of the end of its connections."""

    def __init__(self, factory: Any, lost: Callable[[_Connection], None]) -> None:
        super().__init__(factory)
        self._lost = lost

    def buildProtocol(self, addr: Any) -> Any:
        protocol = self._wrapped.buildProtocol(addr)
        return None if protocol is None else _Connection(protocol, self._lost)


@dataclass(eq=False)
class _Waiter:
    """Somebody who waits for a connection, and for how many failures."""

    deferred: Deferred[IProtocol]
    failures: int | None


class ClientService(Service):
    """
    Keeps one connection to an endpoint: when an attempt fails or the connection is lost, it tries again.

    Args:
        endpoint: where to connect.
        factory: makes a protocol for each connection.
        retryPolicy: gives the seconds to wait, of how many attempts have failed in a row; by default what
            `backoffPolicy` makes.
        clock: calls later; by default the reactor of the process.
        prepareConnection: called with each new protocol, to log in or to look whether all is well.  The
            connection counts as made when the Deferred that it may return has fired.  If it raises or the
            Deferred fails, the connection is closed, and the attempt has failed.

    Raises:
        TypeError: the endpoint is none that connects, which no further attempt would change.
    """

    def __init__(
        self,
        endpoint: IStreamClientEndpoint,
        factory: IProtocolFactory,
        retryPolicy: Callable[[int], float] | None = None,
        clock: IReactorTime | None = None,
        prepareConnection: Callable[[Any], object] | None = None,
    ) -> None:
        if not hasattr(endpoint, "connect"):
            raise TypeError(
                f"a ClientService wants an endpoint that connects, not {endpoint!r};"
                " clientFromString makes one of a string"
            )
        self._endpoint = endpoint
        self._factory = factory
        self._retryPolicy = backoffPolicy() if retryPolicy is None else retryPolicy
        self._clock = clock
        self._prepareConnection = prepareConnection
        self._state = _State.NEW
        self._failures = 0
        self._attempt: Deferred[Any] | None = None
        self._connection: _Connection | None = None
        #: Closed, as they were no good, and not gone yet.
        self._refused: set[_Connection] = set()
        self._retry: IDelayedCall | None = None
        self._waiters: list[_Waiter] = []
        self._stopping: list[Deferred[None]] = []

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._endpoint!r}, {self._state.name.lower()}>"

    def whenConnected(self, failAfterFailures: int | None = None) -> Deferred[IProtocol]:
        """
        Wait for the connection.

        Args:
            failAfterFailures: how many attempts may fail from now on until the Deferred does: 1 for the
                very next one; None, the default, to wait however long it takes.

        Returns:
            A Deferred that fires with the factory's protocol, at once if it is connected.  It fails with the
            reason of the last attempt that it was to wait for, or with `CancelledError` when the service is
            stopped.  Cancelling it leaves the service alone.
        """
        if self._state is _State.CONNECTED and self._connection is not None:
            return succeed(self._connection._protocol)
        if self._state is _State.IDLE:
            return fail(CancelledError())
        waiter = _Waiter(Deferred(self._forget), failAfterFailures)
        self._waiters.append(waiter)
        return waiter.deferred

    def _forget(self, cancelled: Deferred[IProtocol]) -> None:
        self._waiters = [waiter for waiter in self._waiters if waiter.deferred is not cancelled]

    def startService(self) -> None:
        """Connect, and connect again whenever it is needed; if it runs, only a warning is logged."""
        if self.running:
            _log.warning(f"Duplicate ClientService.startService: {self!r} runs already")
            return
        super().startService()
        if self._state is _State.LEAVING:
            self._state = _State.RESTARTING
        else:
            self._connect()

    def stopService(self) -> Deferred[None]:
        """
        Connect no more, and close the connection.

        Returns:
            A Deferred that fires with None when neither an attempt nor a connection is left, nor one that
            `prepareConnection` has refused.
        """
        super().stopService()
        state, self._state = self._state, _State.LEAVING
        stopped: Deferred[None] = Deferred()
        self._stopping.append(stopped)
        if state is _State.CONNECTING:
            self._giveUp()
        elif state is _State.CONNECTED:
            assert self._connection is not None
            self._connection.transport.loseConnection()
        elif state not in (_State.LEAVING, _State.RESTARTING):
            if self._retry is not None:
                self._retry.cancel()
                self._retry = None
            self._leave()
        return stopped

    def _giveUp(self) -> None:
        # None: it is being made, and stopped by what the factory does.
        if self._attempt is not None:
            self._attempt.cancel()

    def _connect(self) -> None:
        self._retry = self._attempt = None
        self._state = _State.CONNECTING
        factory: Any = _Watching(self._factory, self._lost)
        try:
            attempt: Deferred[Any] = self._endpoint.connect(factory)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException:
            attempt = fail(Failure())
        self._attempt = attempt
        attempt.addCallback(self._prepare)
        attempt.addCallbacks(self._made, self._failed)
        if self._state in (_State.LEAVING, _State.RESTARTING):
            attempt.cancel()

    def _prepare(self, connection: _Connection) -> Any:
        self._connection = connection
        if self._prepareConnection is None or connection.reason is not None:
            return connection
        return maybeDeferred(self._prepareConnection, connection).addCallback(lambda _: connection)

    def _made(self, connection: _Connection) -> None:
        if connection.reason is not None:
            self._failed(connection.reason)
        elif self._state is not _State.CONNECTING:
            # It was made before the attempt could be cancelled.
            connection.transport.loseConnection()
        else:
            self._state = _State.CONNECTED
            self._failures = 0
            waiters, self._waiters = self._waiters, []
            for waiter in waiters:
                waiter.deferred.callback(connection._protocol)

    def _failed(self, reason: Failure) -> None:
        """Hear that an attempt has failed, or that its connection was no good."""
        connection = self._connection
        if connection is not None and connection.reason is None:
            if self._state is not _State.CONNECTING:
                # Who has stopped the service waits for the end of it.
                connection.transport.loseConnection()
                return
            self._connection = None
            self._refused.add(connection)
            connection.transport.loseConnection()
        elif connection is not None and connection.reason is not None:
            self._connection, reason = None, connection.reason
        self._again(reason)

    def _lost(self, connection: _Connection) -> None:
        """Hear that a connection was lost."""
        if connection in self._refused:
            self._refused.remove(connection)
            if self._state in (_State.LEAVING, _State.RESTARTING):
                self._leave()
            return
        if connection is not self._connection:
            # Its attempt hasn't ended yet, or has failed.
            return
        assert connection.reason is not None
        if self._state is _State.CONNECTING:
            # It is being prepared, which makes no sense any more.
            self._giveUp()
        else:
            self._connection = None
            self._again(connection.reason)

    def _again(self, reason: Failure) -> None:
        """Go on after an attempt or a connection has ended."""
        self._attempt = None
        if self._state in (_State.LEAVING, _State.RESTARTING):
            self._leave()
        else:
            wasConnected = self._state is _State.CONNECTED
            self._wait(reason)
            if not wasConnected:
                self._tellFailure(reason)

    def _wait(self, reason: Failure) -> None:
        self._state = _State.WAITING
        self._failures += 1
        delay = self._retryPolicy(self._failures)
        _log.info(f"{self._endpoint!r}: {reason.getErrorMessage()}; trying again in {delay:.1f} seconds")
        self._retry = reactorOr(self._clock).callLater(delay, self._connect)

    def _tellFailure(self, reason: Failure) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if waiter.failures is not None:
                waiter.failures -= 1
        done = [waiter for waiter in waiters if waiter.failures is not None and waiter.failures <= 0]
        self._waiters += [waiter for waiter in waiters if waiter not in done]
        for waiter in done:
            waiter.deferred.errback(reason)

    def _leave(self) -> None:
        """Be done with what is stopped, unless some of it is left."""
        if self._attempt is not None or self._connection is not None or self._refused:
            return
        if self._state is _State.RESTARTING:
            self._tellStopped()
            # Unless who was told has stopped it again.
            if self._state is _State.RESTARTING:
                self._connect()
                return
        self._state = _State.IDLE
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter.deferred.errback(Failure(CancelledError()))
        self._tellStopped()

    def _tellStopped(self) -> None:
        stopping, self._stopping = self._stopping, []
        for stopped in stopping:
            stopped.callback(None)
