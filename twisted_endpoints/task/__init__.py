"""
Calls later, calls again and again, and work in slices; the twin of `twisted.internet.task`.

- `_clock`       `Clock`, a reactor's time that a test moves by hand
- `_looping`     `LoopingCall`
- `_cooperator`  `Cooperator`, which shares the reactor's thread between iterators
- `_running`     `deferLater` and `react`
"""

from __future__ import annotations

from ._clock import Clock
from ._cooperator import (
    _EPSILON,  # noqa: F401  Twisted's tests, and other programs, lean on these private ones
    CooperativeTask,
    Cooperator,
    NotPaused,
    SchedulerError,
    SchedulerStopped,
    TaskDone,
    TaskFailed,
    TaskFinished,
    TaskStopped,
    _defaultScheduler,  # noqa: F401
    _theCooperator,  # noqa: F401
    _Timer,  # noqa: F401
    coiterate,
    cooperate,
)
from ._looping import LoopingCall
from ._running import deferLater, react

__all__ = [
    "Clock",
    "CooperativeTask",
    "Cooperator",
    "LoopingCall",
    "NotPaused",
    "SchedulerError",
    "SchedulerStopped",
    "TaskDone",
    "TaskFailed",
    "TaskFinished",
    "TaskStopped",
    "coiterate",
    "cooperate",
    "deferLater",
    "react",
]
