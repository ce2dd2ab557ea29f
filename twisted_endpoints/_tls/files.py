"""What the files hold that a string names: who we are, and whom we trust."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from cryptography import x509

from .pem import Identity, PEMError, PEMFile, namesOf, parse, publicBytes

#: What tells that a file has changed: the times of its content and of its rights, its size, its inode; and
#: when this was looked at, if it had just changed.
Stamp = tuple[int, ...]

#: Nanoseconds: the kernel's clock for files goes in steps of some milliseconds, and a file that changes twice
#: in one step looks the same.  So what has just changed is read once more the next time.
_JUST = 10**8

#: More than any certificate: what is larger is no PEM file, and isn't read.
_LARGEST = 2**20


def stampOf(path: str) -> Stamp | None:
    """Look at a file; None if there is none."""
    try:
        stat = os.stat(path)
    except OSError:
        return None
    now = time.time_ns()
    just = (now,) if abs(now - stat.st_ctime_ns) < _JUST else ()
    return stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino, *just


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
