"""Where a long-running command writes: lines to standard error, and on a terminal a line that lives."""

from __future__ import annotations

import sys
from typing import Any


class Report:
    """
    Writes plain lines.

    A log that can't be written (its reader has gone, the disk is full) is no reason to end a running service,
    so that such errors are let pass.
    """

    def line(self, text: str) -> None:
        """Write a line, at once."""
        try:
            print(text, file=sys.stderr, flush=True)
        except (OSError, ValueError):
            pass

    def live(self, text: str) -> None:
        """Say how things stand just now: only on a terminal."""

    @property
    def isLive(self) -> bool:
        """Whether `live` does anything."""
        return False

    def close(self) -> None:
        """Leave the terminal as it was."""


class LiveReport(Report):
    """
    Writes lines above a line that is renewed in place.

    Args:
        console: rich's Console on standard error.
    """

    def __init__(self, console: Any) -> None:
        from rich.live import Live

        # No refreshing thread of rich's: the reactor says when.  transient: the line goes when we do.
        # Standard output stays what it is: it may be a pipe while standard error is a terminal.
        self._live = Live("", console=console, auto_refresh=False, transient=True, redirect_stdout=False)

    def line(self, text: str) -> None:
        try:
            self._live.console.print(text, markup=False, highlight=False, emoji=False, soft_wrap=True)
        except (OSError, ValueError):
            pass

    def live(self, text: str) -> None:
        from rich.text import Text

        try:
            self._live.start()
            self._live.update(Text(text, no_wrap=True, overflow="ellipsis"), refresh=True)
        except (OSError, ValueError):
            pass

    @property
    def isLive(self) -> bool:
        return True

    def close(self) -> None:
        try:
            self._live.stop()
        except (OSError, ValueError):
            pass


def openReport() -> Report:
    """Give a live report on a terminal, if rich (the extra `cli`) is there, else a plain one."""
    if not sys.stderr.isatty():
        return Report()
    try:
        from rich.console import Console
    except ImportError:
        return Report()
    console = Console(stderr=True)
    return Report() if console.is_dumb_terminal else LiveReport(console)
