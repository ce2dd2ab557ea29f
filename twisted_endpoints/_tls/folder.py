"""
A folder of certificates, and what is served from it while files come, change and go.

Theory.  Whoever renews certificates writes files one after the other, and often in place, so at any moment a
file may be half-written and a key may not match.  What is served is therefore a state of its own, made anew
when something changed, and taken in one step.  It keeps what the old state knew where the files don't say
better:

- a file that can't be read, or parsed, counts with what it last held;
- a name whose files are all there, and give no certificate with its key any more, keeps the one it had;
- a folder that can't be listed changes nothing, nor does a file that can't be looked at.

Only a file that is gone takes its certificates with it.  What can't be read though it may be read, as when
descriptors run out, is read the next time.  Each fault is logged once, with path and reason.
Changes are found by the files' times, sizes and inodes, once a second and in a thread; a handshake only looks
into the table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from .._log import Logger
from .files import Stamp, mayPass, readPEM, stampsIn
from .pem import Identity, PEMError, PEMFile, Span, byName, identities, lookUp, notValid, steady

if TYPE_CHECKING:
    from OpenSSL.SSL import Context

_log = Logger("twisted_endpoints.tls")


class NoDefault(PEMError):
    """No certificate is for the name that is to be the default."""


@dataclass(frozen=True)
class Served:
    """
    One state of a folder.

    Attributes:
        stamps: of each file that was there; empty if it must be read the next time.
        files: what each file holds, or last held.
        names: what is shown for each name: the best there is, or what was shown before where there is none.
        contexts: OpenSSL's context for each of these.
        default: for clients that ask for nobody; None if they are refused.
        faults: what was logged.
        steady: from when until when time alone changes nothing of this.
    """

    stamps: Mapping[str, Stamp] = field(default_factory=dict)
    files: Mapping[str, PEMFile] = field(default_factory=dict)
    names: Mapping[str, Identity] = field(default_factory=dict)
    contexts: Mapping[Identity, Context] = field(default_factory=dict)
    default: Identity | None = None
    faults: frozenset[str] = frozenset()
    steady: Span = field(default_factory=Span)


def utcNow() -> datetime:
    """Get the time, with its time zone."""
    return datetime.now(timezone.utc)


class CertificateFolder:
    """
    Knows the certificate for each name, from the ``.pem`` files in a folder and the folders in it.

    Args:
        path: the folder's.
        makeContext: makes OpenSSL's context for an identity; called in a thread.
        default: the name whose certificate is shown to clients that ask for no name, or for one that no
            certificate is for; None to refuse the latter, and to show the former the certificate in the file
            that is first by its path.
        now: the time, for tests.

    Raises:
        PEMError: the folder can't be listed, or holds no certificate with its key.
        NoDefault: it holds none for `default`.
    """

    def __init__(
        self,
        path: str,
        makeContext: Callable[[Identity], Context],
        default: str | None = None,
        now: Callable[[], datetime] = utcNow,
    ) -> None:
        self.path = path
        self._makeContext = makeContext
        self._default = default
        self._now = now
        try:
            stamps = stampsIn(path, {})
        except OSError as e:
            raise PEMError(path, f"the folder can't be listed: {e.strerror or e}") from e
        self._served = self._next(Served(), stamps)
        if not self._served.names:
            why = "; ".join(sorted(self._served.faults)) or "there is no file whose name ends with .pem"
            raise PEMError(path, f"no certificate with its key is in this folder: {why}")
        if self._served.default is None:
            raise NoDefault(path, f"no certificate is for the default name {default!r}")

    def context(self, serverName: bytes | None) -> Context | None:
        """
        Find the context for what a client asks for.

        Args:
            serverName: the name, None if it asks for nobody.

        Returns:
            The context, or None: there is nothing for this name.
        """
        served = self._served
        identity = lookUp(served.names, serverName) if serverName else served.default
        if identity is None and self._default is not None:
            identity = served.default
        return None if identity is None else served.contexts[identity]

    def changed(self) -> Served | None:
        """
        Look for changes; may be called in a thread.

        Returns:
            What is to be served from now on, for `serve`; None if nothing is new.
        """
        old = self._served
        try:
            stamps = stampsIn(self.path, old.stamps)
        except OSError as e:
            return self._withFault(old, PEMError(self.path, f"the folder can't be listed: {e.strerror or e}"))
        if stamps == old.stamps and self._now() in old.steady:
            return None
        return self._next(old, stamps)

    def serve(self, served: Served) -> None:
        """Serve this from now on."""
        self._served = served

    def _withFault(self, old: Served, fault: PEMError) -> Served | None:
        if str(fault) in old.faults:
            return None
        _log.warning(f"{fault}; what was served before is served on")
        now = self._now()
        # An empty span: as soon as the folder can be listed, the fault is over.
        return replace(old, faults=old.faults | {str(fault)}, steady=Span(now, now))

    def _next(self, old: Served, stamps: Mapping[str, Stamp]) -> Served:
        """Make the state that follows another."""
        now = self._now()
        faults: list[PEMError] = []
        files: dict[str, PEMFile] = {}
        unread: set[str] = set()
        for path, stamp in stamps.items():
            known = old.files.get(path)
            if known is None or old.stamps.get(path) != stamp:
                try:
                    read = readPEM(path)
                except PEMError as e:
                    faults.append(e)
                    if mayPass(e):
                        unread.add(path)
                else:
                    if known is None or read.digest != known.digest:
                        known = read
            if known is not None:
                files[path] = known
        found, problems = identities(files.values())
        faults += problems
        names = byName(found, now)
        for name, identity in old.names.items():
            if name not in names and identity.path in stamps and identity.keyPath in stamps:
                names[name] = identity
        contexts = self._contexts(old, names, faults)
        default = self._chooseDefault(names)
        faults += [notValid(identity) for identity in contexts if not identity.validAt(now)]
        for fault in faults:
            if str(fault) not in old.faults:
                _log.warning(str(fault))
        texts = frozenset(map(str, faults))
        stamps = {path: () if path in unread else stamp for path, stamp in stamps.items()}
        return Served(stamps, files, names, contexts, default, texts, steady([*found, *contexts], now))

    def _contexts(
        self, old: Served, names: dict[str, Identity], faults: list[PEMError]
    ) -> dict[Identity, Context]:
        """Make the contexts that are new; a name whose context can't be made keeps what it had, or goes."""
        contexts: dict[Identity, Context] = {}
        refused: set[Identity] = set()
        for name, identity in list(names.items()):
            if identity not in contexts and identity not in refused:
                try:
                    contexts[identity] = old.contexts.get(identity) or self._makeContext(identity)
                except Exception as e:
                    refused.add(identity)
                    faults.append(PEMError(identity.path, f"OpenSSL refuses this certificate: {e}"))
            if identity in refused:
                del names[name]
                before = old.names.get(name)
                if before is not None and before in old.contexts:
                    names[name] = before
                    contexts[before] = old.contexts[before]
        return contexts

    def _chooseDefault(self, names: Mapping[str, Identity]) -> Identity | None:
        if self._default is not None:
            found: Identity | None = lookUp(names, self._default.encode("idna"))
            return found
        return min(names.values(), key=lambda identity: identity.path, default=None)
