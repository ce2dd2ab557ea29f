"""
A connector: tries to connect a factory, again if the factory wants that, and tells it how each attempt ended.

An attempt is a coroutine.  It has ended for the connector as soon as it was given up, timed out or has
succeeded; what the loop still reports about it afterwards finds that it is no longer the connector's stream.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from zope.interface import implementer

from .. import error
from ..failure import Failure
from ..interfaces import IConnector
from .core import Core
from .errors import connectError
from .limits import Limit, Limits
from .raised import logRaised
from .stream import Stream


class _Attempt:
    """
    Runs a connector's coroutine, one step whenever what it awaits is done.

    This is what a task does, without what makes a task cost more than all else that is Python's in an
    attempt: a name, an entry in the set of all tasks, a round of the loop before it begins.

    Args:
        connector: whose attempt this is; its `Connector._fail` hears what the coroutine raises.
        stream: what it connects.
    """

    __slots__ = ("_cancelled", "_connector", "_coroutine", "_next", "_stream")

    def __init__(self, connector: Connector, stream: Stream) -> None:
        self._connector = connector
        self._stream = stream
        self._coroutine: Coroutine[Any, Any, Any] | None = None
        #: What calls the next step; not the first one.
        self._next: asyncio.Future[Any] | None = None
        #: Cancelled when it hadn't begun, or when what it awaited was done and this step still to come.
        self._cancelled = False

    def step(self, done: asyncio.Future[Any] | None = None) -> None:
        """Go as far as the coroutine can."""
        # Else a cycle: it may hold an exception, whose traceback will hold this frame.
        del done
        self._next = None
        try:
            if self._coroutine is None:
                if self._cancelled:
                    return
                self._coroutine = self._connector._open(self._stream)
            if self._cancelled:
                self._cancelled = False
                future = self._coroutine.throw(asyncio.CancelledError())
            else:
                future = self._coroutine.send(None)
        except StopIteration:
            pass
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as e:
            connector = self._connector
            if connector._attempt is self:
                # Later: this may be the first step, and the factory hears of it when connect() has returned.
                connector.reactor._loop.call_soon(connector._fail, self._stream, connectError(e))
            elif isinstance(e, asyncio.CancelledError):
                self._stream._letGo()
        else:
            self._next = future
            future.add_done_callback(self.step)

    def cancel(self) -> None:
        """Raise `asyncio.CancelledError` where the coroutine waits."""
        if self._next is None or not self._next.cancel():
            self._cancelled = True


@implementer(IConnector)
class Connector:
    """
    What all connectors have in common; subclasses connect.

    Attributes:
        reactor: the reactor.
        factory: makes the protocol, and hears how attempts end.
        timeout: seconds for one attempt, None for no limit.
        state: ``"disconnected"``, ``"connecting"`` or ``"connected"``.
        transport: the stream of the attempt or connection, None when there is none.
    """

    def __init__(self, reactor: Core, factory: Any, timeout: float | None) -> None:
        self.reactor: Any = reactor
        self.factory = factory
        self.timeout = timeout
        self.state = "disconnected"
        self.transport: Stream | None = None
        self._factoryStarted = False
        # What an attempt needs, and `_end` lets go of.
        self._limit: Limit | None = None
        self._attempt: _Attempt | None = None

    # What subclasses say

    def _makeStream(self) -> Stream:
        """Make the transport for the next attempt."""
        raise NotImplementedError

    def _peer(self, stream: Stream) -> Any:
        """Tell the address that a stream has been connected to."""
        return stream.getPeer()

    def _open(self, stream: Stream) -> Coroutine[Any, Any, Any]:
        """Connect a stream; whatever the coroutine raises is why the attempt failed."""
        raise NotImplementedError

    def getDestination(self) -> Any:
        """Tell the address that is connected to."""
        raise NotImplementedError

    # IConnector

    def connect(self) -> None:
        """
        Begin an attempt.

        Raises:
            RuntimeError: one is under way, or it is connected.
            ValueError: its timeout is no number of seconds.
        """
        if self.state != "disconnected":
            raise RuntimeError(f"can't connect in this state: {self!r}")
        # First, as this may raise.
        limit = None if self.timeout is None else self.reactor._limits[self.timeout]
        self.state = "connecting"
        if not self._factoryStarted:
            self._factoryStarted = True
            self.factory.doStart()
        stream = self.transport = self._makeStream()
        self.reactor._open[self] = None
        if limit is not None:
            self._limit = limit
            limit.begin(stream)
        self._attempt = _Attempt(self, stream)
        self.reactor._begin(self._attempt)
        self.factory.startedConnecting(self)

    def stopConnecting(self) -> None:
        """
        Give the attempt up: the factory is told at once, with a `UserError`.

        Raises:
            NotConnectingError: no attempt is under way.
        """
        if self.state != "connecting":
            raise error.NotConnectingError("we're not trying to connect")
        assert self.transport is not None
        self._fail(self.transport, error.UserError())

    def disconnect(self) -> None:
        """Give the attempt up, or close the connection, whichever there is."""
        if self.state == "connected" and self.transport is not None:
            self.transport.loseConnection()
        elif self.state == "connecting":
            self.stopConnecting()

    # An attempt

    def _end(self) -> None:
        self.reactor._underWay -= 1
        if self._limit is not None:
            self._limit.end(self.transport)
        if self._attempt is not None:
            self._attempt.cancel()
        self._limit = self._attempt = None
        self.reactor._open.pop(self, None)

    def _fail(self, stream: Stream, reason: BaseException) -> None:
        """End the attempt, if it is still under way, and tell the factory."""
        try:
            if self.transport is not stream or self.state != "connecting":
                return
            self._end()
            self._failed(reason)
        finally:
            # The reason may be raised by then, in a frame that knows this one: a cycle.
            del reason

    def _failed(self, reason: BaseException) -> None:
        """Tell the factory of an attempt that has ended."""
        try:
            self.state = "disconnected"
            self.transport = None
            self.factory.clientConnectionFailed(self, Failure(reason))
            self._stopFactory()
        finally:
            del reason

    def _stopFactory(self) -> None:
        # Not if the factory has called connect() again.
        if self.state == "disconnected" and self._factoryStarted:
            self._factoryStarted = False
            self.factory.doStop()

    def _shutdown(self) -> None:
        if self.transport is not None:
            self._fail(self.transport, error.ConnectError(string="The reactor has stopped"))

    _reading = False

    @property
    def _writing(self) -> bool:
        return self.state == "connecting"

    # For the stream: see stream.Owner

    def _buildProtocol(self, stream: Stream) -> Any:
        if self.transport is not stream or self.state != "connecting":
            # Given up while the loop connected.
            return None
        try:
            peer = self._peer(stream)
        except ConnectionResetError as e:
            self._fail(stream, connectError(e))
            return None
        try:
            self.state = "connected"
            # Not through _end: cancelled now, the coroutine would close what it has just opened.
            self._attempt = None
            self._end()
            return self.factory.buildProtocol(peer)
        except BaseException as e:
            logRaised(self.reactor._loop, f"{self!r}: buildProtocol failed, the connection is closed")
            self._failed(error.ConnectError(string=repr(e)))
            return None

    def _streamLost(self, stream: Stream, reason: Failure) -> None:
        if self.transport is not stream:
            return
        self.state = "disconnected"
        self.factory.clientConnectionLost(self, reason)
        if self.transport is stream:
            # Stream and connector hold each other, and circles wait for the garbage collector.
            self.transport = None
        self._stopFactory()

    def _suffix(self, stream: Stream) -> str:
        return "client"

    def _describe(self, stream: Stream) -> str:
        return f"<{type(stream)} to {self._target()} at {id(stream):x}>"

    def _target(self) -> Any:
        """Tell what was asked to be connected to."""
        raise NotImplementedError

    def __repr__(self) -> str:
        name = f"{type(self).__module__}.{type(self).__qualname__}"
        return f"<{name} instance at {id(self):#x} {self.state} {self.getDestination()}>"


class Connecting(Core):
    """The part of a reactor that is common to all that connects."""

    def __init__(self, eventloop: asyncio.AbstractEventLoop | None = None) -> None:
        super().__init__(eventloop)
        self._limits = Limits(self._loop)
        #: How many attempts have neither succeeded nor failed.
        self._underWay = 0

    def _begin(self, attempt: _Attempt) -> None:
        """
        Take an attempt's first step: now, or in the loop's next round if others are under way.

        Many attempts then begin behind one another, and not each between the callbacks of other connections:
        that takes a tenth less time.
        """
        self._underWay += 1
        if self._underWay == 1 and self._loop.is_running():
            attempt.step()
        else:
            self._loop.call_soon(attempt.step)
