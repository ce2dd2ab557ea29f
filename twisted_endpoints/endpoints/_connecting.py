"""One run of `HostnameEndpoint.connect`: the look-up, and the hands of the race that `_racing.py` decides."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from ..address import HostnameAddress, IPv4Address, IPv6Address
from ..defer import Deferred
from ..error import ConnectError, ConnectingCancelledError, DNSLookupError
from ..error import TimeoutError as TimedOut
from ..failure import Failure
from ..interfaces import IAddress, IHostResolution, IProtocol, IProtocolFactory, IResolutionReceiver
from ._racing import Action, Cancel, Lost, Race, Start, Wait, Won, interleave
from ._resolution import cancelResolution, isIPv6, shown

if TYPE_CHECKING:
    from .hostname import HostnameEndpoint

Address = IPv4Address | IPv6Address


@implementer(IResolutionReceiver)
class Connecting:
    """
    One run of `HostnameEndpoint.connect`: first the receiver of a look-up, then what acts for a `Race`.

    Args:
        endpoint: what is to be connected to.
        protocolFactory: the user's.
    """

    def __init__(self, endpoint: HostnameEndpoint, protocolFactory: IProtocolFactory) -> None:
        self._endpoint = endpoint
        self._protocolFactory = protocolFactory
        #: What the user holds; None when it has fired, or is about to.
        self._done: Deferred[IProtocol] | None = Deferred(self._cancelled)
        self._resolution: IHostResolution | None = None
        #: Addresses, each once, in the resolver's order.
        self._found: dict[Address, None] = {}
        self._race: Race[Address] | None = None
        self._actions: deque[Action[Address]] = deque()
        self._acting = False
        self._attempts: dict[int, Deferred[IProtocol]] = {}
        self._winner: IProtocol | None = None
        self._lastFailure: Failure | None = None
        self._nextCall: Any = None
        self._deadlineCall: Any = None

    def start(self) -> Deferred[IProtocol]:
        """Begin with the look-up; return what the user is given."""
        endpoint, done = self._endpoint, self._done
        assert done is not None
        if endpoint._isAddress:
            kind = IPv6Address if isIPv6(endpoint._hostText) else IPv4Address
            self.addressResolved(kind("TCP", endpoint._hostText, endpoint._port))
        if endpoint._deadline is not None:
            # What is left of a time may be less than nothing.
            self._deadlineCall = endpoint._reactor.callLater(max(0, endpoint._deadline), self._deadlinePassed)
        if endpoint._isAddress:
            self.resolutionComplete()
            return done
        try:
            resolver = endpoint._getNameResolverAndMaybeWarn(endpoint._reactor)
            # In ASCII: getaddrinfo takes Unicode by IDNA 2003, which sends faß.de to another host, fass.de.
            resolver.resolveHostName(self, endpoint._hostBytes.decode("ascii"), portNumber=endpoint._port)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as reason:
            error = DNSLookupError(f"hostname lookup of {endpoint._hostText} failed: {reason!r}")
            error.__cause__ = reason
            self._finish(error)
        return done

    # The look-up

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:
        self._resolution = resolutionInProgress

    def addressResolved(self, address: IAddress) -> None:
        if isinstance(address, (IPv4Address, IPv6Address)):
            self._found[address] = None

    def resolutionComplete(self) -> None:
        self._resolution = None
        if self._done is None:
            return
        if not self._found:
            self._finish(DNSLookupError(f"no results for hostname lookup: {self._endpoint._hostText}"))
            return
        self._race = Race(interleave(self._found, type))
        try:
            self._act(self._race.begin())
        except Exception as reason:  # the user's numbers
            self._finish(reason)

    # The race

    def _act(self, actions: Iterable[Action[Address]]) -> None:
        """Do what the race decided; not by recursion, as a thousand attempts may fail in their connect()."""
        self._actions.extend(actions)
        if self._acting:
            return
        self._acting = True
        while self._actions:
            self._do(self._actions.popleft())
        self._acting = False

    def _do(self, action: Action[Address]) -> None:
        match action:
            case Start(attempt, address):
                self._startAttempt(attempt, address)
            case Wait():
                if self._nextCall is not None:
                    self._nextCall.cancel()
                self._nextCall = self._endpoint._reactor.callLater(
                    self._endpoint._attemptDelay, self._delayPassed
                )
            case Cancel(attempt):
                self._cancelAttempt(attempt)
            case Won():
                self._finish(self._winner)
            case Lost():
                self._finish(self._whyLost())

    def _startAttempt(self, attempt: int, address: Address) -> None:
        connecting = self._endpoint._endpointFor(address).connect(self._protocolFactory)
        self._attempts[attempt] = connecting
        if self._done is None:  # cancelled by the user's factory, from inside connect()
            self._cancelAttempt(attempt)
        connecting.addCallbacks(
            self._attemptSucceeded, self._attemptFailed, callbackArgs=(attempt,), errbackArgs=(attempt,)
        )

    def _cancelAttempt(self, attempt: int) -> None:
        connecting = self._attempts.pop(attempt, None)
        if connecting is not None:
            connecting.cancel()

    def _attemptSucceeded(self, protocol: IProtocol, attempt: int) -> None:
        if self._attempts.pop(attempt, None) is not None and self._race is not None:
            self._winner = protocol
            self._act(self._race.succeeded(attempt))

    def _attemptFailed(self, reason: Failure, attempt: int) -> None:
        try:
            if self._attempts.pop(attempt, None) is not None and self._race is not None:
                self._lastFailure = reason
                self._act(self._race.failed(attempt, _why(reason.value)))
        finally:
            # As in Deferred.errback: the reason may be raised by then, in a frame that knows this one.
            del reason

    def _delayPassed(self) -> None:
        self._nextCall = None
        if self._race is not None:
            self._act(self._race.delayPassed())

    def _whyLost(self) -> Failure | ConnectError:
        assert self._lastFailure is not None
        assert self._race is not None
        value = self._lastFailure.value
        if len(self._race.failures) == 1 or not isinstance(value, ConnectError):
            return self._lastFailure
        text = f"all {len(self._race.failures)} addresses of {self._name()} failed: {self._attemptsSoFar()}"
        # `except` clauses and retry policies go by the kind; one with a constructor of its own can't be made.
        kind = type(value) if type(value).__init__ is ConnectError.__init__ else ConnectError
        error = kind(value.osError, text)
        error.__cause__ = value
        return error

    def _attemptsSoFar(self) -> str:
        assert self._race is not None
        rows = list(self._race.failures)
        rows += [(self._race.addresses[attempt], "no answer yet") for attempt in self._race.running]
        return "; ".join(f"{shown(address.host, address.port)}: {why}" for address, why in rows)

    def _name(self) -> str:
        return shown(self._endpoint._hostBytes, self._endpoint._port)

    # The end

    def _cancelled(self, done: Deferred[IProtocol]) -> None:
        del done  # this one, whose callbacks may raise
        destination = HostnameAddress(self._endpoint._hostBytes, self._endpoint._port)
        self._finish(ConnectingCancelledError(destination))

    def _deadlinePassed(self) -> None:
        limit = f"no connection to {self._name()} within {self._endpoint._deadline} seconds"
        stage = "the name look-up gave no answer" if self._race is None else self._attemptsSoFar()
        self._finish(TimedOut(string=f"{limit}: {stage}"))

    def _finish(self, result: Any) -> None:
        """Give up whatever still goes on, then tell the user."""
        done, self._done = self._done, None
        if done is None:
            return
        resolution, self._resolution = self._resolution, None
        race, self._race = self._race, None
        self._winner = self._lastFailure = None
        self._actions.clear()
        for call in (self._nextCall, self._deadlineCall):
            if call is not None and call.active():
                call.cancel()
        self._nextCall = self._deadlineCall = None  # they hold this object
        if resolution is not None:
            cancelResolution(resolution)
        if race is not None:
            for action in race.stopped():
                self._do(action)
        try:
            if isinstance(result, (Failure, Exception)):
                done.errback(result)
            else:
                done.callback(result)
        finally:
            del done, result  # as in `_attemptFailed`


def _why(error: BaseException) -> str:
    text = str(error).rstrip(".")
    return text if isinstance(error, ConnectError) else f"{type(error).__name__}: {text}"
