"""
Other people's file descriptors: what is added to the reactor by hand, and isn't one of its own streams.

Theory.  The loop knows descriptors by number, and a number means another file as soon as the old one is
closed.  So this keeps who is watched under which number, takes the old number off the loop when somebody new
comes with it (else epoll would never be told), and never asks an object that was removed for its number
again.
"""

from __future__ import annotations

import asyncio
from typing import Any

from .. import error
from .._log import Logger
from ..failure import Failure
from ..interfaces import IHalfCloseableDescriptor
from .core import Core
from .raised import calledLogged

_log = Logger(__name__)


class _Direction:
    """
    Those that are watched for input, or those that are watched for room to write.

    Args:
        add: the loop's method that starts to watch a number.
        remove: the loop's method that stops it.
        loop: the loop, for files that are always ready.
        ready: what to call with a descriptor that is ready.
    """

    def __init__(self, add: Any, remove: Any, loop: asyncio.AbstractEventLoop, ready: Any) -> None:
        self._add = add
        self._remove = remove
        self._loop = loop
        self._ready = ready
        self.watched: dict[Any, int] = {}
        #: Regular files can't be watched, and needn't be: each is called once a round of the loop.
        self.always: dict[Any, asyncio.Handle] = {}

    def __contains__(self, descriptor: Any) -> bool:
        return descriptor in self.watched or descriptor in self.always

    def all(self) -> list[Any]:
        return [*self.watched, *self.always]

    def start(self, descriptor: Any, opposite: _Direction) -> None:
        """
        Watch a descriptor.

        Args:
            descriptor: it.
            opposite: those that are watched for the other thing.
        """
        number = descriptor.fileno()
        for old in [old for old, its in self.watched.items() if its == number]:
            self.stop(old)
        # Here one and the same number may be all right: one object reads, another writes.
        for old in [old for old, its in opposite.watched.items() if its == number != old.fileno()]:
            opposite.stop(old)
        try:
            self._add(number, self._ready, descriptor)
        except PermissionError:
            # epoll's word for a file that is always ready.
            self.always[descriptor] = self._loop.call_soon(self._again, descriptor)
        else:
            self.watched[descriptor] = number

    def _again(self, descriptor: Any) -> None:
        self.always[descriptor] = self._loop.call_soon(self._again, descriptor)
        self._ready(descriptor)

    def stop(self, descriptor: Any) -> None:
        """Don't watch a descriptor any more; one that isn't watched is no error."""
        if descriptor in self.always:
            self.always.pop(descriptor).cancel()
        elif descriptor in self.watched:
            try:
                self._remove(self.watched.pop(descriptor))
            except (OSError, RuntimeError):
                # It was closed, and its number may be somebody else's by now: a stream of the loop's own.
                pass


class Descriptors(Core):
    """Implements `IReactorFDSet`."""

    def __init__(self, eventloop: asyncio.AbstractEventLoop | None = None) -> None:
        super().__init__(eventloop)
        loop = self._loop
        self._readers = _Direction(loop.add_reader, loop.remove_reader, loop, self._readable)
        self._writers = _Direction(loop.add_writer, loop.remove_writer, loop, self._writable)

    def addReader(self, reader: Any) -> None:
        """Call ``reader.doRead()`` whenever there is something to read."""
        if reader not in self._readers:
            self._readers.start(reader, self._writers)

    def addWriter(self, writer: Any) -> None:
        """Call ``writer.doWrite()`` whenever there is room to write."""
        if writer not in self._writers:
            self._writers.start(writer, self._readers)

    def removeReader(self, reader: Any) -> None:
        """Take back `addReader`."""
        self._readers.stop(reader)

    def removeWriter(self, writer: Any) -> None:
        """Take back `addWriter`."""
        self._writers.stop(writer)

    def getReaders(self) -> list[Any]:
        """Return what is watched for input: what was added, and the reactor's own streams and ports."""
        return self._readers.all() + [stream for stream in self._open if stream._reading]

    def getWriters(self) -> list[Any]:
        """Return what waits for room to write."""
        return self._writers.all() + [stream for stream in self._open if stream._writing]

    def removeAll(self) -> list[Any]:
        """Watch nothing any more, and return what was watched or open; it stays open."""
        found = dict.fromkeys(self._readers.all() + self._writers.all())
        removed = [each for each in found if each not in self._internalReaders]
        for descriptor in removed:
            self._readers.stop(descriptor)
            self._writers.stop(descriptor)
        return removed + super().removeAll()

    def disconnectAll(self) -> None:
        super().disconnectAll()
        for descriptor in self.removeAll():
            reason = Failure(error.ConnectionLost("Connection lost"))
            calledLogged("while closing at shutdown", descriptor.connectionLost, reason)

    def _readable(self, reader: Any) -> None:
        self._act(reader, "doRead")

    def _writable(self, writer: Any) -> None:
        self._act(writer, "doWrite")

    def _act(self, descriptor: Any, method: str) -> None:
        """Let a descriptor do its work; if it says or shows that it can't go on, remove it and tell it."""
        trouble: BaseException | None
        try:
            if descriptor.fileno() == -1:
                trouble = error.ConnectionFdescWentAway("Filedescriptor went away")
            else:
                trouble = getattr(descriptor, method)()
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as raised:
            _log.failure(f"in {method} of {descriptor!r}")
            trouble = raised
        if trouble:
            calledLogged("while a descriptor was told of its end", self._lose, descriptor, trouble, method)

    def _lose(self, descriptor: Any, trouble: BaseException, method: str) -> None:
        self.removeReader(descriptor)
        ended = method == "doRead" and type(trouble) is error.ConnectionDone
        if ended and IHalfCloseableDescriptor.providedBy(descriptor):
            descriptor.readConnectionLost(Failure(trouble))
        else:
            self.removeWriter(descriptor)
            descriptor.connectionLost(Failure(trouble))
