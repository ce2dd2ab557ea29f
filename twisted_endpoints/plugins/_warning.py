"""Warnings about strings that work, and most likely do something else than they are meant to."""

from __future__ import annotations

import sys
import warnings
from types import FrameType

_PACKAGE = __name__.partition(".")[0]


def warnAuthor(text: str, category: type[Warning]) -> None:
    """
    Warn at the line that makes an endpoint of the string, however deep it is nested in others.

    Args:
        text: what it does, and what to write instead.
        category: the kind of warning.
    """
    level = 1
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] == _PACKAGE:
        frame = frame.f_back
        level += 1
    warnings.warn(text, category, stacklevel=level)
