"""Why a connection has ended, in the vocabulary's words."""

from __future__ import annotations

from . import error
from .failure import Failure


def lostReason(reason: BaseException | None) -> Failure:
    """Say why a connection ended: None is an orderly end, an `OSError` becomes a `ConnectionLost`."""
    if reason is None:
        return Failure._withoutTraceback(error.ConnectionDone())
    if isinstance(reason, OSError):
        lost = error.ConnectionLost(str(reason))
        lost.__cause__ = reason
        return Failure(lost)
    return Failure(reason)
