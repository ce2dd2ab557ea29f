"""
Deferred, and what is built on it: the twin of `twisted.internet.defer`.

Nothing is defined here.  The parts, from the ground up: `_errors`, `_debug` (unhandled failures),
`_timeouts`, `_chain` (how callbacks run), `_deferred`, `_results` (`succeed`, `fail`, `maybeDeferred`),
`_coroutines` (`inlineCallbacks`), `_futures` (asyncio), `_combinators` (`DeferredList`, `gatherResults`,
`race`), `_locks`, `_queues`, `_filesystemlock`.
"""

from __future__ import annotations

from ..failure import Failure as Failure
from ._chain import passthru as passthru
from ._combinators import FAILURE, SUCCESS, DeferredList, gatherResults
from ._combinators import FailureGroup as FailureGroup
from ._combinators import FirstError as FirstError
from ._combinators import _DeferredListResultItemT as _DeferredListResultItemT
from ._combinators import _DeferredListResultListT as _DeferredListResultListT
from ._combinators import _DeferredListSingleResultT as _DeferredListSingleResultT
from ._combinators import race as race
from ._coroutines import _cancellableInlineCallbacks as _cancellableInlineCallbacks
from ._coroutines import _DefGen_Return as _DefGen_Return
from ._coroutines import ensureDeferred, inlineCallbacks, returnValue
from ._debug import DebugInfo as DebugInfo
from ._debug import log as log
from ._debug import logError as logError
from ._deferred import _DEFERRED_SUBCLASSES as _DEFERRED_SUBCLASSES
from ._deferred import _P as _P
from ._deferred import _T as _T
from ._deferred import Deferred
from ._deferred import DeferredCallback as DeferredCallback
from ._deferred import DeferredErrback as DeferredErrback
from ._deferred import getDebugging as getDebugging
from ._deferred import setDebugging as setDebugging
from ._errors import AlreadyCalledError, CancelledError, TimeoutError  # noqa: A004
from ._errors import NotACoroutineError as NotACoroutineError
from ._filesystemlock import AlreadyTryingToLockError, DeferredFilesystemLock
from ._locks import DeferredLock, DeferredSemaphore
from ._locks import _ConcurrencyPrimitive as _ConcurrencyPrimitive
from ._queues import DeferredQueue
from ._queues import QueueOverflow as QueueOverflow
from ._queues import QueueUnderflow as QueueUnderflow
from ._results import execute as execute
from ._results import fail, maybeDeferred, succeed
from ._timeouts import _cancelledToTimedOutError as _cancelledToTimedOutError
from ._timeouts import timeout as timeout

__all__ = [
    "FAILURE",
    "SUCCESS",
    "AlreadyCalledError",
    "AlreadyTryingToLockError",
    "CancelledError",
    "Deferred",
    "DeferredFilesystemLock",
    "DeferredList",
    "DeferredLock",
    "DeferredQueue",
    "DeferredSemaphore",
    "TimeoutError",
    "ensureDeferred",
    "fail",
    "gatherResults",
    "inlineCallbacks",
    "maybeDeferred",
    "returnValue",
    "succeed",
]

# Users, pickles and `Failure.check` know these by the name of this package, as they know Twisted's.
for _value in list(globals().values()):
    if isinstance(_value, type | type(passthru)) and _value.__module__.startswith(f"{__name__}."):
        _value.__module__ = __name__
del _value
