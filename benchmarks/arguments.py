"""Numbers on the command lines of the benchmarks: what makes no sense is refused before anything runs."""

from __future__ import annotations

import argparse
import math


def atLeastOne(text: str) -> int:
    """Read a whole number that may not be 0."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number, 1 or more, not {text!r}")
    return value


def positive(text: str) -> float:
    """Read a number above 0."""
    value = _finite(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"expected a number above 0, not {text!r}")
    return value


def notNegative(text: str) -> float:
    """Read a number that may be 0."""
    value = _finite(text)
    if not value >= 0:
        raise argparse.ArgumentTypeError(f"expected a number, 0 or more, not {text!r}")
    return value


def _finite(text: str) -> float:
    """Read a number; NaN, which no comparison lets pass, for what is none or has no end."""
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan
