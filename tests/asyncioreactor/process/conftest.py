"""No test of child processes leaves one, or anything else."""

from __future__ import annotations

from .children import nothingLeft

__all__ = ["nothingLeft"]
