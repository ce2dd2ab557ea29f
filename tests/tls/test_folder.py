"""A folder of certificates while its files come, change, break and go."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from twisted_endpoints._tls import files
from twisted_endpoints._tls.folder import CertificateFolder
from twisted_endpoints._tls.pem import Identity, PEMError

from .authority import DAY, NOW, Issued, root

EXAMPLE = root().issue("example.com")
RENEWED = root().issue("example.com", ends=NOW + 60 * DAY)
OTHER = root().issue("other.example")


class Folder:
    """A folder, what is served from it, and a clock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = NOW
        self.made: list[Identity] = []
        self.served: Any = None

    def write(self, name: str, content: bytes) -> None:
        (self.path / name).write_bytes(content)

    def open(self, default: str | None = None) -> None:
        def context(identity: Identity) -> Any:
            self.made.append(identity)
            return identity

        self.served = CertificateFolder(str(self.path), context, default, self._time)

    def _time(self) -> datetime:
        return self.now

    def look(self) -> bool:
        """Look for changes and serve them; tell whether something is shown, or wrong, that was not before."""
        before, changed = self.served._served, self.served.changed()
        if changed is None:
            return False
        self.served.serve(changed)
        return bool((changed.names, changed.faults) != (before.names, before.faults))

    def shown(self, name: bytes | None) -> Any:
        context = self.served.context(name)
        return None if context is None else context.certificate


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_namesAndTheDefault(folder: Folder) -> None:
    folder.write("b.pem", EXAMPLE.pem)
    folder.write("a.pem", OTHER.pem)
    folder.write("notes.txt", b"not looked at")
    folder.open()

    assert folder.shown(b"example.com") == EXAMPLE.certificate
    assert folder.shown(b"Other.Example.") == OTHER.certificate
    assert folder.shown(b"unknown.example") is None
    assert folder.shown(None) == OTHER.certificate


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::7"])
def test_whoConnectsToAnAddressMayBeShownACertificateForIt(folder: Folder, address: str) -> None:
    folder.write("a.pem", root().issue(address).pem)
    folder.write("b.pem", EXAMPLE.pem)
    folder.open()
    assert folder.shown(None) == folder.shown(address.encode()) != EXAMPLE.certificate

    folder.write("0.pem", EXAMPLE.pem)
    folder.open(address)
    assert folder.shown(None) == folder.shown(address.encode()) != EXAMPLE.certificate


def test_aDefaultByName(folder: Folder) -> None:
    folder.write("b.pem", EXAMPLE.pem)
    folder.write("a.pem", OTHER.pem)
    folder.open("example.com")

    assert folder.shown(None) == EXAMPLE.certificate
    assert folder.shown(b"unknown.example") == EXAMPLE.certificate


def missing(folder: Folder) -> None:
    folder.path = folder.path / "nowhere"


def empty(folder: Folder) -> None:
    pass


def keyless(folder: Folder) -> None:
    folder.write("a.pem", EXAMPLE.certificatePEM)


def aFile(folder: Folder) -> None:
    folder.write("a", b"")
    folder.path = folder.path / "a"


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (missing, "nowhere: the folder can't be listed: No such file or directory"),
        (aFile, "a: the folder can't be listed: Not a directory"),
        (empty, "no certificate with its key is in this folder: there is no file whose name ends with .pem"),
        (
            keyless,
            "this folder: {}/a.pem: the private key of the certificate for example.com is in no file",
        ),
    ],
)
def test_nothingToServeIsAnErrorAtOnce(
    folder: Folder, prepare: Callable[[Folder], None], reason: str, tmp_path: Path
) -> None:
    prepare(folder)

    with pytest.raises(PEMError) as caught:
        folder.open()
    assert str(caught.value).endswith(reason.format(tmp_path))


def test_aDefaultThatIsNotThere(folder: Folder) -> None:
    folder.write("a.pem", EXAMPLE.pem)

    with pytest.raises(PEMError, match="for the default name 'nobody"):
        folder.open("nobody.example")


def test_nothingNew(folder: Folder) -> None:
    folder.write("a.pem", EXAMPLE.pem)
    folder.open()

    assert not folder.look()
    assert len(folder.made) == 1


def test_aRenewedCertificate(folder: Folder) -> None:
    folder.write("a.pem", EXAMPLE.pem)
    folder.write("b.pem", OTHER.pem)
    folder.open()
    folder.write("a.pem", RENEWED.pem)

    assert folder.look()
    assert folder.shown(b"example.com") == RENEWED.certificate
    # What is as it was isn't made again.
    assert len(folder.made) == 3


def test_aNewFileAndOneThatIsGone(folder: Folder) -> None:
    folder.write("a.pem", EXAMPLE.pem)
    folder.open()
    folder.write("b.pem", OTHER.pem)
    assert folder.look()
    assert folder.shown(b"other.example") == OTHER.certificate

    (folder.path / "a.pem").unlink()
    assert folder.look()
    assert folder.shown(b"example.com") is None
    assert folder.shown(None) == OTHER.certificate


@pytest.mark.parametrize(
    "content",
    [EXAMPLE.pem[:-100], EXAMPLE.pem[:50], b"", b"garbage", b"\0" * 2**20 + b"\0"],
    ids=["half a key", "half a certificate", "empty", "garbage", "large"],
)
def test_aFileThatBreaksKeepsWhatItHeld(folder: Folder, content: bytes) -> None:
    folder.write("a.pem", EXAMPLE.pem)
    folder.write("b.pem", OTHER.pem)
    folder.open()
    folder.write("a.pem", content)

    folder.look()
    folder.look()
    folder.write("a.pem", content)
    folder.look()
    assert folder.shown(b"example.com") == EXAMPLE.certificate
    assert folder.shown(b"other.example") == OTHER.certificate

    folder.write("a.pem", RENEWED.pem)
    assert folder.look()
    assert folder.shown(b"example.com") == RENEWED.certificate


def test_betweenACertificateAndItsKey(folder: Folder) -> None:
    folder.write("cert.pem", EXAMPLE.certificatePEM)
    folder.write("key.pem", EXAMPLE.keyPEM)
    folder.open()

    folder.write("cert.pem", RENEWED.certificatePEM)
    folder.look()
    assert folder.shown(b"example.com") == EXAMPLE.certificate

    folder.write("key.pem", RENEWED.keyPEM)
    folder.look()
    assert folder.shown(b"example.com") == RENEWED.certificate


def test_theFolderIsGoneForAWhile(folder: Folder) -> None:
    folder.write("a.pem", EXAMPLE.pem)
    folder.open()
    away = folder.path.with_name("away")
    folder.path.rename(away)
    folder.look()
    assert not folder.look()
    assert folder.shown(b"example.com") == EXAMPLE.certificate

    away.rename(folder.path)
    folder.write("b.pem", OTHER.pem)
    assert folder.look()
    assert folder.shown(b"other.example") == OTHER.certificate


class OutOfOrder:
    """A function of the system's that fails for some paths."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.number = errno.EMFILE
        self.paths: list[str] = []

    def __call__(self, path: Any, *args: Any, **kwargs: Any) -> Any:
        if path in self.paths:
            raise OSError(self.number, os.strerror(self.number), path)
        return self.function(path, *args, **kwargs)


@pytest.fixture
def broken(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> OutOfOrder:
    """A call that may fail; and no file is read twice for being new."""
    monkeypatch.setattr(files, "_JUST", 0)
    module: Any = {"open": files}.get(request.param, os)
    made = OutOfOrder(getattr(module, request.param, open))
    monkeypatch.setattr(module, request.param, made, raising=False)
    return made


@pytest.mark.parametrize("broken", ["open"], indirect=True)
@pytest.mark.parametrize("number", [errno.EMFILE, errno.EIO], ids=["EMFILE", "EIO"])
def test_whatCouldNotBeReadIsReadTheNextTime(folder: Folder, broken: OutOfOrder, number: int) -> None:
    folder.write("a.pem", EXAMPLE.pem)
    folder.open()
    folder.write("a.pem", RENEWED.pem)
    broken.number = number
    broken.paths.append(f"{folder.path}/a.pem")
    folder.look()
    folder.look()
    assert folder.shown(b"example.com") == EXAMPLE.certificate

    broken.paths.clear()
    folder.look()
    assert folder.shown(b"example.com") == RENEWED.certificate
    assert not folder.look()


@pytest.mark.parametrize("broken", ["open"], indirect=True)
def test_whatMayNotBeReadIsNotTriedAgain(folder: Folder, broken: OutOfOrder) -> None:
    folder.write("a.pem", EXAMPLE.pem)
    folder.write("b.pem", OTHER.pem)
    broken.number = errno.EACCES
    broken.paths.append(f"{folder.path}/b.pem")
    folder.open()
    assert folder.served.changed() is None

    broken.paths.clear()
    (folder.path / "b.pem").chmod(0o640)
    assert folder.look()
    assert folder.shown(b"other.example") == OTHER.certificate


@pytest.mark.parametrize("broken", ["scandir", "stat"], indirect=True)
def test_whatCanNotBeLookedAtIsNotGone(folder: Folder, broken: OutOfOrder) -> None:
    (folder.path / "inner").mkdir()
    folder.write("inner/a.pem", EXAMPLE.pem)
    folder.write("b.pem", OTHER.pem)
    folder.open()
    before = folder.served._served.stamps
    broken.paths += [f"{folder.path}/inner", f"{folder.path}/inner/a.pem"]
    folder.write("c.pem", root().issue("third.example").pem)
    assert folder.look()
    assert folder.shown(b"example.com") == EXAMPLE.certificate
    assert before.items() <= folder.served._served.stamps.items()

    (folder.path / "inner" / "a.pem").unlink()
    broken.paths.clear()
    assert folder.look()
    assert folder.shown(b"example.com") is None


@pytest.mark.parametrize("broken", ["scandir"], indirect=True)
def test_aFolderThatCanBeListedAgain(
    folder: Folder, broken: OutOfOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[str] = []
    monkeypatch.setattr("twisted_endpoints._tls.folder._log.warning", logged.append)
    folder.write("a.pem", EXAMPLE.pem)
    folder.open()
    for _ in range(2):
        broken.paths.append(str(folder.path))
        for _ in range(3):
            folder.look()
        assert folder.shown(b"example.com") == EXAMPLE.certificate
        broken.paths.clear()
        folder.look()
        assert folder.served.changed() is None
    # Each time once.
    assert logged == 2 * [
        f"{folder.path}: the folder can't be listed: Too many open files; what was served before is served on"
    ]


def test_timeAloneChangesTheChoice(folder: Folder) -> None:
    later = root().issue("example.com", begins=NOW + 5 * DAY, ends=NOW + 90 * DAY)
    folder.write("a.pem", EXAMPLE.pem)
    folder.write("b.pem", later.pem)
    folder.open()
    assert folder.shown(b"example.com") == EXAMPLE.certificate

    folder.now = NOW + 6 * DAY
    assert folder.look()
    assert folder.shown(b"example.com") == later.certificate
    assert not folder.look()


def test_oneThatExpiresWhileItIsShownIsLogged(folder: Folder) -> None:
    folder.write("a.pem", EXAMPLE.pem)
    folder.open()
    folder.now = EXAMPLE.certificate.not_valid_after_utc
    folder.look()
    assert not folder.served._served.faults

    folder.now += timedelta(seconds=1)
    assert folder.look()
    assert folder.served._served.faults == {
        f"{folder.path}/a.pem: the certificate for example.com is not valid now"
    }
    assert folder.shown(b"example.com") == EXAMPLE.certificate
    assert not folder.look()


def test_aCertificateThatOpenSSLRefuses(tmp_path: Path) -> None:
    def context(identity: Identity) -> Any:
        if identity.certificate == RENEWED.certificate:
            raise ValueError("ee key too small")
        return identity

    (tmp_path / "a.pem").write_bytes(EXAMPLE.pem)
    served: Any = CertificateFolder(str(tmp_path), context)
    (tmp_path / "a.pem").write_bytes(RENEWED.pem)
    changed = served.changed()
    served.serve(changed)

    assert served.context(b"example.com").certificate == EXAMPLE.certificate
    assert [
        fault for fault in changed.faults if "OpenSSL refuses this certificate: ee key too small" in fault
    ]


def test_linksAndFoldersInFolders(folder: Folder) -> None:
    live = folder.path / "live" / "example.com"
    live.mkdir(parents=True)
    (folder.path / "up").symlink_to(folder.path)
    (live / "to-nowhere.pem").symlink_to("nowhere")
    (folder.path / "archive").mkdir()
    folder.write("archive/cert1.data", EXAMPLE.certificatePEM)
    folder.write("archive/key1.data", EXAMPLE.keyPEM)
    (live / "cert.pem").symlink_to("../../archive/cert1.data")
    (live / "privkey.pem").symlink_to("../../archive/key1.data")
    folder.open()
    assert folder.shown(b"example.com") == EXAMPLE.certificate

    folder.write("archive/cert2.data", RENEWED.certificatePEM)
    folder.write("archive/key2.data", RENEWED.keyPEM)
    for name in ("cert", "privkey"):
        source = "key" if name == "privkey" else "cert"
        temporary = live / "new"
        temporary.symlink_to(f"../../archive/{source}2.data")
        os.replace(temporary, live / f"{name}.pem")
        folder.look()
        assert folder.shown(b"example.com") is not None
    assert folder.shown(b"example.com") == RENEWED.certificate


def test_aFaultIsLoggedOnce(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[str] = []
    monkeypatch.setattr("twisted_endpoints._tls.folder._log.warning", logged.append)
    expired: Issued = root().issue("old.example", begins=NOW - 9 * DAY, ends=NOW - DAY)
    folder.write("a.pem", EXAMPLE.pem)
    folder.write("b.pem", expired.pem)
    folder.write("c.pem", b"nothing")
    folder.open()
    for content in (b"something", b"else"):
        folder.write("c.pem", content)
        folder.look()

    assert logged == [
        f"{folder.path}/c.pem: there is neither a certificate nor a private key in it",
        f"{folder.path}/b.pem: the certificate for old.example is not valid now",
    ]
