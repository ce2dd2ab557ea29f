"""Certificates that are renewed while they are served: who looks for new ones, and those of two files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from OpenSSL.SSL import Connection, Context
from zope.interface import implementer

from .._log import Logger
from ..interfaces import IOpenSSLServerConnectionCreator
from ..threads import deferToThreadPool
from .files import Stamp, mayPass, stampOf
from .folder import utcNow
from .pem import Identity, PEMError, Span, notValid, steady

if TYPE_CHECKING:
    from ..failure import Failure

_log = Logger("twisted_endpoints.tls")

#: Seconds between two looks.
INTERVAL = 1.0


class Renewed(Protocol):
    """What a `Watch` looks at."""

    #: Where they are, for the log.
    path: str

    def changed(self) -> Any:
        """Look, in a thread; give what is to be served from now on, None if nothing is new."""

    def serve(self, served: Any) -> None:
        """Serve that."""


class Watch:
    """
    Looks for renewed certificates once a second, from `start` to `stop`.

    Args:
        reactor: calls later, and has threads.
        renewed: what is looked at.
    """

    def __init__(self, reactor: Any, renewed: Renewed) -> None:
        self._reactor = reactor
        self._renewed = renewed
        self._call: Any = None
        self._watching = False
        #: There was no thread for the last look.
        self._waiting = False

    def start(self) -> None:
        """Look from now on."""
        self._watching = True
        self._later()

    def stop(self) -> None:
        """Look no more."""
        self._watching = False
        call, self._call = self._call, None
        if call is not None:
            call.cancel()

    def _later(self) -> None:
        self._call = self._reactor.callLater(INTERVAL, self._look)

    def _look(self) -> None:
        self._call = None
        try:
            looking = deferToThreadPool(self._reactor, self._reactor.getThreadPool(), self._renewed.changed)
        except RuntimeError as e:
            # As Python says that the system has no thread to spare.
            if not self._waiting:
                self._waiting = True
                _log.warning(f"{self._renewed.path}: what is new there has to wait: {e}")
            self._later()
        else:
            self._waiting = False
            looking.addCallbacks(self._changed, self._failed)

    def _changed(self, served: Any) -> None:
        if served is not None:
            self._renewed.serve(served)
        if self._watching:
            self._later()

    def _failed(self, reason: Failure) -> None:
        _log.failure(f"while looking for what is new in {self._renewed.path}", reason)
        if self._watching:
            self._later()


@dataclass(frozen=True)
class _Shown:
    """
    What is shown.

    Attributes:
        stamps: of the files that were read.
        context: makes the connections.
        steady: from when until when the certificate stays valid, or invalid.
        fault: what was logged last.
    """

    stamps: tuple[Stamp | None, ...]
    context: Context
    steady: Span
    fault: str = ""


@implementer(IOpenSSLServerConnectionCreator)
class CertificateFiles:
    """
    Makes a server's connections with the certificate in certain files, which is read anew when one changes.

    As in a folder, what is wrong with them then is logged, with the file and the reason, and what was shown
    is shown on.

    Args:
        paths: the files; the certificate's first.
        load: reads them.
        makeContext: makes OpenSSL's context for what was read; like `load`, called in a thread later.
        now: the time, for tests.

    Raises:
        PEMError: `load` finds a fault.
        ValueError: OpenSSL can't use what was read.
    """

    def __init__(
        self,
        paths: tuple[str, ...],
        load: Callable[[], Identity],
        makeContext: Callable[[Identity], Context],
        now: Callable[[], datetime] = utcNow,
    ) -> None:
        self.path = paths[0]
        self._paths = paths
        self._load = load
        self._makeContext = makeContext
        self._now = now
        self._shown = self._read(self._stamps())

    def serverConnectionForTLS(self, protocol: Any) -> Connection:
        """Make a connection."""
        return Connection(self._shown.context, None)

    def _stamps(self) -> tuple[Stamp | None, ...]:
        return tuple(stampOf(path) for path in self._paths)

    def _read(self, stamps: tuple[Stamp | None, ...], logged: str = "") -> _Shown:
        identity, now = self._load(), self._now()
        context = self._makeContext(identity)
        fault = ""
        if not identity.validAt(now):
            fault = str(notValid(identity))
            if fault != logged:
                _log.warning(fault)
        return _Shown(stamps, context, steady([identity], now), fault)

    def changed(self) -> _Shown | None:
        """
        Look for changes; may be called in a thread.

        Returns:
            What is to be shown from now on, for `serve`; None if nothing is new.
        """
        old, stamps = self._shown, self._stamps()
        if stamps == old.stamps and self._now() in old.steady:
            return None
        try:
            return self._read(stamps, old.fault)
        except ValueError as e:
            wrong = e if isinstance(e, PEMError) else PEMError(self.path, str(e))
            fault, passing = str(wrong), mayPass(wrong)
        if fault != old.fault:
            _log.warning(f"{fault}; what was served before is served on")
        # What could not even be read is read again the next time, as it was.
        return replace(old, stamps=() if passing else stamps, fault=fault)

    def serve(self, served: _Shown) -> None:
        """Show this from now on."""
        self._shown = served
