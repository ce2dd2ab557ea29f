"""Connections that end when nothing happens on them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, cast

from ..error import AlreadyCalled, AlreadyCancelled
from ._wrapping import ProtocolWrapper, WrappingFactory

if TYPE_CHECKING:
    from ..failure import Failure
    from ..interfaces import IAddress, IDelayedCall, IReactorTime


def callLater(period: float, function: Callable[[], object]) -> Any:
    """Call a function later, on the reactor of the process."""
    from .. import reactor

    return cast("IReactorTime", reactor).callLater(period, function)


def cancel(call: IDelayedCall) -> None:
    """Cancel a delayed call, if there is still something to cancel."""
    try:
        call.cancel()
    except (AlreadyCalled, AlreadyCancelled):
        pass


class TimeoutProtocol(ProtocolWrapper):
    """
    Closes a connection on which nothing was sent or received for a time.

    Args:
        factory: a `TimeoutFactory`.
        wrappedProtocol: the protocol to stand before.
        timeoutPeriod: seconds; None for no limit.
    """

    def __init__(self, factory: Any, wrappedProtocol: Any, timeoutPeriod: float | None) -> None:
        super().__init__(factory, wrappedProtocol)
        self.timeoutCall: Any = None
        self.timeoutPeriod: float | None = None
        self.setTimeout(timeoutPeriod)

    def setTimeout(self, timeoutPeriod: float | None = None) -> None:
        """
        Begin to count again, with another limit.

        Args:
            timeoutPeriod: seconds; None for no limit.
        """
        self.cancelTimeout()
        self.timeoutPeriod = timeoutPeriod
        if timeoutPeriod is not None:
            self.timeoutCall = self.factory.callLater(timeoutPeriod, self.timeoutFunc)

    def cancelTimeout(self) -> None:
        """Have no limit from now on."""
        self.timeoutPeriod = None
        call, self.timeoutCall = self.timeoutCall, None
        if call is not None:
            cancel(call)

    def resetTimeout(self) -> None:
        """Begin to count again."""
        if self.timeoutCall is not None:
            self.timeoutCall.reset(self.timeoutPeriod)

    def write(self, data: bytes) -> None:
        self.resetTimeout()
        super().write(data)

    def writeSequence(self, seq: Iterable[bytes]) -> None:
        self.resetTimeout()
        super().writeSequence(seq)

    def dataReceived(self, data: bytes) -> None:
        self.resetTimeout()
        super().dataReceived(data)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        self.cancelTimeout()
        super().connectionLost(reason)

    def timeoutFunc(self) -> None:
        """Do what is to be done when time is up: close the connection, unless a subclass knows better."""
        self.timeoutCall = None
        self.loseConnection()


class TimeoutFactory(WrappingFactory):
    """
    Has each connection closed when nothing was sent or received on it for a time.

    Args:
        wrappedFactory: the factory to stand before.
        timeoutPeriod: seconds; half an hour by default.
    """

    protocol = TimeoutProtocol

    def __init__(self, wrappedFactory: Any, timeoutPeriod: float | None = 30 * 60) -> None:
        self.timeoutPeriod = timeoutPeriod
        super().__init__(wrappedFactory)

    def buildProtocol(self, addr: IAddress | None) -> Any:
        wrapped = self.wrappedFactory.buildProtocol(addr)
        if wrapped is None:
            return None
        return self.protocol(self, wrapped, timeoutPeriod=self.timeoutPeriod)

    def callLater(self, period: float, func: Callable[[], object]) -> Any:
        """Call a function later; override it to have another clock."""
        return callLater(period, func)


class TimeoutMixin:
    """
    One limit of time for a protocol that derives from this too.

    Attributes:
        timeOut: the limit in seconds, None for none; `setTimeout` sets it.
    """

    timeOut: float | None = None
    __call: Any = None

    def callLater(self, period: float, func: Callable[[], object]) -> Any:
        """Call a function later; override it to have another clock."""
        return callLater(period, func)

    def setTimeout(self, period: float | None) -> float | None:
        """
        Begin to count, with this limit.

        Args:
            period: seconds; None for no limit from now on.

        Returns:
            The limit that was set before.
        """
        before, self.timeOut = self.timeOut, period
        if period is None:
            call, self.__call = self.__call, None
            if call is not None:
                cancel(call)
        elif self.__call is None:
            self.__call = self.callLater(period, self.__timedOut)
        else:
            self.__call.reset(period)
        return before

    def resetTimeout(self) -> None:
        """Begin to count again, if a limit is set and not yet reached."""
        if self.__call is not None and self.timeOut is not None:
            self.__call.reset(self.timeOut)

    def __timedOut(self) -> None:
        self.__call = None
        self.timeoutConnection()

    def timeoutConnection(self) -> None:
        """Do what is to be done when time is up: close the connection, unless a subclass knows better."""
        transport: Any = self.transport  # type: ignore[attr-defined]
        transport.loseConnection()
