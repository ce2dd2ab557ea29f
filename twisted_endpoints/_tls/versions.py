"""The versions of TLS, and which of them a range leaves out."""

from __future__ import annotations

from typing import Any

from constantly import NamedConstant, Names
from OpenSSL import SSL


class TLSVersion(Names):  # type: ignore[misc]  # constantly has no types
    """A version of TLS.  They can be compared: a later one is greater."""

    SSLv3, TLSv1_0, TLSv1_1, TLSv1_2, TLSv1_3 = (NamedConstant() for _ in range(5))


#: The option of OpenSSL that switches a version off.
_tlsDisableFlags: dict[Any, int] = {
    TLSVersion.SSLv3: SSL.OP_NO_SSLv3,
    TLSVersion.TLSv1_0: SSL.OP_NO_TLSv1,
    TLSVersion.TLSv1_1: SSL.OP_NO_TLSv1_1,
    TLSVersion.TLSv1_2: SSL.OP_NO_TLSv1_2,
    TLSVersion.TLSv1_3: SSL.OP_NO_TLSv1_3,
}


def _getExcludedTLSProtocols(oldest: Any, newest: Any) -> list[Any]:
    """
    List the versions that are not in a range.

    Args:
        oldest: the first one in it.
        newest: the last one in it; None for no limit.
    """
    return [
        version
        for version in TLSVersion.iterconstants()
        if version < oldest or (newest is not None and version > newest)
    ]


def versionRange(
    default: Any, raiseMinimumTo: Any, insecurelyLowerMinimumTo: Any, lowerMaximumSecurityTo: Any
) -> tuple[Any, Any]:
    """
    Work out the oldest and the newest version that the arguments of `CertificateOptions` allow.

    Args:
        default: the oldest one, if nobody says otherwise.
        raiseMinimumTo: the oldest one, where it is later than the default.
        insecurelyLowerMinimumTo: the oldest one, even where it is earlier than the default.
        lowerMaximumSecurityTo: the newest one.

    Returns:
        The oldest and the newest; the newest is None where there is no limit.

    Raises:
        ValueError: nothing lies between them.
    """
    newest = lowerMaximumSecurityTo
    for argument, wanted in (
        ("raiseMinimumTo", raiseMinimumTo),
        ("insecurelyLowerMinimumTo", insecurelyLowerMinimumTo),
    ):
        if wanted is not None and newest is not None and wanted > newest:
            raise ValueError(f"{argument} needs to be lower than lowerMaximumSecurityTo")
    if insecurelyLowerMinimumTo is not None:
        return insecurelyLowerMinimumTo, newest
    oldest = default if raiseMinimumTo is None else max(default, raiseMinimumTo)
    return (oldest if newest is None else min(oldest, newest)), newest
