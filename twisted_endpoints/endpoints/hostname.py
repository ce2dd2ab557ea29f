"""
Connects to a host by its name: looks it up, and races its addresses (RFC 8305).

`HostnameEndpoint` is what the user describes, `_Connecting` is one run of it.  Which address is tried when is decided in
`_racing.py`; the code here only carries it out.
"""

from __future__ import annotations

import socket
import warnings
from collections import deque
from collections.abc import Iterable
from typing import Any

from zope.interface import implementer

from .._log import Logger
from ..address import HostnameAddress, IPv4Address, IPv6Address
from ..defer import Deferred, fail
from ..error import ConnectError, ConnectingCancelledError, DNSLookupError, TimeoutError
from ..failure import Failure
from ..interfaces import (
    IAddress,
    IHostnameResolver,
    IHostResolution,
    IProtocol,
    IProtocolFactory,
    IReactorPluggableNameResolver,
    IResolutionReceiver,
    IStreamClientEndpoint,
)
from ..threads import deferToThread
from ._racing import Action, Cancel, Lost, Race, Start, Wait, Won, interleave
from ._resolution import (
    AddressInfo,
    HostName,
    _SimpleHostnameResolver,
    isIPv6,
    lookUpInThread,
    scoped,
    shown,
)
from .tcp import BindAddress, TCP4ClientEndpoint, TCP6ClientEndpoint

_log = Logger(__name__)


@implementer(IStreamClientEndpoint)
class HostnameEndpoint:
    """
    Connects to the first address of a host that answers, IPv6 or IPv4.

    Args:
        reactor: an `IReactorTCP` and `IReactorTime`, mostly with a name resolver as well.
        host: a name, in Unicode or in its ASCII form, or an IP address.  One that can't be a host name is an error of
            `connect`, and not of this call.
        port: the port to connect to.
        timeout: seconds after which the attempt with one address has failed.
        bindAddress: the local address to connect from: a host, or a ``(host, port)`` pair where the port is to be
            fixed too; None for any.
        attemptDelay: seconds that an attempt is given before the next one starts beside it; by default 0.25, which
            RFC 8305 recommends.  Longer is kinder to servers, shorter helps where many addresses are dead.
        deadline: seconds that the whole may take, the look-up and all attempts together; by default there is no limit.
            Give it where somebody waits for the answer.
        resolver: looks the name up; by default the reactor's, as it is when `connect` is called.
    """

    # Twisted's names, which tests replace.
    _getaddrinfo = staticmethod(socket.getaddrinfo)
    _deferToThread = staticmethod(deferToThread)
    #: RFC 8305, section 8, "Connection Attempt Delay"; Twisted has 0.3.
    _DEFAULT_ATTEMPT_DELAY = 0.25

    def __init__(
        self,
        reactor: Any,
        host: str | bytes,
        port: int,
        timeout: float = 30,
        bindAddress: BindAddress = None,
        attemptDelay: float | None = None,
        *,
        deadline: float | None = None,
        resolver: IHostnameResolver | None = None,
    ) -> None:
        self._reactor = reactor
        self._resolver = resolver
        # For its warning alone, which belongs to the line that makes the endpoint; connect() asks again, because a
        # program may install its resolver later.
        self._getNameResolverAndMaybeWarn(reactor)
        name = HostName.parse(host)
        self._hostText, self._hostBytes, self._badHostname = name.text, name.ascii, not name.valid
        self._isAddress = name.isAddress
        self._port = port
        self._timeout = timeout
        if isinstance(bindAddress, (str, bytes)):
            bindAddress = (bindAddress, 0)
        if isinstance(bindAddress, (tuple, list)) and isinstance(bindAddress[0], bytes):
            bindAddress = (bindAddress[0].decode(), bindAddress[1])
        self._bindAddress = bindAddress
        self._attemptDelay = self._DEFAULT_ATTEMPT_DELAY if attemptDelay is None else attemptDelay
        self._deadline = deadline

    def __repr__(self) -> str:
        # The ASCII form can be pasted into any tool.
        return f"<{type(self).__name__} {shown(self._hostBytes, self._port)}>"

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """
        Look the name up and connect.

        Args:
            protocolFactory: makes the protocol, for the address that won and for no other.

        Returns:
            A Deferred that fires with the protocol, connected.  It fails with

            - `ValueError`: this can't be a host name;
            - `error.DNSLookupError`: it has no addresses;
            - `error.TimeoutError`: the deadline has passed;
            - what the attempt failed with, where there was one address; where there were several, an
              `error.ConnectError` of the kind that the last attempt met, whose text has every address and why it
              failed.

            Cancelling it gives up the look-up and all attempts; it fails with `error.ConnectingCancelledError` at
            whatever stage.
        """
        if self._badHostname:
            return fail(ValueError(f"invalid hostname: {self._hostText}"))
        return _Connecting(self, protocolFactory).start()

    def _getNameResolverAndMaybeWarn(self, reactor: Any) -> Any:
        if self._resolver is not None:
            return self._resolver
        if IReactorPluggableNameResolver.providedBy(reactor):
            return reactor.nameResolver
        kind = type(reactor)
        warnings.warn(
            "Passing HostnameEndpoint a reactor that does not provide IReactorPluggableNameResolver"
            f" ({kind.__module__}.{kind.__qualname__}) was deprecated in Twisted 17.5.0;"
            " please use a reactor that provides IReactorPluggableNameResolver instead",
            DeprecationWarning,
            stacklevel=3,
        )
        return _SimpleHostnameResolver(self._fallbackNameResolution)

    def _fallbackNameResolution(self, host: str, port: int) -> Deferred[AddressInfo]:
        return lookUpInThread(
            self._reactor, self._deferToThread, self._getaddrinfo, host, port, 0, socket.SOCK_STREAM
        )

    def _endpointFor(self, address: Any) -> TCP4ClientEndpoint | TCP6ClientEndpoint:
        if isinstance(address, IPv6Address):
            return TCP6ClientEndpoint(
                self._reactor,
                scoped(address.host, address.scopeID),
                address.port,
                self._timeout,
                self._bindAddress,
            )
        return TCP4ClientEndpoint(self._reactor, address.host, address.port, self._timeout, self._bindAddress)


@implementer(IResolutionReceiver)
class _Connecting:
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
        self._found: list[IAddress] = []
        self._race: Race[IAddress] | None = None
        self._actions: deque[Action[IAddress]] = deque()
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
        if endpoint._deadline is not None:
            self._deadlineCall = endpoint._reactor.callLater(endpoint._deadline, self._deadlinePassed)
        if endpoint._isAddress:
            kind = IPv6Address if isIPv6(endpoint._hostText) else IPv4Address
            self.addressResolved(kind("TCP", endpoint._hostText, endpoint._port))
            self.resolutionComplete()
            return done
        try:
            resolver = endpoint._getNameResolverAndMaybeWarn(endpoint._reactor)
            # In ASCII: what getaddrinfo makes of Unicode is IDNA 2003, by which some names lead to another host.
            resolver.resolveHostName(self, endpoint._hostBytes.decode("ascii"), portNumber=endpoint._port)
        except Exception as reason:
            error = DNSLookupError(f"hostname lookup of {endpoint._hostText} failed: {reason!r}")
            error.__cause__ = reason
            self._finish(error)
        return done

    # The look-up

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:
        self._resolution = resolutionInProgress

    def addressResolved(self, address: IAddress) -> None:
        if isinstance(address, (IPv4Address, IPv6Address)) and address not in self._found:
            self._found.append(address)

    def resolutionComplete(self) -> None:
        self._resolution = None
        if self._done is None:
            return
        if not self._found:
            self._finish(DNSLookupError(f"no results for hostname lookup: {self._endpoint._hostText}"))
            return
        self._race = Race(interleave(self._found, type))
        self._act(self._race.begin())

    # The race

    def _act(self, actions: Iterable[Action[IAddress]]) -> None:
        """Do what the race decided; not by recursion, because a thousand attempts may fail inside their connect()."""
        self._actions.extend(actions)
        if self._acting:
            return
        self._acting = True
        while self._actions:
            self._do(self._actions.popleft())
        self._acting = False

    def _do(self, action: Action[IAddress]) -> None:
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

    def _startAttempt(self, attempt: int, address: IAddress) -> None:
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
        if self._attempts.pop(attempt, None) is not None and self._race is not None:
            self._lastFailure = reason
            self._act(self._race.failed(attempt, _why(reason.value)))

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
        # The kind is what `except` clauses and retry policies go by; one with a constructor of its own can't be made.
        kind = type(value) if type(value).__init__ is ConnectError.__init__ else ConnectError
        error = kind(value.osError, text)
        error.__cause__ = value
        return error

    def _attemptsSoFar(self) -> str:
        assert self._race is not None
        rows = [(address, why) for address, why in self._race.failures]
        rows += [(self._race.addresses[attempt], "no answer yet") for attempt in self._race.running]
        return "; ".join(f"{shown(address.host, address.port)}: {why}" for address, why in rows)

    def _name(self) -> str:
        return shown(self._endpoint._hostBytes, self._endpoint._port)

    # The end

    def _cancelled(self, done: Deferred[IProtocol]) -> None:
        self._finish(
            ConnectingCancelledError(HostnameAddress(self._endpoint._hostBytes, self._endpoint._port))
        )

    def _deadlinePassed(self) -> None:
        limit = f"no connection to {self._name()} within {self._endpoint._deadline} seconds"
        stage = "the name look-up gave no answer" if self._race is None else self._attemptsSoFar()
        self._finish(TimeoutError(string=f"{limit}: {stage}"))

    def _finish(self, result: IProtocol | Failure | Exception | None) -> None:
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
        if resolution is not None:
            _cancelResolution(resolution)
        if race is not None:
            for action in race.stopped():
                self._do(action)
        if isinstance(result, (Failure, Exception)):
            done.errback(result)
        else:
            done.callback(result)


def _why(error: BaseException) -> str:
    text = str(error).rstrip(".")
    return text if isinstance(error, ConnectError) else f"{type(error).__name__}: {text}"


def _cancelResolution(resolution: IHostResolution) -> None:
    try:
        resolution.cancel()
    except NotImplementedError:
        pass  # Twisted's own can't be cancelled; its answer is ignored
    except Exception:
        _log.failure("while cancelling a hostname lookup")
