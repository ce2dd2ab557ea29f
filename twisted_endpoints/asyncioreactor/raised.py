"""What the code of a program raises where the reactor calls it: it is logged, and kills nothing else."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

from .._log import Logger

_log = Logger(__name__)


def calledLogged(text: str, function: Callable[..., Any], *args: Any) -> Any:
    """Call a function; log what it raises, with a text that says what was being done."""
    try:
        return function(*args)
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException:
        _log.failure(text)
    finally:
        # A caught exception keeps the frames below it: not what was called, which may be what fails.
        del function, args


def logRaised(loop: asyncio.AbstractEventLoop, text: str) -> None:
    """
    Log the exception that is being handled, in a callback of one of the loop's transports.

    SystemExit and KeyboardInterrupt end the reactor's `run`, as they do everywhere in it.  They get a
    callback of their own for it: raised from here, uvloop would log them and go on.

    Args:
        loop: the reactor's.
        text: says what was being done.
    """
    raised = sys.exc_info()[1]
    if isinstance(raised, (SystemExit, KeyboardInterrupt)):
        loop.call_soon(_raise, raised)
    else:
        _log.failure(text)


def _raise(error: BaseException) -> None:
    raise error
