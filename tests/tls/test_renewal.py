"""A certificate and its key in files of their own, while they are renewed, break and go."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from twisted_endpoints._tls.files import loadIdentity, stampOf
from twisted_endpoints._tls.pem import Identity, PEMError
from twisted_endpoints._tls.renewal import INTERVAL, CertificateFiles, Watch
from twisted_endpoints.task import Clock

from .authority import DAY, NOW, Issued, root

OLD = root().issue("example.com")
NEW = root().issue("example.com", ends=NOW + 60 * DAY)


ON = "; what was served before is served on"


class Files:
    """Two files, what is shown of them, a clock, and what was logged."""

    def __init__(self, folder: Path, logged: list[str]) -> None:
        self.key, self.certificate = folder / "key.pem", folder / "cert.pem"
        self.now = NOW
        self.logged = logged
        self.write(OLD)
        paths = str(self.certificate), str(self.key)
        self.files: Any = CertificateFiles(
            paths, lambda: loadIdentity(paths[1], paths[0]), self._context, lambda: self.now
        )

    def _context(self, identity: Identity) -> Any:
        if "refused" in identity.names:
            raise ValueError("OpenSSL refuses this certificate: ee key too small")
        return identity

    def write(self, issued: Issued) -> None:
        self.key.write_bytes(issued.keyPEM)
        self.certificate.write_bytes(issued.certificatePEM)

    def look(self) -> Any:
        """Look for changes and show them; give the certificate that is shown then."""
        changed = self.files.changed()
        if changed is not None:
            self.files.serve(changed)
        return self.files._shown.context.certificate

    def said(self) -> list[str]:
        said, self.logged[:] = list(self.logged), []
        return [text.replace(f"{self.key.parent}/", "").replace(ON, " (on)") for text in said]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    logged: list[str] = []
    monkeypatch.setattr("twisted_endpoints._tls.renewal._log.warning", logged.append)
    return Files(tmp_path, logged)


def test_theRenewedOneIsShown(files: Files) -> None:
    assert files.look() == OLD.certificate
    files.write(NEW)
    assert files.look() == NEW.certificate
    assert files.said() == []


def test_betweenAKeyAndItsCertificateTheOldOneIsShown(files: Files) -> None:
    files.key.write_bytes(NEW.keyPEM)
    for _ in range(3):
        assert files.look() == OLD.certificate
    assert files.said() == ["cert.pem: no certificate in it is for the private key in key.pem (on)"]

    files.certificate.write_bytes(NEW.certificatePEM[:200])
    assert files.look() == OLD.certificate
    assert files.said() == ["cert.pem: it ends in the middle of a block: is it still being written? (on)"]

    files.certificate.write_bytes(NEW.certificatePEM)
    assert files.look() == NEW.certificate
    assert files.said() == []


def test_aFileThatIsGoneChangesNothing(files: Files) -> None:
    files.key.unlink()
    for _ in range(3):
        assert files.look() == OLD.certificate
    assert files.said() == ["key.pem: it can't be read: No such file or directory (on)"]
    files.write(OLD)
    files.key.chmod(0o600)
    assert files.look() == OLD.certificate
    assert files.said() == []


def test_whatCouldNotBeReadIsReadTheNextTime(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr("twisted_endpoints._tls.files._JUST", 0)
    files.write(NEW)
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr("twisted_endpoints._tls.files.open", full, raising=False)
        for _ in range(3):
            assert files.look() == OLD.certificate
    assert files.look() == NEW.certificate
    assert files.files.changed() is None
    assert files.said() == ["key.pem: it can't be read: Too many open files (on)"]


class Threadless:
    """A reactor whose pool has no thread, until it has one."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.callLater = self.clock.callLater
        self.threads = 0

    def getThreadPool(self) -> Any:
        return self

    def callInThreadWithCallback(self, onResult: Any, function: Any) -> None:
        if not self.threads:
            raise RuntimeError("can't start new thread")
        onResult(True, function())

    def callFromThread(self, function: Any, *args: Any) -> None:
        function(*args)


def test_noThreadForALookIsNoEnd(files: Files) -> None:
    reactor: Any = Threadless()
    watch = Watch(reactor, files.files)
    watch.start()
    files.write(NEW)
    for reactor.threads in (0, 0, 1):
        assert files.files._shown.context.certificate == OLD.certificate
        reactor.clock.advance(INTERVAL)
    assert files.files._shown.context.certificate == NEW.certificate
    assert files.said() == ["cert.pem: what is new there has to wait: can't start new thread"]
    watch.stop()
    assert reactor.clock.getDelayedCalls() == []


def test_aCertificateThatOpenSSLRefuses(files: Files) -> None:
    files.write(root().issue("refused"))
    assert files.look() == OLD.certificate
    assert files.said() == ["cert.pem: OpenSSL refuses this certificate: ee key too small (on)"]


def test_oneThatIsNotValidIsShownAndLogged(files: Files) -> None:
    files.now = NOW + 30 * DAY
    files.look()
    assert files.said() == []
    files.now = NOW + 31 * DAY
    for _ in range(3):
        assert files.look() == OLD.certificate
    assert files.said() == ["cert.pem: the certificate for example.com is not valid now"]
    files.write(NEW)
    assert files.look() == NEW.certificate
    assert files.said() == []


def test_whatIsWrongAtTheStartIsAnError(tmp_path: Path) -> None:
    def load() -> Identity:
        raise PEMError("a.pem", "it is none")

    with pytest.raises(PEMError, match="it is none"):
        CertificateFiles((str(tmp_path / "a.pem"),), load, object())  # type: ignore[arg-type]


def test_aFileThatHasJustChangedIsReadOnceMore(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.pem"
    file.write_bytes(b"one")
    changed = file.stat().st_ctime_ns
    now = [changed + 10**6]
    monkeypatch.setattr("time.time_ns", lambda: now[0])
    first = stampOf(str(file))
    now[0] += 10**9

    assert stampOf(str(file)) != first
    assert stampOf(str(file)) == stampOf(str(file))
    assert stampOf(str(tmp_path / "b.pem")) is None
