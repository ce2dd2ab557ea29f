"""What the files hold that a string names: who we are, and whom we trust."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator, Mapping

from cryptography import x509

from .pem import Identity, PEMError, PEMFile, namesOf, parse, publicBytes

#: What tells that a file has changed: the times of its content and of its rights, its size, its inode; and
#: when this was looked at, if it had just changed.  Empty: it is there, and can't be looked at.
Stamp = tuple[int, ...]

#: Nanoseconds: the kernel's clock for files goes in steps of some milliseconds, and a file that changes twice
#: in one step looks the same.  So what has just changed is read once more the next time.
_JUST = 10**8

#: More than any certificate: what is larger is no PEM file, and isn't read.
_LARGEST = 2**20

#: There is no such file, or it is a link to nowhere.
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


def stampOf(path: str) -> Stamp | None:
    """Look at a file; None if there is none."""
    try:
        stat = os.stat(path)
    except OSError as e:
        return None if e.errno in _GONE else ()
    now = time.time_ns()
    just = (now,) if abs(now - stat.st_ctime_ns) < _JUST else ()
    return stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino, *just


def stampsIn(folder: str, known: Mapping[str, Stamp]) -> dict[str, Stamp]:
    """
    Look at all files of a folder, and of those in it, whose names end with ``.pem``.

    Args:
        folder: its path.
        known: what this has returned before: what is there and can't be looked at now counts as it was.

    Raises:
        OSError: the folder can't be listed.
    """
    found: dict[str, Stamp] = {}
    hidden: list[str] = []
    seen: set[str] = set()
    folders = [folder]
    while folders:
        here = folders.pop()
        try:
            real = os.path.realpath(here, strict=True)
            if real in seen:
                # A link that leads back up.
                continue
            seen.add(real)
            with os.scandir(here) as entries:
                for entry in entries:
                    if _isFolder(entry, hidden):
                        folders.append(entry.path)
                    elif entry.name.lower().endswith(".pem"):
                        stamp = stampOf(entry.path)
                        if stamp is not None:
                            found[entry.path] = stamp or known.get(entry.path, ())
        except OSError as e:
            if here == folder:
                raise
            if e.errno not in _GONE:
                hidden.append(here)
    for path, stamp in known.items():
        if any(path.startswith(os.path.join(top, "")) for top in hidden):
            found.setdefault(path, stamp)
    return dict(sorted(found.items()))


def _isFolder(entry: os.DirEntry[str], hidden: list[str]) -> bool:
    """Tell whether this is a folder, or a link to one; add a link that can't be followed to `hidden`."""
    try:
        return entry.is_dir()
    except OSError as e:
        if e.errno not in _GONE:
            hidden.append(entry.path)
        return False


def readPEM(path: str) -> PEMFile:
    """
    Read a file.

    Raises:
        PEMError: it can't be read, or `parse` finds a fault with it.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as e:
        raise PEMError(path, f"it can't be read: {e.strerror or e}") from e
    if len(data) > _LARGEST:
        raise PEMError(path, "it is larger than a megabyte: no certificate is")
    return parse(path, data)


def mayPass(fault: PEMError) -> bool:
    """Tell whether a file couldn't be read for a reason that may pass while it stays as it is."""
    reason = fault.__cause__
    return isinstance(reason, OSError) and not isinstance(reason, PermissionError)


def loadIdentity(keyPath: str, certificatePath: str) -> Identity:
    """
    Read a certificate, its key and its chain.

    Args:
        keyPath: of the file with the private key.
        certificatePath: of the file with the certificate, and then those of its issuers; it may be the same.

    Raises:
        PEMError: one can't be read, or they don't belong together; its `path` tells which.
    """
    keys = readPEM(keyPath).keys
    certificates = readPEM(certificatePath).certificates
    if not keys:
        raise PEMError(keyPath, "there is no private key in it")
    if not certificates:
        raise PEMError(certificatePath, "there is no certificate in it")
    publics = {publicBytes(key.public_key()): key for key in keys}
    for certificate in certificates:
        key = publics.get(publicBytes(certificate.public_key()))
        if key is not None:
            chain = tuple(other for other in certificates if other != certificate)
            return Identity(certificatePath, keyPath, certificate, key, chain, namesOf(certificate))
    where = "it" if keyPath == certificatePath else keyPath
    raise PEMError(certificatePath, f"no certificate in it is for the private key in {where}")


def loadChain(path: str) -> tuple[x509.Certificate, ...]:
    """
    Read the certificates in a file.

    Raises:
        PEMError: it can't be read, or there is none in it.
    """
    certificates = readPEM(path).certificates
    if not certificates:
        raise PEMError(path, "there is no certificate in it")
    return certificates


def loadAuthorities(path: str) -> tuple[x509.Certificate, ...]:
    """
    Read certificates of authorities.

    Args:
        path: of a file; or of a folder, of which all files count whose names end with ``.pem``, and what is
            no certificate is passed over.

    Raises:
        PEMError: there is none.
    """
    if not os.path.isdir(path):
        return loadChain(path)
    # By the certificate: a folder often has the same one under several names.
    found = dict.fromkeys(certificate for file in _readable(path) for certificate in file.certificates)
    if not found:
        raise PEMError(path, "there is no certificate in this folder, in no file whose name ends with .pem")
    return tuple(found)


def _readable(folder: str) -> Iterator[PEMFile]:
    """
    Read the files of a folder that can be read.

    Raises:
        PEMError: the folder can't be listed.
    """
    try:
        names = sorted(os.listdir(folder))
    except OSError as e:
        raise PEMError(folder, f"the folder can't be listed: {e.strerror or e}") from e
    for name in names:
        if name.lower().endswith(".pem"):
            try:
                yield readPEM(os.path.join(folder, name))
            except PEMError:
                continue
