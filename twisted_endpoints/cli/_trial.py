"""
One trial of a kind of endpoint: random bytes through a relay, both ways, and compared.

    client  →  the kind  →  relay  →  the kind  →  server

The client and the server each send `SIZE` bytes of their own and compare what they get with what the other
sends.  All of it is in one process, on one reactor.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from ..defer import Deferred, FirstError, gatherResults, maybeDeferred
from ..interfaces import IPushProducer
from ..protocol import Factory, Protocol, connectionDone
from ..relay import Observer, RelayFactory, Stream
from ..strings import clientFromString, serverFromString
from ._kinds import Kind
from ._text import reasonText, visible

if TYPE_CHECKING:
    from ..failure import Failure
    from ..interfaces import IAddress

#: How many bytes go each way, and how many in one write.
SIZE = 8 * 1024 * 1024
CHUNK = 64 * 1024


class TrialError(Exception):
    """A trial didn't hold; the text says why."""


@dataclass
class Outcome:
    """
    What came of a trial.

    Attributes:
        kind: the kind's name.
        status: ``ok``, ``failed`` or ``skipped``.
        server: the string that was listened on.
        client: the string that was connected to.
        reason: why not; empty if it is ok.
        speed: million bytes in a second, both ways together; None if it isn't ok.
    """

    kind: str
    status: str
    server: str = ""
    client: str = ""
    reason: str = ""
    speed: float | None = None


@implementer(IPushProducer)
class Comparer(Protocol):
    """
    Sends one text, and compares what it gets with another.

    Args:
        who: for the error's text.
        sends: what to send.
        expects: what should come.

    Attributes:
        complete: fires with None when all has come and all has been handed to the transport; fails with
            `TrialError` if something else comes, or the end too early.
    """

    def __init__(self, who: str, sends: bytes, expects: bytes) -> None:
        self._who = who
        self._sends = memoryview(sends)
        self._expects = expects
        self._sent = 0
        self._came = 0
        self._running = False
        self.complete: Deferred[None] = Deferred()

    def connectionMade(self) -> None:
        self._wire().registerProducer(self, True)
        self.resumeProducing()

    def dataReceived(self, data: bytes) -> None:
        if not self._expects.startswith(data, self._came):
            wanted = self._expects[self._came : self._came + len(data)]
            pairs = enumerate(zip(data, wanted, strict=False))
            same = next((i for i, (came, sent) in pairs if came != sent), len(wanted))
            self._fail(f"the {self._who} got other bytes than were sent, from byte {self._came + same} on")
            return
        self._came += len(data)
        self._check()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._running = False
        came = f"{self._came} of {len(self._expects)} bytes"
        self._fail(f"the {self._who}'s connection ended after {came}: {reasonText(reason)}")

    def resumeProducing(self) -> None:
        self._running = True
        while self._running and self._sent < len(self._sends):
            chunk = bytes(self._sends[self._sent : self._sent + CHUNK])
            self._sent += len(chunk)
            if self._sent == len(self._sends):
                self._wire().unregisterProducer()
            self._wire().write(chunk)
        self._check()

    def pauseProducing(self) -> None:
        self._running = False

    def stopProducing(self) -> None:
        self._running = False

    def close(self) -> None:
        """Close the connection after what was written."""
        self._wire().loseConnection()

    def abort(self) -> None:
        """Close the connection at once, if there is one."""
        if self.transport is not None:
            self._wire().abortConnection()

    def _wire(self) -> Any:
        return self.transport

    def _check(self) -> None:
        if self._came == len(self._expects) and self._sent == len(self._sends) and not self.complete.called:
            self.complete.callback(None)

    def _fail(self, why: str) -> None:
        if not self.complete.called:
            self.complete.errback(TrialError(why))


class _One(Factory):
    """Gives the one protocol to the one connection that is expected, and turns others away."""

    noisy = False

    def __init__(self, protocol: Protocol) -> None:
        self._protocols = [protocol]

    def buildProtocol(self, addr: IAddress | None) -> Protocol | None:
        return self._protocols.pop() if self._protocols else None


class _Trouble(Observer):
    """Keeps why the relay could not connect, which the client only knows as a connection that ended."""

    def __init__(self) -> None:
        self.reason: Failure | None = None

    def failed(self, stream: Stream) -> None:
        self.reason = stream.reason


class Trial:
    """
    Tries one kind.

    Args:
        reactor: what it runs on.
        kind: what to try.
        folder: an empty folder for files of the trial's own.
        limit: seconds until it counts as failed.
    """

    def __init__(self, reactor: Any, kind: Kind, folder: str, limit: float = 30.0) -> None:
        self._reactor = reactor
        self._kind = kind
        self._folder = folder
        self._limit = limit
        self._trouble = _Trouble()
        theirs, ours = os.urandom(SIZE), os.urandom(SIZE)
        self._server = Comparer("server", theirs, ours)
        self._client = Comparer("client", ours, theirs)
        self._undo: list[Callable[[], Any]] = [self._server.abort, self._client.abort]
        self._step = "starting"
        self._tooLate = False
        self._outcome = Outcome(kind.name, "failed")

    async def run(self) -> Outcome:
        """Try it, leave nothing behind, and return what came of it.  Raises nothing."""
        outcome = self._outcome
        outcome.reason = self._kind.missing()
        if outcome.reason:
            outcome.status = "skipped"
            return outcome
        work = Deferred.fromCoroutine(self._relay())
        limit = self._reactor.callLater(self._limit, self._timeOut, work)
        try:
            outcome.speed = await work
            outcome.status = "ok"
        except Exception as error:
            outcome.reason = self._why(error)
        if limit.active():
            limit.cancel()
        await self._tidy()
        return outcome

    async def _relay(self) -> float:
        """Return how many million bytes a second went through."""
        target = await self._listen("server", _One(self._server))
        relay = RelayFactory(clientFromString(self._reactor, target), observer=self._trouble)
        self._undo.append(relay.abort)
        string = await self._listen("relay", relay)
        self._outcome.client = visible(string)
        self._step = "connecting"
        began = self._reactor.seconds()
        await clientFromString(self._reactor, string).connect(_One(self._client))
        self._step = "relaying"
        await gatherResults([self._server.complete, self._client.complete], consumeErrors=True)
        took: float = self._reactor.seconds() - began
        self._step = "closing"
        self._client.close()
        await relay.whenIdle()
        return 2 * SIZE / took / 1e6

    async def _listen(self, name: str, factory: Factory) -> str:
        """Listen on a string of the kind's, and return the string that leads there."""
        self._step = "listening"
        path = os.path.join(self._folder, name)
        string = self._kind.server(path)
        self._outcome.server = visible(string)
        port = await serverFromString(self._reactor, string).listen(factory)
        self._undo.append(port.stopListening)
        return self._kind.client(port.getHost(), path)

    def _timeOut(self, work: Deferred[float]) -> None:
        self._tooLate = True
        work.cancel()

    def _why(self, error: Exception) -> str:
        if self._tooLate:
            return f"timed out after {self._limit:g} s, while {self._step}"
        if self._trouble.reason is not None:
            return f"while {self._step}: the relay can't connect: {reasonText(self._trouble.reason)}"
        if isinstance(error, FirstError):
            error = error.subFailure.value
        return f"while {self._step}: {reasonText(error)}"

    async def _tidy(self) -> None:
        for comparer in (self._server, self._client):
            # What it has to say after the trial is of no interest.
            comparer.complete.addErrback(lambda reason: None)
        for undo in reversed(self._undo):
            try:
                await maybeDeferred(undo)
            except Exception as error:
                if self._outcome.status == "ok":
                    self._outcome.status = "failed"
                    self._outcome.reason = f"while closing: {reasonText(error)}"
