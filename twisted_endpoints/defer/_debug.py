"""What is kept about a Deferred for those who look for an error."""

from __future__ import annotations

from .._log import Logger
from ..failure import Failure

log = Logger(__package__ or __name__)


def logError(err: Failure) -> Failure:
    """
    Log a failure and pass it on.

    For use as an errback.  Where no errback follows, the failure is logged again when the Deferred goes away.
    """
    log.failure("", err)
    return err


class DebugInfo:
    """
    Logs, when a Deferred goes away, the failure that nobody has handled.

    An object of its own that knows nothing of its Deferred: so it goes away, and logs, when the Deferred
    does, even if that is in a reference cycle; and a Deferred that never failed has no finaliser that would
    slow down its end.

    Attributes:
        failResult: the failure that nobody has handled yet.
        creator: in debug mode, the stack that made the Deferred.
        invoker: in debug mode, the stack that fired it.
    """

    failResult: Failure | None = None
    creator: list[str] | None = None
    invoker: list[str] | None = None

    def __init__(self) -> None:
        # Many a Deferred goes away only with the interpreter, when it is too late to import a log.
        log.prepare()

    def _getDebugTracebacks(self) -> str:
        stacks = (("C", "Deferred was created", self.creator), ("I", "First Invoker was", self.invoker))
        return "".join(
            f" {mark}: {title}:\n" + "".join(f" {mark}:{line}\n" for line in "".join(stack).splitlines())
            for mark, title, stack in stacks
            if stack is not None
        )

    def __del__(self) -> None:
        if self.failResult is not None:
            debug = self._getDebugTracebacks()
            text = (
                f"Unhandled error in Deferred:\n(debug: {debug})" if debug else "Unhandled error in Deferred:"
            )
            log.failure(text, self.failResult)


def stackOfCaller() -> list[str]:
    """Format the stack, without the frames that belong to Deferreds."""
    import traceback

    stack = traceback.extract_stack()
    while stack and stack[-1].filename.startswith(__file__.removesuffix("_debug.py")):
        stack.pop()
    return stack.format()
